"""Acknowledgements and outcomes in CSV say what the same words say in JSON (CONTRACT 6.4)."""

import json

import pytest

from batch.responses import AcknowledgedRow, is_json, may_still_grow, read_acknowledgement, read_outcomes
from jobs.sandbox.outbound import to_csv
from schemas.errors import AnswerUnreadable
from tests.pure.samples import MID, profile

HEAD = {"file": "evaluate_3f1c09ab_20261123_00000000000a.json", "kind": "evaluate", "mid": MID}
ACCEPTED = {"sequenceNumber": "1", "orderId": "000471", "orderSessionKey": "k-1", "status": "SUBMITTED", "result": "Success"}
REFUSED = {"sequenceNumber": "2", "orderId": "=1+1", "orderSessionKey": None, "status": None, "result": "Failed"}
ERRORS = [{"item1": "no such token", "item2": "E7", "item3": "", "item4": False}, {"item1": "=cmd|' /C calc'!A0"}]


def both(document: dict[str, object]) -> tuple[bytes, bytes]:
    """The document as JSON and as CSV."""
    return json.dumps(document).encode(), to_csv(document)


@pytest.mark.parametrize(
    "document",
    [
        {**HEAD, "result": "success", "errors": [], "responses": [ACCEPTED | {"errors": []}, REFUSED | {"errors": ERRORS}]},
        {**HEAD, "result": "success", "errors": [], "responses": [ACCEPTED | {"orderId": ""}]},
        {**HEAD, "result": "success", "errors": [], "responses": [REFUSED | {"errors": ["plain words", "more"]}]},
        {**HEAD, "result": "success", "errors": [], "responses": [ACCEPTED | {"result": "perhaps"}, ACCEPTED]},
        {
            **HEAD,
            "kind": "transmit",
            "result": "success",
            "responses": [{"orderId": "a", "transmitId": "t", "result": "Success"}],
        },
        {**HEAD, "result": "failed", "errors": ERRORS},
        {**HEAD, "result": "failed", "errors": []},
    ],
)
def test_an_acknowledgement_is_the_same_in_both(document: dict[str, object]) -> None:
    """Accepted and refused rows, their errors in order, odd rows, copies, and refused files."""
    in_json, in_csv = both(document)

    assert is_json(in_json)
    assert not is_json(in_csv)
    assert read_acknowledgement(in_csv, profile()) == read_acknowledgement(in_json, profile())


def test_outcomes_are_the_same_in_both() -> None:
    """Rows by either id, a row that names nobody, and whatever else stands in them."""
    rows = [
        {"orderSessionKey": "k-1", "orderId": "000471", "status": "COMPLETED", "timestampUtc": "2026-12-25T08:00:00Z"},
        {"orderSessionKey": None, "orderId": "+2", "status": "expired"},
        {"orderSessionKey": "", "orderId": "", "status": "DECLINED"},
    ]
    in_json, in_csv = both({"mid": MID, "outcomes": rows})

    assert read_outcomes(in_csv, profile()) == read_outcomes(in_json, profile())
    assert read_outcomes(in_csv, profile())[2] == ("row 3 names no order",)


@pytest.mark.parametrize(
    "text",
    [
        "errors,RESULT,ordersessionkey,OrderId,SEQUENCENUMBER,Mid,File\n,success,k-1,000471,1,{mid},{file}\n",
        "\ufefffile,region,mid,result,orderId,sequenceNumber,orderSessionKey\r\n{file},eu-1,{mid},Success,000471,1,k-1\r\n",
    ],
)
def test_columns_are_found_by_name(text: str) -> None:
    """In any order and case, with more of them than we know (F-15)."""
    read = read_acknowledgement(text.format(mid=MID, file=HEAD["file"]).encode(), profile())

    assert (read.file, read.mid, read.accepted, read.odd_rows) == (HEAD["file"], MID, True, 0)
    assert read.rows == (AcknowledgedRow("1", "000471", accepted=True, provider_id="k-1", status="", error_text=""),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,mid,orderId\nf,m,a\n", "no column result"),
        ("mid,result,orderId\nm,Success,a\n", "no column file"),
        ("file,result,orderId\nf,Success,a\n", "no column mid"),
        ("file,mid,result\n", "has no rows"),
        ("file,mid,result\nf\n", "has no rows"),
        ("file,mid,result,orderId\nf,m,Success,a\nf,n,Success,b\n", "the same mid"),
        ("file,mid,result,orderId\nf,m,Success,a\ng,m,Success,b\n", "the same file"),
        ("file,mid,result,merchantOrderId\nf,m,Failed,a\n", "by columns that are known"),
        ("<html><title>Welcome</title></html>\n", "no column file"),
    ],
)
def test_an_unknown_layout_is_not_guessed_at(text: str, words: str) -> None:
    """Without the columns that say whose it is and what it says, or with two answers to that, nothing is read (F-15, I16)."""
    with pytest.raises(AnswerUnreadable, match=words):
        read_acknowledgement(text.encode(), profile())


def test_outcomes_without_a_status_or_rows_are_unreadable() -> None:
    """A lonely header, or no word about the orders: nothing is taken from it (F-16)."""
    for text in ("mid,orderId\nm,a\n", "mid,orderId,status\n", "orderId,status\na,COMPLETED\n"):
        with pytest.raises(AnswerUnreadable):
            read_outcomes(text.encode(), profile())


def test_one_refused_row_never_stands_for_the_file() -> None:
    """Only a row that names neither its number nor its order refuses the whole file, and only by columns that are known."""
    row = read_acknowledgement(b"file,mid,result,orderId\nf,m,Failed,a\n", profile())
    numbered = read_acknowledgement(b"file,mid,result,sequenceNumber\nf,m,Failed,1\n", profile())
    several = read_acknowledgement(b"file,mid,result,orderId\nf,m,Failed,\nf,m,Failed,\n", profile())

    assert (row.accepted, len(row.rows)) == (True, 1)
    assert (numbered.accepted, len(numbered.rows)) == (True, 1)
    assert (several.accepted, len(several.rows)) == (True, 2)


def test_a_beginning_is_known_by_its_rows() -> None:
    """CSV has no end mark: an answer with fewer rows than its request, or without its last line end, may be a beginning."""
    document: dict[str, object] = {**HEAD, "result": "success", "responses": [ACCEPTED, ACCEPTED | {"sequenceNumber": "2"}]}
    content = to_csv(document)
    answer = read_acknowledgement(content, profile())
    doubled = read_acknowledgement(to_csv({**document, "responses": [ACCEPTED, ACCEPTED]}), profile())
    refused = to_csv({**HEAD, "result": "failed", "errors": ERRORS})

    assert not may_still_grow(content, answer, 2)
    assert may_still_grow(content.rstrip(b"\n"), answer, 2)
    assert may_still_grow(content, answer, 3)
    assert may_still_grow(content, doubled, 2)
    assert may_still_grow(refused, read_acknowledgement(refused, profile()), 1)
