"""Two runs at once in the world: a few interleavings of the many that the long campaign tries, and bugs that they notice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from batch.ledger import Run
from batch.ledger.transaction import Ledger, Writing
from batch.pace import utc_text
from tests.two_runners.campaign import tell
from tests.two_runners.interleaving import FAR, without_the_wait
from tests.two_runners.runners import Runner, SharedWorld
from tests.world.world import ground

FEW = 8
"""Of these the first are tried here; `campaign` tries as many as one likes."""

SEED = 1


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    ground().leave()
    ground.cache_clear()


@contextmanager
def _without_asking(ledger: Ledger, run: Run, *, last: bool = False) -> Iterator[Writing]:
    with ledger.unguarded() as connection:
        yield Writing(connection=connection, mid=ledger.mid, run=run, now=utc_text(ledger.now()))


def test_two_runs_at_once_break_nothing() -> None:
    """However two runs hand over to one another, each order goes once, under one token at a time, and ends as it would alone."""
    told = [tell(SEED, number) for number in range(FEW)]
    figures: Counter[str] = Counter()
    for each in told:
        figures.update(each.figures)
    assert [words for each in told for words in each.violations] == []
    assert min(figures[name] for name in ("switches", "leases taken over", "stale tokens refused", "runs turned away")) > 0


def test_a_stale_token_that_still_commits_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run writes without asking whether the lease is still its own, the interleavings say I11."""
    monkeypatch.setattr(Ledger, "writing", _without_asking)
    broken = [words for number in range(FEW) for words in tell(SEED, number).violations]
    assert any(words.startswith("I11:") for words in broken)


@pytest.mark.parametrize(("seed", "number"), [(518058363, 772), (518058363, 1379), (34624444, 1849)])
def test_a_run_that_was_locked_out_of_the_orders_table_ends_as_it_would_alone(seed: int, number: int) -> None:
    """One run stands amid a commit to the orders table; the other says that it could not write, or dies; a later one writes."""
    assert tell(seed, number).violations == ()


@pytest.mark.parametrize(
    ("kind", "says", "resolution", "stays"),
    [
        ("write_back_conflict", "orders:results: results could not be written", "done by a later run", False),
        ("write_back_conflict", "orders:results: results could not be written", "", True),
        ("write_back_conflict", "order:o-1: the row was changed", "done by a later run", True),
        ("file_refused", "orders:results: results could not be written", "done by a later run", True),
    ],
)
def test_only_results_that_were_written_later_may_differ(kind: str, says: str, resolution: str, stays: bool) -> None:
    """An item that still stands, or of any other kind or order, must be the same as in runs one after the other."""
    row = [("kind", kind), ("orders_say", says), ("resolution", resolution)]
    found = without_the_wait({"2026-11-23/review.csv": [row], "2026-11-23/outcomes.csv": [row]})
    assert found == {"2026-11-23/review.csv": [row] if stays else [], "2026-11-23/outcomes.csv": [row]}


@pytest.mark.parametrize("seconds", [0, 1000])
def test_a_part_of_a_run_that_was_overtaken_is_never_renamed(seconds: int) -> None:
    """A run that was overtaken before writing its part writes it late, just after the other's rename, whose answer was lost."""
    with SharedWorld(1, orders=3, blind=not seconds) as world:
        world.provider.faults.switch_on("drop_after_rename")
        first, second = (Runner(name, world, "nightly", "a") for name in ("first", "second"))
        _until(first, "before SFTP remove")
        world.clock.advance(timedelta(seconds=seconds))
        _until(second, "asked SFTP rename")
        first.move(FAR)
        second.move(FAR)
        events = Counter(str(row["event"]) for row in world.provider.journal())
        assert (first.has_ended, second.has_ended) == (True, True)
        assert (events["file_received"], events["accepted"], events["file_refused"]) == (1, 3, 0)
        assert set(world.states().values()) == {"pending"}


def _until(runner: Runner, label: str) -> None:
    while runner.crossed[-1:] != [label]:
        assert not runner.has_ended, f"it never came to {label}"
        runner.move(1)
