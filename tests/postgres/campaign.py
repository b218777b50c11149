"""The campaign on PostgreSQL: two runners on one ledger, judged by what the database keeps, and whole nights.

`Nights(ground, seed, figures).play()` lets one of the nights happen again.
"""

import logging
import os
import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from batch.ledger import Run
from batch.ledger.batches import batch_by_id
from batch.ledger.lease import end_run
from batch.ledger.moves import Move, move_orders
from batch.ledger.steps import move_batch
from schemas.errors import AnotherRunActive, ExitCode, IllegalTransition, LeaseLost, TransitionLost
from schemas.states import EDGES, BatchStep, State
from tests.ledger.room import MID, TERMS
from tests.long.campaign import Campaign, on_all_cores
from tests.postgres.cluster import Cluster, running_cluster
from tests.postgres.nights import Ground, Nights
from tests.postgres.room import PostgresRoom

ORDERS = ("o-1", "o-2", "o-3")
STEPS = 10
REFUSALS = (AnotherRunActive, IllegalTransition, LeaseLost, TransitionLost)


class _Schedule:
    """One seed's schedule: two runners, of which each may believe that it still holds the lease."""

    def __init__(self, room: PostgresRoom, seed: int, figures: Counter[str]) -> None:
        self.room, self.rng, self.figures, self.seed = room, random.Random(seed), figures, seed  # noqa: S311 - a seed's choices
        self.runs: list[Run] = [room.run, room.run]
        self.orders = [f"{seed}-{name}" for name in ORDERS]
        self.batches: list[str] = []
        self.violations: list[str] = []

    def play(self) -> list[str]:
        """Let the runners act in the seed's order. Returns what was violated."""
        for number in range(STEPS):
            runner = self.rng.randrange(2)
            act = self.rng.choice([self._take, self._claim, self._claim, self._move, self._intent, self._pause])
            before = self._committed()
            stale = self.runs[runner].token != self._token()
            try:
                act(runner, number)
                self.figures["steps that were written"] += 1
                if stale and act.__name__ not in {"_take", "_pause"} and self._committed() != before:
                    self.violations.append(f"I11: seed {self.seed}, step {number}: a stale token wrote.")
            except REFUSALS as refused:
                self.figures[f"refused: {type(refused).__name__}"] += 1
                if self._committed() != before:
                    self.violations.append(f"I11: seed {self.seed}, step {number}: a refused step left something behind.")
        return [*self.violations, *self._twice()]

    def _take(self, runner: int, number: int) -> None:
        self.runs[runner] = self.room.take(f"{self.seed}-{number}", alive=self.rng.random() < 0.5)

    def _pause(self, _runner: int, _number: int) -> None:
        self.room.clock.advance(timedelta(seconds=self.rng.choice([1, TERMS.seconds + 1])))

    def _claim(self, runner: int, number: int) -> None:
        self.room.run = self.runs[runner]
        batch_id = f"{self.seed % 10**8:08d}{number:04d}"
        self.room.claim(batch_id, *self.rng.sample(self.orders, self.rng.randint(1, 3)))
        self.batches.append(batch_id)

    def _move(self, runner: int, _number: int) -> None:
        rows = self.room.sql("SELECT DISTINCT order_id FROM submission WHERE order_id = ANY(?) ORDER BY 1", self.orders)
        moves = []
        for (order_id,) in rows:
            old = self.room.submission(str(order_id))
            if EDGES[old.state]:
                moves.append(Move(old, self.rng.choice(sorted(EDGES[old.state])), "poll", "as the seed says"))
        with self.room.ledger.writing(self.runs[runner]) as writing:
            move_orders(writing, moves)

    def _intent(self, runner: int, _number: int) -> None:
        if not self.batches:
            return
        with self.room.ledger.writing(self.runs[runner]) as writing:
            batch = batch_by_id(writing.connection, MID, self.rng.choice(self.batches))
            assert batch is not None
            move_batch(writing, batch, BatchStep.SENDING, reason="intent")

    def _token(self) -> object:
        return self.room.sql("SELECT token FROM lease")[0][0]

    def _committed(self) -> list[tuple[object, ...]]:
        return self.room.sql(
            "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM submission), (SELECT count(*) FROM batch), "
            "(SELECT count(*) FROM run)"
        )

    def _twice(self) -> list[str]:
        active = self.room.sql(
            "SELECT order_id FROM submission WHERE order_id = ANY(?) AND state NOT IN (?, ?) "
            "GROUP BY order_id HAVING count(*) > 1",
            self.orders,
            State.WITHDRAWN.value,
            State.REJECTED.value,
        )
        backwards = self.room.sql(
            "SELECT subject FROM (SELECT e.subject, r.fencing_token < lag(r.fencing_token) OVER (PARTITION BY e.subject "
            "ORDER BY e.seq) AS older FROM event e JOIN run r USING (mid, run_id)) AS chain WHERE older"
        )
        return [f"I2: seed {self.seed}: order {row[0]} is claimed twice." for row in active] + [
            f"I11: seed {self.seed}: an older run wrote after a newer one in {row[0]}." for row in backwards
        ]


def campaign(size: int, seed: int) -> Campaign:
    """`size` schedules on PostgreSQL from this seed on, on all cores, each with a cluster of its own: every second one is
    a whole night whose connections die, the others are two runners on one ledger."""
    began, cores = time.monotonic(), os.cpu_count() or 1
    figures, violations = Counter[str](), list[str]()
    for part in on_all_cores(_share, [(size, seed, core, cores) for core in range(cores)]):
        figures.update(part.figures)
        violations += part.violations
    return Campaign("T11", "PostgreSQL", dict(figures), tuple(violations), time.monotonic() - began)


def _share(share: tuple[int, int, int, int]) -> Campaign:
    size, seed, core, cores = share
    mine = len(range(core, size, cores))
    with running_cluster() as cluster:
        runners = campaign_on(cluster, mine - mine // 2, seed * cores + core)
        figures, violations = Counter(runners.figures), list(runners.violations)
        ground = Ground(cluster)
        for number in range(mine // 2):
            nights = Nights(ground, (seed * cores + core) * 1_000_000 + number, figures)
            violations += nights.play()
        figures["PostgreSQL schedules"] += mine // 2
        figures["of them whole nights"] += mine // 2
        figures["connections killed"] += ground.killer.fired
        ground.leave()
    return Campaign("T11", "one core's share", dict(figures), tuple(violations), 0)


def campaign_on(cluster: Cluster, size: int, seed: int) -> Campaign:
    """The same on a cluster that runs already. A new ledger is made for every 200 schedules."""
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of every refused step
    began, figures, violations = time.monotonic(), Counter[str](), list[str]()
    for first in range(0, size, 200):
        room = PostgresRoom(Path(cluster.database()), cluster=cluster)
        for number in range(first, min(first + 200, size)):
            schedule = _Schedule(room, seed * 1_000_000 + number, figures)
            violations += schedule.play()
            room.clock.advance(timedelta(seconds=TERMS.seconds + 1))
            room.run = room.take(f"{schedule.seed}-end")
            end_run(room.ledger, room.run, ExitCode.CLEAN)
            room.run = room.take(f"{schedule.seed}-next")
            figures["PostgreSQL schedules"] += 1
        room.close()
    return Campaign("T11", "Two runners on PostgreSQL", dict(figures), tuple(violations), time.monotonic() - began)
