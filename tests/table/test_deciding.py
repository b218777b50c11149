"""What a person's decision leaves in the ledger, to the last column: orders, files, copies, evidence, and which items close."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from batch.deciding import decide
from batch.file_rulings import FileRuling
from batch.ledger.items import open_item, open_items
from batch.ledger.moves import Move, move_orders
from batch.ledger.operations import Wanted, claim_operation, move_operation
from batch.order_rulings import OrderRuling
from batch.provider_reads import Answer
from batch.review import Case, Decision, Judged
from schemas.errors import DecisionRefused
from schemas.operations import OperationKind, OperationStep
from schemas.reasons import ItemKind
from schemas.resolutions import Resolution
from schemas.states import BatchStep, State
from tests.ledger.room import MID
from tests.table.acknowledging import ONE, sent
from tests.table.desk import Desk
from tests.table.test_call_turns import copied

NOW = "2026-11-23T06:30:00Z"
ANSWER = Answer("k", b'{"id": "k"}', None, source="outcome")
ABOUT_ORDER, ABOUT_FILE, ABOUT_OTHER = "order:a", f"batch:{ONE}", "order:b"


@dataclass
class Marks:
    """Which marks of files that left were taken away."""

    taken: list[tuple[str, str]] = field(default_factory=list)

    def unmark(self, kind: str, batch_id: str) -> None:
        """Take one away."""
        self.taken.append((kind, batch_id))


def told(desk: Desk, *subjects: str, kind: ItemKind = ItemKind.CONTRADICTION) -> None:
    """Items about these stand open."""
    with desk.room.ledger.writing(desk.room.run) as writing:
        for subject in subjects:
            open_item(writing, kind, subject, "so", due_business_days=3)


def still_told(desk: Desk) -> list[object]:
    """What items are open about."""
    return [row[0] for row in desk.room.sql("SELECT subject FROM item WHERE closed_at IS NULL ORDER BY subject")]


def case(desk: Desk, *, order: str = "", batch: str = "", about: str = "") -> Case:
    """What a person decides about: the items of a subject, with the order or the file that they are about."""
    with desk.room.ledger.reading() as connection:
        items = tuple(each for each in open_items(connection, MID) if each.subject == about)
    return Case(items, desk.room.submission(order) if order else None, desk.batch(batch) if batch else None)


def decided(desk: Desk, resolution: Resolution, judged: Judged) -> Marks:
    """Carry it out; returns the marks."""
    marks = Marks()
    equipment = replace(desk.equipment, departures=cast("Any", marks))
    decide(equipment, desk.room.run, Decision("it", resolution, "support says so", "ada"), judged)
    return marks


def ruled(desk: Desk, *path: State, answer: Answer = ANSWER, recovered: int | None = None, **shown: str) -> None:
    """A person decides that the order goes this way."""
    judged = Judged(case(desk, order="a"), "", order=OrderRuling(path, "", recovered, **shown), answer=answer)
    decided(desk, Resolution.PROVIDER_IS_RIGHT, judged)


def under_review(desk: Desk, *others: str) -> None:
    """An order of a file is under review, and others of it."""
    sent(desk, "a", "b")
    desk.move(State.REVIEW, "a", *others)


def events(desk: Desk, subject: str = ABOUT_ORDER) -> list[dict[str, Any]]:
    """The details of the decision's events, beside the number of the claim."""
    rows = desk.room.sql("SELECT detail FROM event WHERE subject = ? AND source = 'operator' ORDER BY seq", subject)
    return [{name: value for name, value in json.loads(str(row[0])).items() if name != "attempt"} for row in rows]


BY = {"decided": "provider-is-right", "by": "ada"}


def test_an_order_completes_by_a_decision(desk: Desk) -> None:
    """What the provider shows, and what came in, stand in the order's event; the answer that proves it is kept."""
    under_review(desk)
    ruled(desk, State.COMPLETED, recovered=1500, provider_order_id="k", provider_status="COMPLETED")
    shown = {"provider_order_id": "k", "provider_status": "COMPLETED"}
    assert events(desk) == [{**BY, **shown, "recovered_minor": 1500}]
    order = desk.room.submission("a")
    assert (order.state, order.provider_order_id, order.provider_status) == (State.COMPLETED, "k", "COMPLETED")
    ((evidence_id, source, subject, content),) = desk.room.sql("SELECT evidence_id, source, subject, content FROM evidence")
    assert (source, subject, content) == ("outcome", ABOUT_ORDER, ANSWER.content)
    last = "SELECT reason, evidence_id FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1"
    assert desk.room.sql(last, ABOUT_ORDER) == [("provider-is-right: support says so (ada)", evidence_id)]


@pytest.mark.parametrize(
    ("path", "due"),
    [
        ([State.PENDING], NOW),
        ([State.PENDING, State.CAPTURE_REQUIRED], NOW),
        ([State.REJECTED], None),
        ([State.COMPLETED], None),
    ],
)
def test_what_the_provider_works_on_is_read_again_and_nothing_else(path: list[State], due: str | None, desk: Desk) -> None:
    """At once, because nobody knows since when; each step is an event, and only completing tells an amount."""
    under_review(desk)
    desk.room.sql("UPDATE submission SET next_read_at = '2026-11-23T05:00:00Z'")
    ruled(desk, *path, answer=replace(ANSWER, content=b""), recovered=7)
    assert desk.room.sql("SELECT next_read_at FROM submission WHERE order_id = 'a'") == [(due,)]
    assert events(desk) == [BY | ({"recovered_minor": 7} if to is State.COMPLETED else {}) for to in path]
    assert desk.room.sql("SELECT * FROM evidence") == [], "an empty answer proves nothing"
    assert desk.room.submission("a").provider_status == "", "and teaches nothing"


@pytest.mark.parametrize(("path", "state"), [([State.COMPLETED], "partially_refunded"), ([State.REFUNDED], "refunded")])
@pytest.mark.parametrize("back", [0, 500])
def test_what_was_given_back_stays_given_back(path: list[State], state: str, back: int, desk: Desk) -> None:
    """An order that completes after a refund of it was confirmed is partially refunded, and says how much."""
    under_review(desk)
    if back:
        wanted = Wanted(OperationKind.REFUND, back, "USD", "asked by the customer", "ada")
        with desk.room.ledger.writing(desk.room.run) as writing:
            operation = claim_operation(writing, desk.room.submission("a"), wanted)
            move_operation(writing, operation, OperationStep.DONE, reason="done")
    ruled(desk, *path)
    assert desk.states("a") == [state if back else path[-1].value]
    is_told = bool(back) and state == "partially_refunded"
    assert [each["refunded_minor"] for each in events(desk) if "refunded_minor" in each] == ([back] if is_told else [])


@pytest.mark.parametrize(
    ("row", "shows"),
    [
        ({}, True),
        ({"status": "completed"}, True),
        ({"status": "declined"}, False),
        ({"hold_reference": "somebody's"}, False),
        (None, False),
    ],
)
def test_a_row_is_written_only_where_it_is_ours(row: dict[str, str] | None, shows: bool, desk: Desk) -> None:
    """A row that the merchant has taken since, or freed, or that is gone, is left alone (I1)."""
    under_review(desk)
    real = desk.equipment.source.written(["a"])["a"]
    rows = {} if row is None else {"a": real | row}
    object.__setattr__(desk.equipment, "source", type("Rows", (), {"written": lambda _self, _ids: rows})())
    before = desk.room.submission("a").row_version
    ruled(desk, State.COMPLETED)
    assert desk.room.submission("a").row_version == before + shows


NEVER_CAME = FileRuling(BatchStep.SENDING, State.SENDING, "")
NOT_TAKEN = FileRuling(BatchStep.REFUSED, State.REJECTED, "")
BY_HAND = FileRuling(BatchStep.DELIVERED, State.SENDING, "")
FILE_COLUMNS = "part_sha256, token_minted_at, delivered_at"
IN_DOUBT = ("f" * 64, "2026-11-22T06:30:00Z", None)


@pytest.mark.parametrize(
    ("ruling", "states", "columns", "marks"),
    [
        (NEVER_CAME, ["sending", "sending"], (None, None, None), [("evaluate", ONE)]),
        (NOT_TAKEN, ["rejected", "rejected"], IN_DOUBT, []),
        (BY_HAND, ["sending", "sending"], (*IN_DOUBT[:2], NOW), []),
    ],
)
def test_a_file_and_its_orders_go_where_the_decision_says(
    ruling: FileRuling, states: list[str], columns: tuple[object, ...], marks: list[tuple[str, str]], desk: Desk
) -> None:
    """What goes again is as if it had never left, its mark taken away before; what was not taken frees its orders."""
    sent(desk, "a", "b", "c")
    desk.move(State.IN_DOUBT, "a")
    desk.room.put("c", State.PENDING)
    desk.room.sql(f"UPDATE batch SET step = 'in_doubt', {FILE_COLUMNS.replace(',', ' = ?,')} = ?", *IN_DOUBT)
    told(desk, ABOUT_FILE, ABOUT_OTHER)
    versions = [desk.room.submission(each).row_version for each in "ab"]
    judged = Judged(case(desk, batch=ONE, about=ABOUT_FILE), "", file=ruling)
    assert decided(desk, Resolution.NEVER_ARRIVED, judged).taken == marks
    assert desk.states("a", "b", "c") == [*states, "pending"]
    assert desk.batch(ONE).step is ruling.step
    assert desk.room.sql(f"SELECT {FILE_COLUMNS} FROM batch") == [columns]
    by = {"decided": "support-confirmed-never-arrived", "by": "ada"}
    moved = [each != "sending" for each in ("in_doubt", "sending")] if states[0] == "sending" else [True, True]
    assert [events(desk, f"order:{each}") for each in "ab"] == [[by] if each else [] for each in moved]
    is_freed = ruling is NOT_TAKEN
    assert [desk.room.submission(each).row_version for each in "ab"] == [each + is_freed for each in versions]
    last = "SELECT reason, source FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1"
    assert desk.room.sql(last, ABOUT_FILE) == [("support-confirmed-never-arrived: support says so (ada)", "operator")]
    assert still_told(desk) == [ABOUT_OTHER]


def test_a_file_of_copies_that_was_not_taken_refuses_its_copies(desk: Desk) -> None:
    """Each of them, with the words; one that is sent again refuses none."""
    for batch_id, ruling in ((ONE, NOT_TAKEN), ("b00000000002", NEVER_CAME)):
        copied(desk.room, batch_id, f"copy of {batch_id}")
        desk.room.sql("UPDATE batch SET step = 'in_doubt' WHERE batch_id = ?", batch_id)
        told(desk, f"batch:{batch_id}")
        decided(desk, Resolution.NOT_TAKEN, Judged(case(desk, batch=batch_id), "", file=ruling))
    words = "support-confirmed-not-taken: support says so (ada)"
    assert desk.room.sql("SELECT result, error_text FROM transmission ORDER BY batch_id") == [("failed", words), (None, None)]
    assert still_told(desk) == []


def test_what_moved_since_it_was_looked_at_is_not_decided_about(desk: Desk) -> None:
    """The order, the file or an item: nothing is changed, and a person looks again."""
    under_review(desk)
    told(desk, ABOUT_ORDER)
    looked = case(desk, order="a", batch=ONE, about=ABOUT_ORDER)
    with desk.room.ledger.writing(desk.room.run) as writing:
        move_orders(writing, [Move(desk.room.submission("a"), None, "poll", "so", "", "learnt")])
    before = desk.room.everything("lease")
    stale = (
        looked,
        replace(looked, order=None, batch=replace(desk.batch(ONE), row_count=9)),
        replace(looked, order=None, items=(replace(looked.items[0], item_id="closed since"),)),
    )
    for each in stale:
        with pytest.raises(DecisionRefused, match=r"Something moved while this was decided\."):
            decided(desk, Resolution.NOTED, Judged(each, ""))
    assert desk.room.everything("lease") == before


@pytest.mark.parametrize(("others", "closes_file"), [((), False), (("b",), True)])
def test_a_decision_closes_all_that_stands_open_of_what_it_is_about(
    others: tuple[str, ...], closes_file: bool, desk: Desk
) -> None:
    """About the order itself whatever its item was; about its file only when nothing of it waits for anybody any more."""
    under_review(desk)
    if others:
        desk.room.put("b", State.PENDING)
    told(desk, ABOUT_ORDER, "overdue:a", ABOUT_FILE, ABOUT_OTHER)
    told(desk, ABOUT_ORDER, kind=ItemKind.UNKNOWN_STATUS)
    judged = Judged(case(desk, order="a", about="overdue:a"), "", order=OrderRuling((State.REJECTED,), ""), answer=ANSWER)
    decided(desk, Resolution.NO_RESCUE, judged)
    assert still_told(desk) == [*([] if closes_file else [ABOUT_FILE]), ABOUT_OTHER]
    ended = desk.room.sql("SELECT DISTINCT resolution, closed_by, resolution_reason FROM item WHERE closed_at IS NOT NULL")
    assert ended == [(Resolution.NO_RESCUE.value, "ada", "support says so")]


def test_noting_closes_what_was_noted_and_no_more(desk: Desk) -> None:
    """Whoever has looked at one item has not looked at the other."""
    under_review(desk)
    told(desk, ABOUT_ORDER)
    told(desk, ABOUT_FILE)
    before = desk.states("a", "b")
    decided(desk, Resolution.NOTED, Judged(case(desk, order="a", about=ABOUT_FILE), ""))
    assert (still_told(desk), desk.states("a", "b")) == ([ABOUT_ORDER], before)


@pytest.mark.parametrize("resolution", [Resolution.NOTED, Resolution.NO_RESCUE])
def test_only_noting_takes_news_for_answered(resolution: Resolution, desk: Desk) -> None:
    """News of a refused order that nobody can look up keeps it back until a person has noted it."""
    sent(desk, "a")
    desk.move(State.REJECTED, "a")
    desk.room.sql("UPDATE submission SET next_read_at = ?", NOW)
    told(desk, "hint:a")
    decided(desk, resolution, Judged(case(desk, order="a", about="hint:a"), ""))
    due = desk.room.sql("SELECT next_read_at FROM submission")
    assert due == [(None if resolution is Resolution.NOTED else NOW,)]


def test_the_latest_claim_of_an_order_is_decided_about(desk: Desk) -> None:
    """An order that was claimed again is not what it was: the decision about its first claim is refused."""
    under_review(desk)
    first = case(desk, order="a")
    desk.room.put("a", State.REJECTED)
    desk.room.claim("b00000000002", "a")
    with pytest.raises(DecisionRefused):
        decided(desk, Resolution.NOTED, Judged(first, ""))
    decided(desk, Resolution.NOTED, Judged(case(desk, order="a"), ""))
