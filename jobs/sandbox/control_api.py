"""The sandbox's own controls under /_sandbox/: journal, clock, faults, orders, webhooks, reset. JSON, for loopback only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobs.sandbox.brain import Brain
from jobs.sandbox.courses import Order
from jobs.sandbox.fault_ids import with_ids
from jobs.sandbox.faults import CATALOGUE, Faults
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.journal import Journal
from jobs.sandbox.mailbox import Folders
from jobs.sandbox.moments import Clock, as_text
from jobs.sandbox.strict_text import Fields, NotStrict, parse_json
from jobs.sandbox.webhook_events import EVENTS, PAYOUT_STATUSES
from jobs.sandbox.webhooks import Webhooks

_THERE_ARE = "there are journal, orders, clock, faults, webhooks and reset"
_MOST_SECONDS = 10**9
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Controls:
    """What can be seen and steered, and how."""

    clock: Clock
    journal: Journal
    faults: Faults
    brain: Brain
    webhooks: Webhooks
    folders: Folders
    orders: Callable[[], list[dict[str, object]]]
    advance: Callable[[timedelta], None]
    reset: Callable[[], None]


def control(controls: Controls, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
    """Answer one control call; `path` is what follows /_sandbox/."""
    name, _, rest = path.strip("/").partition("/")
    try:
        given = parse_json(body) if body else {}
    except NotStrict as error:
        return _wrong(str(error))
    if not isinstance(given, dict):
        return _wrong("the body is not a JSON object")
    if method == "GET":
        return _shown(controls, name, query)
    if method == "DELETE":
        return _switched_off(controls, name, rest)
    if method == "POST" and rest in ("", "send"):
        return _changed(controls, f"{name}/{rest}".rstrip("/"), given)
    return _unknown()


def _shown(controls: Controls, name: str, query: dict[str, str]) -> Answer:
    if name == "journal":
        since = query.get("since", "0")[:18]
        return json_answer(200, {"journal": controls.journal.rows(int(since) if since.isdecimal() else 0)})
    if name == "orders":
        return json_answer(200, {"orders": controls.orders()})
    if name == "clock":
        return json_answer(200, {"now": as_text(controls.clock.now())})
    if name == "faults":
        return json_answer(200, {"faults": [with_ids(row) for row in controls.faults.listing()]})
    if name == "webhooks":
        webhooks = controls.webhooks
        return json_answer(200, {"url": webhooks.url, "events": list(EVENTS), "deliveries": webhooks.deliveries()})
    return _unknown()


def _switched_off(controls: Controls, name: str, rest: str) -> Answer:
    if name == "faults":
        controls.faults.switch_off(rest)
    elif name == "webhooks":
        controls.webhooks.forget()
    else:
        return _unknown()
    return _shown(controls, name, {})


def _changed(controls: Controls, name: str, given: Fields) -> Answer:
    if name == "clock":
        return _advance(controls, given)
    if name == "faults":
        return _switch_on(controls, given)
    if name == "webhooks":
        return _register(controls, given)
    if name == "webhooks/send":
        return _send(controls, given)
    if name == "reset":
        controls.reset()
        return json_answer(200, {})
    return _unknown()


def _unknown() -> Answer:
    return json_answer(404, {"error": _THERE_ARE})


def _wrong(why: str) -> Answer:
    return json_answer(400, {"error": why})


def _advance(controls: Controls, given: Fields) -> Answer:
    seconds = given.get("advance_seconds")
    if not isinstance(seconds, int) or not 0 <= seconds <= _MOST_SECONDS:
        return _wrong("advance_seconds is a whole number of seconds, not negative")
    step = timedelta(seconds=seconds)
    if controls.clock.now() > _LATEST - step:
        return _wrong(f"the clock goes no further than {as_text(_LATEST)}")
    controls.advance(step)
    return json_answer(200, {"now": as_text(controls.clock.now())})


def _switch_on(controls: Controls, given: Fields) -> Answer:
    name, where = given.get("name"), given.get("where")
    if not isinstance(name, str) or name not in CATALOGUE:
        return _wrong(f"name is one of {', '.join(sorted(CATALOGUE))}")
    numbers = {key: given.get(key, default) for key, default in (("times", 1), ("skip", 0), ("after", None))}
    times, skip, after = numbers["times"], numbers["skip"], numbers["after"]
    if not (isinstance(times, int) and isinstance(skip, int) and (after is None or isinstance(after, int))):
        return _wrong("times, skip and after are whole numbers")
    if not (where is None or isinstance(where, str)):
        return _wrong("where is a text")
    controls.faults.switch_on(name, times=times, skip=skip, after=after, where=where)
    return _shown(controls, "faults", {})


def _register(controls: Controls, given: Fields) -> Answer:
    url = given.get("url")
    if not isinstance(url, str):
        return _wrong("url is a text")
    try:
        controls.webhooks.register(url)
    except ValueError as error:
        return _wrong(str(error))
    return _shown(controls, "webhooks", {})


def _send(controls: Controls, given: Fields) -> Answer:
    event, order_id, status = given.get("event"), given.get("order_id"), given.get("status")
    if not isinstance(event, str) or status not in (None, *PAYOUT_STATUSES):
        return _wrong(f"event is a text, and status, for a payout, one of {', '.join(PAYOUT_STATUSES)}")
    if controls.webhooks.url is None:
        return _wrong("no address is registered")
    order = _order(controls, order_id)
    if order_id is not None and order is None:
        return _wrong("order_id names no order")
    try:
        controls.webhooks.send(event, order, {"Status": status} if status else None)
    except ValueError as error:
        return _wrong(str(error))
    return json_answer(200, {"event": event})


def _order(controls: Controls, order_id: object) -> Order | None:
    if not isinstance(order_id, str):
        return None
    found = [order for order in controls.brain.orders() if order_id in (order.order_id, order.order_session_key)]
    return found[-1] if found else None
