"""Faults of the provider's API. `where` limits one to a route: token, evaluate, transmit, order, orders."""

import json
from dataclasses import dataclass, field

from jobs.sandbox.faults import Call, fault


@dataclass
class Answer:
    """What goes back: the HTTP status, the body and its media type."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(status: int, document: object) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(document, ensure_ascii=False).encode("utf-8"))


@dataclass
class ApiCall(Call):
    """One API call; a fault sets the answer before the effect, changes it after, or has the connection reset."""

    answer: Answer | None = None
    reset: bool = False

    def document(self) -> dict[str, object]:
        """The answer as an object, empty if it is none."""
        found = json.loads(self.answer.body) if self.answer and self.answer.body else {}
        return found if isinstance(found, dict) else {}


def _not_token(call: ApiCall) -> bool:
    return call.where != "token"


def _reads_order(call: ApiCall) -> bool:
    return call.where == "order" and "id" in call.document()


def _tells_status(call: ApiCall) -> bool:
    return call.where in ("order", "evaluate") and call.answer is not None and call.answer.status == 200


@fault("api.before", wants=_not_token)
def unauthorized_once(call: ApiCall) -> None:
    """401 although the bearer is good."""
    call.answer = Answer(401)


@fault("api.before", wants=_not_token)
def server_error_before(call: ApiCall) -> None:
    """500 before anything was done."""
    call.answer = json_answer(500, {"status": 500, "title": "Internal Server Error"})


@fault("api.before", wants=lambda call: call.where == "order")
def not_found(call: ApiCall) -> None:
    """404 for an order that exists."""
    call.answer = json_answer(404, {"status": 404, "title": "Not Found"})


@fault("api.before", wants=lambda call: call.where == "token")
def token_refused(call: ApiCall) -> None:
    """400 for good credentials."""
    call.answer = json_answer(400, {"status": 400, "title": "Bad Request"})


@fault("api.after", wants=_not_token)
def server_error_after(call: ApiCall) -> None:
    """500 after the effect: an evaluate was accepted."""
    call.answer = json_answer(500, {"status": 500, "title": "Internal Server Error"})


@fault("api.after", wants=_not_token)
def reset_connection(call: ApiCall) -> None:
    """The connection is reset after the effect, before one byte of the answer."""
    call.reset = True


@fault("api.after", wants=_not_token)
def html_answer(call: ApiCall) -> None:
    """200 with a page of HTML after the effect."""
    call.answer = Answer(200, b"<!DOCTYPE html><title>Welcome</title><p>Please sign in.", "text/html")


@fault("api.after", wants=_not_token)
def empty_answer(call: ApiCall) -> None:
    """200 with an empty body after the effect."""
    call.answer = Answer(200)


@fault("api.after", wants=_tells_status)
def unknown_status(call: ApiCall) -> None:
    """A status that no page of the contract knows."""
    changed: dict[str, object] = {"status": "QUANTUM"}
    if call.where == "order":
        changed = {"status": 42, "statusName": "QUANTUM"}
    call.answer = json_answer(200, {**call.document(), **changed})


@fault("api.after", wants=_reads_order)
def other_order_answer(call: ApiCall) -> None:
    """The answer to a read is about another order."""
    other = {"id": "00000000-0000-4000-8000-000000000000", "externalOrderId": "somebody-elses"}
    call.answer = json_answer(200, {**call.document(), **other, "referenceNumber": "somebody-elses"})
