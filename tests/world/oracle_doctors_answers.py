"""Evidence with one thing changed about how an end was heard of, who decided, and how an order left (see `oracle_doctors`)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.world.oracle_call_doctors import call_of
from tests.world.oracle_doctors import Doctor, Doctored, one
from tests.world.oracle_evidence import Evidence

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _event(to_state: str, /, *hears: str, **changed: object) -> Doctor:
    def doctor(seen: Evidence) -> None:
        seen.hears = frozenset(hears)
        next(row for row in seen.events if row["to_state"] == to_state and row["kind"] == "transition").update(changed)

    return doctor


def _closed_against(seen: Evidence) -> None:
    ended = {"closed_at": "2026-11-24T00:00:00Z", "closed_date": "2026-11-24"}
    seen.items[0].update(**ended, closed_by="eve@desk", resolution="noted")


def _rejected_at(seen: Evidence) -> int:
    """Where the order that is rejected stands in the last file."""
    last = next(send for send in reversed(seen.sends) if send.kind == "rename")
    assert last.left is not None
    return [*last.left.orders].index(one(seen, "rejected"))


def _other_mode_beside_a_refused(*, has_read: bool, later: bool) -> Doctor:
    """Another order is called in sync mode, `later` than all that was read, while the provider works on the rejected one."""

    def doctor(seen: Evidence) -> None:
        seen.steps = {**seen.steps, one(seen, "rejected"): [(LONG_AGO, "Processing")]}
        seen.heard = seen.heard if has_read else []
        call = call_of(seen, which=_rejected_at(seen) - 1, mode="sync")
        before = min(at for steps in seen.steps.values() for at, name in steps if name == "Draft") - timedelta(seconds=1)
        seen.sends = [*seen.sends, replace(call, at=before, point=10**6 if later else call.point)]

    return doctor


def _called_first(seen: Evidence) -> None:
    """The last order of a file was called before, in sync mode, and the provider works on it."""
    call = call_of(seen, which=-1, mode="sync")
    seen.sends = [call, *seen.sends]
    seen.steps = {**seen.steps, call.name: [(LONG_AGO, "Processing"), *seen.steps.get(call.name, [])]}


ANSWER_CASES = (
    Doctored("ended by a file that does not say so", "I7 I19", _event("completed", "files", source="file")),
    Doctored("ended by an older call that does not say so", "I7 I19", _event("declined", "outcome", source="outcome")),
    Doctored("ended by an older call that nobody has set", "I7 I19 I23", _event("declined", "orders", source="outcome")),
    Doctored("moved by hand, and nobody decided that", "I7 I19", _event("rejected", source="operator")),
    Doctored("decided against what the provider shows", "I12 I19", _event("expired", reason="never: because (eve@desk)")),
    Doctored("closed against what the provider shows", "I5 I12", _closed_against),
    Doctored("called in one mode and sent in a file of the other", "I12 I21", _called_first),
    Doctored(
        "the other mode beside one that never was refused", "I12 I21", _other_mode_beside_a_refused(has_read=False, later=True)
    ),
    Doctored("the other mode before a refusal was read", "I12 I21", _other_mode_beside_a_refused(has_read=True, later=False)),
    Doctored("the other mode after a refusal was read", "I12", _other_mode_beside_a_refused(has_read=True, later=True)),
)
"""At least one change for each judge."""
