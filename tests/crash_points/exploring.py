"""Walking through a scenario and dying at every point of it; after each death it goes on to its end and is judged."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash_points.forks import in_a_fork, watching
from tests.crash_points.scenarios import Scenario, perform
from tests.world.dice import dice
from tests.world.equivalence import Ending, differences, ending_of
from tests.world.oracle import judge
from tests.world.world import World


@dataclass(frozen=True)
class Death:
    """One death, or two: the step of the scenario and its point, the point of the run after it (0: none), and how.

    `cut`: the power goes with it, and with the power what was not synced.
    """

    scenario: str
    step: int
    at: int
    label: str
    cut: bool = False
    again: int = 0
    again_label: str = ""

    def words(self) -> str:
        """One line, and the command that lets it happen again."""
        second = f", then at {self.again} ({self.again_label})" if self.again else ""
        how = "power cut" if self.cut else "death"
        again = f"python -m tests.crash_points {self.scenario!r} {self.step} {self.at} {int(self.cut)} {self.again}"
        return f"{self.scenario}, run {self.step + 1}, {how} at {self.at} ({self.label}){second} [{again}]"


@dataclass
class Found:
    """What deaths led to: all of them, how many were carried on for themselves, the violations in words, and where they were."""

    deaths: int = 0
    carried_on: int = 0
    violations: tuple[str, ...] = ()
    points: set[int] = field(default_factory=set)

    def add(self, other: "Found") -> None:
        """Count those too."""
        self.deaths += other.deaths
        self.carried_on += other.carried_on
        self.violations += other.violations


@dataclass(frozen=True)
class Chosen:
    """Which points of a run are died at: from `first` to `last` (0: its end), of those every n-th, from `offset`."""

    first: int = 1
    last: int = 0
    every: int = 1
    offset: int = 0

    def spans(self, at: int) -> bool:
        """Whether a point is among those of which some are died at."""
        return at >= self.first and (not self.last or at <= self.last)

    def names(self, at: int) -> bool:
        """Whether this point is died at, if the one before it left another world behind."""
        return at % self.every == self.offset % self.every


def only(at: int) -> Chosen:
    """That one point."""
    return Chosen(at, at)


def crash_free(scenario: Scenario) -> Ending:
    """The end without any death; it must satisfy the oracle itself."""
    with scenario.world() as world:
        scenario.play(world)
        scenario.settle(world)
        violations = judge(scenario.story(world))
        assert not violations, f"{scenario.name} without a crash: {violations}"
        return ending_of(world)


def labels_of(scenario: Scenario) -> list[list[str]]:
    """The points of each step, as they are counted without a death."""
    found: list[list[str]] = []
    with scenario.world() as world:
        for number in range(len(scenario.steps)):
            begun = len(world.points.labels)
            scenario.play(world, number, number + 1)
            labels = world.points.labels[begun:]
            found.append(labels if number else _until(scenario, labels))
    return found


def _until(scenario: Scenario, labels: list[str]) -> list[str]:
    begins = (at for at, label in enumerate(labels) if label.startswith(scenario.until))
    return labels[: next(begins)] if scenario.until else labels


def state_of(world: World) -> bytes:
    """A digest of everything that outlives the run's process: equal digests have equal futures."""
    digest = hashlib.blake2b()
    for path in sorted(world.ground.folder.rglob("*")):
        if path.is_file() and not path.name.endswith("-shm"):
            digest.update(path.name.encode() + path.read_bytes())
    provider, disk = world.provider, world.disk
    for part in (disk.there, disk.kept):
        for place, content in sorted(part.items()):
            digest.update(str(place).encode() + content)
    others: tuple[Any, ...] = (
        world.clock.now(),
        len(world.merchant.charges),
        sorted(world.merchant.seen_held),
        sorted((name, vars(armed)) for name, armed in provider.faults._armed.items()),
        len(provider._mailbox._agenda),
        world._ids.getstate(),
        len(disk.synced),
    )
    digest.update(repr(others).encode())
    return digest.digest()


class Explorer:
    """Dies at chosen points of one run, one after the other, while that run goes on.

    Of points one after another that leave the same world behind, the first is asked for, and its death is that of all.
    """

    def __init__(self, world: World, job: str, chosen: Chosen, life: Callable[[int, str], Found]) -> None:
        self._world, self._job, self._chosen, self._life = world, job, chosen, life
        self.found = Found()
        self._state = b""
        self._last: Found | None = None
        self._count = 0

    def at_each(self, label: str) -> None:
        """Die here, in a fork, and see what becomes of it."""
        self._count += 1
        number = self._count
        if not self._chosen.spans(number):
            return
        state = state_of(self._world)
        if state != self._state:
            self._state, self._last = state, None
            if self._chosen.names(number):
                self._last = in_a_fork(self._world, lambda: self._life(number, label), died=self._job.partition(" ")[0])
                self.found.add(self._last)
        elif self._last is not None:
            self.found.deaths += self._last.deaths
        if self._last is not None:
            self.found.points.add(number)

    def run(self) -> None:
        """Run the job to its end."""
        with watching(self._world, self.at_each):
            perform(self._world, self._job)


def die_once(scenario: Scenario, step: int, chosen: Chosen, expected: Ending, *, cut: bool) -> Found:
    """Every chosen point of one step is a death; each goes on to the end and is judged."""
    with scenario.world() as world:
        scenario.play(world, 0, step)
        scenario.steps[step].before(world)

        def life(at: int, label: str) -> Found:
            return _to_the_end(world, scenario, Death(scenario.name, step, at, label, cut), expected)

        explorer = Explorer(world, scenario.steps[step].job, chosen, life)
        explorer.run()
        return explorer.found


def die_twice(scenario: Scenario, step: int, first: int, chosen: Chosen, expected: Ending) -> Found:
    """One death, and then every chosen point of the run after it is another; each goes on to the end and is judged."""
    with scenario.world() as world:
        scenario.play(world, 0, step)
        scenario.steps[step].before(world)
        job = scenario.steps[step].job

        def life(at: int, label: str) -> Found:
            _death(world, scenario, Death(scenario.name, step, at, label))

            def second_life(again: int, again_label: str) -> Found:
                death = Death(scenario.name, step, at, label, False, again, again_label)
                return _to_the_end(world, scenario, death, expected)

            inner = Explorer(world, job, chosen, second_life)
            inner.run()
            return inner.found

        explorer = Explorer(world, job, only(first), life)
        explorer.run()
        return explorer.found


def _of(scenario: Scenario, ending: Ending) -> Ending:
    """Of an ending what must be as it is without a death."""
    return ending if scenario.alike is None else {name: ending[name] for name in scenario.alike}


def _death(world: World, scenario: Scenario, death: Death) -> None:
    """What the world does when a run has just died."""
    if death.cut:
        world.disk.power_cut(dice(1, death.scenario, death.step, death.at))
    if scenario.engine:
        world.wake_engine()


def _to_the_end(world: World, scenario: Scenario, death: Death, expected: Ending) -> Found:
    _death(world, scenario, death)
    step = scenario.steps[death.step]
    perform(world, step.job)
    scenario.afterwards(world, step)
    scenario.play(world, death.step + 1)
    scenario.settle(world)
    broken = [*judge(scenario.story(world)), *differences(_of(scenario, expected), _of(scenario, ending_of(world)))]
    return Found(1, 1, tuple(f"{words} after {death.words()}" for words in broken))
