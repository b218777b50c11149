"""Faults of logins and of reads: wrong expiries, pages that shift, orders that are not visible yet."""

from jobs.sandbox.faults import fault
from jobs.sandbox.http_faults import ApiCall, json_answer

_HIDDEN_SECONDS = 60
_CENTURY_MILLISECONDS = 100 * 365 * 86_400_000


def _logs_in(call: ApiCall) -> bool:
    return call.where == "token" and "accessToken" in call.document()


def _lists(call: ApiCall) -> list[object]:
    rows = call.document().get("orders") if call.where == "orders" else None
    return rows if isinstance(rows, list) else []


def _has_rows(call: ApiCall) -> bool:
    return len(_lists(call)) > 1


def _is_young(call: ApiCall) -> bool:
    return call.where in ("order", "cancel") and call.age is not None and call.age < (call.after or _HIDDEN_SECONDS)


def _expires(call: ApiCall, milliseconds: int) -> None:
    call.answer = json_answer(200, {**call.document(), "expires": milliseconds})


@fault("api.after", wants=_logs_in)
def expires_zero(call: ApiCall) -> None:
    """The login's `expires` is 0 (H-19)."""
    _expires(call, 0)


@fault("api.after", wants=_logs_in)
def expires_negative(call: ApiCall) -> None:
    """The login's `expires` is negative (H-19)."""
    _expires(call, -600_000)


@fault("api.after", wants=_logs_in)
def expires_far_away(call: ApiCall) -> None:
    """The login's `expires` lies a hundred years ahead, and the bearer still ends after ten minutes (H-19)."""
    found = call.document()["expires"]
    _expires(call, _CENTURY_MILLISECONDS + (found if isinstance(found, int) else 0))


@fault("api.after", wants=_logs_in)
def clock_behind(call: ApiCall) -> None:
    """The login's `expires` is `after` seconds (or an hour) too early, as from a clock that is behind (H-19)."""
    found = call.document()["expires"]
    _expires(call, (found if isinstance(found, int) else 0) - (3600 if call.after is None else call.after) * 1000)


@fault("api.after", wants=_has_rows)
def page_repeats(call: ApiCall) -> None:
    """A page shows its first order again in the place of its last, which no page then shows (H-15)."""
    rows = _lists(call)
    call.answer = json_answer(200, {**call.document(), "orders": [*rows[:-1], rows[0]]})


@fault("api.after", wants=_has_rows)
def page_skips(call: ApiCall) -> None:
    """A page leaves out its first order, as when rows have shifted between two pages (H-15)."""
    call.answer = json_answer(200, {**call.document(), "orders": _lists(call)[1:]})


@fault("api.after", wants=lambda call: call.where == "orders" and "hasNextPage" in call.document())
def next_page_wrong(call: ApiCall) -> None:
    """A page says the opposite of the truth about whether another follows (H-15)."""
    document = call.document()
    call.answer = json_answer(200, {**document, "hasNextPage": not document["hasNextPage"]})


@fault("api.before", wants=_is_young)
def not_found_yet(call: ApiCall) -> None:
    """404 for an order that was accepted less than `after` (or 60) seconds ago (H-16)."""
    call.answer = json_answer(404, {"status": 404, "title": "Not Found"})


@fault("api.before", wants=lambda call: call.where == "outcome")
def outcome_not_found(call: ApiCall) -> None:
    """The status NOTFOUND for an order that exists, in a 200 (H-16)."""
    empty = dict.fromkeys(("result", "statusCode", "confirmationId"))
    call.answer = json_answer(200, {**empty, "success": True, "status": "NOTFOUND", "errors": [], "customProperties": {}})
