"""`GET orders`, `GET orders/{id}`, and both ways to cancel (CONTRACT 9)."""

from collections.abc import Callable

from jobs.sandbox.api_office import Asked, Office, body_of, failed, invalid, problem
from jobs.sandbox.courses import Order, step_at
from jobs.sandbox.credentials import Account
from jobs.sandbox.deeds import cancelled
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.orders_view import matches, page_of, read_question, wire_order
from jobs.sandbox.replays import KeyConflict
from jobs.sandbox.strict_text import Fields, digest_of
from jobs.sandbox.validation import at, is_guid, text_at


def not_found() -> Answer:
    """404 for an order that this account does not have (CONTRACT 6.4)."""
    return problem(404, "Not Found")


def order_of(office: Office, key: str, account: Account) -> Order | None:
    """The account's own order with this id, or None."""
    order = office.brain.order(key.lower())
    return order if order is not None and order.mid == account.mid else None


def order(office: Office, asked: Asked, account: Account) -> Answer:
    """One order by the provider's id."""
    found = order_of(office, asked.order_key, account)
    if found is None:
        return not_found()
    shown = {"amountRefunded": sum(found.refunds)} if office.brain.options.shows_refunds else {}
    return json_answer(200, {**wire_order(found, office.brain.standing(found, office.clock.now())), **shown})


def orders(office: Office, asked: Asked, account: Account) -> Answer:
    """A page of the account's orders."""
    question = read_question(asked.query, account.mid)
    if isinstance(question, dict):
        return invalid(question)
    now = office.clock.now()
    pairs = [(each, office.brain.standing(each, now)) for each in office.brain.orders() if each.mid == account.mid]
    return json_answer(200, page_of(question, [pair for pair in pairs if matches(question, *pair)]))


def cancel(office: Office, asked: Asked, account: Account) -> Answer:
    """Cancel by the provider's id: 200 and an empty object, or why not."""
    with office.brain.lock:
        return _cancel(office, asked, order_of(office, asked.order_key, account))


def external_cancel(office: Office, asked: Asked, account: Account) -> Answer:
    """Cancel by the merchant's own order id; of several orders under one id, the last."""
    with office.brain.lock:
        return _cancel(office, asked, office.brain.latest(account.mid, asked.order_key))


def _cancel(office: Office, asked: Asked, found: Order | None) -> Answer:
    record = body_of(asked, may_be_empty=True)
    if isinstance(record, Answer):
        return record
    if found is None:
        return not_found()
    key = at(record, "IdempotencyKey")
    if key is not None and not is_guid(key):
        return invalid({"IdempotencyKey": ["The field IdempotencyKey is invalid."]})
    return once(office, (found, "cancel"), record, lambda: _cancelled(office, found))


def _cancelled(office: Office, found: Order) -> tuple[int, bytes]:
    now = office.clock.now()
    changed = cancelled(found, now)
    if changed is None:
        why = f"The order is {step_at(found, now).name} and cannot be cancelled."
        refused = failed(why, http_status=400)
        return refused.status, refused.body
    if changed is not found:
        office.brain.change(changed, now, "cancelled", amount=found.amount)
    return 200, b"{}"


def once(office: Office, about: tuple[Order, str], record: Fields, act: Callable[[], tuple[int, bytes]]) -> Answer:
    """Act, or replay the first answer to the same idempotencyKey and payload, or 409 (CONTRACT 7.6). Lock held."""
    found, deed = about
    key, scope = text_at(record, "IdempotencyKey"), f"{found.mid} {deed}"
    if not key:
        status, body = act()
        return Answer(status, body)
    digest, now = digest_of({**record, "order": found.order_session_key}), office.clock.now()
    try:
        first = office.brain.answers.find(scope, key, digest, now)
    except KeyConflict:
        return problem(409, "Conflict")
    if first is None:
        first = act()
        office.brain.answers.keep(scope, key, digest, now, first)
    return Answer(*first)
