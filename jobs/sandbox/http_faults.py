"""Faults of the provider's API. `where` limits one to an endpoint by its name in `http_api.ROUTES`, such as evaluate."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from jobs.sandbox.faults import Call, fault


@dataclass
class Answer:
    """What goes back: the HTTP status, the body and its media type; a `stream` is sent in chunks instead of the body."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[[], AsyncIterator[bytes]] | None = None


def json_answer(status: int, document: object) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(document, ensure_ascii=False).encode("utf-8"))


@dataclass
class ApiCall(Call):
    """One API call; a fault sets the answer before the effect, changes it after, or has the connection reset.

    `age` counts the seconds since the order that is asked for was accepted.
    """

    answer: Answer | None = None
    reset: bool = False
    age: float | None = None

    def document(self) -> dict[str, object]:
        """The answer as an object, empty if it is none."""
        try:
            found = json.loads(self.answer.body) if self.answer and self.answer.body else {}
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def not_token(call: ApiCall) -> bool:
    """Whether this is any call but the login."""
    return call.where != "token"


def reads_order(call: ApiCall) -> bool:
    """Whether this is the answer to a read of one order that is there."""
    return call.where == "order" and "id" in call.document()


def _tells_status(call: ApiCall) -> bool:
    return call.where in ("order", "evaluate") and call.answer is not None and call.answer.status == 200


@fault("api.before", wants=not_token)
def unauthorized_once(call: ApiCall) -> None:
    """401 although the bearer is good (H-01)."""
    call.answer = Answer(401)


@fault("api.before", wants=not_token)
def server_error_before(call: ApiCall) -> None:
    """500 before anything was done (H-07)."""
    call.answer = json_answer(500, {"status": 500, "title": "Internal Server Error"})


@fault("api.before", wants=lambda call: call.where == "order")
def not_found(call: ApiCall) -> None:
    """404 for an order that exists (H-16)."""
    call.answer = json_answer(404, {"status": 404, "title": "Not Found"})


@fault("api.before", wants=lambda call: call.where == "token")
def token_refused(call: ApiCall) -> None:
    """400 for good credentials (H-02)."""
    call.answer = json_answer(400, {"status": 400, "title": "Bad Request"})


@fault("api.after", wants=not_token)
def server_error_after(call: ApiCall) -> None:
    """500 after the effect: an evaluate was accepted (H-05)."""
    call.answer = json_answer(500, {"status": 500, "title": "Internal Server Error"})


@fault("api.after", wants=not_token)
def reset_connection(call: ApiCall) -> None:
    """The connection is reset after the effect, before one byte of the answer (H-06)."""
    call.reset = True


@fault("api.after", wants=not_token)
def html_answer(call: ApiCall) -> None:
    """200 with a page of HTML after the effect (H-10)."""
    call.answer = Answer(200, b"<!DOCTYPE html><title>Welcome</title><p>Please sign in.", "text/html")


@fault("api.after", wants=not_token)
def empty_answer(call: ApiCall) -> None:
    """200 with an empty body after the effect (H-10)."""
    call.answer = Answer(200)


@fault("api.after", wants=_tells_status)
def unknown_status(call: ApiCall) -> None:
    """A status that no page of the contract knows (H-13)."""
    changed: dict[str, object] = {"status": "QUANTUM"}
    if call.where == "order":
        changed = {"status": 42, "statusName": "QUANTUM"}
    call.answer = json_answer(200, {**call.document(), **changed})


@fault("api.after", wants=reads_order)
def other_order_answer(call: ApiCall) -> None:
    """The answer to a read is about another order (H-14)."""
    other = {"id": "00000000-0000-4000-8000-000000000000", "externalOrderId": "somebody-elses"}
    call.answer = json_answer(200, {**call.document(), **other, "referenceNumber": "somebody-elses"})
