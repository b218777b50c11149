"""Mutants that change nothing that anybody could notice, each with its reason; they are made, and not judged."""

EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "batch/applying.py",
        "moved.mit_mode == CIT_MODE and moved.state is not State.PENDING -> (moved.state is not State.PENDING)",
    ): "only an order of a customer who was present ever has an item about a challenge: for others there is none to close",
}
"""By file and change (`was -> now`): why nothing comes of it."""
