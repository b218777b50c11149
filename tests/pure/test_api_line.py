"""Many calls at a time, without any wire: how many are under way, what stops them, and that each is told exactly once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from batch.api_line import MOST_DOUBTS, Call, Called, Line

BEFORE = datetime(2026, 11, 23, tzinfo=UTC)
Answer = Callable[[Call], Called]


def calls(*order_ids: object) -> list[Call]:
    """Calls of these orders."""
    return [Call(str(each), b"{}", BEFORE) for each in order_ids]


def status(http_status: int) -> Answer:
    """An answer with this status."""
    return lambda call: Called(call, http_status=http_status)


class Talk:
    """One run of a line: the groups of calls that its turns give, and what was seen on the way."""

    def __init__(self, *groups: list[Call] | None, answers: Sequence[Answer] = (), at_a_time: int = 1) -> None:
        self.groups, self.answers, self.at_a_time = list(groups), list(answers), at_a_time
        self.made: list[str] = []
        self.told: list[Called] = []
        self.sizes: list[int] = []
        self.under_way = self.most_under_way = self.cancelled = 0

    async def make(self, call: Call) -> Called:
        """Answer a call a moment later, as its place says, else with 200."""
        place = len(self.made)
        self.made.append(call.order_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            if call.order_id == "never":
                await asyncio.Event().wait()
            return (self.answers[place] if place < len(self.answers) else status(200))(call)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1

    def turn(self, back: Sequence[Called]) -> Sequence[Call] | None:
        """Hear what came back, and give the next group; nothing, when there is none."""
        self.sizes.append(len(back))
        self.told += back
        return self.groups.pop(0) if self.groups else []

    async def aside(self, work: Callable[[], Sequence[Call] | None]) -> Sequence[Call] | None:
        """Do the work here and now."""
        return work()

    def go(self) -> "Talk":
        """Until the line is done."""
        asyncio.run(asyncio.wait_for(Line(self.make, self.turn, self.aside, self.at_a_time).go(), 20))
        return self

    @property
    def not_made(self) -> list[str]:
        """The calls that came back as never tried."""
        return [called.call.order_id for called in self.told if called.not_made]


def test_a_line_without_calls_ends_at_once() -> None:
    """One turn, in which nothing is given."""
    assert Talk().go().sizes == [0]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 64])
def test_each_call_is_made_and_told_once(at_a_time: int) -> None:
    """In whatever groups they come, never more are under way than may be, and as many as may be."""
    talk = Talk(calls(1, 2, 3), calls(4), calls(5, 6, 7, 8, 9), at_a_time=at_a_time).go()
    assert sorted(talk.made) == sorted(called.call.order_id for called in talk.told) == list("123456789")
    assert talk.most_under_way == min(at_a_time, 9)
    assert all(called.http_status == 200 for called in talk.told)
    assert talk.under_way == talk.cancelled == 0


def test_calls_are_made_in_their_order() -> None:
    """First come, first made."""
    assert Talk(calls(3, 1), calls(2)).go().made == ["3", "1", "2"]


def test_more_is_asked_for_before_the_calls_run_out() -> None:
    """The next group is taken while calls are ahead, but not while a whole line of them is."""
    talk = Talk(calls(*range(6)), calls(*range(6, 8)), at_a_time=2)
    talk.go()
    assert talk.sizes[:2] == [0, 4]
    assert sum(talk.sizes) == 8


def test_what_has_come_back_does_not_wait_for_a_slow_call() -> None:
    """When no more are to be made, answers are told as soon as there are as many as may be under way."""
    talk = Talk(calls("slow", 1, 2, 3), at_a_time=3)
    real_make, real_turn, told = talk.make, talk.turn, asyncio.Event()

    async def make(call: Call) -> Called:
        if call.order_id == "slow":
            await told.wait()
        return await real_make(call)

    def turn(back: Sequence[Called]) -> Sequence[Call] | None:
        if len(back) == 3:
            told.set()
        return real_turn(back)

    talk.make, talk.turn = make, turn  # type: ignore[method-assign]
    assert [called.call.order_id for called in talk.go().told] == ["1", "2", "3", "slow"]


def test_answers_are_told_together_at_the_end() -> None:
    """Once no more is given, a turn hears as many answers as may be under way, and the last one the rest."""
    talk = Talk(calls(1, 2, 3), at_a_time=2).go()
    assert sum(talk.sizes) == 3
    assert 0 not in talk.sizes[2:]


@pytest.mark.parametrize(
    "answer",
    [
        lambda call: Called(call, not_sent=True, problem="no line"),
        lambda call: Called(call, http_status=401, is_login=True),
        status(429),
    ],
    ids=["not sent", "login", "busy"],
)
def test_what_stops_a_line(answer: Answer) -> None:
    """No connection, no login, too many calls: nothing more is begun, and whatever else is given comes back as not made."""
    talk = Talk(calls(1, 2, 3), calls(4), answers=[answer]).go()
    assert (talk.made, talk.not_made) == (["1"], ["2", "3", "4"])
    assert [called.call.order_id for called in talk.told] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("http_status", [200, 400, 409, 428, 430, 499, 500, 503])
def test_what_stops_nothing(http_status: int) -> None:
    """One odd answer is no reason to leave the others."""
    talk = Talk(calls(1, 2, 3), answers=[status(http_status)]).go()
    assert (talk.made, talk.not_made) == (["1", "2", "3"], [])


@pytest.mark.parametrize("doubt", [status(500), status(599), lambda call: Called(call, problem="it broke off")])
def test_eight_answers_in_a_row_that_tell_nothing_stop_a_line(doubt: Answer) -> None:
    """The ninth is not made; one that tells something in between begins the row anew."""
    assert MOST_DOUBTS == 8
    talk = Talk(calls(*range(10)), answers=[doubt] * 10).go()
    assert (len(talk.made), talk.not_made) == (8, ["8", "9"])
    talk = Talk(calls(*range(16)), answers=[*[doubt] * 7, status(499), *[doubt] * 8]).go()
    assert (len(talk.made), talk.not_made) == (16, [])


def test_a_turn_that_gives_none_stops_the_line() -> None:
    """What was not begun is not begun; what is under way comes back and is told."""
    talk = Talk(calls(1, 2, 3, 4, 5), None, at_a_time=2).go()
    assert sorted([*talk.made, *talk.not_made]) == ["1", "2", "3", "4", "5"]
    assert talk.not_made == ["5"]


def test_an_error_in_a_call_ends_all_of_them() -> None:
    """It is raised, and nothing is left under way."""

    def breaks(call: Call) -> Called:
        raise RuntimeError(call.order_id)

    talk = Talk(calls("never", 2, 3), answers=[status(200), breaks], at_a_time=2)
    with pytest.raises(RuntimeError, match=r"^2$"):
        talk.go()
    assert talk.under_way == 0
    assert talk.cancelled >= 1


def test_an_error_in_a_turn_ends_all_calls() -> None:
    """What is under way is cancelled before the error goes on."""
    talk = Talk(calls("never"), at_a_time=2)
    hears = talk.turn

    def fails(back: Sequence[Called]) -> Sequence[Call] | None:
        if talk.sizes:
            raise RuntimeError("the ledger is gone")
        return hears(back)

    talk.turn = fails  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="the ledger is gone"):
        talk.go()
    assert talk.under_way == 0


@pytest.mark.parametrize(("http_status", "nothing"), [(0, True), (200, False), (499, False), (500, True), (501, True)])
def test_what_tells_nothing(http_status: int, nothing: bool) -> None:
    """No answer, or a failure of the provider's; a call that was never made told nothing either, but proves what it did."""
    (call,) = calls(1)
    assert Called(call, http_status=http_status).tells_nothing is nothing
    assert not Called(call, not_made=True).tells_nothing
