"""The rows that we hold, one change of the merchant's at a time: what is held again, told, stopped at the provider, lifted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from batch import held_rows
from batch.build import idempotency_key
from batch.conclusions import CAME_TOO_LATE
from batch.held_rows import is_of_this_merchant, look_at_holds
from batch.ledger.items import open_item
from batch.ledger.operations import Wanted, claim_operation, move_operation
from batch.settling import BY_ITSELF
from batch.writeback import RowResult
from schemas.operations import OperationKind, OperationStep
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import MID
from tests.table.acknowledging import acknowledge, row, sent
from tests.table.desk import Desk

STRANGER = "mitbatch:00000000-0000-4000-8000-00000000dead"


@dataclass
class Rows:
    """The merchant's table: by order the hold and the status that its row bears; and what we did to it."""

    rows: dict[str, tuple[str, str]]
    refuses: frozenset[str] = frozenset()
    done: list[tuple[str, str]] = field(default_factory=list)

    def written(self, order_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What the rows show."""
        shown = {each: self.rows[each] for each in order_ids if each in self.rows}
        return {each: {"hold_reference": hold, "status": status} for each, (hold, status) in shown.items()}

    def held_rows(self, prefix: str, page: int) -> Iterator[list[tuple[str, str]]]:
        """Every row that bears a hold with this prefix, page by page."""
        held = [(each, hold) for each, (hold, _) in sorted(self.rows.items()) if hold.startswith(prefix)]
        yield from (held[start : start + page] for start in range(0, len(held), page))

    def hold_again(self, result: RowResult, *, now: str) -> None:
        """Hold it again where it is free."""
        self.done.append(("hold again", result.order_id))
        if self.rows.get(result.order_id, ("x", ""))[0] == "":
            self.rows[result.order_id] = (result.hold_reference, result.status.value)

    def lift_holds(self, references: Sequence[tuple[str, str]], *, now: str) -> dict[str, str]:
        """Give these back as they are."""
        return self._lifted("give back", [order_id for order_id, _ in references])

    def write_results(self, results: Sequence[RowResult], *, now: str) -> dict[str, str]:
        """Show how these ended."""
        return self._lifted("show its end", [result.order_id for result in results])

    def _lifted(self, how: str, order_ids: list[str]) -> dict[str, str]:
        self.done += [(how, order_id) for order_id in order_ids]
        return {order_id: "constraint" for order_id in order_ids if order_id in self.refuses}


@dataclass
class Seen:
    """What came of a look: what we did to rows, what was to be stopped at the provider, and what people are told."""

    done: list[tuple[str, str]]
    stopped: list[tuple[str, str]]
    told: list[tuple[object, ...]]


def look(desk: Desk, monkeypatch: pytest.MonkeyPatch, rows: Rows) -> Seen:
    """Look at the rows."""
    stopped: list[tuple[str, str]] = []
    monkeypatch.setattr(held_rows, "cancel_changed", lambda _equipment, _run, changed: stopped.extend(changed))
    equipment = replace(desk.equipment, source=cast("Any", rows), writer=cast("Any", rows))
    look_at_holds(equipment, desk.room.run)
    told = desk.room.sql("SELECT kind, subject, explanation FROM item WHERE closed_at IS NULL ORDER BY subject, kind")
    return Seen(rows.done, [(cast("Any", order).order_id, status) for order, status in stopped], told)


def pending(desk: Desk, *order_ids: str) -> dict[str, tuple[str, str]]:
    """These orders are at the provider, and their rows as we left them."""
    sent(desk, *order_ids)
    acknowledge(desk, *(row(each, f"k-{each}") for each in order_ids))
    return {each: (desk.room.submission(each).hold_reference, "pending") for each in order_ids}


CONFLICT = "write_back_conflict"


def test_rows_as_we_left_them_are_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of ours they show: nothing is written, told or stopped."""
    rows = pending(desk, "a", "b", "c")
    rows |= {"b": (rows["b"][0], "completed"), "c": (rows["c"][0], "review")}
    assert look(desk, monkeypatch, Rows(rows)) == Seen([], [], [])


@pytest.mark.parametrize("page", [1, 2, 9])
def test_every_page_of_held_orders_is_looked_at(page: int, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that looks free is held again, and told: the provider may be charging; it is not stopped."""
    rows = Rows(pending(desk, "a", "b", "c") | {"a": ("", "declined"), "c": ("", "declined")})
    monkeypatch.setattr(held_rows, "PAGE", page)
    seen = look(desk, monkeypatch, rows)
    assert seen.done == [("hold again", "a"), ("hold again", "c")]
    assert [about[:2] for about in seen.told] == [(CONFLICT, "order:a"), (CONFLICT, "order:c")]
    assert str(seen.told[0][2]).endswith(": it looked free and is held again; the ledger says pending")
    assert seen.stopped == []


@pytest.mark.parametrize(
    ("changed", "words", "stopped"),
    [
        (("mine", "paid"), "its status is 'paid'", [("a", "paid")]),
        (("another", "pending"), "its status is 'pending'", []),
        (("mine", "refunded"), "its status is 'refunded'", []),
        (("mine", "partially_refunded"), "its status is 'partially_refunded'", []),
        (None, "the row is gone", []),
    ],
)
def test_what_the_merchant_did_is_told(
    changed: tuple[str, str] | None, words: str, stopped: list[tuple[str, str]], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays as they made it; a status of theirs stops the order at the provider, one that only we write does not."""
    rows = pending(desk, "a")
    (hold, _), rows = rows["a"], {}
    if changed is not None:
        rows["a"] = (hold if changed[0] == "mine" else changed[0], changed[1])
    seen = look(desk, monkeypatch, Rows(rows))
    assert seen.stopped == stopped
    ((kind, subject, explanation),) = seen.told
    assert (kind, subject) == (CONFLICT, "order:a")
    assert str(explanation).endswith(f": {words}; the ledger says pending")


@pytest.mark.parametrize(
    ("standing", "asked_by", "attempt", "is_told"),
    [
        ("", BY_ITSELF, 1, True),
        ("so", "", 1, False),
        ("so", "ada", 1, False),
        (CAME_TOO_LATE, BY_ITSELF, 1, False),
        (CAME_TOO_LATE, "ada", 1, True),
        (CAME_TOO_LATE, "ada", 2, False),
    ],
)
def test_a_change_is_not_told_twice(
    standing: str, asked_by: str, attempt: int, is_told: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it came too late a person has heard of it, unless what they heard is of a cancel that one of them asked for."""
    (hold, _) = pending(desk, "a")["a"]
    with desk.room.ledger.writing(desk.room.run) as writing:
        if standing:
            open_item(writing, ItemKind.DOUBLE_CHARGE, "order:a", f"it is: {standing}", due_business_days=3)
        if asked_by:
            order = desk.room.submission("a")._replace(attempt=attempt)
            cancel = claim_operation(writing, order, Wanted(OperationKind.CANCEL, 0, "USD", "so", asked_by))
            move_operation(writing, cancel, OperationStep.REFUSED, reason="too late")
    seen = look(desk, monkeypatch, Rows({"a": (hold, "paid")}))
    assert (CONFLICT in [about[0] for about in seen.told]) is is_told
    assert seen.stopped == [("a", "paid")]


def ended(desk: Desk, state: State) -> str:
    """An order has ended so, and its row was told; returns its hold, which the row bears all the same."""
    pending(desk, "a")
    desk.room.put("a", state)
    desk.room.sql("UPDATE submission SET written_version = row_version")
    return desk.room.submission("a").hold_reference


def strays(desk: Desk) -> list[tuple[object, ...]]:
    """What the order's story says of a hold that was lifted late."""
    return desk.room.sql("SELECT source, reason FROM event WHERE kind = 'stray_hold'")


LIFTED = ("hold", "its row still bore our hold, which was lifted")


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.DECLINED, State.REJECTED, State.COMPLETED, State.REFUNDED])
@pytest.mark.parametrize("keeps", [False, True])
def test_a_hold_that_should_be_gone_is_lifted(state: State, keeps: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an order that was released; one that was recovered keeps its hold, and so does one where the merchant wants it kept."""
    if keeps:
        desk = Desk(desk.room, writeback={"on_not_recovered": "keep"})
    rows = Rows({"a": (ended(desk, state), "pending")})
    seen = look(desk, monkeypatch, rows)
    how = {State.WITHDRAWN: "give back", State.DECLINED: "show its end", State.REJECTED: "show its end"}.get(state, "")
    lifted = bool(how) and (not keeps or state is State.WITHDRAWN)
    assert seen == Seen([(how, "a")] if lifted else [], [], [])
    assert strays(desk) == ([LIFTED] if lifted else [])


def test_an_end_that_is_still_to_be_written_is_no_stray_hold(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the row shall show comes with the night's results."""
    hold = ended(desk, State.DECLINED)
    desk.room.sql("UPDATE submission SET written_version = row_version - 1")
    assert look(desk, monkeypatch, Rows({"a": (hold, "pending")})) == Seen([], [], [])


def test_a_hold_that_the_order_system_will_not_lift_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is blocked until somebody mends that: no event says that it was lifted."""
    rows = Rows({"a": (ended(desk, State.DECLINED), "pending")}, frozenset("a"))
    ((kind, subject, words),) = look(desk, monkeypatch, rows).told
    refused = "its hold should be lifted, and the order system refuses it (constraint)"
    assert (kind, subject, words, strays(desk)) == (CONFLICT, "order:a", refused, [])


def test_the_hold_of_an_earlier_claim_is_lifted_without_a_word_in_the_story_of_the_latest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row of another order system's copy may bear it still; the order has been claimed anew since."""
    hold = ended(desk, State.WITHDRAWN)
    desk.room.claim("b00000000002", "a")
    seen = look(desk, monkeypatch, Rows({"a": (hold, "pending")}))
    assert (seen.done, strays(desk)) == ([("give back", "a")], [])


def test_a_hold_that_the_ledger_does_not_know_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this merchant account would give it; another account's is theirs, and an order id that no ledger takes is skipped."""
    pending(desk, "b")
    ours = "mitbatch:" + idempotency_key(MID, "x", 1)
    rows = {"x": (ours, "pending"), "y": (STRANGER, "pending"), "4111 1111 1111 1111": (ours, "pending")}
    seen = look(desk, monkeypatch, Rows(rows | {"b": (desk.room.submission("b").hold_reference, "pending")}))
    words = "its row bears a hold of ours that this ledger knows nothing of; find out which ledger placed it"
    assert seen == Seen([], [], [("contradiction", "order:x", words)])


@pytest.mark.parametrize(("attempt", "is_ours"), [(1, True), (2, True), (9, True), (0, False), (10, False)])
def test_whose_a_hold_is_shows_in_its_reference(attempt: int, is_ours: bool) -> None:
    """It is made of the account, the order and the number of its claim."""
    reference = "mitbatch:" + idempotency_key(MID, "a", attempt)
    assert is_of_this_merchant(MID, "a", reference) is is_ours
    assert not is_of_this_merchant(MID, "b", reference)
    assert not is_of_this_merchant(MID.replace("1", "2"), "a", reference)
