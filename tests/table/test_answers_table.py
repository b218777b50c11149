"""Every shape of a field in the provider's answers is either understood or refused; nothing is guessed."""

import itertools
import json

import pytest

from batch.responses import read_acknowledgement, read_order_answer, read_order_page, read_outcomes, read_token
from schemas.errors import AnswerUnreadable
from tests.pure.samples import profile

ABSENT = object()
VERDICTS: dict[str, tuple[object, bool | None]] = {
    "success": ("success", True),
    "Success": (" Success ", True),
    "failed": ("failed", False),
    "FAILED": ("FAILED", False),
    "unknown": ("accepted", None),
    "empty": ("", None),
    "absent": (ABSENT, None),
    "null": (None, None),
    "yes": (True, None),
    "one": (1, None),
    "list": (["success"], None),
}
ODD = "none that may be kept"
IDS: dict[str, tuple[object, str]] = {
    "text": ("5f2c", "5f2c"),
    "empty": ("", ""),
    "absent": (ABSENT, ""),
    "null": (None, ""),
    "number": (7, ""),
    "list": (["5f2c"], ""),
    "too long": ("x" * 129, ODD),
    "card": ("4111111111111111", ODD),
}
NUMBERS: dict[str, tuple[object, str | None]] = {
    "text": ("1", "1"),
    "number": (1, "1"),
    "absent": (ABSENT, ""),
    "null": (None, ""),
    "yes": (True, None),
    "list": ([1], None),
    "fraction": (1.5, None),
}


def without_absent(**fields: object) -> dict[str, object]:
    """The fields that are there."""
    return {name: value for name, value in fields.items() if value is not ABSENT}


def acknowledgement(row: dict[str, object], result: object = "success") -> bytes:
    """An acknowledgement with one row."""
    return json.dumps(without_absent(file="f.json", mid="m", result=result, responses=[row])).encode()


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("number", NUMBERS)
def test_every_shape_of_an_acknowledged_row(verdict: str, number: str) -> None:
    """A row counts where it says yes with an id of the provider's, or no; everything else is odd and moves nothing (I16)."""
    (word, accepted), (sequence, text) = VERDICTS[verdict], NUMBERS[number]
    for (key, key_text), (transmit, transmit_text) in itertools.product(IDS.values(), repeat=2):
        row = without_absent(
            result=word, sequenceNumber=sequence, orderId="o-1", orderSessionKey=key, transmitId=transmit, status="SUBMITTED"
        )
        read = read_acknowledgement(acknowledgement(row), profile())
        provider_id = key_text or transmit_text
        if accepted is None or text is None or provider_id == ODD or (accepted and not provider_id):
            assert (read.rows, read.odd_rows) == ((), 1), row
        else:
            (one,) = read.rows
            assert (one.accepted, one.provider_id, one.sequence_number, one.order_id) == (accepted, provider_id, text, "o-1")
            assert (one.status, read.odd_rows) == ("SUBMITTED", 0)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_shape_of_a_files_verdict(verdict: str) -> None:
    """A file is accepted or refused in so many words, or its answer is unreadable; a refused file has no rows."""
    word, accepted = VERDICTS[verdict]
    content = acknowledgement({"result": "success", "orderSessionKey": "k", "orderId": "o"}, word)
    if accepted is None:
        with pytest.raises(AnswerUnreadable):
            read_acknowledgement(content, profile())
    else:
        read = read_acknowledgement(content, profile())
        assert (read.accepted, len(read.rows)) == (accepted, 1 if accepted else 0)


@pytest.mark.parametrize("rows", [{}, "x", 1, None, True])
def test_rows_that_are_no_list_are_refused(rows: object) -> None:
    """An acknowledgement, an outcomes file and a listing whose rows are no list are unreadable as a whole."""
    for field, read in (("outcomes", read_outcomes), ("orders", read_order_page)):
        with pytest.raises(AnswerUnreadable):
            read(json.dumps({"mid": "m", field: rows}).encode(), profile())
    with pytest.raises(AnswerUnreadable):
        read_acknowledgement(json.dumps({"result": "success", "responses": rows}).encode(), profile())


@pytest.mark.parametrize("row", [1, None, "x", [], {}, {"ID": "a", "id": "b", "status": 7}, {"orderId": "a", "ORDERID": "b"}])
def test_an_odd_row_is_counted_and_its_neighbours_are_read(row: object) -> None:
    """A row that cannot be read changes nothing for the rows beside it (I15)."""
    good = {"orderSessionKey": "k", "orderId": "o", "status": "EXPIRED", "result": "success", "id": "k"}
    rows = [row, good]
    mid, news, odd = read_outcomes(json.dumps({"mid": "m", "outcomes": rows}).encode(), profile())
    assert (mid, [each.order_id for each in news], [words.partition(" is")[0].partition(" names")[0] for words in odd]) == (
        "m",
        ["o"],
        ["row 1"],
    )
    read = read_acknowledgement(json.dumps({"result": "success", "responses": rows}).encode(), profile())
    assert ([each.order_id for each in read.rows], read.odd_rows) == (["o"], 1)
    rows[1] = {"id": "k", "statusName": "EXPIRED"}
    page = read_order_page(json.dumps({"orders": rows, "hasNextPage": "true"}).encode(), profile())
    assert ([each.provider_order_id for each in page.orders], page.has_next) == (["k"], False)


@pytest.mark.parametrize(
    ("value", "seen"), [(7, 7), ("7", 7), ("-1", None), ("7.0", None), ("٧", None), (True, None), (7.0, None)]
)
def test_every_shape_of_a_status_number(value: object, seen: int | None) -> None:
    """A number, or the same digits as a text, is a number; anything else is none, and alone makes the answer unreadable."""
    beside = read_order_answer(json.dumps({"id": "k", "status": value, "statusName": "Completed"}).encode(), profile())
    assert beside.code == seen
    alone = json.dumps({"id": "k", "status": value}).encode()
    if seen is None:
        with pytest.raises(AnswerUnreadable):
            read_order_answer(alone, profile())
    else:
        assert read_order_answer(alone, profile()).code == seen


@pytest.mark.parametrize("amount", ["1999", 1999.0, 19.99, True, [], {}])
def test_an_amount_that_is_no_whole_number_makes_the_answer_unreadable(amount: object) -> None:
    """No amount is guessed from a text or a fraction; none at all is none (I17)."""
    with pytest.raises(AnswerUnreadable):
        read_order_answer(json.dumps({"id": "k", "status": 7, "amount": amount}).encode(), profile())
    for row in ({"id": "k", "status": 7}, {"id": "k", "status": 7, "amount": None}):
        assert read_order_answer(json.dumps(row).encode(), profile()).amount_minor is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[]", "not an object"),
        (b"1", "not an object"),
        (b'{"id":"a","ID":"b","status":7}', "differ only in case"),
        (b'{"id":"a"}', "no id or no status"),
        (b'{"status":7}', "no id or no status"),
        (b'{"orderSessionKey":7,"status":7}', "no id or no status"),
    ],
)
def test_an_order_without_what_is_needed_is_unreadable(content: bytes, words: str) -> None:
    """An answer that is no object, or has no id, or no status, says nothing."""
    with pytest.raises(AnswerUnreadable, match=words):
        read_order_answer(content, profile())


@pytest.mark.parametrize("token", [ABSENT, None, "", 7, "a b", "a\nb", "é", "x" * 4097])
def test_a_token_that_cannot_travel_in_a_header_is_refused(token: object) -> None:
    """Only visible ASCII goes into a header."""
    with pytest.raises(AnswerUnreadable):
        read_token(json.dumps(without_absent(accessToken=token, expires=1)).encode())


@pytest.mark.parametrize("expires", [ABSENT, None, True, "", "soon", "-1", 1.5, []])
def test_a_token_without_an_end_is_refused(expires: object) -> None:
    """A token whose end is not said in whole milliseconds is not used."""
    with pytest.raises(AnswerUnreadable):
        read_token(json.dumps(without_absent(accessToken="t", expires=expires)).encode())


@pytest.mark.parametrize(("expires", "kept"), [(5, 5), ("5", 5), (-5, 0), (10**30, 253402300799000)])
def test_the_end_of_a_token_is_kept_within_the_calendar(expires: object, kept: int) -> None:
    """An absurd end is brought into the range of dates."""
    assert read_token(json.dumps({"accessToken": "t", "expires": expires}).encode()).expires_ms == kept


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (["a", "b"], "a; b"),
        ([{"item1": "a", "item2": "1"}, {"item2": "1"}, 7, None, "b"], "a; b"),
        (list("abcdefg"), "a; b; c; d; e"),
        ("a", ""),
        ({"a": "b"}, ""),
        (None, ""),
        (["4111111111111111"], "(withheld: it holds a card number)"),
    ],
)
def test_every_shape_of_a_refusals_words(errors: object, words: str) -> None:
    """Texts and 4-tuples give their first words, five at most; anything else gives none (CONTRACT 4)."""
    row = {"result": "failed", "orderId": "o", "errors": errors}
    assert read_acknowledgement(acknowledgement(row), profile()).rows[0].error_text == words
