"""One merchant and one provider, brought back to a prepared beginning for every case, and the cases that are run there."""

import os
import re
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash.crossings import Crossings
from tests.crash.kills import kill_after, trace
from tests.crash.merchant import SENDABLE, RetryEngine, make_orders
from tests.crash.picture import Picture, take_picture
from tests.crash.provider import START, Provider
from tests.crash.runs import Child, Ending, Job, WorldTime, run_here
from tests.crash.verdicts import Charge, charged_first, judge_calls, judge_copies, judge_night, judge_release

HOURS_LATER = 7200
STALE = 1200
"""Seconds after which a token in a part is too old (it lives 600)."""

STEPS = {
    "first use": ("nightly",),
    "night": ("nightly", "poll"),
    "stale part": ("nightly",),
    "transmit": ("transmit",),
    "calls": ("nightly",),
}
"""The scenarios, and the jobs of each in which every point is a place to die. Between two jobs two hours pass."""

READY = "after commit ledger in batch/ledger/identity"
"""Where a first use is over: the ledger is made and tied to its provider. The other scenarios begin there."""

BY_CALLS = '\n[channels]\nevaluate = "api"\n'
"""What the settings of "calls" say besides: each order is handed over by a call of its own."""

CUT_AFTER = "; before SFTP rename"
"""Where the night before "stale part" died: its part is whole and its departure marked, its rename was never asked for."""


@dataclass(frozen=True)
class Case:
    """Die at point `at` of the `step`-th job, and perhaps once more at point `again` of the recovery.

    `engine`: the merchant's own retry runs right after each death. `gap`: seconds from a death to the next run.
    With `delay_ms` or `syscall` it dies at no point: after so long, or at its `at`-th call of the system by that name.
    """

    scenario: str
    step: int
    at: int
    engine: bool
    gap: int = 0
    again: int = 0
    delay_ms: int = 0
    syscall: str = ""

    @property
    def is_anywhere(self) -> bool:
        """Whether it dies at no labelled point."""
        return bool(self.delay_ms or self.syscall)


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
        self._time = WorldTime()
        self._bug = ""
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
        self._starts |= {"night": ready, "transmit": ready, "calls": self._with_settings(ready, BY_CALLS)}
        self._starts["stale part"] = self._cut_off("night", CUT_AFTER, STALE)
        self._references: dict[str, Picture] = {}
        self.labels: dict[str, list[list[str]]] = {}
        self.durations_ms: dict[str, list[int]] = {}
        for scenario in STEPS:
            self._play_through(scenario)

    def plant(self, bug: str, scenarios: Sequence[str] = tuple(STEPS)) -> None:
        """Let every run from now on have this bug (tests/crash/planted.py), or none, and play these scenarios through anew.

        A bug must not show where nothing dies, or it needs no crash to be found.
        """
        self._bug = bug
        for scenario in scenarios:
            self._play_through(scenario)

    def try_case(self, case: Case) -> Verdict:
        """Run one case from its beginning to the verdict."""
        self._begin(case.scenario)
        jobs = STEPS[case.scenario]
        for name in jobs[: case.step]:
            self._run_well(name)
            self._pass(HOURS_LATER)
        expected = self._die_anywhere(case) if case.is_anywhere else self._die_at_point(case)
        self._after_death(case)
        more = self._more(case)
        again, count = self._recover(case)
        picture = self._picture()
        violations = [*self._problems, *self._judge(case.scenario, picture)]
        if case.scenario != "calls" and not charged_first(picture, self._charges):
            charged = set(self._engine.charged)
            reference = self._references[case.scenario].essence(charged)
            violations += _differences(reference, picture.essence(charged))
        self._charge()
        picture = self._picture()
        again_judged = [*self._judge(case.scenario, picture), *judge_release(picture)]
        violations += [words for words in again_judged if words not in violations]
        return Verdict(case, expected, again, count, violations, more)

    def _die_at_point(self, case: Case) -> str:
        ending = self._run(STEPS[case.scenario][case.step], case.at)
        expected = self.labels[case.scenario][case.step][case.at - 1]
        self._need(ending.killed, f"it did not die; {ending.problems}")
        self._need(expected.startswith(ending.label), f"it died at {ending.label}, not at {expected}")
        return expected

    def _die_anywhere(self, case: Case) -> str:
        """Let the run begin, and kill it from outside. It may have ended before; then it is judged as it is."""
        child = self._child(STEPS[case.scenario][case.step], 1)
        child.await_halt()
        tracer = trace(child.pid, case.syscall, case.at) if case.syscall else None
        child.go_on()
        if case.delay_ms:
            kill_after(child.pid, case.delay_ms)
        ending = child.ending()
        if tracer is not None:
            tracer.communicate(timeout=30)
        where = f"{case.syscall} {case.at}" if case.syscall else f"{case.delay_ms} ms"
        return f"killed at {where}" if ending.killed else f"ended before {where}"

    def _more(self, case: Case) -> list[Case]:
        """What else must be tried at this point: without the retry that came first, and later if a part is waiting."""
        if case.again or case.is_anywhere:
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

    def _recover(self, case: Case) -> tuple[str, int]:
        first = "transmit" if case.scenario == "transmit" else "nightly"
        again = ""
        if case.again:
            ending = self._run(first, case.again)
            self._need(ending.killed, f"the recovery did not die at {case.again}")
            again = ending.label
            self._after_death(case)
        recovery = self._run_well(first, doubts=case.scenario == "calls")
        self._pass(HOURS_LATER)
        if first == "nightly":
            self._run_well("poll", doubts=case.scenario == "calls")
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
        judges = {"transmit": judge_copies, "calls": judge_calls}
        return judges.get(scenario, judge_night)(picture, self._charges)

    def _begin(self, scenario: str) -> None:
        start = self._starts[scenario]
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(start.folder, self._folder)
        self._provider.begin(start.inbound, start.seconds)
        self._time.seconds = start.seconds
        self._charges, self._problems, self._engine.charged = [], [], []

    def _pass(self, seconds: int) -> None:
        self._provider.advance(seconds)
        self._time.seconds += seconds

    def _now(self) -> datetime:
        return START + timedelta(seconds=self._time.seconds)

    def _job(self, name: str, at: int = 0, *, late: bool = False) -> Job:
        return Job(name, self._now(), at, everything=name == "poll", world=self._time, late=late, bug=self._bug)

    def _run(self, name: str, at: int = 0) -> Ending:
        return Child(self._crossings, self._settings, self._job(name, at)).ending()

    def _child(self, name: str, at: int, *, late: bool = False) -> Child:
        """A run that waits at this point until it may go on."""
        return Child(self._crossings, self._settings, self._job(name, at, late=late), halts=True)

    def _run_well(self, name: str, *, doubts: bool = False) -> Ending:
        """Run a job that has nothing to fear: its exit code is 0, or 10 for new items, and its books balance.

        With `doubts` something may be in doubt after it, and it says so (11).
        """
        ending = self._run(name)
        expected = 11 if doubts and ending.code == 11 else 10 if ending.new_items else 0
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
        assert self._run("nightly", point_of(labels, part)).killed
        self._provider.settle()
        folder = self._templates / f"{scenario} cut off"
        shutil.copytree(self._folder, folder)
        return _Template(folder, self._provider.record()["inbound"], seconds)

    def _with_settings(self, start: _Template, more: str) -> _Template:
        """The same beginning with more settings."""
        folder = self._templates / "by calls"
        shutil.copytree(start.folder, folder)
        path = folder / "mitbatch.toml"
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
        return _Template(folder)

    def kill_in_flight(self, taken: int) -> list[str]:
        """Kill a night by calls while the provider has taken so many orders and does not answer the last of them.

        Returns what is wrong after the next runs, and in which state they left each order.
        """
        self._begin("calls")
        self._provider.switch_on("silence_after", "evaluate", taken - 1)
        child = self._child("nightly", 1)
        child.await_halt()
        child.go_on()
        while sum(row["event"] == "accepted" for row in self._provider.record()["journal"]) < taken:
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        self._need(child.ending().killed, "it ended although the provider did not answer")
        case = Case("calls", 0, 0, engine=True)
        self._after_death(case)
        self._recover(case)
        self._charge()
        picture = self._picture()
        return [*self._problems, *self._judge("calls", picture), *judge_release(picture)]

    def _play_through(self, scenario: str) -> None:
        """The scenario without a crash: its points, and the books that every crashed case must end with."""
        self._begin(scenario)
        self.labels[scenario], self.durations_ms[scenario] = [], []
        for name in STEPS[scenario]:
            ending = self._run_well(name)
            self.labels[scenario].append(list(ending.labels))
            self.durations_ms[scenario].append(max(1, round(1000 * ending.seconds)))
            self._pass(HOURS_LATER)
        if scenario in {"first use", "stale part", "calls"}:
            self._run_well("poll")
        picture = self._picture()
        violations = [*self._problems, *self._judge(scenario, picture)]
        assert not violations, f"{scenario} without a crash{self._bug and ', with '}{self._bug}: {violations}"
        self._references[scenario] = picture
        if scenario == "first use":
            del self.labels[scenario][0][point_of(self.labels[scenario][0], READY) :]


def point_of(labels: Sequence[str], part: str) -> int:
    """The first point whose label matches this."""
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
