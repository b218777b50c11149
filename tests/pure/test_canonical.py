"""Canonical JSON is one text, whoever writes it: the seal of every event hangs on its bytes."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.books import canonical_detail


class Word(StrEnum):
    """A text of a kind of its own."""

    CLAIMED = "claimed"


TEXTS = st.text(max_size=12)
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS
VALUES = st.recursive(PLAIN | st.floats(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


def reference(detail: Mapping[str, Any]) -> str:
    """The same text by the standard library alone."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@given(st.dictionaries(TEXTS, PLAIN, max_size=12))
def test_plain_details_have_the_text_of_the_standard_library(detail: dict[str, Any]) -> None:
    """Texts of any script, also such as UTF-8 has no bytes for, whole numbers of any size, yes, no and nothing."""
    assert canonical_detail(detail) == reference(detail)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_every_other_detail_has_it_too_or_is_refused_alike(detail: dict[str, Any]) -> None:
    """Fractions and what lies within one another included; what is no number is refused."""
    try:
        expected = reference(detail)
    except ValueError:
        with pytest.raises(ValueError, match="JSON"):
            canonical_detail(detail)
    else:
        assert canonical_detail(detail) == expected


@pytest.mark.parametrize(
    "detail",
    [{"a": 1e16}, {"a": 1e-7}, {"a": [1e16]}, {"a": Word.CLAIMED}, {1: "a"}, {"\ud800": 1}, {"\uffff": 1, "\U00010000": 2}],
    ids=["large", "small", "within", "enumerated", "number-as-key", "half-a-pair", "order-of-keys"],
)
def test_what_writers_of_json_differ_in(detail: dict[str, Any]) -> None:
    """Exponents, texts of other kinds, keys that are none, half a pair of UTF-16, and the order of far away characters."""
    assert canonical_detail(detail) == reference(detail)


@pytest.mark.parametrize("detail", [{"a": b"bytes"}, {"a": {1, 2}}], ids=["bytes", "set"])
def test_what_has_no_text_is_refused(detail: dict[str, Any]) -> None:
    """A row that somebody put bytes into has no seal."""
    with pytest.raises(TypeError):
        canonical_detail(detail)
