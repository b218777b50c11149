"""The turns of calls: what came back is recorded whatever happens, and when to wait, to stop and to close a group."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import event

from batch.api_delivery import ApiDelivery
from batch.api_evaluates import Evaluates
from batch.api_line import MOST_DOUBTS, Call, Called
from batch.call_answers import Verdict
from batch.findings import Findings
from batch.ledger import Batch, Writing
from batch.ledger.calls import copies_to_be_called, kinds_of_groups, not_intended, store_answers
from batch.ledger.steps import move_batch
from schemas.errors import (
    ApiLoginRefused,
    ApiUnreachable,
    FileNotWritten,
    HostKeyChanged,
    InternalError,
    Interrupted,
    LeaseLost,
    LedgerBusy,
    MitbatchError,
    OrdersUnreachable,
)
from schemas.states import API_FORMAT, BatchStep, State
from tests.ledger.room import MID, START, Room
from tests.table.acknowledging import items
from tests.table.desk import Desk

ONE, TWO, THREE = "b00000000001", "b00000000002", "b00000000003"
CALL = Call("a", b"{}", START + timedelta(hours=1))
DOUBT, TAKEN = Called(CALL, 500), Called(CALL, 200, b"{}")
LATE, SWITCHED_OFF = Called(CALL, problem="its time had passed", not_made=True), Called(CALL, not_made=True)


class Errand:
    """One order, called as often as it is asked for; what is applied is kept, after some refusals of the ledger."""

    path = "evaluate"

    def __init__(self, *, left: int = 1, busy: int = 0) -> None:
        self.is_left, self.busy = left, busy
        self.applied: list[list[Called]] = []
        self.forgotten: list[list[Called]] = []
        self.finished: list[str] = []

    def prepare(self, batch: Batch) -> Batch:
        """Nothing was left."""
        return batch

    def intend(self, batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        """The one call."""
        return batch, [CALL]

    def objection(self, call: Call) -> str:
        """Nothing speaks against it."""
        return ""

    def apply(self, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        """Keep what came back."""
        if self.busy:
            self.busy -= 1
            raise LedgerBusy("another program has it")
        self.applied.append(list(back))
        return {}

    def forget(self, back: Sequence[Called]) -> None:
        """It is recorded."""
        self.forgotten.append(list(back))

    def left(self, batch: Batch) -> int:
        """Whether the call has still to be made."""
        return self.is_left

    def finish(self, writing: Writing, batch: Batch) -> Batch:
        """Close the group."""
        self.finished.append(batch.batch_id)
        return batch


def delivery(desk: Desk, errand: Errand, *backs: Sequence[Called]) -> tuple[ApiDelivery, list[object]]:
    """A delivery whose calls come back so in each pass; and what each pass was asked to call after that."""
    passes: list[object] = []
    ahead = iter(backs)

    def call_all(_path: str, turn: Callable[[Sequence[Called]], Sequence[Call] | None], _objection: object) -> None:
        assert turn([]) == [CALL]
        passes.append(turn(next(ahead)))

    sends = SimpleNamespace(be_ready=lambda: None, call_all=call_all)
    marks = SimpleNamespace(mark_calls=lambda *_, **__: None)
    parts = {"settings": desk.equipment.settings, "ledger": desk.room.ledger, "clock": desk.room.clock}
    equipment = SimpleNamespace(sends=sends, departures=marks, progress=desk.equipment.progress, **parts)
    return ApiDelivery(cast("Any", equipment), desk.room.run, Findings(), cast("Any", errand)), passes


def test_what_came_back_is_recorded_once_the_ledger_can_be_written(desk: Desk) -> None:
    """Another program has the ledger when an answer comes: nothing more is called, and the answer is recorded at the end."""
    errand, back = Errand(busy=1), [Called(CALL, 200, b"{}")]
    sending, passes = delivery(desk, errand, back)
    with pytest.raises(LedgerBusy):
        sending.deliver([desk.held(ONE, "a")])
    assert (errand.applied, errand.forgotten, passes) == ([back], [back], [None])


def test_when_nothing_is_left_of_a_group_the_next_is_called(desk: Desk) -> None:
    """Group after group, and then nothing."""
    errand, other = Errand(), Call("b", b"{}", CALL.before)
    sending, _ = delivery(desk, errand)
    calls = {ONE: [CALL], TWO: [other]}

    def intend(batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        return batch, [calls[batch.batch_id].pop()] if calls[batch.batch_id] else []

    def call_all(_path: str, turn: Callable[[Sequence[Called]], Sequence[Call] | None], _objection: object) -> None:
        assert [turn([]), turn([TAKEN]), turn([TAKEN])] == [[CALL], [other], []]

    errand.intend = intend  # type: ignore[method-assign]
    sending._equipment.sends.call_all = call_all  # type: ignore[method-assign, assignment]
    sending.deliver([desk.held(ONE, "a"), desk.held(TWO, "b")])
    assert calls == {ONE: [], TWO: []}


def test_what_is_told_is_what_stopped_the_calls_first(desk: Desk) -> None:
    """The ledger cannot be written, twice: the first reason counts, what came back is recorded, and nothing more is called."""
    errand, reasons = Errand(), [LedgerBusy("the first"), LedgerBusy("the second")]
    sending, _ = delivery(desk, errand)
    real = errand.apply

    def apply(writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        if reasons:
            raise reasons.pop(0)
        return real(writing, back)

    def call_all(_path: str, turn: Callable[[Sequence[Called]], Sequence[Call] | None], _objection: object) -> None:
        assert [turn(back) for back in ([], [TAKEN], [DOUBT], [TAKEN])] == [[CALL], None, None, None]

    errand.apply = apply  # type: ignore[method-assign]
    sending._equipment.sends.call_all = call_all  # type: ignore[method-assign, assignment]
    with pytest.raises(LedgerBusy, match="the first"):
        sending.deliver([desk.held(ONE, "a")])
    assert errand.applied == [[TAKEN, DOUBT, TAKEN]]


@pytest.mark.parametrize("problem", [ApiLoginRefused("no such key"), ApiUnreachable("down")])
def test_who_gets_no_token_intends_no_call(problem: MitbatchError, desk: Desk) -> None:
    """The provider refuses the credentials or is away before the first call: it is found, and the group stays as it is."""
    errand = Errand()
    sending, passes = delivery(desk, errand)

    def be_ready() -> None:
        raise problem

    sending._equipment.sends.be_ready = be_ready  # type: ignore[method-assign]
    sending.deliver([desk.held(ONE, "a")])
    assert (passes, errand.finished, sending._findings.problems) == ([], [], [problem])
    assert sending._findings.uncalled == 1


def asked_to_stop(desk: Desk, errand: Errand) -> None:
    """Somebody asks the run to stop as soon as a call is intended; it is the errand's only one."""

    def stop() -> None:
        raise Interrupted("asked")

    def intend(batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        desk.room.ledger.may_go_on = stop
        return batch, [CALL]

    errand.intend = intend  # type: ignore[method-assign]
    errand.left = lambda batch: 1 - len(errand.applied)  # type: ignore[method-assign]


def test_who_is_asked_to_stop_records_what_came_back_and_closes_its_group(desk: Desk) -> None:
    """The answer may be the only word that there will ever be: it is written down, and that nothing is left to be called."""
    errand = Errand()
    sending, _ = delivery(desk, errand, [TAKEN])
    asked_to_stop(desk, errand)
    sending.deliver([desk.held(ONE, "a")])
    assert (errand.applied, errand.finished) == ([[TAKEN]], [ONE])


def test_who_is_asked_to_stop_sets_aside_what_cannot_be_applied(desk: Desk) -> None:
    """Of two answers one cannot be applied: that one is set aside, the other recorded."""
    errand, bad = Errand(), Called(CALL, 200, b"?")
    sending, _ = delivery(desk, errand, [bad, TAKEN])
    asked_to_stop(desk, errand)
    real, aside = errand.apply, list[Called]()

    def apply(writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        if bad in back:
            raise InternalError("a mistake in this program")
        return real(writing, back)

    def set_aside(writing: Writing, called: Called, why: str) -> dict[Verdict, int]:
        assert isinstance(writing, Writing)
        aside.append(called)
        return {Verdict.DOUBTFUL: 1}

    errand.apply = apply  # type: ignore[method-assign]
    errand.set_aside = set_aside  # type: ignore[attr-defined]
    sending.deliver([desk.held(ONE, "a")])
    assert (errand.applied, aside) == ([[TAKEN]], [bad])
    assert sending._findings.doubtful == 1


def test_calls_without_a_mark_are_taken_back_by_who_is_asked_to_stop(desk: Desk) -> None:
    """The mark that they leave cannot be written: none is made, and the ledger says so."""
    errand = Errand()
    sending, _ = delivery(desk, errand)
    asked_to_stop(desk, errand)

    def mark_calls(*_: object, **__: object) -> None:
        raise FileNotWritten("the disk is full")

    sending._equipment.departures.mark_calls = mark_calls  # type: ignore[method-assign]
    sending._equipment.sends.call_all = lambda _path, turn, _objection: turn([])  # type: ignore[method-assign, assignment]
    with pytest.raises(FileNotWritten):
        sending.deliver([desk.held(ONE, "a")])
    assert errand.applied == errand.forgotten == [[Called(CALL, not_made=True)]]


@pytest.mark.parametrize("kind", [OrdersUnreachable, HostKeyChanged, LeaseLost, Interrupted])
def test_what_stops_the_next_intent_loses_nothing_that_came_back(kind: type[MitbatchError], desk: Desk) -> None:
    """No more is called, what is under way is heard, and the run ends with what stopped it."""
    errand, problem = Errand(), kind("as it is")
    sending, passes = delivery(desk, errand, [TAKEN])

    def intend(batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        if errand.applied:
            raise problem
        return batch, [CALL]

    errand.intend = intend  # type: ignore[method-assign]
    with pytest.raises(kind):
        sending.deliver([desk.held(ONE, "a")])
    assert (errand.applied, passes) == ([[TAKEN]], [None])


def test_what_came_of_the_calls_is_counted(desk: Desk) -> None:
    """Answered is what was taken and what was refused; doubt is counted by itself, and what did nothing nowhere."""
    errand, advanced = Errand(), list[int]()
    counts = {Verdict.TAKEN: 3, Verdict.REFUSED: 1, Verdict.DOUBTFUL: 2, Verdict.UNSEEN: 5}
    errand.apply = lambda writing, back: counts  # type: ignore[method-assign]
    sending, _ = delivery(desk, errand, [TAKEN])
    stages = list[tuple[str, int | None]]()
    sending._equipment.progress.stage = lambda name, total=None: stages.append((name, total))  # type: ignore[method-assign]
    sending._equipment.progress.advance = lambda steps=1: advanced.append(steps)  # type: ignore[method-assign]
    sending.deliver([desk.held(ONE, "a", "b"), desk.held(TWO, "c")])
    assert (sending._findings.called, sending._findings.doubtful, advanced) == (4, 2, [4])
    assert stages == [("call", 3)]


@pytest.mark.parametrize(
    ("back", "words", "next_turn", "waited"),
    [
        (Called(CALL, 429, retry_after="2"), "asked us 6 times", None, 2 + 4 + 8 + 16 + 32),
        (LATE, "stood still 6 times", [CALL], 0),
    ],
)
def test_calls_that_come_in_vain_end_after_six_passes(
    back: Called, words: str, next_turn: list[Call] | None, waited: int, desk: Desk
) -> None:
    """The provider wants us later each time, or this machine is too slow each time: the waits grow, and the rest is the next
    run's.
    """
    errand, mosts = Errand(), list[int]()
    sending, passes = delivery(desk, errand, *[[back]] * 9)

    def intend(batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        mosts.append(most)
        return batch, [CALL]

    errand.intend = intend  # type: ignore[method-assign]
    sending.deliver([desk.held(ONE, "a")])
    assert (passes, {*mosts}) == ([next_turn] * 6, {128})
    assert desk.room.clock.now() == START + timedelta(seconds=waited)
    (problem,) = sending._findings.problems
    assert words in problem.what


@pytest.mark.parametrize(("back", "passes"), [([LATE, SWITCHED_OFF], 2), ([SWITCHED_OFF, LATE], 2), ([SWITCHED_OFF], 1)])
def test_what_came_too_late_to_be_called_is_called_in_another_pass(back: list[Called], passes: int, desk: Desk) -> None:
    """It is held again, and nothing speaks against it; what was switched off waits for the next run."""
    sending, made = delivery(desk, Errand(), back, [])
    sending.deliver([desk.held(ONE, "a")])
    assert (len(made), sending._findings.problems) == (passes, [])


def test_a_pass_that_got_on_begins_the_waits_anew(desk: Desk) -> None:
    """Five in vain, one in which an order is taken, and five more: none of it is in vain as a whole, and the waits are short."""
    errand, later = Errand(), Called(CALL, 429, retry_after="1")
    errand.apply = lambda writing, back: {Verdict.TAKEN: back.count(TAKEN)}  # type: ignore[method-assign]
    sending, passes = delivery(desk, errand, *[[later]] * 5, [TAKEN, later], *[[later]] * 5, [TAKEN])
    sending.deliver([desk.held(ONE, "a")])
    assert (len(passes), sending._findings.problems) == (12, [])
    assert desk.room.clock.now() == START + timedelta(seconds=1 + 2 + 4 + 8 + 16 + 1 + 2 + 4 + 8 + 16 + 32)


@pytest.mark.parametrize(("problem", "words"), [("", "refuses our calls (HTTP 403)."), ("no such client", "no such client")])
def test_who_is_asked_to_come_later_and_refused_does_not_come_later(problem: str, words: str, desk: Desk) -> None:
    """One call is answered with 429, the next with refused credentials: it is over, and nobody waits for anything."""
    errand, back = Errand(), [Called(CALL, 429), Called(CALL, 403, is_login=True, problem=problem)]
    sending, passes = delivery(desk, errand, back)
    sending.deliver([desk.held(ONE, "a")])
    assert (passes, desk.room.clock.now()) == ([None], START)
    (found,) = sending._findings.problems
    assert (found.code, found.what.endswith(words)) == ("MB-API-LOGIN", True)


def test_what_stopped_the_calls_is_told_once(desk: Desk) -> None:
    """Doubt upon doubt and then refused credentials: it is these, and that nothing was clear before is told no more."""
    sending, passes = delivery(desk, Errand(), [*[DOUBT] * MOST_DOUBTS, Called(CALL, 403, is_login=True)])
    sending.deliver([desk.held(ONE, "a")])
    assert (passes, [problem.code for problem in sending._findings.problems]) == ([None], ["MB-API-LOGIN"])


def test_a_connection_that_cannot_be_made_stops_the_calls(desk: Desk) -> None:
    """Nothing was sent: no other call would be, and the reason is told."""
    sending, passes = delivery(desk, Errand(), [Called(CALL, not_sent=True, problem="no route to host")])
    sending.deliver([desk.held(ONE, "a")])
    (found,) = sending._findings.problems
    assert (passes, found.code, found.what) == ([None], "MB-API-UNREACHABLE", "No call could be made: no route to host.")


@pytest.mark.parametrize(
    ("back", "stops"),
    [
        ([DOUBT] * (MOST_DOUBTS - 1), False),
        ([DOUBT] * MOST_DOUBTS, True),
        ([*[DOUBT] * (MOST_DOUBTS - 1), TAKEN, DOUBT], False),
        ([*[DOUBT] * MOST_DOUBTS, TAKEN], True),
    ],
    ids=["one less", "so many", "a clear one between", "a clear one after"],
)
def test_so_many_doubts_in_a_row_stop_the_calls(back: list[Called], stops: bool, desk: Desk) -> None:
    """A provider that fails and fails is left alone, and not a call sooner: the rest waits, held, for the next run."""
    sending, passes = delivery(desk, Errand(), back)
    sending.deliver([desk.held(ONE, "a")])
    assert passes == [None if stops else [CALL]]
    assert [problem.code for problem in sending._findings.problems] == (["MB-API-UNREACHABLE"] if stops else [])


@pytest.mark.parametrize(("left", "closed"), [(0, [ONE, TWO]), (1, [])])
def test_a_group_of_which_nothing_is_left_is_closed(left: int, closed: list[str], desk: Desk) -> None:
    """Whether any of it was called, or every order was withdrawn before; one of which something is left stays open, and one
    that is closed already is left alone.
    """
    errand, prepared = Errand(left=left), list[str]()

    def prepare(batch: Batch) -> Batch:
        prepared.append(batch.batch_id)
        return replace(batch, batch_id=f"prepared {batch.batch_id}")

    errand.prepare = prepare  # type: ignore[method-assign]
    sending, _ = delivery(desk, errand, [Called(CALL, 403, is_login=True)])
    desk.held(ONE, "a"), desk.held(TWO, "b"), desk.held(THREE, "c")
    desk.room.sql("UPDATE batch SET step = 'calling' WHERE batch_id = ?", TWO)
    desk.room.sql("UPDATE batch SET step = 'empty' WHERE batch_id = ?", THREE)
    sending.deliver([desk.batch(ONE), desk.batch(TWO), desk.batch(THREE)])
    assert (prepared, errand.finished) == ([ONE, TWO, THREE], [f"prepared {each}" for each in closed])


@pytest.mark.parametrize(("state", "after"), [(State.SENDING, "in_doubt"), (State.PENDING, "pending")])
def test_an_answer_that_cannot_be_applied_doubts_only_what_is_still_being_called(state: State, after: str, desk: Desk) -> None:
    """An order of which the provider has told meanwhile stays where it is; in any case the answer is kept, and a person told."""
    desk.held(ONE, "a")
    desk.move(State.SENDING, "a")
    errand = Evaluates(desk.equipment, desk.room.run)
    errand._under_way["a"] = desk.room.submission("a")
    if state is not State.SENDING:
        desk.move(state, "a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        assert errand.set_aside(writing, Called(CALL, 200, b"?"), "so") == {Verdict.DOUBTFUL: 1}
    assert desk.states("a") == [after]
    assert items(desk.room) == [("quarantine", "order:a")]
    assert desk.room.sql("SELECT source, content FROM evidence") == [("evaluate", b"?")]


def test_each_answer_is_kept_once(room: Room) -> None:
    """What many calls were answered with is one piece of evidence, byte for byte; silence is none, and known words none more."""
    room.claim(ONE, "a", "b")
    for _ in range(2):
        with room.ledger.writing(room.run) as writing:
            answers = [("order:a", b"same"), ("order:b", b""), ("order:b", b"same")]
            first, silent, again = store_answers(writing, source="evaluate", answers=answers)
        assert (first == again, silent) == (True, "")
        assert room.sql("SELECT evidence_id, subject, content FROM evidence") == [(first, "order:a", b"same")]


def copied(room: Room, batch_id: str, *order_ids: str, charged_at: str = "2026-11-23T06:00:00Z") -> None:
    """A batch of copies of good charges."""
    room.claim(batch_id, f"of {batch_id}")
    room.sql("UPDATE batch SET kind = 'transmit' WHERE batch_id = ?", batch_id)
    columns = "mid, order_id, batch_id, sequence_number, site, currency, amount_minor, charged_at, business_date, record_json"
    for number, order_id in enumerate(order_ids, start=1):
        row = (MID, order_id, batch_id, number, "acme-us", "USD", 1999, charged_at, "2026-11-23", f'{{"orderId":"{order_id}"}}')
        room.sql(f"INSERT INTO transmission ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)


def test_a_group_calls_its_own_copies(room: Room) -> None:
    """The copies of another group are left to that one."""
    copied(room, ONE, "a", "b")
    copied(room, TWO, "c")
    with room.ledger.reading() as connection:
        assert [order_id for order_id, _ in copies_to_be_called(connection, MID, ONE, 9)] == ["a", "b"]
        assert copies_to_be_called(connection, MID, TWO, 9) == [("c", b'{"orderId":"c"}')]


def test_groups_of_calls_are_told_from_files(room: Room) -> None:
    """A file is no group of calls."""
    room.claim(ONE, "a")
    copied(room, TWO, "b")
    room.sql("UPDATE batch SET format = ? WHERE batch_id = ?", API_FORMAT, TWO)
    with room.ledger.reading() as connection:
        assert kinds_of_groups(connection, MID) == {TWO: "transmit"}


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_an_intent_is_known_by_its_very_event(room: Room, seq: int) -> None:
    """A ledger that has another event of that number, or none yet, has parted from the one whose calls may have left (I2)."""
    steps = [room.claim(TWO, "b")]
    with room.ledger.writing(room.run) as writing:
        steps += [move_batch(writing, steps[0], BatchStep.CALLING, reason="intent to call")]
        steps += [move_batch(writing, steps[1], BatchStep.CALLING, reason="intent to call")]
    own = steps[seq - 1].event_hash
    with room.ledger.reading() as connection:
        assert not_intended(connection, MID, [(TWO, seq, own)]) == []
        assert not_intended(connection, MID, [(TWO, seq, "")]) == ([TWO] if seq == 1 else [])
        assert not_intended(connection, MID, [(TWO, seq, "of another")]) == [TWO]
        assert not_intended(connection, MID, [(TWO, 4, own)]) == not_intended(connection, MID, [(TWO, 4, "")]) == [TWO]
        assert not_intended(connection, MID, [(ONE, 1, own), (TWO, seq, own), (TWO, 1, "of another")]) == [ONE, TWO]


def test_marks_of_years_are_looked_up_many_at_a_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever portion a mark falls into, it is compared with its own event; a statement looks up all of a portion."""
    monkeypatch.setattr("batch.ledger.calls._AT_A_TIME", 3)
    own = [(batch_id, 1, room.claim(batch_id, batch_id).event_hash) for batch_id in (f"b{number:011d}" for number in range(7))]
    other = [("b00000000002", 1, "of another"), ("b00000000006", 2, own[6][2])]
    statements: list[str] = []
    with room.ledger.reading() as connection:
        event.listen(connection, "before_cursor_execute", lambda *said: statements.append(said[2]))
        assert not_intended(connection, MID, own) == []
        assert len(statements) == 3
        assert not_intended(connection, MID, [*own[:3], other[0], *own[3:], other[1]]) == ["b00000000002", "b00000000006"]
