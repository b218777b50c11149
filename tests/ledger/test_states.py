"""Every pair of states, every pair of steps: what the table allows happens, everything else is refused in words."""

import re
from collections.abc import Iterable

import pytest

from batch.ledger.batches import batch_by_id
from batch.ledger.moves import Move, move_orders
from batch.ledger.steps import move_batch
from schemas.errors import IllegalTransition, TransitionLost
from schemas.states import (
    BATCH_EDGES,
    CLAIMABLE_AGAIN,
    EDGES,
    NEVER_AGAIN,
    OPEN,
    RELEASED,
    STATE_TEXTS,
    TERMINAL,
    BatchStep,
    State,
)
from tests.ledger.room import MID, Room


@pytest.mark.parametrize("old", State)
def test_every_pair_of_states(old: State, room: Room) -> None:
    """From each state exactly the moves of the table happen; every other one is refused with both states named."""
    room.claim("b00000000001", *(f"o-{new}" for new in State))
    for new in State:
        before = room.put(f"o-{new}", old)
        with room.ledger.writing(room.run) as writing:
            if new in EDGES[old]:
                (moved,) = move_orders(writing, [Move(before, new, "poll", "as told")])
                assert moved.state is new
            else:
                with pytest.raises(
                    IllegalTransition, match=rf"{re.escape(repr(before.order_id))} cannot go from {old} to {new}\."
                ):
                    move_orders(writing, [Move(before, new, "poll", "as told")])
        now = room.submission(f"o-{new}")
        assert now.state is (new if new in EDGES[old] else old)
        assert now.event_seq == before.event_seq + (new in EDGES[old])


@pytest.mark.parametrize("old", BatchStep)
def test_every_pair_of_steps(old: BatchStep, room: Room) -> None:
    """From each step of a batch exactly the steps of the table happen; every other one is refused with both steps named."""
    for number, new in enumerate(BatchStep):
        batch_id = f"b{number:011d}"
        room.claim(batch_id, f"o-{new}")
        room.sql("UPDATE batch SET step = ? WHERE batch_id = ?", old.value, batch_id)
        with room.ledger.writing(room.run) as writing:
            batch = batch_by_id(writing.connection, MID, batch_id)
            assert batch is not None
            if new in BATCH_EDGES[old]:
                assert move_batch(writing, batch, new, reason="as told").step is new
            else:
                with pytest.raises(IllegalTransition, match=rf"{batch_id} cannot go from {old} to {new}\."):
                    move_batch(writing, batch, new, reason="as told")
        with room.ledger.reading() as connection:
            found = batch_by_id(connection, MID, batch_id)
        assert found is not None
        assert found.step is (new if new in BATCH_EDGES[old] else old)


def test_every_state_has_its_place() -> None:
    """Every state is open, released or final, in one of them only, and has a sentence and a row in the table."""
    groups = [OPEN, RELEASED, NEVER_AGAIN]
    placed = [state for group in groups for state in group]

    assert sorted(placed) == sorted(State)
    assert set(EDGES) == set(State) == set(STATE_TEXTS)
    assert set(BATCH_EDGES) == set(BatchStep)
    assert set(TERMINAL) == set(RELEASED) | set(NEVER_AGAIN)
    assert set(CLAIMABLE_AGAIN) <= set(RELEASED)


def reachable(start: State) -> set[State]:
    """Every state that an order can come to from here."""
    found: set[State] = set()
    ahead: list[State] = [start]
    while ahead:
        fresh = set(EDGES[ahead.pop()]) - found
        found |= fresh
        ahead += fresh
    return found


def test_terminal_states_are_left_only_for_review_or_what_follows_recovery() -> None:
    """A released order goes to review only, or is called expired later; one that was recovered is never free again."""
    ways = {state: set(EDGES[state]) - {State.REVIEW} for state in RELEASED}
    assert ways == {state: {State.EXPIRED} if state is State.DECLINED else set() for state in RELEASED}
    assert all(set(EDGES[state]) <= {*NEVER_AGAIN, State.REVIEW} for state in NEVER_AGAIN)
    assert reachable(State.CLAIMED) >= set(State) - {State.CLAIMED}


def test_nothing_is_sent_again_after_the_provider_has_it() -> None:
    """No way leads from a state in which the provider has or had the order back to sending."""
    held_there = set(State) - {State.CLAIMED, State.HELD, State.SENDING, State.IN_DOUBT}

    assert [state for state in held_there if State.SENDING in reachable(state)] == []


def sources(state: State) -> set[State]:
    """The states from which an order can come to this one in one move."""
    return {old for old in State if state in EDGES[old]}


def test_the_ways_that_matter_are_as_promised() -> None:
    """Only what was held is sent, only what never left is withdrawn, and only a provider's answer or a person ends an order."""
    answered = {State.PENDING, State.CAPTURE_REQUIRED, State.REVIEW}

    assert set(EDGES[State.CLAIMED]) == {State.HELD, State.WITHDRAWN, State.REVIEW}
    assert set(EDGES[State.HELD]) == {State.SENDING, State.WITHDRAWN, State.REVIEW}
    assert EDGES[State.WITHDRAWN] == (State.REVIEW,)
    assert sources(State.SENDING) == {State.HELD, State.IN_DOUBT}
    assert sources(State.WITHDRAWN) == {State.CLAIMED, State.HELD, State.SENDING}
    assert sources(State.PENDING) == {State.SENDING, State.IN_DOUBT, State.REVIEW}
    assert sources(State.REJECTED) == {State.SENDING, State.IN_DOUBT, State.REVIEW}
    assert {state: sources(state) for state in (State.COMPLETED, State.DECLINED, State.CANCELLED)} == dict.fromkeys(
        (State.COMPLETED, State.DECLINED, State.CANCELLED), answered
    )
    assert sources(State.EXPIRED) == answered | {State.DECLINED}


def test_the_steps_that_matter_are_as_promised() -> None:
    """A file whose part was verified is never empty again, and is written anew by no step that forgets that it was."""
    seen = {BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT, BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED, BatchStep.REFUSED}

    assert {step for step in BatchStep if BatchStep.DELIVERED in BATCH_EDGES[step]} == {
        BatchStep.PART_VERIFIED,
        BatchStep.IN_DOUBT,
    }
    assert {step for step in seen if set(BATCH_EDGES[step]) - seen} == set()
    assert BatchStep.PART_VERIFIED not in BATCH_EDGES[BatchStep.DELIVERED]


def test_news_without_a_new_state_is_an_event(room: Room) -> None:
    """News that moves no state still gets its event, and asks for the row only where it shows."""
    room.claim("b00000000001", "o-1")
    before = room.submission("o-1")
    with room.ledger.writing(room.run) as writing:
        (noted,) = move_orders(writing, [Move(before, None, "webhook", "heard", kind="news", shows=False)])

    assert (noted.state, noted.event_seq, noted.row_version) == (before.state, before.event_seq + 1, before.row_version)
    assert room.sql("SELECT kind, from_state, to_state FROM event WHERE subject = 'order:o-1' ORDER BY seq DESC LIMIT 1") == [
        ("news", "claimed", "claimed")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence_number", 7),
        ("handed_over_date", "2026-11-20"),
        ("provider_order_id", "k"),
        ("provider_status", "SUBMITTED"),
        ("written_version", 5),
        ("next_read_at", "2026-11-23T09:00:00Z"),
    ],
)
@pytest.mark.parametrize("to", [State.HELD, None])
def test_what_a_move_changes_is_written(to: State | None, name: str, value: object, room: Room) -> None:
    """Each column that a move may change stands in the ledger as it was given, with or without a new state."""
    room.claim("b00000000001", "o-1")
    with room.ledger.writing(room.run) as writing:
        (after,) = move_orders(writing, [Move(room.submission("o-1"), to, "hold", "so", changes={name: value})])
    assert getattr(after, name) == value
    assert room.sql(f"SELECT {name} FROM submission") == [(value,)]


def test_an_order_knows_the_last_event_of_its_chain(room: Room) -> None:
    """Its number, its hash, and the business date on which it was written, whatever day it was claimed on."""
    room.claim("b00000000001", "o-1")
    room.run = room.take("next", day="2026-11-24", alive=False)
    with room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(room.submission("o-1"), State.HELD, "hold", "held")])
    last = room.sql("SELECT seq, hash, business_date FROM event WHERE subject = 'order:o-1' ORDER BY seq DESC LIMIT 1")
    assert room.sql("SELECT event_seq, event_hash, event_date FROM submission") == last
    assert last[0][2] == "2026-11-24"


def stale_moves(room: Room) -> Iterable[Move]:
    """Two moves of orders as they were read before one of them moved on."""
    room.claim("b00000000001", "o-1", "o-2")
    first, second = room.submission("o-1"), room.submission("o-2")
    with room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(second, State.WITHDRAWN, "hold", "paid meanwhile")])
    return [Move(first, State.HELD, "hold", "held"), Move(second, State.HELD, "hold", "held")]


def test_who_comes_second_loses_and_writes_nothing(room: Room) -> None:
    """When one order of a set has moved since it was read the whole set is refused, and not even an event is written."""
    moves = list(stale_moves(room))
    before = room.everything()

    with pytest.raises(TransitionLost), room.ledger.writing(room.run) as writing:
        move_orders(writing, moves)
    assert room.everything() == before


def test_a_batch_that_has_moved_loses_too(room: Room) -> None:
    """A batch that has moved since it was read is refused, and not even an event is written."""
    batch = room.claim("b00000000001", "o-1")
    with room.ledger.writing(room.run) as writing:
        move_batch(writing, batch, BatchStep.SENDING, reason="intent")
    before = room.everything()

    with pytest.raises(TransitionLost), room.ledger.writing(room.run) as writing:
        move_batch(writing, batch, BatchStep.EMPTY, reason="withdrawn")
    assert room.everything() == before


def test_a_state_changed_behind_our_back_loses(room: Room) -> None:
    """A row whose state was changed past the ledger is not moved from where it was read."""
    room.claim("b00000000001", "o-1")
    read = room.submission("o-1")
    room.put("o-1", State.HELD)

    with pytest.raises(TransitionLost), room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(read, State.WITHDRAWN, "hold", "paid")])
    assert room.submission("o-1").state is State.HELD


def test_a_move_writes_what_it_changes_and_nothing_else(room: Room) -> None:
    """What stands in a column that a move leaves as it is stays there, whatever the copy of it that was read."""
    room.claim("b00000000001", "o-1")
    read = room.submission("o-1")
    room.sql("UPDATE submission SET provider_status = 'SINCE', next_read_at = ''")

    with room.ledger.writing(room.run) as writing:
        (moved,) = move_orders(writing, [Move(read, State.HELD, "hold", "held")])
        move_orders(writing, [Move(moved, None, "send", "numbered", changes={"sequence_number": 7}, shows=False)])

    now = room.submission("o-1")
    assert (now.state, now.sequence_number, now.row_version, now.provider_status) == (
        State.HELD,
        7,
        read.row_version + 1,
        "SINCE",
    )
    assert room.sql("SELECT next_read_at FROM submission") == [("",)]


def test_moves_of_several_kinds_stand_or_fall_together(room: Room) -> None:
    """One that is lost is counted among all that were meant, whatever each of them changes, and none of them is written."""
    room.claim("b00000000001", "o-1", "o-2", "o-3")
    first, second, third = (room.submission(f"o-{number}") for number in (1, 2, 3))
    moves = [
        Move(first, State.HELD, "hold", "held"),
        Move(second, None, "poll", "news", changes={"provider_status": "HERE"}),
        Move(third, State.WITHDRAWN, "hold", "paid"),
    ]
    with room.ledger.writing(room.run) as writing:
        assert [each.provider_status for each in move_orders(writing, moves)] == ["", "HERE", ""]
    assert [room.submission(f"o-{number}").provider_status for number in (1, 2, 3)] == ["", "HERE", ""]

    first, second = room.submission("o-1"), room.submission("o-2")
    room.put("o-2", State.HELD)
    before = room.everything()
    again = [Move(first, State.SENDING, "send", "intent"), Move(second, None, "poll", "n", changes={"provider_status": "NEW"})]
    with pytest.raises(TransitionLost, match="1 of 2 orders"), room.ledger.writing(room.run) as writing:
        move_orders(writing, again)
    assert room.everything() == before


def test_a_block_that_raises_writes_nothing(room: Room) -> None:
    """A transaction whose block raises is undone as a whole."""
    room.claim("b00000000001", "o-1")
    before = room.everything()

    def fails() -> None:
        with room.ledger.writing(room.run) as writing:
            move_orders(writing, [Move(room.submission("o-1"), State.HELD, "hold", "held")])
            message = "the power went"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        fails()
    assert room.everything() == before
