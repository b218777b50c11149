"""What of the provider's words may be shown."""

import json

import pytest

from batch.api_actions import Verdict as ActionVerdict
from batch.api_actions import read_payment
from batch.call_answers import Verdict, read_evaluate, read_transmit
from batch.provider_reads import Reply
from batch.provider_words import UNREADABLE, plain_id, status_word
from batch.responses import read_acknowledgement, read_order_answer, read_order_page, read_outcome_answer, read_outcomes
from batch.webhooks import read_webhook
from schemas.errors import AnswerUnreadable
from tests.pure.samples import profile


@pytest.mark.parametrize("word", ["A4111111111111111", "A 4111 1111 1111 1111", "A-5500-0000-0000-0004", "OK 378282246310005"])
def test_a_status_that_holds_a_card_number_is_not_shown(word: str) -> None:
    """A word of a status' letters is no status when a card number stands in it."""
    assert status_word(word) == UNREADABLE


@pytest.mark.parametrize("word", ["", "COMPLETED", "Order Completed", "A4111111111111112", "on-hold_2"])
def test_a_status_is_shown_as_received(word: str) -> None:
    """What looks like a status, and holds no card number, stays as it is."""
    assert status_word(word) == word


PLAIN = (
    "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001",
    "41111111-1111-4111-8111-111111111111",
    "a",
    "key 1",
    "ключ",
    "4111111111111112",
    "x" * 128,
)
ODD = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "key-4111-1111-1111-1111",
    "\u0664" + "1" * 15,
    "9" * 12 + "2",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\uff1d1",
    "'x",
    "a\nb",
    "a\tb",
    "a\u200bb",
    " a",
    "a ",
    " ",
    "ada@example.com",
    "x" * 129,
)


@pytest.mark.parametrize("word", PLAIN)
def test_a_plain_id_stays_as_it_is(word: str) -> None:
    """A GUID in whose digits a card number could be read, and any short printable text, is an id."""
    assert plain_id(word) == word
    assert plain_id("") == plain_id(None) == plain_id(7) == ""


@pytest.mark.parametrize("word", ODD)
def test_an_odd_id_is_read_by_no_reader(word: str) -> None:
    """What may not be kept or shown makes each answer unreadable, its row odd, or its call doubtful; nothing repeats it."""
    row = {
        "id": word,
        "orderSessionKey": word,
        "transmitId": word,
        "orderId": word,
        "transactionId": word,
        "externalOrderId": "o",
    }
    said = {**row, "mid": "m", "success": True, "result": "success", "status": "SUBMITTED", "event": "order.completed"}
    whole = json.dumps(said).encode()
    for read in (
        lambda: plain_id(word),
        lambda: read_order_answer(json.dumps({**row, "status": 7}).encode(), profile()),
        lambda: read_outcome_answer(whole, "k"),
        lambda: read_webhook(whole),
    ):
        with pytest.raises(AnswerUnreadable) as refusal:
            read()
        assert len(word) < 4 or word not in str(refusal.value)
    many = json.dumps({**said, "orders": [row], "outcomes": [row], "responses": [{**row, "result": "success"}]}).encode()
    page, (_, news, odd), answer = (
        read_order_page(many, profile()),
        read_outcomes(many, profile()),
        read_acknowledgement(many, profile()),
    )
    assert (page.orders, page.odd, news, len(odd), answer.rows, answer.odd_rows) == ((), ("o",), (), 1, (), 1)
    assert {read_evaluate(200, whole).verdict, read_transmit(200, whole).verdict} == {Verdict.DOUBTFUL}
    paid = read_payment(Reply(200, json.dumps({**row, "success": True, "status": "SUCCESS"}).encode()))
    assert (paid.verdict, paid.transaction_id) == (ActionVerdict.UNCLEAR, "")


@pytest.mark.parametrize("column", ["orderSessionKey", "transmitId"])
def test_an_odd_id_is_odd_in_csv(column: str) -> None:
    """The rows of acknowledgements and outcomes in CSV are judged by the same function."""
    sheet = f"file,kind,mid,sequenceNumber,orderId,{column},status,result\nf,evaluate,m,1,o,4111111111111111,SUBMITTED,Success\n"
    answer = read_acknowledgement(sheet.encode(), profile())
    assert (answer.rows, answer.odd_rows) == ((), 1)
    sheet = "mid,orderId,orderSessionKey,status\nm,o,4111111111111111,COMPLETED\nm,o,k,COMPLETED\n"
    _, news, odd = read_outcomes(sheet.encode(), profile())
    assert ([each.provider_order_id for each in news], [words[:6] for words in odd]) == (["k"], ["row 1 "])
