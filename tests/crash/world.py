"""One merchant and one provider, brought back to a prepared beginning for every case, and the cases that are run there."""

import os
import re
import shutil
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash.crossings import Crossings
from tests.crash.merchant import SENDABLE, RetryEngine, make_orders
from tests.crash.picture import Picture, take_picture
from tests.crash.provider import START, Provider
from tests.crash.runs import Child, Ending, Job, run_here
from tests.crash.verdicts import Charge, charged_first, judge_copies, judge_night, judge_release

HOURS_LATER = 7200
STALE = 1200
"""Seconds after which a token in a part is too old (it lives 600)."""

STEPS = {
    "first use": ("nightly",),
    "night": ("nightly", "poll"),
    "stale part": ("nightly",),
    "transmit": ("transmit",),
}
"""The scenarios, and the jobs of each in which every point is a place to die. Between two jobs two hours pass."""

READY = "after commit ledger in batch/ledger/identity"
"""Where a first use is over: the ledger is made and tied to its provider. The other scenarios begin there."""

CUT_AFTER = "after commit ledger .*; before SFTP rename"
"""Where the night before "stale part" died: its part is whole, its rename was never asked for."""


@dataclass(frozen=True)
class Case:
    """Die at point `at` of the `step`-th job, and perhaps once more at point `again` of the recovery.

    `engine`: the merchant's own retry runs right after each death. `gap`: seconds from a death to the next run.
    """

    scenario: str
    step: int
    at: int
    engine: bool
    gap: int = 0
    again: int = 0


@dataclass
class Verdict:
    """What became of one case. `recovery` counts the points of the recovery's first run.

    `more` are the further cases that this point turned out to need.
    """

    case: Case
    label: str
    again_label: str
    recovery: int
    violations: list[str]
    more: list[Case]

    def words(self) -> str:
        """One line for the report of a failure."""
        second = f", then at {self.again_label}" if self.again_label else ""
        charging = " with in-house retry" if self.case.engine else ""
        charging += f" {self.case.gap} s later" if self.case.gap else ""
        where = f"{self.case.scenario}, job {self.case.step + 1}, point {self.case.at}"
        return f"{where} ({self.label}{second}){charging}: " + "; ".join(self.violations)


@dataclass(frozen=True)
class _Template:
    folder: Path
    inbound: dict[str, str] = field(default_factory=dict)
    seconds: int = 0


class World:
    """Where cases run, one after another, in a folder of their own."""

    def __init__(self, folder: Path, provider: Provider, crossings: Crossings) -> None:
        self._provider, self._crossings = provider, crossings
        self._folder, self._templates = folder / "merchant", folder / "templates"
        self._settings = self._folder / "mitbatch.toml"
        self._seconds = 0
        self._engine = RetryEngine(self._folder / "orders.db")
        self._charges: list[Charge] = []
        self._problems: list[str] = []
        blank = self._templates / "blank"
        blank.mkdir(parents=True)
        one_file_at_a_time = "[sftp]\ntransports = 1\nchannels = 1\n"
        settings = provider.settings_toml.replace("[sftp]\n", one_file_at_a_time)
        (blank / "mitbatch.toml").write_text(settings, encoding="utf-8")
        make_orders(blank / "orders.db")
        self._starts = {"first use": _Template(blank)}
        self._warm_up()
        ready = self._cut_off("first use", READY, 0)
        self._starts |= {"night": ready, "transmit": ready}
        self._starts["stale part"] = self._cut_off("night", CUT_AFTER, STALE)
        self._references: dict[str, Picture] = {}
        self.labels: dict[str, list[list[str]]] = {}
        for scenario in STEPS:
            self._play_through(scenario)

    def try_case(self, case: Case) -> Verdict:
        """Run one case from its beginning to the verdict."""
        self._begin(case.scenario)
        jobs = STEPS[case.scenario]
        for name in jobs[: case.step]:
            self._run_well(name)
            self._pass(HOURS_LATER)
        ending = self._run(jobs[case.step], case.at)
        expected = self.labels[case.scenario][case.step][case.at - 1]
        self._need(ending.killed, f"it did not die; {ending.problems}")
        self._need(expected.startswith(ending.label), f"it died at {ending.label}, not at {expected}")
        self._after_death(case)
        more = self._more(case)
        again, count = self._recover(case)
        picture = self._picture()
        violations = [*self._problems, *self._judge(case.scenario, picture)]
        if not charged_first(picture, self._charges):
            charged = set(self._engine.charged)
            reference = self._references[case.scenario].essence(charged)
            violations += _differences(reference, picture.essence(charged))
        self._charge()
        picture = self._picture()
        again_judged = [*self._judge(case.scenario, picture), *judge_release(picture)]
        violations += [words for words in again_judged if words not in violations]
        return Verdict(case, expected, again, count, violations, more)

    def _more(self, case: Case) -> list[Case]:
        """What else must be tried at this point: without the retry that came first, and later if a part is waiting."""
        if case.again:
            return []
        more = []
        record = self._provider.record()
        known = {row.get("order_id") for row in record["journal"]}
        if case.engine and set(self._engine.charged) & SENDABLE.keys() - known:
            more.append(replace(case, engine=False))
        is_fresh = case.scenario != "stale part" and not case.gap
        if is_fresh and any(name.endswith(".part") for name in record["inbound"]):
            more.append(replace(case, gap=STALE))
        return more

    def two_at_once(self, part: str) -> list[str]:
        """A night waits at the first point whose label matches this while others start: they exit 21, and it goes on."""
        child = self._halted(part)
        before = take_picture(self._folder, self._provider.record()).events
        for name in ("nightly", "poll", "transmit"):
            second = self._run(name)
            self._need(second.code == 21, f"a second {name} ended with {second.code}: {second.problems}")
        after = take_picture(self._folder, self._provider.record()).events
        self._need(before == after, "the second run changed the ledger")
        child.go_on()
        first = child.ending()
        self._need((first.killed, first.code) == (False, 10), f"the first run ended with {first.code}: {first.problems}")
        return self._closing()

    def taken_over(self, part: str) -> list[str]:
        """A night dies while another starts: that one exits 21 while the first is alive, and works at once when it is dead."""
        child = self._halted(part)
        second = self._run("nightly")
        self._need(second.code == 21, f"beside a living run, the second ended with {second.code}")
        os.kill(child.pid, signal.SIGKILL)
        self._need(child.ending().killed, "the first run did not die")
        self._provider.settle()
        self._run_well("nightly")
        return self._closing()

    def _halted(self, part: str) -> Child:
        self._begin("night")
        job = Job("nightly", self._now(), _point(self.labels["night"][0], part))
        child = Child(self._crossings, self._settings, job, halts=True)
        child.await_halt()
        return child

    def _closing(self) -> list[str]:
        self._pass(HOURS_LATER)
        self._run_well("poll")
        return [*self._problems, *self._judge("night", self._picture())]

    def _recover(self, case: Case) -> tuple[str, int]:
        first = "transmit" if case.scenario == "transmit" else "nightly"
        again = ""
        if case.again:
            ending = self._run(first, case.again)
            self._need(ending.killed, f"the recovery did not die at {case.again}")
            again = ending.label
            self._after_death(case)
        recovery = self._run_well(first)
        self._pass(HOURS_LATER)
        if first == "nightly":
            self._run_well("poll")
        return again, len(recovery.labels)

    def _after_death(self, case: Case) -> None:
        self._provider.settle()
        if case.engine:
            self._charge()
        self._pass(case.gap)

    def _charge(self) -> None:
        """Let the merchant's retry engine charge, and note what the provider knew of each order at that moment."""
        charged = self._engine.run()
        record = self._provider.record()
        said = {row["order_id"]: str(row["status"]) for row in record["orders"]}
        end = max((row["n"] for row in record["journal"]), default=0)
        self._charges += [Charge(order_id, said.get(order_id, ""), end) for order_id in charged]

    def _judge(self, scenario: str, picture: Picture) -> list[str]:
        judge = judge_copies if scenario == "transmit" else judge_night
        return judge(picture, self._charges)

    def _begin(self, scenario: str) -> None:
        start = self._starts[scenario]
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(start.folder, self._folder)
        self._provider.begin(start.inbound, start.seconds)
        self._seconds = start.seconds
        self._charges, self._problems, self._engine.charged = [], [], []

    def _pass(self, seconds: int) -> None:
        self._provider.advance(seconds)
        self._seconds += seconds

    def _now(self) -> datetime:
        return START + timedelta(seconds=self._seconds)

    def _run(self, name: str, at: int = 0) -> Ending:
        job = Job(name, self._now(), at, everything=name == "poll")
        return Child(self._crossings, self._settings, job).ending()

    def _run_well(self, name: str) -> Ending:
        """Run a job that has nothing to fear: its exit code is 0, or 10 for new items, and its books balance."""
        ending = self._run(name)
        expected = 10 if ending.new_items else 0
        self._need(ending.code == expected, f"I20: {name} ended with {ending.code}, not {expected}; {ending.problems}")
        self._need(ending.balanced, f"I5: {name} says that the books do not balance")
        return ending

    def _need(self, true: object, words: str) -> None:
        if not true:
            self._problems.append(words)

    def _picture(self) -> Picture:
        return take_picture(self._folder, self._provider.record())

    def _warm_up(self) -> None:
        self._begin("first use")
        for name in ("nightly", "transmit", "poll"):
            assert run_here(self._crossings, self._settings, Job(name, self._now(), everything=True)) in {0, 10}

    def _cut_off(self, scenario: str, part: str, seconds: int) -> _Template:
        """What a night leaves that died at the first point whose label matches this, so many seconds ago."""
        self._begin(scenario)
        labels = self._run("nightly").labels
        self._begin(scenario)
        assert self._run("nightly", _point(labels, part)).killed
        self._provider.settle()
        folder = self._templates / f"{scenario} cut off"
        shutil.copytree(self._folder, folder)
        return _Template(folder, self._provider.record()["inbound"], seconds)

    def _play_through(self, scenario: str) -> None:
        """The scenario without a crash: its points, and the books that every crashed case must end with."""
        self._begin(scenario)
        self.labels[scenario] = []
        for name in STEPS[scenario]:
            self.labels[scenario].append(list(self._run_well(name).labels))
            self._pass(HOURS_LATER)
        if scenario in {"first use", "stale part"}:
            self._run_well("poll")
        picture = self._picture()
        violations = [*self._problems, *self._judge(scenario, picture)]
        assert not violations, f"{scenario} without a crash: {violations}"
        self._references[scenario] = picture
        if scenario == "first use":
            del self.labels[scenario][0][_point(self.labels[scenario][0], READY) :]


def _point(labels: Sequence[str], part: str) -> int:
    return next(number for number, label in enumerate(labels, start=1) if re.search(part, label))


def _differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"I9: {name} differs from a crash-free run: {found[name]} instead of {expected[name]}"
        for name in expected
        if found[name] != expected[name]
    ]


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it travels between processes."""
    return asdict(verdict)


def from_json(fields: dict[str, Any]) -> Verdict:
    """The verdict that `as_json` wrote."""
    more = [Case(**each) for each in fields["more"]]
    return Verdict(**{**fields, "case": Case(**fields["case"]), "more": more})
