"""The provider's HTTP API under /v1/: token, evaluate, transmit, order, orders (CONTRACT 2, 5, 7, 9, 13)."""

import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from jobs.sandbox.bearers import Bearers
from jobs.sandbox.brain import Brain, Origin, Refused
from jobs.sandbox.credentials import Account
from jobs.sandbox.faults import Faults
from jobs.sandbox.http_faults import Answer, ApiCall, json_answer
from jobs.sandbox.journal import Journal
from jobs.sandbox.mailbox import Mailbox
from jobs.sandbox.moments import Clock
from jobs.sandbox.orders_view import matches, page_of, read_question, wire_order
from jobs.sandbox.strict_text import Fields, NotStrict, parse_json
from jobs.sandbox.validation import text_at

_API = Origin("api")
_NEED_BODY = ("token", "evaluate", "transmit")


@dataclass(frozen=True)
class Asked:
    """One request: the route's name, what it is about, and what it carried."""

    route: str
    method: str
    path: str
    query: str = ""
    order_key: str = ""
    authorization: str | None = None
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Office:
    """What the API works with."""

    account: Account
    clock: Clock
    brain: Brain
    bearers: Bearers
    mailbox: Mailbox
    journal: Journal
    faults: Faults


def envelope(**changed: object) -> dict[str, object]:
    """The common response envelope with some fields changed (CONTRACT 4)."""
    common: dict[str, object] = {
        "success": True,
        "result": None,
        "status": None,
        "statusCode": None,
        "errors": [],
        "customProperties": {},
    }
    return {**common, **changed}


def invalid(errors: dict[str, list[str]]) -> Answer:
    """400 with the flat map of property names, and a trace id among them (CONTRACT 13)."""
    trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    return json_answer(400, {"TraceId": [trace], **errors})


async def answer(office: Office, asked: Asked) -> tuple[Answer, bool]:
    """Answer one request; the flag asks for the connection to be reset instead."""
    office.mailbox.catch_up()
    call = ApiCall(where=asked.route)
    if asked.route != "token" and not office.bearers.is_good(asked.authorization, office.clock.now()):
        call.answer = Answer(401, headers={"WWW-Authenticate": "Bearer"})
    else:
        await office.faults.strike("api.before", call)
        if call.answer is None:
            call.answer = _ROUTES[asked.route](office, asked) if _is_json(asked) else Answer(415)
            await office.faults.strike("api.after", call)
    office.journal.record(
        "answered",
        office.clock.now(),
        method=asked.method,
        path=asked.path,
        query=asked.query,
        http_status=None if call.reset else call.answer.status,
        reset=call.reset,
    )
    return call.answer, call.reset


def _is_json(asked: Asked) -> bool:
    if asked.route not in _NEED_BODY:
        return True
    media = asked.content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _body(asked: Asked) -> Fields | Answer:
    try:
        document = parse_json(asked.body)
    except NotStrict as error:
        return invalid({"$": [f"The body is not usable: {error}."]})
    return document if isinstance(document, dict) else invalid({"$": ["The body is not a JSON object."]})


def _token(office: Office, asked: Asked) -> Answer:
    record = _body(asked)
    if isinstance(record, Answer):
        return record
    key_is_right = hmac.compare_digest(text_at(record, "AppKey").encode(), office.account.app_key.encode())
    secret_is_right = hmac.compare_digest(text_at(record, "AppSecret").encode(), office.account.app_secret.encode())
    if not (key_is_right and secret_is_right):
        return invalid({"AppKey": ["AppKey or AppSecret is not right."]})
    now = office.clock.now()
    token, expires = office.bearers.mint(now)
    client_id = str(uuid.uuid5(uuid.UUID(office.account.mid), "api client"))
    return json_answer(
        200,
        {
            "accessToken": token,
            "refreshToken": uuid.uuid4().hex,
            "expires": int(expires.timestamp() * 1000),
            "id": client_id,
            "session": None,
            "daysToEnforceMFA": None,
            "skipAvailable": None,
            **envelope(),
        },
    )


def _evaluate(office: Office, asked: Asked) -> Answer:
    record = _body(asked)
    if isinstance(record, Answer):
        return record
    verdict = office.brain.evaluate(record, _API, office.clock.now())
    if isinstance(verdict, Refused):
        return invalid(verdict.errors)
    named = {"orderSessionKey": verdict.key, "orderId": verdict.key, "senseKey": None}
    return json_answer(200, {**named, **envelope(result="Success", status="SUBMITTED")})


def _transmit(office: Office, asked: Asked) -> Answer:
    record = _body(asked)
    if isinstance(record, Answer):
        return record
    verdict = office.brain.transmit(record, _API, office.clock.now())
    if isinstance(verdict, Refused):
        return invalid(verdict.errors)
    return json_answer(200, {"transmitId": verdict.key, **envelope(result="success", status=0)})


def _order(office: Office, asked: Asked) -> Answer:
    order = office.brain.order(asked.order_key.lower())
    if order is None:
        return json_answer(404, {"status": 404, "title": "Not Found"})
    return json_answer(200, wire_order(order, office.brain.standing(order, office.clock.now())))


def _orders(office: Office, asked: Asked) -> Answer:
    question = read_question(asked.query, office.account.mid)
    if isinstance(question, dict):
        return invalid(question)
    now = office.clock.now()
    pairs = [(order, office.brain.standing(order, now)) for order in office.brain.orders()]
    return json_answer(200, page_of(question, [pair for pair in pairs if matches(question, *pair)]))


_ROUTES: dict[str, Callable[[Office, Asked], Answer]] = {
    "token": _token,
    "evaluate": _evaluate,
    "transmit": _transmit,
    "order": _order,
    "orders": _orders,
}
