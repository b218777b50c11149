"""`POST orders/{id}/refund` and `POST capture` (CONTRACT 10 and 11)."""

from decimal import Decimal

from jobs.sandbox.api_office import Asked, Office, body_of, envelope, failed, invalid
from jobs.sandbox.api_orders import not_found, once, order_of
from jobs.sandbox.courses import Order
from jobs.sandbox.credentials import Account
from jobs.sandbox.deeds import captured, refunded
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.strict_text import Fields
from jobs.sandbox.validation import Errors, at, key_errors, text_at

_CENT = Decimal("0.01")
OVER_REFUND = "2001"
"""The responseCode of a refund of more than is left (CONTRACT 10)."""


def cents_of(value: object) -> int | None:
    """Decimal dollars as cents, or None for what is no positive amount with at most two decimals."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < 10**10:
        return None
    amount = Decimal(value)
    return int(amount * 100) if amount == amount.quantize(_CENT) else None


def refund(office: Office, asked: Asked, account: Account) -> Answer:
    """Give money back: decimal dollars, all or a part; the verdict is in `success` and `status` (CONTRACT 10)."""
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    if at(record, "AmountToRefund") is None:
        return invalid({"AmountToRefund": ["The AmountToRefund field is required."]})
    amount = cents_of(at(record, "AmountToRefund"))
    if amount is None:
        return invalid({"AmountToRefund": ["The field AmountToRefund is invalid."]})
    with office.brain.lock:
        found = order_of(office, asked.order_key, account)
        if found is None:
            return not_found()
        now = office.clock.now()
        verdict = refunded(found, amount, now, office.brain.options)
        if verdict.failure:
            return failed(
                verdict.failure, OVER_REFUND, responseCode=OVER_REFUND, responseMessage=verdict.failure, transactionId=None
            )
        if not verdict.repeated:
            office.brain.change(verdict.order, now, "refunded", amount=amount, transaction_id=verdict.transaction_id)
    shown = {"responseCode": "100", "responseMessage": "APPROVED", "transactionId": verdict.transaction_id}
    return json_answer(200, {**shown, **envelope(result="Success", status="SUCCESS")})


def capture(office: Office, asked: Asked, account: Account) -> Answer:
    """Take the full amount of an authorisation that waits for it: cents (CONTRACT 11)."""
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    errors = _capture_errors(record)
    if errors:
        return invalid(errors)
    with office.brain.lock:
        found = order_of(office, text_at(record, "OrderId"), account)
        if found is None:
            return not_found()
        return once(office, (found, "capture"), record, lambda: _captured(office, found, record))


def _capture_errors(record: Fields) -> Errors:
    errors = key_errors(record)
    for path in ("OrderId", "Currency"):
        if not text_at(record, path):
            errors[path] = [f"The {path} field is required."]
    amount = at(record, "Amount")
    if amount is None:
        errors["Amount"] = ["The Amount field is required."]
    elif not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
        errors["Amount"] = ["The field Amount is invalid."]
    return errors


def _captured(office: Office, found: Order, record: Fields) -> tuple[int, bytes]:
    now, amount = office.clock.now(), at(record, "Amount")
    changed = captured(found, amount if isinstance(amount, int) else 0, text_at(record, "Currency"), now)
    if isinstance(changed, str):
        answer = failed(changed, captureStatus="FAILED", orderId=found.order_session_key)
    else:
        office.brain.change(changed, now, "completed", amount=found.amount, captured=True)
        named = {"captureStatus": "SUCCESS", "orderId": found.order_session_key}
        answer = json_answer(200, {**named, **envelope(result="Success", status="SUCCESS")})
    return answer.status, answer.body
