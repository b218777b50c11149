"""What every endpoint works with: the request, the provider's parts, the common shapes, and the reading of a body."""

import uuid
from dataclasses import dataclass
from functools import cached_property

from jobs.sandbox.acknowledgements import error_tuple
from jobs.sandbox.bearers import Bearers
from jobs.sandbox.brain import Brain
from jobs.sandbox.credentials import Account, account_of
from jobs.sandbox.faults import Faults
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.journal import Journal
from jobs.sandbox.mailbox import Mailbox
from jobs.sandbox.moments import Clock
from jobs.sandbox.strict_text import Fields, NotStrict, parse_json
from jobs.sandbox.validation import Errors


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
    """What the API works with; `account` is the managed one, and a sync one of the same seed stands beside it."""

    account: Account
    clock: Clock
    brain: Brain
    bearers: Bearers
    mailbox: Mailbox
    journal: Journal
    faults: Faults

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """Both accounts by their mid."""
        return {account.mid: account for account in (self.account, account_of(self.account.seed, "sync"))}

    def bearer_of(self, asked: Asked) -> Account | None:
        """The account whose good bearer the request carries, or None."""
        mid = self.bearers.owner(asked.authorization, self.clock.now())
        return self.accounts.get(mid) if mid else None


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


def failed(message: str, code: str = "", http_status: int = 200, **more: object) -> Answer:
    """The envelope of something that was understood and not done: success false, status FAILED (CONTRACT 4 and 13)."""
    return json_answer(http_status, {**more, **envelope(success=False, status="FAILED", errors=[error_tuple(message, code)])})


def invalid(errors: Errors) -> Answer:
    """400 with the flat map of property names, and a trace id among them (CONTRACT 13)."""
    trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    return json_answer(400, {"TraceId": [trace], **errors})


def problem(status: int, title: str) -> Answer:
    """An answer without more than its status and title (CONTRACT 13)."""
    return json_answer(status, {"status": status, "title": title})


def unauthorized() -> Answer:
    """401 with an empty body (CONTRACT 13)."""
    return Answer(401, headers={"WWW-Authenticate": "Bearer"})


def body_of(asked: Asked, *, may_be_empty: bool = False) -> Fields | Answer:
    """The body as an object with lower-case names, or the answer that refuses it."""
    if may_be_empty and not asked.body.strip():
        return {}
    media = asked.content_type.partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        return Answer(415)
    try:
        document = parse_json(asked.body)
    except NotStrict as error:
        return invalid({"$": [f"The body is not usable: {error}."]})
    return document if isinstance(document, dict) else invalid({"$": ["The body is not a JSON object."]})
