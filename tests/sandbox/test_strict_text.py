"""Reading strictly: what a record turns into, and that nothing hostile gets further than a refusal."""

import contextlib
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.sandbox.strict_text import MAX_DEPTH, NotStrict, digest_of, nested, parse_csv, parse_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner),
    max_leaves=20,
)


def test_nesting_has_a_limit() -> None:
    """32 levels are read, 33 are refused, whatever the machine's own limit is."""
    fine, deep = (b"[" * depth + b"1" + b"]" * depth for depth in (MAX_DEPTH, MAX_DEPTH + 1))

    assert MAX_DEPTH == 32
    assert parse_json(fine)
    with pytest.raises(NotStrict, match="deeper than 32"):
        parse_json(deep)


@given(VALUES)
def test_json_is_read_as_it_was_written(value: object) -> None:
    """Whatever strict JSON says is what is read."""
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary() | TEXTS.map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No bytes cause any other error than a refusal."""
    for parse in (parse_json, parse_csv):
        with contextlib.suppress(NotStrict):
            parse(raw)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_csv_cells_are_byte_true(rows: list[tuple[str, str]]) -> None:
    """Commas, quotes and line breaks inside cells survive."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(("a", "b"))
    writer.writerows(rows)

    assert parse_csv(text.getvalue().encode()) == [{"a": first, "b": second} for first, second in rows]


def test_dotted_names_unfold() -> None:
    """Dots make objects, positions make lists, known names get their types, and empty cells are absent."""
    row = {
        "orderid": "0012",
        "isdeclined": "true",
        "transaction.amount": "2599",
        "transaction.id": "2599",
        "orderitems.0.sku": "1",
        "orderitems.1.sku": "2",
        "payer.phone": "",
    }

    assert nested(row) == {
        "orderid": "0012",
        "isdeclined": True,
        "transaction": {"amount": 2599, "id": "2599"},
        "orderitems": [{"sku": "1"}, {"sku": "2"}],
    }


def test_the_digest_ignores_the_order_of_names() -> None:
    """A record's digest is the same however its names were ordered, and another for another value."""
    assert digest_of({"a": 1, "b": "x"}) == digest_of({"b": "x", "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})
