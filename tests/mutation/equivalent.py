"""Mutants that change nothing that anybody could notice, each with its reason; they are made, and not judged."""

EQUIVALENT: dict[tuple[str, str], str] = {}
"""By file and change (`was -> now`): why nothing comes of it."""
