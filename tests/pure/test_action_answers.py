"""What the answers to a cancel, a capture and a refund say: a clear yes, a clear no, and everything else."""

import json

import pytest

from batch.api_actions import Verdict, read_cancel, read_payment, refund_body
from batch.provider_reads import Reply


@pytest.mark.parametrize(
    ("amount_minor", "currency", "written"),
    [
        (1, "USD", "0.01"),
        (1234, "USD", "12.34"),
        (1230, "USD", "12.30"),
        (100, "USD", "1.00"),
        (999999999999, "USD", "9999999999.99"),
        (1234, "JPY", "1234"),
        (1234, "KWD", "1.234"),
    ],
)
def test_a_refund_goes_in_dollars_with_every_digit(amount_minor: int, currency: str, written: str) -> None:
    """The amount is a JSON number made from the digits of the minor units, as exact as they are."""
    body = refund_body(amount_minor, currency, 'it was "late"')
    assert body == f'{{"amountToRefund":{written},"refundMessage":"it was \\"late\\""}}'.encode()


@pytest.mark.parametrize(
    ("status", "content", "verdict"),
    [
        (200, b"", Verdict.DONE),
        (200, b" \n", Verdict.DONE),
        (200, b"{}", Verdict.DONE),
        (200, b'{"success": false, "status": "FAILED", "errors": [{"item1": "too late"}]}', Verdict.REFUSED),
        (200, b'{"status": "CANCELLED"}', Verdict.REFUSED),
        (200, b'{"success": true}', Verdict.UNCLEAR),
        (200, b"<html>sign in</html>", Verdict.UNCLEAR),
        (200, b"[]", Verdict.UNCLEAR),
        (200, b'{"success": false', Verdict.UNCLEAR),
        (202, b"{}", Verdict.UNCLEAR),
        (204, b"", Verdict.UNCLEAR),
        (307, b"", Verdict.UNCLEAR),
        (400, b'{"success": false, "errors": [{"item1": "The order is Completed and cannot be cancelled."}]}', Verdict.REFUSED),
        (403, b"", Verdict.REFUSED),
        (404, b"{}", Verdict.REFUSED),
        (408, b"", Verdict.UNCLEAR),
        (409, b"{}", Verdict.UNCLEAR),
        (429, b"", Verdict.REFUSED),
        (500, b"", Verdict.UNCLEAR),
        (502, b"<html>", Verdict.UNCLEAR),
        (0, b"", Verdict.UNCLEAR),
    ],
)
def test_every_answer_to_a_cancel(status: int, content: bytes, verdict: Verdict) -> None:
    """Only an empty 200 is a yes, only a readable refusal is a no; nothing else says anything."""
    found = read_cancel(Reply(status, content, "" if status else "no answer"))
    assert found.verdict is verdict
    assert found.words


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"success": True, "status": "SUCCESS", "transactionId": "t-1"}, Verdict.DONE),
        ({"success": True, "status": "APPROVED", "responseMessage": "DECLINED"}, Verdict.DONE),
        ({"Success": True, "Status": "Success"}, Verdict.DONE),
        ({"captureStatus": "SUCCESS", "success": True}, Verdict.DONE),
        ({"captureStatus": "SUCCESS", "status": "SUCCESS"}, Verdict.DONE),
        ({"captureStatus": "SUCCESS", "status": "FAILED"}, Verdict.UNCLEAR),
        ({"success": False, "status": "FAILED", "responseCode": "2001"}, Verdict.REFUSED),
        ({"status": "FAILED"}, Verdict.REFUSED),
        ({"success": False, "status": "SUCCESS"}, Verdict.UNCLEAR),
        ({"success": True, "status": "FAILED"}, Verdict.UNCLEAR),
        ({"success": True}, Verdict.UNCLEAR),
        ({"success": True, "status": "PENDING"}, Verdict.UNCLEAR),
        ({"success": True, "status": None}, Verdict.UNCLEAR),
        ({"status": "SUCCESS", "STATUS": "FAILED"}, Verdict.UNCLEAR),
        ([], Verdict.UNCLEAR),
    ],
)
def test_every_answer_to_a_payment(fields: object, verdict: Verdict) -> None:
    """`success` and `status` decide together; where they disagree, or say something else, nobody can say."""
    assert read_payment(Reply(200, json.dumps(fields).encode())).verdict is verdict


@pytest.mark.parametrize("status", [0, 202, 302, 408, 409, 500, 503, 504])
def test_no_answer_to_a_payment_is_in_doubt(status: int) -> None:
    """A status that is neither yes nor no leaves it open, whatever the body says."""
    said = b'{"success": true, "status": "SUCCESS"}'
    assert read_payment(Reply(status, said, "no answer")).verdict is Verdict.UNCLEAR


def test_a_refusal_says_why() -> None:
    """The provider's message is passed on, cut and on one line; its code and its id stand beside it."""
    fields = {"success": False, "status": "FAILED", "responseCode": "2001", "responseMessage": "too\nmuch", "transactionId": None}
    found = read_payment(Reply(200, json.dumps(fields).encode()))
    assert (found.words, found.response_code, found.transaction_id) == ("too much", "2001", "")
    card = {"success": True, "status": "SUCCESS", "transactionId": "4111111111111111"}
    found = read_payment(Reply(200, json.dumps(card).encode()))
    assert (found.verdict, found.transaction_id) == (Verdict.UNCLEAR, "")
