"""Progress for whoever watches: a live bar on a terminal, a line now and then under cron."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from jobs.assembly import Silent
from jobs.output import Options, is_coloured

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

FIRST_AFTER_SECONDS = 60.0


class Monotonic(Protocol):
    """What a heartbeat needs of a clock."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...


class Heartbeat:
    """A line on stderr when a step takes over a minute, and then every `interval` seconds: a hang differs from work.

    One that is `verbose` names every stage as well.
    """

    def __init__(self, clock: Monotonic, interval: float, *, verbose: bool = False) -> None:
        self._clock = clock
        self._interval = interval
        self._verbose = verbose
        self._stage, self._done, self._next = "", 0, 0.0

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins."""
        self._stage, self._done = name, 0
        self._next = self._clock.monotonic() + FIRST_AFTER_SECONDS
        if self._verbose:
            sys.stderr.write(f"at work: {name}" + (f", {total:,} to do\n" if total is not None else "\n"))
            sys.stderr.flush()

    def advance(self, steps: int = 1) -> None:
        """So many more are done."""
        self._done += steps
        if self._clock.monotonic() >= self._next:
            self._next = self._clock.monotonic() + self._interval
            sys.stderr.write(f"still at work: {self._stage}, {self._done:,} done\n")
            sys.stderr.flush()

    def trouble(self, sentence: str) -> None:
        """The summary tells it; a mail from cron need not have it twice."""


class LiveBars:
    """One line per stage on a terminal: what is done, how much, how fast."""

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._task: int | None = None

    def stage(self, name: str, total: int | None = None) -> None:
        """Finish the line of the stage before and begin a new one."""
        self._end()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the line on."""
        if self._task is not None:
            self._bars.advance(self._bars.task_ids[self._task], steps)

    def trouble(self, sentence: str) -> None:
        """Print it above the line at once; the summary repeats it."""
        from rich.text import Text

        self._bars.console.print(Text(f"WARN  {sentence}"))

    def _end(self) -> None:
        if self._task is not None:
            task = self._bars.tasks[self._task]
            self._bars.update(task.id, total=task.completed, completed=task.completed)


@contextmanager
def watched(options: Options, clock: Monotonic, interval: float) -> Iterator[Heartbeat | LiveBars | Silent]:
    """Bars when stderr is a terminal and people read, heartbeats otherwise, nothing when it shall be quiet."""
    if options.quiet:
        yield Silent()
    elif options.json or not sys.stderr.isatty():
        yield Heartbeat(clock, interval, verbose=options.verbose)
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        coloured = is_coloured(options, sys.stderr)
        columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(
            *columns,
            console=Console(stderr=True, color_system="auto" if coloured else None, no_color=not coloured),
            transient=True,
        ) as bars:
            yield LiveBars(bars)
