"""Files of which no answer comes: when they count as late, what becomes of their orders, and what a person is told."""

from datetime import timedelta

import pytest

from batch.search import look_for_unanswered
from schemas.states import API_FORMAT, BatchStep, State
from tests.ledger.room import Room
from tests.table.acknowledging import ONE, acknowledge, items, row
from tests.table.desk import Desk

MINTED, DELIVERED = "2026-11-23T06:20:00Z", "2026-11-23T06:30:00Z"
WINDOW = 4 * 3600


@pytest.fixture
def unasked(room: Room) -> Desk:
    """A desk of a merchant who may not read orders: nothing is searched for, so that time alone decides."""
    outcomes = {"ask": "off", "trust_files": True, "ingest_window_seconds": WINDOW}
    return Desk(room, outcomes=outcomes)


def left(desk: Desk, step: BatchStep, state: State) -> None:
    """A file of two orders that stands at this step, its token made ten minutes before it was delivered."""
    desk.held(ONE, "a", "b")
    desk.move(State.SENDING, "a", "b")
    if state is not State.SENDING:
        desk.move(state, "a", "b")
    delivered = DELIVERED if step is BatchStep.DELIVERED else None
    desk.room.sql("UPDATE batch SET step = ?, token_minted_at = ?, delivered_at = ?", step.value, MINTED, delivered)


def looked(desk: Desk, seconds: int) -> list[tuple[str, str]]:
    """Look for what is unanswered so long after the delivery; returns what is open then."""
    desk.room.clock.advance(timedelta(seconds=seconds))
    desk.room.run = desk.room.take(f"after {seconds}", alive=False)
    look_for_unanswered(desk.equipment, desk.room.run)
    return items(desk.room)


@pytest.mark.parametrize(("seconds", "is_late"), [(WINDOW, False), (WINDOW + 1, True)])
def test_a_delivered_file_is_late_after_the_window(seconds: int, is_late: bool, unasked: Desk) -> None:
    """Not at its last second; then its orders are in doubt and stay held, their rows as they are, and an item names the file."""
    left(unasked, BatchStep.DELIVERED, State.SENDING)
    before = [unasked.room.submission(each).row_version for each in "ab"]
    assert looked(unasked, seconds) == ([("missing_acknowledgement", f"batch:{ONE}")] if is_late else [])
    assert unasked.states("a", "b") == ["in_doubt" if is_late else "sending"] * 2
    assert [unasked.room.submission(each).row_version for each in "ab"] == before
    if is_late:
        ((words,),) = unasked.room.sql("SELECT explanation FROM item")
        assert str(words).endswith(f": {ONE}.json, delivered at {DELIVERED}")
        told = unasked.room.sql("SELECT source, reason FROM event WHERE subject = 'order:b' ORDER BY seq DESC LIMIT 1")
        assert told == [("poll", "no acknowledgement within the ingest window")]


@pytest.mark.parametrize(("seconds", "is_late"), [(WINDOW - 600, False), (WINDOW - 599, True)])
def test_a_file_in_doubt_is_late_after_its_last_token(seconds: int, is_late: bool, unasked: Desk) -> None:
    """Nobody knows when it was delivered, so the window counts from when its token was made."""
    left(unasked, BatchStep.IN_DOUBT, State.IN_DOUBT)
    assert looked(unasked, seconds) == ([("missing_acknowledgement", f"batch:{ONE}")] if is_late else [])
    assert unasked.states("a", "b") == ["in_doubt", "in_doubt"]
    if is_late:
        ((words,),) = unasked.room.sql("SELECT explanation FROM item")
        assert words == f"{ONE}.json may have been delivered at {MINTED} or later; it is not sent again"


def test_what_is_late_is_told_once(unasked: Desk) -> None:
    """Each later run finds the same item, and moves nothing."""
    left(unasked, BatchStep.DELIVERED, State.SENDING)
    looked(unasked, WINDOW + 1)
    before = unasked.room.everything("lease", "run")
    looked(unasked, 10)
    assert unasked.room.everything("lease", "run") == before


@pytest.mark.parametrize("kind", ["evaluate", "transmit"])
@pytest.mark.parametrize("is_of_calls", [False, True])
def test_what_was_answered_in_full_is_never_late(kind: str, is_of_calls: bool, unasked: Desk) -> None:
    """However long ago: nobody is told that an answer is missing."""
    left(unasked, BatchStep.DELIVERED, State.SENDING)
    acknowledge(unasked, row("a", "k"), row("b", "j"))
    calls = f", format = '{API_FORMAT}'" if is_of_calls else ""
    unasked.room.sql(f"UPDATE batch SET step = 'acknowledged', kind = ?{calls}", kind)
    assert looked(unasked, 30 * 86400) == []


def test_orders_that_were_answered_are_no_part_of_it(unasked: Desk) -> None:
    """An acknowledgement that left one order out: that one is in doubt, the other goes on."""
    left(unasked, BatchStep.DELIVERED, State.SENDING)
    acknowledge(unasked, row("a", "k"))
    unasked.room.sql("UPDATE batch SET step = 'acknowledged'")
    looked(unasked, WINDOW + 1)
    assert unasked.states("a", "b") == ["pending", "in_doubt"]
