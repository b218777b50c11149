"""Which paid charges are copied and which are left out, and which copies of an earlier run leave, each rule by itself."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

import pytest

from batch.call_decisions import judge_repeat
from batch.card_numbers import scrubbed_id
from batch.findings import Findings
from batch.ledger.calls import IN_DOUBT
from batch.ledger.switches import SwitchRun, SwitchWanted, turn
from batch.left_over_copies import those_that_may_leave, too_old
from batch.order_rows import storable_id
from batch.pace import utc_text
from batch.switching import SENDING
from batch.transmit import Copies, transmit
from schemas.errors import DecisionRefused
from schemas.order import OrderRow
from schemas.states import API_FORMAT, BatchStep
from tests.ledger.room import DAY, START
from tests.pure.samples import changed_row
from tests.table.acknowledging import items
from tests.table.desk import Desk
from tests.table.test_call_turns import copied

ONE = "b00000000001"


class Paid:
    """The order system's paid charges."""

    def __init__(self, *pages: list[OrderRow]) -> None:
        self._pages = pages

    def paid(self, page: int) -> Iterator[list[OrderRow]]:
        """Page by page."""
        assert page == 2000
        return iter(self._pages)


def paid(order_id: str, *, age: timedelta = timedelta(hours=1), **cells: str) -> OrderRow:
    """A charge that was paid so long ago."""
    return changed_row({"order_id": order_id, "charged_at": utc_text(START - age), **cells})


def copies_of(desk: Desk, *pages: list[OrderRow]) -> Copies:
    """Claim and deliver what is due of these pages, in files whose upload is refused."""
    numbers = count(1)
    parts = {"source": cast("Any", Paid(*pages)), "new_batch_id": lambda: f"b{next(numbers):011}"}
    return transmit(replace(desk.equipment, **parts), desk.room.run, Findings())


def claimed(desk: Desk) -> list[tuple[object, ...]]:
    """The copies of each batch."""
    return desk.room.sql("SELECT batch_id, order_id FROM transmission ORDER BY batch_id, sequence_number")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (paid("a\udcff"), "invalid_row"),
        (paid("a\x00"), "invalid_row"),
        (paid("a", amount_minor="x"), "invalid_row"),
        (paid("a", descriptor="4111 1111 1111 1111"), "pan_found"),
        (paid("a", site="acme-eu"), "site_unknown"),
        (paid("a", site="acme-ca"), "site_disabled"),
        (paid("a", age=timedelta(hours=24, seconds=1)), ""),
        (paid("a", age=timedelta(seconds=-1)), ""),
    ],
)
def test_a_charge_that_is_not_copied_keeps_no_other_back(row: OrderRow, why: str, desk: Desk) -> None:
    """It is counted with its reason and its id as it can be written; one that is too old or not yet made needs none."""
    found = copies_of(desk, [row, paid("good")])
    assert (found.claimed, found.left_out) == (1, Counter([why] if why else []))
    shown = scrubbed_id("a", desk.equipment.scrub_key) if why == "pan_found" else storable_id(row.order_id)
    assert found.examples == ({why: [shown]} if why else {})
    assert claimed(desk) == [(ONE, "good")]
    assert items(desk.room) == ([("pan_found", f"paid:{shown}")] if why == "pan_found" else [])


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=24)])
def test_a_charge_of_the_last_day_is_copied_once(age: timedelta, desk: Desk) -> None:
    """From its first second to its last, and never again."""
    assert copies_of(desk, [paid("a", age=age)]).claimed == 1
    assert copies_of(desk, [paid("a", age=age)]).claimed == 0
    assert claimed(desk) == [(ONE, "a")]


def test_only_three_of_a_kind_are_named(desk: Desk) -> None:
    """All are counted."""
    found = copies_of(desk, [paid(str(number), site="acme-eu") for number in range(5)])
    assert (found.left_out, found.examples) == (Counter(site_unknown=5), {"site_unknown": ["0", "1", "2"]})


@pytest.mark.parametrize(("charges", "sizes"), [(1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_a_file_holds_no_more_copies_than_it_may(charges: int, sizes: list[int], desk: Desk) -> None:
    """What is over goes into the next, across pages."""
    small = Desk(desk.room, channels={"max_rows_per_file": 2})
    rows = [paid(str(number)) for number in range(charges)]
    assert copies_of(small, rows[:3], rows[3:]).claimed == charges
    assert [*Counter(batch_id for batch_id, _ in claimed(desk)).values()] == sizes
    assert [order_id for _, order_id in claimed(desk)] == [str(number) for number in range(charges)]


@pytest.mark.parametrize("step", BatchStep)
def test_a_file_that_is_switched_off_stays_unless_it_may_have_left(step: BatchStep, desk: Desk) -> None:
    """Before its part was verified it cannot have left, later it is looked for; when all its copies are too old it is over."""
    copied(desk.room, ONE, "a", "b")
    desk.room.sql("UPDATE batch SET step = ?", step.value)
    batch = desk.batch(ONE)
    assert those_that_may_leave(desk.equipment, desk.room.run, [batch]) == [batch]
    turn(desk.room.ledger, SwitchRun("s" * 32, "switch", DAY), SwitchWanted(SENDING, False, "so", "ada"))
    cannot_have_left = step in (BatchStep.CLAIMED, BatchStep.SENDING)
    assert those_that_may_leave(desk.equipment, desk.room.run, [batch]) == ([] if cannot_have_left else [batch])
    assert desk.batch(ONE).step is step
    desk.room.sql("UPDATE transmission SET charged_at = '2026-11-21T06:00:00Z' WHERE order_id = 'a'")
    those_that_may_leave(desk.equipment, desk.room.run, [batch])
    assert desk.batch(ONE).step is step
    desk.room.sql("UPDATE transmission SET charged_at = '2026-11-21T06:00:00Z'")
    those_that_may_leave(desk.equipment, desk.room.run, [batch])
    assert desk.batch(ONE).step is (BatchStep.EMPTY if cannot_have_left else step)
    assert desk.room.sql("SELECT DISTINCT result FROM transmission") == [("too_old" if cannot_have_left else None,)]


@pytest.mark.parametrize(("charged_at", "may"), [("2026-11-22T06:30:00Z", True), ("2026-11-22T06:29:59Z", False)])
def test_a_copy_in_doubt_may_be_repeated_for_as_long_as_a_first_one_may_leave(charged_at: str, may: bool, desk: Desk) -> None:
    """Until its charge is older than 24 hours, to the second (CONTRACT 5)."""
    copied(desk.room, ONE, "a", charged_at=charged_at)
    desk.room.sql("UPDATE batch SET format = ?, step = 'acknowledged'", API_FORMAT)
    desk.room.sql("UPDATE transmission SET result = ?", IN_DOUBT)
    with nullcontext() if may else pytest.raises(DecisionRefused, match="24 hours after the charge"):
        assert judge_repeat(desk.equipment, None, desk.batch(ONE)).sentence.startswith("1 of 1 copy of")


@pytest.mark.parametrize("step", BatchStep)
@pytest.mark.parametrize("kind", ["transmit", "evaluate"])
def test_what_has_grown_too_old_is_taken_out_before_it_can_have_left(kind: str, step: BatchStep, desk: Desk) -> None:
    """To the second; a file whose part was verified keeps its rows for ever, and an order is never too old for its copy."""
    copied(desk.room, ONE, "old", charged_at="2026-11-22T06:29:59Z")
    desk.room.sql("UPDATE batch SET kind = ?, step = ?", kind, step.value)
    may = kind == "transmit" and step in (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.CALLING)
    assert too_old(desk.equipment, desk.batch(ONE)) == (["old"] if may else [])
    desk.room.sql("UPDATE transmission SET charged_at = '2026-11-22T06:30:00Z'")
    assert too_old(desk.equipment, desk.batch(ONE)) == []
