"""The sandbox's own controls under /_sandbox/: journal, clock, faults, orders, reset. JSON, for loopback only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from jobs.sandbox.faults import CATALOGUE, Faults
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.journal import Journal
from jobs.sandbox.moments import Clock, as_text
from jobs.sandbox.strict_text import Fields, NotStrict, parse_json


@dataclass(frozen=True)
class Controls:
    """What can be steered, and how."""

    clock: Clock
    journal: Journal
    faults: Faults
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
    if (method, name) == ("POST", "clock"):
        return _advance(controls, given)
    if (method, name) == ("POST", "faults"):
        return _switch_on(controls, given)
    if (method, name) == ("DELETE", "faults"):
        controls.faults.switch_off(rest)
        return _shown(controls, "faults", query)
    if (method, name) == ("POST", "reset"):
        controls.reset()
        return json_answer(200, {})
    return _unknown()


def _shown(controls: Controls, name: str, query: dict[str, str]) -> Answer:
    if name == "journal":
        since = query.get("since", "0")
        return json_answer(200, {"journal": controls.journal.rows(int(since) if since.isdecimal() else 0)})
    if name == "orders":
        return json_answer(200, {"orders": controls.orders()})
    if name == "clock":
        return json_answer(200, {"now": as_text(controls.clock.now())})
    if name == "faults":
        return json_answer(200, {"faults": controls.faults.listing()})
    return _unknown()


def _unknown() -> Answer:
    return json_answer(404, {"error": "there are journal, orders, clock, faults and reset"})


def _wrong(why: str) -> Answer:
    return json_answer(400, {"error": why})


def _advance(controls: Controls, given: Fields) -> Answer:
    seconds = given.get("advance_seconds")
    if not isinstance(seconds, int) or not 0 <= seconds <= 10**9:
        return _wrong("advance_seconds is a whole number of seconds, not negative")
    controls.advance(timedelta(seconds=seconds))
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
    return json_answer(200, {"faults": controls.faults.listing()})
