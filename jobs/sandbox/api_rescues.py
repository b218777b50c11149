"""`POST evaluate`, `POST transmit` and `POST outcome` (CONTRACT 5, 7 and 8)."""

from jobs.sandbox.api_office import Asked, Office, body_of, envelope, invalid, problem
from jobs.sandbox.brain import Origin, Refused
from jobs.sandbox.courses import step_at
from jobs.sandbox.credentials import Account
from jobs.sandbox.decisions import outcome_status
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.validation import text_at

_API = Origin("api")


def evaluate(office: Office, asked: Asked, account: Account) -> Answer:
    """Take one declined charge; the verdict is in `status`, under HTTP 200 for every one of them (CONTRACT 7.5)."""
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    verdict = office.brain.evaluate(record, _API, office.clock.now(), account=account)
    if isinstance(verdict, Refused):
        return problem(409, "Conflict") if verdict.is_conflict else invalid(verdict.errors)
    named = {"orderSessionKey": verdict.key, "orderId": verdict.key, "senseKey": text_at(record, "SenseKey") or None}
    return json_answer(200, {**named, **envelope(result="Success", status=verdict.status)})


def transmit(office: Office, asked: Asked, account: Account) -> Answer:
    """Take the copy of a charge; `status` is a number here (CONTRACT 5)."""
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    verdict = office.brain.transmit(record, _API, office.clock.now(), account)
    if isinstance(verdict, Refused):
        return invalid(verdict.errors)
    return json_answer(200, {"transmitId": verdict.key, **envelope(result="success", status=0)})


def outcome(office: Office, asked: Asked, account: Account) -> Answer:
    """How an order ended, in the words of the deprecated call; NOTFOUND for one that is not there (CONTRACT 8)."""
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    key = text_at(record, "OrderSessionKey").lower()
    if not key:
        return invalid({"OrderSessionKey": ["The OrderSessionKey field is required."]})
    order = office.brain.order(key)
    if order is None or order.mid != account.mid:
        return json_answer(200, {**envelope(status="NOTFOUND"), "confirmationId": None})
    word = outcome_status(step_at(order, office.clock.now()))
    return json_answer(200, {**envelope(result="Success", status=word), "confirmationId": key[:8].upper()})
