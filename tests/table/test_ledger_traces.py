"""What only rows of the ledger tell: who holds the lease, what of an order's past counts, which files are open, what is dated."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from batch.api_actions import ActionAnswer, Verdict
from batch.asking import ask, read_and_hear
from batch.ledger import Owner
from batch.ledger.batches import delivered_on, files_open, unexported_batches
from batch.ledger.calls import mark_copies
from batch.ledger.moves import note_reads
from batch.ledger.operations import Wanted, claim_operation, move_operation
from batch.ledger.past import past_of
from batch.ledger.repeats import call_times, is_named
from batch.ledger.steps import move_batch
from batch.left_over_copies import has_any_to_send, too_old
from batch.provider_reads import Answer
from batch.responses import OrderRead
from batch.settling import read_again
from schemas.errors import ApiLoginRefused, ApiUnreachable, NothingSent
from schemas.operations import OperationKind, OperationStep
from schemas.states import API_FORMAT, DAY_END_MARK, BatchStep, State
from tests.ledger.room import DAY, MID, Room
from tests.table.acknowledging import acknowledge, items, row, sent
from tests.table.desk import Desk
from tests.table.test_call_turns import copied

DAYS = ("2026-11-22", DAY)
ONE, TWO, THREE = "b00000000001", "b00000000002", "b00000000003"


def test_a_lease_names_the_run_that_has_it_to_the_last_column(room: Room) -> None:
    """A run that takes over from a dead one: nothing of that one's stands there, nor who had asked it to step aside."""
    room.sql("UPDATE lease SET wanted_by = 'somebody', expires_at = '2026-11-23T06:00:00Z'")
    room.take("second", "poll", owner=Owner(host="there", pid=8, pid_started="2"), alive=False)
    found = room.sql("SELECT token, run_id, job, host, pid, pid_started, expires_at, wanted_by FROM lease")
    assert found == [(2, "second", "poll", "there", 8, "2", "2026-11-23T06:45:00Z", None)]


@pytest.mark.parametrize(("when", "kept"), [("", None), ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z")])
def test_an_order_that_is_never_due_again_is_due_at_no_time(when: str, kept: str | None, room: Room) -> None:
    """That nobody asks about it any more is written as nothing, not as an empty time that queries would take for one."""
    room.claim(ONE, "a")
    room.sql("UPDATE submission SET next_read_at = '2026-11-23T06:00:00Z'")
    with room.ledger.writing(room.run) as writing:
        note_reads(writing, [(room.submission("a"), when)])
    assert room.sql("SELECT next_read_at, reads FROM submission") == [(kept, 1)]


def test_the_past_of_an_order_is_its_own_and_its_latest(room: Room) -> None:
    """Of two orders, one claimed twice: each has its own last claim, whatever number the other's has."""
    room.claim(ONE, "a", "b")
    room.put("a", State.REJECTED)
    room.claim(TWO, "a")
    with room.ledger.reading() as connection:
        both, one = past_of(connection, MID, ["a", "b"]), past_of(connection, MID, ["b"])
    assert {order_id: past.attempt for order_id, past in both.items()} == {"a": 2, "b": 1}
    assert [*one] == ["b"]


@pytest.mark.parametrize(
    ("step", "state", "is_open"),
    [
        (BatchStep.SENDING, State.DECLINED, True),
        (BatchStep.DELIVERED, State.DECLINED, True),
        (BatchStep.ACKNOWLEDGED, State.PENDING, True),
        (BatchStep.ACKNOWLEDGED, State.DECLINED, False),
    ],
)
def test_files_are_open_until_they_and_their_orders_are_over(step: BatchStep, state: State, is_open: bool, room: Room) -> None:
    """A file that has not left, or has no answer, or an order of it that has not ended: each alone keeps them open."""
    room.claim(ONE, "a")
    room.put("a", state)
    room.sql("UPDATE batch SET step = ?", step.value)
    with room.ledger.reading() as connection:
        assert files_open(connection, MID) is is_open


@pytest.mark.parametrize("kind", ["evaluate", "transmit"])
@pytest.mark.parametrize("step", BatchStep)
def test_what_left_on_a_date_and_what_leaves_no_file(step: BatchStep, kind: str, room: Room) -> None:
    """Files of orders that have left are named with their date; batches that ended without a file are exported another way."""
    room.claim(ONE, "a")
    room.claim(TWO, "b")
    room.sql("UPDATE batch SET step = ?, kind = ?", step.value, kind)
    room.sql("UPDATE batch SET format = ? WHERE batch_id = ?", API_FORMAT, TWO)
    room.sql("UPDATE batch SET business_date = '2026-11-22' WHERE batch_id = ?", TWO)
    with room.ledger.reading() as connection:
        left = delivered_on(connection, MID, DAY)
        without = [[each.batch_id for each in unexported_batches(connection, MID, since=day, until=day)] for day in DAYS]
    has_left = step in (BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED, BatchStep.REFUSED)
    assert left == ([f"{ONE}.json"] if has_left and kind == "evaluate" else [])
    by_calls = step is BatchStep.ACKNOWLEDGED and kind == "transmit"
    assert without == [[TWO] if by_calls or step is BatchStep.EMPTY else [], [ONE] if step is BatchStep.EMPTY else []]


def test_a_copy_that_changes_after_its_day_keeps_how_it_stood(room: Room) -> None:
    """On its own day nothing is kept; after it the first change keeps line, result, id and words, and no later one does."""
    copied(room, ONE, "a")
    end, stood = DAY_END_MARK.join, []
    for day, result in ((DAY, "sending"), ("2026-11-24", "in_doubt"), ("2026-11-25", "success")):
        room.run = room.take(day, day=day, alive=False)
        with room.ledger.writing(room.run) as writing:
            mark_copies(writing, [{"order_id": "a", "result": result, "transmit_id": "t-1"}])
        stood += [kept for (kept,) in room.sql("SELECT day_end FROM transmission")]
    assert stood == [None, end(["1", "sending", "t-1", ""]), end(["1", "sending", "t-1", ""])]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer("k", b"", None, "HTTP 500", is_unreachable=True), "HTTP 500"),
        (Answer("k", b"{}", OrderRead("other", "b", None, "Processing", 1999, "USD")), "the answer is about another order"),
    ],
    ids=["no answer", "another order"],
)
def test_nothing_is_asked_for_without_a_read_of_the_order(answer: Answer, words: str, desk: Desk) -> None:
    """Why there is none is told."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    desk.equipment.api.read_orders = lambda provider_order_ids: iter([answer])  # type: ignore[method-assign]
    with pytest.raises(ApiUnreachable, match=rf"could not be read: {words}\. Nothing was asked for"):
        read_and_hear(desk.equipment, desk.room.run, desk.room.submission("a"))
    assert desk.states("a") == ["pending"]


def test_when_an_order_was_called_first_and_last(desk: Desk) -> None:
    """One that was only claimed was called at no time, which is two empty texts; one that was called twice has both times."""
    desk.held(ONE, "a")
    times = []
    for state in (State.SENDING, State.IN_DOUBT, State.SENDING):
        with desk.room.ledger.reading() as connection:
            times.append(call_times(connection, MID, desk.room.submission("a")))
        desk.move(state, "a")
        desk.room.clock.advance(timedelta(minutes=1))
    with desk.room.ledger.reading() as connection:
        times.append(call_times(connection, MID, desk.room.submission("a")))
    first, last = "2026-11-23T06:30:00Z", "2026-11-23T06:32:00Z"
    assert times == [("", ""), (first, first), (first, first), (first, last)]


@pytest.mark.parametrize(
    ("mentioned", "received", "named"),
    [("a", "2026-11-23T07:00:00Z", True), ("a", "2026-11-23T06:00:00Z", False), ("b", "2026-11-23T07:00:00Z", False)],
)
def test_an_order_is_named_by_what_names_it_since_its_claim(mentioned: str, received: str, named: bool, room: Room) -> None:
    """Not by what came before, nor by what came since about another order."""
    room.claim(ONE, "a")
    columns = "mid, evidence_id, source, subject, received_at, content_hash, content"
    for name, at in (("e1", received), ("e2", "2026-11-23T09:00:00Z")):
        room.sql(f"INSERT INTO evidence ({columns}) VALUES (?, ?, 'webhook', 'webhook:x', ?, ?, x'00')", MID, name, at, name)
    room.sql("INSERT INTO mention (mid, order_id, evidence_id) VALUES (?, ?, 'e1'), (?, 'c', 'e2')", MID, mentioned, MID)
    with room.ledger.reading() as connection:
        assert is_named(connection, MID, room.submission("a")) is named


@pytest.mark.parametrize(
    ("step", "to", "delivered_at", "changes", "dated"),
    [
        (BatchStep.IN_DOUBT, BatchStep.ACKNOWLEDGED, None, {"delivered_at": "2026-11-23T06:30:00Z"}, DAY),
        (BatchStep.PART_VERIFIED, BatchStep.DELIVERED, "2026-11-22T06:30:00Z", {"delivered_at": "2026-11-23T06:30:00Z"}, DAY),
        (BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED, "2026-11-22T06:30:00Z", {}, None),
        (BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED, "2026-11-22T06:30:00Z", {"delivered_at": "2026-11-23T06:30:00Z"}, None),
        (BatchStep.IN_DOUBT, BatchStep.REFUSED, None, {}, None),
    ],
    ids=["found by asking", "sent once more", "answered", "answered and told again", "refused"],
)
def test_a_delivery_is_booked_on_the_day_on_which_it_is_known(
    step: BatchStep, to: BatchStep, delivered_at: str | None, changes: dict[str, str], dated: str | None, desk: Desk
) -> None:
    """Whichever step tells of it, the file has left on the business date of that run; a later answer moves it to no other."""
    desk.held(ONE, "a")
    desk.room.sql("UPDATE batch SET step = ?, delivered_at = ?", step.value, delivered_at)
    with desk.room.ledger.writing(desk.room.run) as writing:
        move_batch(writing, desk.batch(ONE), to, reason="so", **changes)
    assert desk.room.sql("SELECT delivered_date FROM batch") == [(dated,)]


@pytest.mark.parametrize("step", BatchStep)
def test_copies_grow_too_old_only_where_nothing_of_them_can_have_left(step: BatchStep, desk: Desk) -> None:
    """Claimed, being written, or not all called: what is a day old and a second stays at home; elsewhere it is not judged."""
    copied(desk.room, ONE, "old", charged_at="2026-11-22T06:29:59Z")
    copied(desk.room, TWO, "young", charged_at="2026-11-22T06:30:00Z")
    unsent = step in (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.CALLING)
    assert too_old(desk.equipment, replace(desk.batch(ONE), step=step)) == (["old"] if unsent else [])
    assert too_old(desk.equipment, replace(desk.batch(TWO), step=step)) == []


@pytest.mark.parametrize("channel", ["sftp", "api", "off"])
def test_a_plan_counts_what_may_leave(channel: str, room: Room) -> None:
    """Orders that were left over may; copies only while they are switched on, and while one of them is young enough."""
    desk = Desk(room, channels={"transmit": channel})
    desk.held(THREE, "order")
    copied(room, ONE, "old", charged_at="2026-11-22T06:29:59Z")
    copied(room, TWO, "young", charged_at="2026-11-23T06:00:00Z")
    assert [has_any_to_send(desk.equipment, desk.batch(each)) for each in (ONE, TWO, THREE)] == [False, channel != "off", True]


@pytest.mark.parametrize(
    ("before", "shown", "step", "is_told"),
    [
        (0, None, OperationStep.DONE, False),
        (None, 500, OperationStep.DONE, False),
        (0, 500, OperationStep.DONE, False),
        (300, 800, OperationStep.DONE, False),
        (0, 0, OperationStep.DONE, True),
        (0, 0, OperationStep.REFUSED, False),
    ],
)
def test_a_confirmed_refund_is_missed_only_where_the_provider_shows_refunds(
    before: int | None, shown: int | None, step: OperationStep, is_told: bool, desk: Desk
) -> None:
    """It shows no sum, or showed none before: nothing can be said; it shows as much as before: a person looks."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    desk.room.put("a", State.COMPLETED)
    with desk.room.ledger.writing(desk.room.run) as writing:
        wanted = Wanted(OperationKind.REFUND, 500, "USD", "so", "ada", refunded_before_minor=before)
        asked = claim_operation(writing, desk.room.submission("a"), wanted)
        done = move_operation(writing, asked, step, reason="so", transaction_id="t-1")
    read = OrderRead("k", "a", 7, "Completed", 1999, "USD", shown)
    desk.equipment.api.read_orders = lambda provider_order_ids: iter([Answer("k", b"{}", read)])  # type: ignore[method-assign]
    read_again(desk.equipment, desk.room.run, done)
    assert [kind for kind, _ in items(desk.room)] == (["contradiction"] if is_told else [])


@pytest.mark.parametrize("length", [499, 500, 501, 9000])
def test_a_request_is_told_of_in_no_more_than_its_column_takes(length: int, desk: Desk) -> None:
    """Whether it was never asked for or refused: however much the provider or the line says of it, 500 signs are kept."""
    sent(desk, "a", "b")
    reasons = []
    for order_id, words in (("a", "x" * (length - len("it was never asked for: "))), ("b", "x" * length)):
        with desk.room.ledger.writing(desk.room.run) as writing:
            wanted = Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada")
            asked = claim_operation(writing, desk.room.submission(order_id), wanted)

        def call(order_id: str = order_id, words: str = words) -> ActionAnswer:
            if order_id == "a":
                raise ApiUnreachable(words)
            return ActionAnswer(Verdict.REFUSED, words)

        with pytest.raises(ApiUnreachable) if order_id == "a" else nullcontext():
            ask(desk.equipment, desk.room.run, asked, call)
        subject = f"operation:{asked.operation_id}"
        ((reason,),) = desk.room.sql("SELECT reason FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1", subject)
        reasons.append(len(str(reason)))
    assert reasons == [min(length, 500)] * 2


@pytest.mark.parametrize(("source", "step"), [("poll", OperationStep.REFUSED), ("outcome", OperationStep.IN_DOUBT)])
def test_who_has_no_word_for_a_refund_proves_none_wrong(source: str, step: OperationStep, desk: Desk) -> None:
    """The older call goes on saying APPROVED whatever was given back: the refund stays in doubt, and a person is told (I12)."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    desk.room.put("a", State.COMPLETED)
    with desk.room.ledger.writing(desk.room.run) as writing:
        asked = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.REFUND, 1999, "USD", "so", "ada"))
        doubted = move_operation(writing, asked, OperationStep.IN_DOUBT, reason="no clear answer")
    desk.room.clock.advance(timedelta(hours=9))
    desk.room.run = desk.room.take("second", alive=False)
    read = OrderRead("k", "", None, "APPROVED", None, "")
    answers = [Answer("k", b"{}", read, source=source)]
    desk.equipment.api.read_orders = lambda provider_order_ids: iter(answers)  # type: ignore[method-assign]
    assert read_again(desk.equipment, desk.room.run, doubted).operation.step is step
    told = [kind for kind, _ in items(desk.room)]
    assert told == (["action_in_doubt"] if step is OperationStep.IN_DOUBT else ["action_refused"])


@pytest.mark.parametrize(("state", "told"), [(State.COMPLETED, [("action_refused", 1)]), (State.REVIEW, [])])
def test_a_cancel_that_came_too_late_is_told_once(state: State, told: list[tuple[str, int]], desk: Desk) -> None:
    """Whoever asked for it is told; not where the order is under review, of which a person is told already."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    desk.room.put("a", state)
    with desk.room.ledger.writing(desk.room.run) as writing:
        asked = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
        doubted = move_operation(writing, asked, OperationStep.IN_DOUBT, reason="no clear answer")
    read = OrderRead("k", "a", 7, "Completed", 1999, "USD")
    desk.equipment.api.read_orders = lambda provider_order_ids: iter([Answer("k", b"{}", read)])  # type: ignore[method-assign]
    found = read_again(desk.equipment, desk.room.run, doubted)
    assert (found.operation.step, found.submission.state) == (OperationStep.REFUSED, state)
    assert desk.room.sql("SELECT kind, count(*) FROM item WHERE subject LIKE 'operation:%' GROUP BY kind") == told


def test_a_refused_refund_is_told_whatever_else_stands_open_about_its_order(desk: Desk) -> None:
    """The order is under review for something else: whoever asked for the refund hears that it was not made."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    desk.room.put("a", State.COMPLETED)
    with desk.room.ledger.writing(desk.room.run) as writing:
        asked = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.REFUND, 1999, "USD", "so", "ada"))
        doubted = move_operation(writing, asked, OperationStep.IN_DOUBT, reason="no clear answer")
    desk.room.put("a", State.REVIEW)
    desk.room.clock.advance(timedelta(hours=9))
    desk.room.run = desk.room.take("second", alive=False)
    read = OrderRead("k", "", None, "APPROVED", None, "")
    desk.equipment.api.read_orders = lambda provider_order_ids: iter([Answer("k", b"{}", read)])  # type: ignore[method-assign]
    assert read_again(desk.equipment, desk.room.run, doubted).operation.step is OperationStep.REFUSED
    assert ("action_refused", f"operation:{asked.operation_id}") in items(desk.room)


@pytest.mark.parametrize("problem", [ApiLoginRefused("no such key"), ApiUnreachable("down")])
@pytest.mark.parametrize("step", [OperationStep.DONE, OperationStep.IN_DOUBT])
def test_a_read_that_cannot_be_asked_for_leaves_a_request_as_it_was_answered(
    step: OperationStep, problem: NothingSent, desk: Desk
) -> None:
    """Login or line fail right after a cancel: its own answer stands, the order as well, and nobody is told of anything."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    with desk.room.ledger.writing(desk.room.run) as writing:
        asked = claim_operation(writing, desk.room.submission("a"), Wanted(OperationKind.CANCEL, 0, "USD", "so", "ada"))
        answered = move_operation(writing, asked, step, reason="as it was answered")

    def read_orders(_ids: object) -> None:
        raise problem

    desk.equipment.api.read_orders = read_orders  # type: ignore[method-assign, assignment]
    found = read_again(desk.equipment, desk.room.run, answered)
    assert (found.operation.step, found.submission.state) == (step, State.PENDING)
    assert items(desk.room) == []
