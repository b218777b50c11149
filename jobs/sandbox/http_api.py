"""The provider's HTTP API under /v1/: who may ask, which endpoint answers, and the faults before and after it."""

from collections.abc import Callable

import jobs.sandbox.http_body_faults
import jobs.sandbox.http_read_faults
import jobs.sandbox.http_status_faults  # noqa: F401 - these faults are known by name as soon as the API is
from jobs.sandbox import api_credentials, api_orders, api_payments, api_rescues
from jobs.sandbox.api_office import Asked, Office, envelope, invalid, unauthorized
from jobs.sandbox.credentials import Account
from jobs.sandbox.http_faults import Answer, ApiCall

__all__ = ["ROUTES", "Asked", "Office", "answer", "envelope", "invalid"]

ROUTES = (
    ("token", "/v1/oauth2/token", "POST"),
    ("tokenize", "/v1/tokenize", "POST"),
    ("evaluate", "/v1/evaluate", "POST"),
    ("transmit", "/v1/transmit", "POST"),
    ("outcome", "/v1/outcome", "POST"),
    ("capture", "/v1/capture", "POST"),
    ("orders", "/v1/orders", "GET"),
    ("cancel", "/v1/orders/{key}/cancel", "POST"),
    ("external_cancel", "/v1/orders/{key:path}/external-cancel", "POST"),
    ("refund", "/v1/orders/{key}/refund", "POST"),
    ("order", "/v1/orders/{key}", "GET"),
)
"""Each endpoint's name, by which a fault can be limited to it, with its path and method."""

_OPEN: dict[str, Callable[[Office, Asked], Answer]] = {"token": api_credentials.token, "tokenize": api_credentials.tokenize}
_BEHIND_BEARER: dict[str, Callable[[Office, Asked, Account], Answer]] = {
    "evaluate": api_rescues.evaluate,
    "transmit": api_rescues.transmit,
    "outcome": api_rescues.outcome,
    "capture": api_payments.capture,
    "refund": api_payments.refund,
    "orders": api_orders.orders,
    "order": api_orders.order,
    "cancel": api_orders.cancel,
    "external_cancel": api_orders.external_cancel,
}


async def answer(office: Office, asked: Asked) -> tuple[Answer, bool]:
    """Answer one request; the flag asks for the connection to be reset instead."""
    office.mailbox.catch_up()
    call = ApiCall(where=asked.route, age=_age(office, asked))
    account = office.bearer_of(asked)
    if asked.route not in _OPEN and account is None:
        call.answer = unauthorized()
    else:
        await office.faults.strike("api.before", call)
        if call.answer is None:
            call.answer = _endpoint(office, asked, account)
            office.brain.catch_up(office.clock.now())
            await office.faults.strike("api.after", call)
    office.journal.record(
        "answered",
        office.clock.now(),
        method=asked.method,
        path=asked.path,
        query=_without_keys(asked),
        http_status=None if call.reset else call.answer.status,
        reset=call.reset,
    )
    return call.answer, call.reset


def _endpoint(office: Office, asked: Asked, account: Account | None) -> Answer:
    if asked.route in _OPEN:
        return _OPEN[asked.route](office, asked)
    return unauthorized() if account is None else _BEHIND_BEARER[asked.route](office, asked, account)


def _without_keys(asked: Asked) -> str:
    """The query as the journal may keep it: that of tokenize holds a key."""
    return "" if asked.route == "tokenize" else asked.query


def _age(office: Office, asked: Asked) -> float | None:
    """For how many seconds the order that is asked for has been there, or None where there is none."""
    found = office.brain.order(asked.order_key.lower()) if asked.order_key else None
    return (office.clock.now() - found.placed).total_seconds() if found else None
