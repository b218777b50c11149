"""Letting a schedule happen: nights with what goes wrong in them, then quiet ones until every order has found its end."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from tests.world.dice import dice
from tests.world.schedule import Deed, Schedule
from tests.world.world import World

RUNS = ("nightly", "poll", "nightly", "poll")
QUIET_NIGHTS = 4
"""The promise leaves ten; an order that has not ended after these counts as forgotten all the same."""
ENDED = {"completed", "declined", "expired", "rejected", "withdrawn", "review"}


@dataclass
class Story:
    """One world and what became of it. `changed` are the orders whose row the merchant changed by hand, and how."""

    world: World
    schedule: Schedule
    changed: dict[str, str] = field(default_factory=dict)

    def tell(self) -> None:
        """Let everything happen: runs as long as the schedule has something for them, then the quiet nights."""
        eventful = max((deed.run for deed in self.schedule.deeds), default=0) + 1
        for number, job in enumerate(RUNS[:eventful]):
            deeds = [deed for deed in self.schedule.deeds if deed.run == number]
            self._prepare(deeds)
            ended = self.world.run(job)
            self._after(deeds)
            if ended.killed:
                self.world.wake_engine()
            self.world.pass_time(hours=2 if job == "nightly" else 22)
        self._settle()

    def _prepare(self, deeds: list[Deed]) -> None:
        world = self.world
        world.points.plan.clear()
        calls = [0]
        troubles = {deed.at: deed.name for deed in deeds if deed.kind == "network"}

        def trouble(_name: str, moment: str) -> Exception | None:
            if moment == "before":
                calls[0] += 1
            if troubles.get(calls[0] - 1) != moment:
                return None
            return httpx.ConnectError("refused") if moment == "before" else httpx.ReadTimeout("no answer")

        world.http_trouble = trouble
        for deed in deeds:
            if deed.kind == "fault":
                world.provider.faults.switch_on(deed.name, skip=deed.at)
            elif deed.kind not in ("network",):
                at = len(world.points.labels) + deed.at
                world.points.plan.setdefault(at, []).append(self._act(deed))

    def _act(self, deed: Deed) -> Callable[[], None]:
        world = self.world

        def leap() -> None:
            world.clock.advance(timedelta(seconds=int(deed.name)))

        def power_cut() -> None:
            world.points.die()
            world.disk.power_cut(dice(self.schedule.seed, "cut", deed.run, deed.at))

        def fill_disk() -> None:
            world.disk.full = True

        def second_run() -> None:
            here = world.points.labels[-1]
            # at a commit, or inside a request, it would wait for a lock or a loop of this very thread
            if here.startswith("before commit") or " HTTP " in here:
                world.points.plan.setdefault(len(world.points.labels) + 1, []).append(second_run)
                return
            world.run("nightly")

        def change() -> None:
            order_id = dice(self.schedule.seed, "changed", deed.at).choice(world.order_ids)
            try:
                self._change(order_id, deed.name)
            except sqlite3.OperationalError:
                return
            self.changed[order_id] = deed.name

        deeds: dict[str, Callable[[], None]] = {
            "crash": world.points.die,
            "power cut": power_cut,
            "engine": world.wake_engine,
            "disk full": fill_disk,
            "leap": leap,
            "merchant": change,
            "second run": second_run,
        }
        return deeds[deed.kind]

    def _change(self, order_id: str, how: str) -> None:
        merchant = self.world.merchant
        with closing(sqlite3.connect(merchant.path, timeout=0)) as connection, connection:
            if how == "gone":
                connection.execute("DELETE FROM orders WHERE order_id=?", (order_id,))
            elif how == "amount":
                connection.execute("UPDATE orders SET amount_minor=amount_minor+1 WHERE order_id=?", (order_id,))
            else:
                connection.execute("UPDATE orders SET status=? WHERE order_id=?", (how, order_id))

    def _after(self, deeds: list[Deed]) -> None:
        world = self.world
        world.points.plan.clear()
        world.disk.full = False
        world.http_trouble = lambda _name, _moment: None
        for deed in deeds:
            if deed.kind == "fault":
                world.provider.faults.switch_off(deed.name)

    def _settle(self) -> None:
        """Quiet nights: one close by, one beyond every expiry, and more only while something is open."""
        for night in range(QUIET_NIGHTS):
            self.world.run("nightly")
            self.world.pass_time(hours=3)
            if night == 0:
                self.world.run("poll")
            elif set(self.world.states().values()) <= ENDED:
                return
            self.world.pass_time(days=24 if night == 0 else 3)
