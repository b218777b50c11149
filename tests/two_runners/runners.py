"""Two runs in one world, in two threads of which one at a time may move; each hands over at a labelled point.

A runner that is paused stays where it is with everything that it holds: in the midst of a transaction, the other finds
the database locked for longer than it waits. A runner that dies there is unwound, so that its locks go with it.
"""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url

from batch.ledger import Owner
from jobs.surroundings import Surroundings
from tests.world.points import Moment, Points, PowerCut
from tests.world.witness import Witness
from tests.world.world import World, ground, quick_engine

LEASE_WAIT_SECONDS = 3.0
_PATIENCE_SECONDS = 120


class Runner:
    """One run of a job that moves only while it is told to, from point to point. `stood`: the points at which it waited."""

    def __init__(self, name: str, world: "SharedWorld", job: str, host: str) -> None:
        self.name, self.job, self.host = name, job, host
        self.crossed: list[str] = []
        self.stood: list[str] = []
        self.process = 0
        self.is_dead = self.has_ended = False
        self.failure: BaseException | None = None
        self._left = 0
        self._world = world
        self._may_go, self._has_stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def move(self, points: int) -> None:
        """Go on for so many points, or to the end."""
        if self.has_ended:
            return
        self._left = points
        self._world.shared_witness.goes_on(self)
        self._world.mover = self._world.shared_witness.mover = self
        self._may_go.release()
        assert self._has_stopped.acquire(timeout=_PATIENCE_SECONDS), f"{self.name} hangs at {self.crossed[-1:]}"
        self._world.mover = self._world.shared_witness.mover = None
        if self.failure is not None:
            raise self.failure

    def die(self) -> None:
        """The process dies where it stands."""
        if not self.has_ended:
            self.is_dead = True
            self.move(0)

    def cross(self, label: str) -> None:
        """This runner has come to a point."""
        if self.is_dead:
            raise PowerCut
        self.crossed.append(label)
        self._left -= 1
        if self._left <= 0:
            self.hand_over()

    def hand_over(self) -> None:
        """Stand still until it is told to move again."""
        self.stood += self.crossed[-1:]
        self._has_stopped.release()
        self._may_go.acquire()
        if self.is_dead:
            raise PowerCut

    def _live(self) -> None:
        self._may_go.acquire()
        try:
            if not self.is_dead:
                self._world.run(self.job)
        except BaseException as error:  # noqa: BLE001 - raised again where the runner is moved
            self.failure = error
        self.has_ended = True
        self._has_stopped.release()


class _Crossings(Points):
    """Points that are crossed by whichever runner moves; outside of all runners nothing is counted."""

    def __init__(self, world: "SharedWorld") -> None:
        super().__init__()
        self._world = world

    def cross(self, what: str, moment: Moment) -> None:
        """A runner has come to a point."""
        if self._world.mover is not None:
            self.labels.append(f"{moment} {what}")
            self._world.mover.cross(self.labels[-1])


class _Clock:
    """The world's clock as one runner has it: whoever sleeps lets the other move."""

    def __init__(self, world: "SharedWorld") -> None:
        self._world = world

    def now(self) -> datetime:
        """The time now."""
        return self._world.clock.now()

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._world.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Time passes, and it is the other's turn."""
        self._world.clock.advance(timedelta(seconds=seconds))
        if self._world.mover is not None:
            self._world.mover.crossed.append("asleep")
            self._world.mover.hand_over()


class _Witness(Witness):
    """What the world saw, where two runs are under way: whoever moves is meant."""

    mover: Runner | None = None

    @property
    def process(self) -> int:
        """The process of the run that moves, else of the last that began; 0 outside every run."""
        return self.mover.process if self.mover and self.running else super().process

    def goes_on(self, mover: Runner) -> None:
        """It is this runner's turn; what the others left is looked at before it changes anything."""
        self.stand_still([each for each in self.running if each.process != mover.process])

    def ends(self) -> None:
        """The run that moves has ended, or died."""
        mine = self.process
        self.running.sort(key=lambda each: each.process == mine)
        super().ends()


class SharedWorld(World):
    """A world in which two runs live at once. `blind`: a process that still runs is taken for dead (another's namespace)."""

    engines: ClassVar[dict[tuple[str, str], Engine]] = {}
    """Kept over all worlds, so that statements are compiled once."""
    locked_out: ClassVar[list[str]] = []
    """What runners of this world asked of the orders table while another stood in the midst of writing it."""

    def __init__(self, seed: int, orders: int, *, blind: bool = False) -> None:
        for engine in self.engines.values():
            engine.dispose()
        ground().let_go()
        super().__init__(seed, orders=orders)
        self.locked_out.clear()
        self.mover: Runner | None = None
        self.blind = blind
        lease = self.settings.lease.model_copy(update={"wait_seconds": LEASE_WAIT_SECONDS})
        self.settings = self.settings.model_copy(update={"lease": lease})
        self.points = self.ground.points = self.disk.points = _Crossings(self)
        self.witness = self.points.witness = self.shared_witness = _Witness(
            self.ground.ledger_path,
            self.ground.orders_path,
            now=self.clock.now,
            point=lambda: len(self.points.labels),
            journal_length=lambda: self.provider._journal._n,
            reader=self.ground.reader,
        )

    def surroundings(self) -> Surroundings:
        """What a new process gets: the runner's host and engines, and a clock that hands over."""
        around = super().surroundings()
        mover = self.mover
        if mover is None:
            return around
        mover.process = self._process
        me = around.this_process()
        owner = Owner(host=mover.host, pid=me.pid, pid_started=me.pid_started)
        return replace(
            around,
            clock=_Clock(self),
            this_process=lambda: owner,
            is_alive=lambda other: not self.blind and around.is_alive(other),
            make_engine=lambda url, **options: self._engine(mover.name, url, options),
        )

    def _engine(self, runner: str, url: URL | str, options: dict[str, Any]) -> Engine:
        name = str(make_url(url).database)
        if (runner, name) not in self.engines:
            engine = quick_engine(url, lambda: ground().points, **options)
            event.listen(engine, "connect", self.ground._connected)
            if name == str(self.ground.orders_path):
                event.listen(engine, "handle_error", self._refused_by_orders)
            self.engines[runner, name] = engine
        return self.engines[runner, name]

    @classmethod
    def _refused_by_orders(cls, context: ExceptionContext) -> None:
        if "database is locked" in str(context.original_exception):
            cls.locked_out.append(str(context.statement))
