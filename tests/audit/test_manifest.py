"""The manifest's form: names in order, two blanks for each step inward, and the same bytes however they are made."""

import json

from hypothesis import given
from hypothesis import strategies as st

from batch.audit_manifest import indented

_texts = st.text(st.characters(codec="utf-8"))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_texts, inner, max_size=4)),
)


@given(st.dictionaries(_texts, _values, max_size=4))
def test_a_document_is_indented_by_one_rule(document: dict[str, object]) -> None:
    """Any text and any sum, also one of more than 64 bits, stands as Python's own writer would put it."""
    slowly = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    assert indented(document) == slowly.encode()


def test_a_sum_beyond_64_bits_is_written_in_full() -> None:
    """A total is never cut."""
    assert indented({"amount_minor": {"USD": 2**70}}) == b'{\n  "amount_minor": {\n    "USD": 1180591620717411303424\n  }\n}\n'
