"""How a person is told of rows that were set aside: how many, and of the first of them which and why."""

from collections.abc import Sequence

from schemas.counted import counted

SHOWN = 3
"""So many rows are named; the evidence that is kept has all of them."""


def told_of_rows(odd: Sequence[str], whose: str = "its answer") -> str:
    """What is the matter with the odd rows of `whose`: how many, and of the first three which and why."""
    more = f"; and {len(odd) - SHOWN:,} more" if len(odd) > SHOWN else ""
    return f"{counted(len(odd), 'row')} of {whose} set aside: {'; '.join(odd[:SHOWN])}{more}"
