"""One run at a time: who gets the lease, who waits, and whose word no longer counts."""

import threading
from datetime import timedelta

import pytest

from batch.ledger import Owner, Run
from batch.ledger.lease import LESSER_JOBS, LeaseTerms, end_run
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import cut_off_dates
from schemas.errors import AnotherRunActive, ExitCode, Interrupted, LeaseLost, LeaseWanted
from schemas.states import State
from tests.ledger.room import DAY, HERE, MID, TERMS, Room

JOBS = ("nightly", "rerun", "poll", "transmit")
ELSEWHERE = Owner(host="elsewhere", pid=7, pid_started="1")


@pytest.mark.parametrize("second", JOBS)
@pytest.mark.parametrize("first", ["nightly", "rerun"])
def test_a_night_lets_nobody_in(first: str, second: str, room: Room) -> None:
    """While a nightly or a rerun works, every other run is refused at once and has done nothing."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    room.take("holder", first)
    before = room.everything()
    began = room.clock.now()

    with pytest.raises(AnotherRunActive, match=rf"A {first} run \(holder, process 7 on here\) is active") as refused:
        room.take("late", second)
    assert refused.value.exit_code is ExitCode.ANOTHER_RUN
    assert room.everything() == before
    assert room.clock.now() == began


@pytest.mark.parametrize("second", ["poll", "transmit"])
@pytest.mark.parametrize("first", sorted(LESSER_JOBS))
def test_a_lesser_job_waits_for_nobody(first: str, second: str, room: Room) -> None:
    """A lesser job that finds another one at work is refused at once."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    room.take("holder", first)

    with pytest.raises(AnotherRunActive):
        room.take("late", second)


@pytest.mark.parametrize("job", ["nightly", "rerun"])
def test_a_night_waits_for_a_lesser_job_and_tells_it(job: str, room: Room) -> None:
    """A nightly waits for a poll, which learns of it at its next step, ends, and lets it in."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    poll = room.take("the-poll", "poll")
    noticed: list[type[Exception]] = []

    class PollNotices:
        def sleep(self, seconds: float) -> None:
            room.clock.advance(timedelta(seconds=seconds))
            with pytest.raises(LeaseWanted) as wanted, room.ledger.writing(poll):
                pass
            noticed.append(wanted.type)
            end_run(room.ledger, poll, ExitCode.ANOTHER_RUN)

    from batch.ledger.lease import take_lease

    night = take_lease(
        room.ledger,
        run_id="the-night",
        job=job,
        business_date=DAY,
        owner=HERE,
        terms=TERMS,
        is_alive=lambda _: True,
        sleep=PollNotices().sleep,
    )
    assert noticed == [LeaseWanted]
    assert night.token == poll.token + 1
    with room.ledger.writing(night):
        pass


def test_a_night_does_not_wait_for_ever(room: Room) -> None:
    """A nightly that has waited its time for a poll is refused, and the poll keeps the lease."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    poll = room.take("the-poll", "poll", terms=LeaseTerms(seconds=10_000, wait_seconds=600))
    began = room.clock.now()

    with pytest.raises(AnotherRunActive):
        room.take("the-night", terms=LeaseTerms(seconds=10_000, wait_seconds=5))
    assert room.clock.now() - began == timedelta(seconds=5)
    end_run(room.ledger, poll, ExitCode.CLEAN)


def test_the_token_only_grows(room: Room) -> None:
    """Every taking gives a greater token, whoever had the lease before and however that ended."""
    tokens = [room.run.token]
    for number in range(4):
        end_run(room.ledger, Run(f"run-{number}" if number else "first", "nightly", DAY, tokens[-1]), ExitCode.CLEAN)
        tokens.append(room.take(f"run-{number + 1}").token)
    tokens.append(room.take("after-a-death", alive=False).token)

    assert tokens == sorted(set(tokens))
    assert [token - tokens[0] for token in tokens] == list(range(6))


def test_who_lost_the_lease_writes_nothing(room: Room) -> None:
    """A run that was paused past its lease cannot write once another has taken over, not even its own end."""
    room.claim("b00000000001", "o-1")
    paused = room.run
    read = room.submission("o-1")
    room.clock.advance(timedelta(seconds=TERMS.seconds + 1))
    room.take("the-next")
    before = room.everything()

    lost = r"^Run first \(nightly\) no longer holds the lease; another run took over\."
    with pytest.raises(LeaseLost, match=lost), room.ledger.writing(paused) as writing:
        move_orders(writing, [Move(read, State.HELD, "hold", "held")])
    with pytest.raises(LeaseLost):
        end_run(room.ledger, paused, ExitCode.CLEAN)
    assert room.everything() == before


@pytest.mark.parametrize(
    "impostor", [Run("another-run", "nightly", DAY, 1), Run("first", "nightly", DAY, 0), Run("first", "nightly", DAY, 2)]
)
def test_token_and_run_must_both_fit(impostor: Run, room: Room) -> None:
    """Neither the right token under another run's id, nor the right id with another token, may write."""
    assert (room.run.run_id, room.run.token) == ("first", 1)
    with pytest.raises(LeaseLost, match=rf"^Run {impostor.run_id[:8]} \(nightly\)"), room.ledger.writing(impostor):
        pass


def test_a_run_that_shows_life_keeps_its_lease(room: Room) -> None:
    """Every writing transaction renews the lease, so a long run is not taken over while it works."""
    for _ in range(5):
        room.clock.advance(timedelta(seconds=TERMS.seconds - 1))
        with room.ledger.writing(room.run):
            pass
    with pytest.raises(AnotherRunActive):
        room.take("late")


def test_an_expired_lease_is_taken_over(room: Room) -> None:
    """A lease without a sign of life for its time is free for a run of any machine, and not a second before."""
    room.clock.advance(timedelta(seconds=TERMS.seconds))
    with pytest.raises(AnotherRunActive):
        room.take("too-early", owner=ELSEWHERE)
    room.clock.advance(timedelta(seconds=1))

    assert room.take("in-time", owner=ELSEWHERE).token == room.run.token + 1


def test_a_dead_owner_of_this_machine_is_replaced_at_once(room: Room) -> None:
    """The lease of a process of this machine that is dead is taken over without waiting."""
    assert room.take("heir", alive=False).token == room.run.token + 1


def test_a_dead_looking_owner_of_another_machine_is_waited_for(room: Room) -> None:
    """Whether a process of another machine lives cannot be known here, so only time frees its lease."""
    with pytest.raises(AnotherRunActive):
        room.take("heir", owner=ELSEWHERE, alive=False)


def test_the_end_of_a_run_is_recorded_with_its_code(room: Room) -> None:
    """A run's end is written with its exit code in the step that frees the lease; one that was cut off has none."""
    end_run(room.ledger, room.run, ExitCode.NEEDS_PERSON)
    room.take("cut-off")

    assert room.sql("SELECT run_id, exit_code, finished_at IS NULL FROM run ORDER BY fencing_token") == [
        ("first", 10, 0),
        ("cut-off", None, 1),
    ]
    assert room.sql("SELECT mid, run_id FROM lease") == [(MID, "cut-off")]


def test_a_run_without_books_leaves_its_date_to_the_next(room: Room) -> None:
    """A run that could not write finance's files keeps its code and leaves its date to a later run."""
    end_run(room.ledger, room.run, ExitCode.NOTHING_SENT, left_books=False)
    later = room.take("later")

    assert room.sql("SELECT exit_code, finished_at FROM run WHERE run_id = 'first'") == [(20, None)]
    with room.ledger.reading() as connection:
        assert cut_off_dates(connection, MID, later.token) == [DAY]
    end_run(room.ledger, later, ExitCode.CLEAN)
    with room.ledger.reading() as connection:
        assert cut_off_dates(connection, MID, later.token + 1) == []


def test_a_date_that_was_cut_off_is_left_to_one_run_and_no_more(room: Room) -> None:
    """The next run that leaves files, of whatever date, has written that date too; those after it need not."""
    next_day = "2026-11-24"
    room.take("of the next day", day=next_day, alive=False)
    third = room.take("of the next day again", day=next_day, alive=False)
    with room.ledger.reading() as connection:
        assert sorted(cut_off_dates(connection, MID, third.token)) == [DAY, next_day]
    end_run(room.ledger, third, ExitCode.CLEAN)
    fourth = room.take("fourth", day=next_day)
    with room.ledger.reading() as connection:
        assert cut_off_dates(connection, MID, fourth.token) == []


def test_whoever_asked_a_run_to_stop_is_heard_before_it_writes(room: Room) -> None:
    """A run that is asked to stop raises at its next writing step, and may still write its closing words."""

    def stop() -> None:
        raise Interrupted("asked")

    room.ledger.may_go_on = stop
    with pytest.raises(Interrupted), room.ledger.writing(room.run):
        pass
    end_run(room.ledger, room.run, ExitCode.INTERRUPTED)
    assert room.sql("SELECT exit_code FROM run") == [(130,)]


def test_of_many_that_come_at_once_one_gets_in(room: Room) -> None:
    """Of eight runs that ask for a free lease at the same time exactly one gets it."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    start, won, lost = threading.Barrier(8), [], []

    def ask(number: int) -> None:
        start.wait(timeout=30)
        try:
            won.append(room.take(f"run-{number}").token)
        except AnotherRunActive:
            lost.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert won == [room.run.token + 1]
    assert len(lost) == 7
