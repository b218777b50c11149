"""Letting a schedule happen: nights with what goes wrong in them, then quiet ones until every order has found its end."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from batch.pace import business_date, utc_text
from jobs.outside import StopRequest
from jobs.sandbox.faults import CATALOGUE
from schemas.errors import Interrupted, Stopped, Terminated
from schemas.exit_codes import ExitCode
from tests.world import counted, hands
from tests.world.befores import BEFORE, SETTLED, do_before
from tests.world.deeds import AT_A_POINT, Act, act_of
from tests.world.dice import dice
from tests.world.merchant import RowChange
from tests.world.reached import reached
from tests.world.schedule import Deed, Schedule
from tests.world.turning import Turned, turn_all_on
from tests.world.world import Ended, World

RUNS = ("nightly", "poll", "nightly", "poll")
QUIET_NIGHTS = 4
"""The promise leaves ten; an order that has not ended after these counts as forgotten all the same."""
WORKING = ("Draft", "Processing", "Onhold", "Capturerequired", "Problem")
"""The provider's own names for an order that it has not done with."""


class Wish(StopRequest):
    """What an operator wants of the process that is active, and of no other; no signal of this very process has to do with it."""

    def __init__(self, process: Callable[[], int]) -> None:
        super().__init__()
        self._process, self._wants = process, dict[int, Stopped]()

    def want(self, name: str) -> None:
        """Ask the process to stop."""
        kind = Terminated if name == "SIGTERM" else Interrupted
        self._wants[self._process()] = kind("The run was asked to stop; the step in hand was finished.")

    def check(self) -> None:
        """Raise what is wanted of the process that is active."""
        if wanted := self._wants.get(self._process()):
            raise wanted

    def forget(self) -> None:
        """Nothing is wanted any more."""
        self._wants.clear()

    @contextmanager
    def of_another(self) -> Iterator[None]:
        """Inside, somebody is at work who is not a process of its own here, and of whom nothing is wanted."""
        wants, self._wants = self._wants, {}
        try:
            yield
        finally:
            self._wants = wants

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to nothing."""
        yield


def _is_about_news(deed: Deed) -> bool:
    """Whether a deed strikes in what the provider writes by itself, between two runs."""
    return deed.kind == "fault" and CATALOGUE[deed.name.partition("*")[0].partition("@")[0]].point.startswith("outbound.")


@dataclass
class Story:
    """One world and what became of it.

    `changed` are the orders whose row the merchant changed by hand, and how, `changes` each such change with its place in
    the order of happening; `traits` the orders that are odd from the beginning; `restored` says that the ledger was put
    back to an older one, `spoilt` that it cannot be read now. `edited` are the dates whose files an operator changed or
    deleted, `decided` what somebody decided by hand, `turned` which switches, `hears` the ways of hearing of
    outcomes that were set, `advised` what a refused run tells the merchant to do. `fired` counts what really struck, by id,
    `reached` the ways of recovering that it went.
    """

    world: World
    schedule: Schedule
    changed: dict[str, str] = field(default_factory=dict)
    changes: list[RowChange] = field(default_factory=list)
    traits: dict[str, str] = field(default_factory=dict)
    fired: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    restored: bool = False
    edited: set[str] = field(default_factory=set)
    decided: list[hands.Decided] = field(default_factory=list)
    turned: list[Turned] = field(default_factory=list)
    hears: set[str] = field(default_factory=set)
    is_troubled: bool = False
    spoilt: bool = False
    backup: bytes | None = None
    locks: list[sqlite3.Connection] = field(default_factory=list)
    undo: list[Act] = field(default_factory=list)
    advised: list[Act] = field(default_factory=list)
    wish: Wish = field(init=False)
    _begun_at: int = 0

    def __post_init__(self) -> None:
        """A wish is for the process that the witness sees at work."""
        self.wish = Wish(lambda: self.world.witness.process)

    def tell(self) -> None:
        """Let everything happen: runs as long as the schedule has something for them, then the quiet nights."""
        self.world.stop = self.wish
        eventful = max((deed.run for deed in self.schedule.deeds), default=0) + 1
        for number in range(eventful):
            deeds = [deed for deed in self.schedule.deeds if deed.run == number]
            usual = RUNS[number % len(RUNS)]
            job = next((deed.name for deed in deeds if deed.kind == "job"), usual)
            self._prepare(deeds)
            ended = self._run(job)
            self._after(deeds)
            self._follow_advice(ended)
            if ended.killed:
                self.world.wake_engine()
            self.world.pass_time(hours=2 if usual == "nightly" else 22)
            self._switch_off(deeds)
        self._settle()
        self.fired += counted.provider_ids(self)
        self.fired += counted.trait_ids(self)
        self.fired += counted.race_ids(self)
        self.reached = reached(self)

    def strike(self, *ids: str) -> None:
        """Count what has just struck."""
        self.fired.update(ids)

    def labels_of_run(self) -> list[str]:
        """The points that the run in hand has crossed."""
        return self.world.points.labels[self._begun_at :]

    def hours_ago(self, hours: float) -> str:
        """A moment before now, as the order system writes it."""
        return utc_text(self.world.clock.now() - timedelta(hours=hours))

    def ledger_now(self) -> bytes:
        """The ledger as it is committed."""
        with closing(sqlite3.connect(self.world.ground.ledger_path, timeout=0)) as connection:
            return connection.serialize()

    def items(self) -> list[dict[str, Any]]:
        """Every item of the ledger; none, while it is damaged."""
        with closing(sqlite3.connect(self.world.ground.ledger_path)) as connection, suppress(sqlite3.DatabaseError):
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM item")]
        return []

    def _run(self, job: str) -> Ended:
        world = self.world
        today = business_date(world.clock.now(), world.settings.schedule.timezone)
        yesterday = (date.fromisoformat(today) - timedelta(days=1)).isoformat()
        if job in {"rerun", "yesterday", "batch"}:
            self.strike("O-01" if job == "rerun" else "O-02")
        if job == "yesterday":
            return world.run("rerun", yesterday)
        if job == "batch" and self.spoilt:
            return world.run("rerun")
        if job == "batch":
            with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
                found = connection.execute("SELECT batch_id, business_date FROM batch ORDER BY rowid DESC").fetchone()
            return world.run("rerun", found[1], batch_id=found[0]) if found else world.run("rerun")
        if job.partition(" ")[0] in hands.JOBS:
            return (None if self.spoilt else hands.do(self, job)) or world.run("poll")
        if job.partition(" ")[0] in {"cancel", "capture", "refund"}:
            return self._ask(job)
        if job == "poll all":
            return world.run("poll", everything=True)
        return world.plan() if job == "dry run" else world.run(job)

    def _ask(self, job: str) -> Ended:
        """An operator asks the provider for something about one order: `cancel`, `capture`, `refund`, `refund part`."""
        kind, _, share = job.partition(" ")
        chance = dice(self.schedule.seed, "operator", len(self.world.runs))
        order_id = chance.choice(self.world.order_ids)
        written = str(self.world.given[order_id]["amount_minor"]) if order_id in self.world.given else ""
        amount_minor = int(written) if written.isdecimal() else 0  # a row may have any nonsense there
        return self.world.ask(kind, order_id, amount_minor // 3 if share else amount_minor)

    def _prepare(self, deeds: list[Deed]) -> None:
        world = self.world
        world.points.plan.clear()
        self._begun_at = len(world.points.labels)
        self._trouble_the_network(deeds)
        waiting: list[tuple[Deed, list[int]]] = []
        for deed in sorted(deeds, key=lambda each: each.kind not in ("row", "order")):
            if deed.kind == "fault":
                name, _, times = deed.name.partition("*")
                name, _, figure = name.partition("@")
                world.provider.faults.switch_on(name, skip=deed.at, times=int(times or 1), after=int(figure) if figure else None)
            elif deed.kind in AT_A_POINT and deed.label:
                waiting.append((deed, [deed.at]))
            elif deed.kind in BEFORE:
                do_before(self, deed)
            elif deed.kind in AT_A_POINT:
                at = len(world.points.labels) + deed.at
                world.points.plan.setdefault(at, []).append(act_of(self, deed))
        if waiting:
            world.points.watchers.append(lambda label: self._watch(label, waiting))

    def _watch(self, label: str, waiting: list[tuple[Deed, list[int]]]) -> None:
        for deed, left in waiting:
            if not label.startswith(deed.label):
                continue
            left[0] -= 1
            if left[0] == -1:
                act_of(self, deed)()

    def _trouble_the_network(self, deeds: list[Deed]) -> None:
        calls = [0]
        troubles = {deed.at: deed.name for deed in deeds if deed.kind == "network"}
        self.is_troubled = bool(troubles)

        def trouble(_name: str, moment: str) -> Exception | None:
            if moment == "before":
                calls[0] += 1
            if troubles.get(calls[0] - 1) != moment:
                return None
            self.strike("N-01" if moment == "before" else "H-06")
            return httpx.ConnectError("refused") if moment == "before" else httpx.ReadTimeout("no answer")

        self.world.http_trouble = trouble

    def _after(self, deeds: list[Deed]) -> None:
        world = self.world
        world.points.plan.clear()
        world.points.watchers.clear()
        if world.disk.full and world.disk.refused:
            self.strike("P-14")
        world.disk.full, world.disk.refused = False, 0
        world.http_trouble = lambda _name, _moment: None
        self.wish.forget()
        while self.locks:
            self.locks.pop().close()
        if self.undo:
            world.ground.let_go()
        while self.undo:
            self.undo.pop()()
        self.spoilt = False
        self._switch_off(deed for deed in deeds if not _is_about_news(deed))

    def _switch_off(self, deeds: Iterable[Deed]) -> None:
        for deed in deeds:
            if deed.kind == "fault":
                self.world.provider.faults.switch_off(deed.name.partition("*")[0].partition("@")[0])

    def _settle(self) -> None:
        """Quiet nights: one close by, one beyond every expiry, and more only while something is open that may still move.

        Most stories end with the first of these, if it leaves nothing open. After it a poll hears what the provider says
        of what has just been sent; where all that is open was heard of already, every fourth story has that poll.
        """
        turn_all_on(self)
        self.world.set_clock_right()
        is_long = self.schedule.ending == "long"
        before: dict[str, str] = {}
        for night in range(QUIET_NIGHTS):
            self._follow_advice(self.world.run("nightly"))
            self.world.pass_time(hours=3)
            left = self._left()
            if not left and (night or not is_long):
                return
            if night and left.items() <= before.items() and (night > 1 or self._has_the_provider_ended_none_of(left)):
                return
            if night == 0 and (left if is_long else {*left.values()} - {"pending"}):
                self.world.run("poll")
                left = self._left()
                if not left and not is_long:
                    return
            before = left
            self.world.pass_time(days=24 if night == 0 else 3)

    def _follow_advice(self, ended: Ended) -> None:
        """The merchant does what a run asks for that was refused, so that later ones go on."""
        for act in self.advised if ended.code == ExitCode.REFUSED else ():
            act()

    def _left(self) -> dict[str, str]:
        """The orders that have not ended, and where they stand."""
        return {order_id: state for order_id, state in self.world.states().items() if state not in SETTLED}

    def _has_the_provider_ended_none_of(self, order_ids: Iterable[str]) -> bool:
        """Whether the provider still works on each of these orders, or never got it: there is nothing more to hear of them."""
        ended = {str(row["order_id"]) for row in self.world.provider.orders() if row["status"] not in WORKING}
        return ended.isdisjoint(order_ids)
