"""A noun agrees with its number."""

import pytest

from schemas.counted import counted


@pytest.mark.parametrize(
    ("count", "nouns", "words"),
    [
        (0, ("order",), "0 orders"),
        (1, ("order",), "1 order"),
        (12480, ("order",), "12,480 orders"),
        (1, ("copy", "copies"), "1 copy"),
        (2, ("copy", "copies"), "2 copies"),
    ],
)
def test_a_noun_agrees_with_its_number(count: int, nouns: tuple[str, ...], words: str) -> None:
    """One is one; none and more are many, thousands apart."""
    assert counted(count, *nouns) == words
    assert counted(count, *nouns, width=8).strip() == words
