"""How the oracle judges what people ask of the provider: by what is said of this very claim since it was asked for."""

import json
from collections.abc import Iterator

import pytest

from tests.world.oracle_actions import TOO_LATE, i2_refund_once, i6_cancel_races_are_told, i13_stopped_rows_are_free
from tests.world.oracle_doctors import one
from tests.world.oracle_evidence import Row
from tests.world.test_oracle import honest
from tests.world.test_oracle_order import seen_with
from tests.world.world import leave_ground


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    leave_ground()


ASKED, BEFORE, SINCE = "2026-11-23T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z"
TOLD = {"kind": "double_charge", "explanation": f"so it is: {TOO_LATE}; refund it", "closed_at": None}


def _cancelled_too_late(events: list[Row], told: Row | None) -> bool:
    """Whether the oracle says that nobody was told, of a cancel of an order that completed, with these events and this item."""
    order_id = one(honest(), "completed")
    cancel = {"kind": "cancel", "step": "refused", "order_id": order_id, "asked_at": ASKED, "attempt": 1}
    journal = [*honest().journal, {"event": "answered", "path": "/v1/orders/x/cancel"}]
    items = [{**told, "subject": f"order:{order_id}"}] if told else []
    return bool(list(i6_cancel_races_are_told(seen_with(events=events, operations=[cancel], journal=journal, items=items))))


@pytest.mark.parametrize(
    ("told", "is_named"),
    [
        (TOLD, False),
        ({**TOLD, "closed_at": SINCE}, False),
        ({**TOLD, "closed_at": BEFORE}, True),
        ({**TOLD, "explanation": "the merchant changed the row"}, True),
        ({**TOLD, "kind": "contradiction"}, True),
        (None, True),
    ],
)
def test_a_person_who_decides_is_told_that_a_cancel_came_too_late(told: Row | None, is_named: bool) -> None:
    """An order that a person says is completed, out of a review, was told of where its cancel had been asked for (I6)."""
    completed = (f"order:{one(honest(), 'completed')}", "completed")
    events = [
        {**row, "from_state": "review"} if (row["subject"], row["to_state"]) == completed else row for row in honest().events
    ]
    assert _cancelled_too_late(events, told) is is_named


@pytest.mark.parametrize(
    ("said", "attempt", "at", "is_named"),
    [
        ("COMPLETED", 1, SINCE, True),
        ("7", 1, SINCE, True),
        ("PROCESSING", 1, SINCE, False),
        ("2", 1, SINCE, False),
        ("COMPLETED", 2, SINCE, False),
        ("COMPLETED", 1, BEFORE, False),
    ],
)
def test_a_recovery_of_what_is_under_review_is_told(said: str, attempt: int, at: str, is_named: bool) -> None:
    """An order that stays under review, for something else, was told of when it was heard to be recovered (I6)."""
    subject = f"order:{one(honest(), 'completed')}"
    learnt = {
        "subject": subject,
        "seq": 99,
        "kind": "learnt",
        "from_state": "review",
        "to_state": "review",
        "at": at,
        "detail": json.dumps({"attempt": attempt, "provider_status": said}),
    }
    others = [row for row in honest().events if row["subject"] != subject]
    assert _cancelled_too_late([*others, learnt], None) is is_named


@pytest.mark.parametrize(
    ("claim", "keeps_holds", "is_told", "is_named"),
    [
        ({}, False, False, True),
        ({}, True, False, False),
        ({}, False, True, False),
        ({"state": "completed"}, False, False, False),
        ({"written_version": 0}, False, False, False),
        ({"hold_reference": "another"}, False, False, False),
    ],
)
def test_the_row_of_a_stopped_order_bears_no_hold(claim: Row, keeps_holds: bool, is_told: bool, is_named: bool) -> None:
    """Unless holds are kept, it is not written yet, or somebody was told (I13)."""
    order_id = one(honest(), "declined")
    row = honest().latest[order_id]
    submissions = [{**row, "state": "cancelled", **claim}]
    items = [{"subject": f"order:{order_id}", "closed_at": None}] if is_told else []
    rows = {order_id: {"hold_reference": row["hold_reference"]}}
    seen = seen_with(submissions=submissions, rows=rows, items=items, keeps_holds=keeps_holds)
    assert bool(list(i13_stopped_rows_are_free(seen))) is is_named


@pytest.mark.parametrize(
    ("changed", "status", "share", "is_excused"),
    [
        ({}, "Returned", 1, True),
        ({}, "Completed", 1, False),
        ({}, "Returned", 2, False),
        ({"refunded_before_minor": 0}, "Returned", 1, False),
        ({"answer": "the provider gave it back"}, "Returned", 1, False),
    ],
)
def test_a_return_is_taken_for_our_refund_only_where_nothing_else_is_shown(
    changed: Row, status: str, share: int, is_excused: bool
) -> None:
    """All of it, by a provider that shows no sums, and by its word that it was returned (I2)."""
    order_id = one(honest(), "completed")
    known = honest().provider[order_id]
    asked = {
        "kind": "refund",
        "step": "done",
        "order_id": order_id,
        "amount_minor": known["amount"] // share,
        "refunded_before_minor": None,
        "answer": "the provider says RETURNED",
        **changed,
    }
    seen = seen_with(provider={**honest().provider, order_id: {**known, "status": status}}, operations=[asked])
    assert bool(list(i2_refund_once(seen))) is not is_excused
