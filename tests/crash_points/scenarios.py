"""The nights in which every point is a place to die: how each begins, its runs, and what goes wrong in it by design."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

from batch.review import Decision
from jobs.sandbox.options import SandboxOptions
from schemas.resolutions import Resolution
from tests.crash_points.forks import watching
from tests.world.hands import HONEST, Decided, times_recorded
from tests.world.schedule import Schedule
from tests.world.story import Story
from tests.world.world import Ended, World

Deed = Callable[[World], None]

COMPLETES, DECLINES, EXPIRES, LASTS, REFUSED, WAITS, PROBLEM, LESS, CAPTURE = (
    f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a00{n}" for n in range(1, 10)
)
MIXED = (COMPLETES, DECLINES, REFUSED, EXPIRES)
QUICK = (COMPLETES, DECLINES, REFUSED)
"""Fates that are decided within an hour."""


def nothing(_world: World) -> None:
    """Nothing happens."""


@dataclass(frozen=True)
class Step:
    """One run, the hours after it, and what is done before and after it.

    `job` is a command's name, or what a person does about the n-th order: `refund 0`, `decide 0 provider-is-right`; about
    the first file it is `decide file` and the decision.
    """

    job: str
    hours: float = 2
    before: Deed = nothing
    after: Deed = nothing


@dataclass(frozen=True)
class Scenario:
    """A story whose every run of `steps` may die at every point. `engine`: the merchant's own retry wakes after each death.

    Where an order is not decided within an hour, a quiet night and a poll follow, and another night beyond every expiry.
    `until`: the first step's points are counted up to this label. `changed`: the orders whose rows the merchant changes.
    `alike`: the books that must end as without a death, all of them where it is None; what nobody can know after a death
    stays in doubt, or is asked for anew, and the other books say so. `is_decided`: each order ends in the steps themselves.
    `followed`: the runs after the steps, in which nobody dies.
    """

    name: str
    steps: tuple[Step, ...]
    tokens: tuple[str, ...] = MIXED
    begin: Deed = nothing
    options: SandboxOptions = field(default_factory=SandboxOptions)
    engine: bool = True
    until: str = ""
    changed: tuple[int, ...] = ()
    alike: tuple[str, ...] | None = None
    is_decided: bool = False
    followed: tuple[Step, ...] = ()

    def world(self) -> World:
        """A fresh world at this scenario's beginning."""
        world = World(1, options=self.options, orders=len(self.tokens))
        for order_id, token in zip(world.order_ids, self.tokens, strict=True):
            world.merchant.change(order_id, payment_token=token)
        world.given = world.merchant.rows()
        self.begin(world)
        return world

    def play(self, world: World, first: int = 0, end: int | None = None) -> None:
        """Let these steps happen."""
        for step in (*self.steps, *self.followed)[first:end]:
            step.before(world)
            perform(world, step.job)
            self.afterwards(world, step)

    def afterwards(self, world: World, step: Step) -> None:
        """What follows a step that came to its end."""
        step.after(world)
        world.pass_time(hours=step.hours)

    def settle(self, world: World) -> None:
        """The quiet time after the last step."""
        if self.is_decided or set(self.tokens) <= set(QUICK):
            return
        world.run("nightly")
        world.pass_time(hours=3)
        world.run("poll")
        world.pass_time(days=24)
        world.run("nightly")
        world.pass_time(hours=3)

    def story(self, world: World) -> Story:
        """What the oracle judges."""
        changed = {world.order_ids[number]: "paid" for number in self.changed}
        story = Story(world, Schedule(1, len(self.tokens), ()), changed)
        for decided in (_decided(world, step.job) for step in self.steps if step.job.startswith("decide")):
            times = times_recorded(world, decided.about)
            story.decided += [replace(decided, is_recorded=True)] * times if times else [decided]
        return story


def perform(world: World, job: str) -> Ended:
    """Let a command run, or a person ask for something or decide about something."""
    kind, _, about = job.partition(" ")
    if kind in ("cancel", "capture", "refund"):
        order_id = world.order_ids[int(about)]
        amount_minor = int(world.given[order_id]["amount_minor"])
        return world.ask(kind, order_id, amount_minor // 3 if kind == "refund" else amount_minor)
    if kind == "decide":
        decided = _decided(world, job)
        return world.decide(Decision(decided.about, decided.resolution, "as support says", HONEST))
    return world.run(job)


def _decided(world: World, job: str) -> Decided:
    """What a person decides about the n-th order, or about the first file."""
    _, which, resolution = job.split(" ")
    if which != "file":
        order_id = world.order_ids[int(which)]
        return Decided(f"order:{order_id}", Resolution(resolution), (order_id,), 0)
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
        batch_id, file_name = connection.execute("SELECT batch_id, file_name FROM batch ORDER BY rowid").fetchone()
    renames = [number for number, send in enumerate(world.witness.sends) if send.kind == "rename"]
    return Decided(f"batch:{batch_id}", Resolution(resolution), tuple(world.order_ids), renames[0] + 1, file_name)


def dies_at(label: str, job: str = "nightly", minutes: float = 0) -> Deed:
    """A run dies at the first point of this label, and so many minutes pass."""

    def deed(world: World) -> None:
        def at_each(here: str) -> None:
            if here == label:
                world.points.die()

        with watching(world, at_each):
            assert world.run(job).killed, f"no run came to {label}"
        world.pass_time(minutes=minutes)

    return deed


def both(*deeds: Deed) -> Deed:
    """One after the other."""

    def deed(world: World) -> None:
        for each in deeds:
            each(world)

    return deed


def fault(name: str, times: int = 1, skip: int = 0) -> Deed:
    """The provider misbehaves so, once or so many times."""
    return lambda world: world.provider.faults.switch_on(name, times=times, skip=skip)


def runs(job: str, hours: float) -> Deed:
    """A run comes to its end, and so many hours pass."""

    def deed(world: World) -> None:
        world.run(job)
        world.pass_time(hours=hours)

    return deed


def elsewhere(world: World) -> None:
    """The run that holds the lease is one of another machine, and its lease runs out."""
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection, connection:
        changed = connection.execute("UPDATE lease SET host='elsewhere' WHERE run_id IS NOT NULL").rowcount
    assert changed == 1, "nobody holds the lease"
    world.pass_time(minutes=16)


def first_use(world: World) -> None:
    """There is no ledger yet."""
    world.ground.ledger_path.unlink()


def paid(*which: int) -> Deed:
    """These orders are good charges."""

    def deed(world: World) -> None:
        for number in which:
            world.merchant.change(world.order_ids[number], status="paid", response_code="100")

    return deed


def two_sites(world: World) -> None:
    """Every second order is of the other site, in euros."""
    for order_id in world.order_ids[1::2]:
        world.merchant.change(order_id, site="acme-eu", currency="EUR")
    world.given = world.merchant.rows()


def by_calls(world: World) -> None:
    """Orders and copies are handed over by calls."""
    channels = world.settings.channels.model_copy(update={"evaluate": "api", "transmit": "api"})
    world.settings = world.settings.model_copy(update={"channels": channels})


def sent_and_lost(world: World) -> None:
    """A file is sent, and deleted by mistake before the provider has taken it."""
    world.run("nightly")
    for path in sorted(world.provider.inbound.iterdir()):
        path.unlink()
    world.pass_time(hours=2)


def small_files(world: World) -> None:
    """A file takes two orders."""
    channels = world.settings.channels.model_copy(update={"max_rows_per_file": 2})
    world.settings = world.settings.model_copy(update={"channels": channels})


def full_disk(world: World) -> None:
    """A night finds its disk full."""
    world.disk.full = True
    world.run("nightly")
    world.disk.full = False
    world.pass_time(minutes=30)


def mends(world: World) -> None:
    """The merchant mends the rows that the provider refused, and sets them back to declined, charged anew."""
    fresh = (world.clock.now() - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for order_id, row in world.merchant.rows().items():
        if row["payment_token"] == REFUSED and row["status"] == "not_recovered":
            world.merchant.change(order_id, payment_token=COMPLETES, status="declined", charged_at=fresh)


def denies(world: World) -> None:
    """The provider takes a file, and the only answer that appears says that it refused each row; the merchant sets them back."""
    world.provider.faults.switch_on("no_acknowledgement")
    world.run("nightly")
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
        ((file_name,),) = connection.execute("SELECT file_name FROM batch").fetchall()
        numbers = connection.execute("SELECT order_id, sequence_number FROM submission").fetchall()
    no = {"orderSessionKey": None, "status": "FAILED", "result": "Failed", "errors": ["no"]}
    rows = [{"sequenceNumber": str(number), "orderId": order_id, **no} for order_id, number in numbers]
    head = {"file": file_name, "kind": "evaluate", "mid": world.provider.mid, "result": "success", "errors": []}
    answer = world.provider.outbound / f"{file_name.rpartition('.')[0]}_response.json"
    answer.write_text(json.dumps({**head, "responses": rows}), encoding="utf-8")
    world.pass_time(minutes=10)
    world.run("poll")
    for order_id in world.order_ids:
        world.merchant.change(order_id, status="declined")


def bought(world: World) -> None:
    """The merchant is paid for the first order in another way."""
    world.merchant.change(world.order_ids[0], status="paid")


def reachable(world: World) -> None:
    """Whatever went wrong goes right again."""
    world.provider.faults.clear()


BOOKS = "before create ."
"""From here on a run writes finance's files; where another scenario dies in that, this one need not."""

NIGHT, POLL = Step("nightly"), Step("poll", hours=20)
UNREACHABLE = Step(
    "nightly",
    hours=0.5,
    before=both(fault("drop_after_rename"), fault("refuse_connection", skip=1, times=9)),
    after=reachable,
)
"""The answer to the rename is lost, and nobody can look."""

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("quiet night", (NIGHT, POLL), tokens=(*MIXED, LASTS, WAITS)),
        Scenario("first use", (NIGHT,), begin=first_use, until="after commit orders"),
        Scenario("refused rows", (NIGHT, POLL), tokens=(REFUSED, COMPLETES, REFUSED)),
        Scenario("refused file", (Step("nightly", before=fault("refuse_file")), POLL), tokens=QUICK),
        Scenario("lost rename answer", (Step("nightly", before=fault("drop_after_rename")), POLL), tokens=QUICK),
        Scenario("rename never arrived", (Step("nightly", before=fault("drop_before_rename")), POLL), tokens=QUICK),
        Scenario("stale part", (NIGHT, POLL), tokens=QUICK, begin=dies_at("before SFTP rename", minutes=20)),
        Scenario(
            "every kind of answer",
            (POLL, Step("poll")),
            tokens=(*MIXED, LASTS, WAITS, PROBLEM, LESS, CAPTURE),
            begin=runs("nightly", 2),
        ),
        Scenario("resumed claim", (NIGHT, POLL), tokens=QUICK, begin=dies_at("before commit orders", minutes=5)),
        Scenario(
            "no acknowledgement, found by asking",
            (POLL, Step("poll")),
            tokens=QUICK[:2],
            begin=both(fault("no_acknowledgement"), runs("nightly", 2)),
        ),
        Scenario(
            "in doubt at the rename",
            (UNREACHABLE, NIGHT, POLL),
            tokens=QUICK[:2],
        ),
        Scenario(
            "transmit",
            (Step("transmit"), Step("transmit"), NIGHT, POLL),
            tokens=(*QUICK, COMPLETES, COMPLETES),
            begin=paid(2, 3, 4),
            changed=(2, 3, 4),
        ),
        Scenario(
            "second business date",
            (Step("nightly", 0, after=mends), Step("poll", 20), Step("nightly"), POLL),
            tokens=(REFUSED, COMPLETES, DECLINES),
            engine=False,
        ),
        Scenario("refused falsely", (NIGHT,), tokens=(LASTS, LASTS), until=BOOKS, begin=denies, engine=False),
        Scenario("after a full disk", (NIGHT, POLL), tokens=QUICK, begin=full_disk),
        Scenario(
            "lease of another machine",
            (NIGHT, POLL),
            tokens=QUICK,
            begin=both(dies_at("asked SFTP write"), elsewhere),
        ),
        Scenario("two sites and currencies", (NIGHT, POLL), tokens=(*MIXED, *QUICK), begin=two_sites),
        Scenario("several files", (NIGHT, POLL), tokens=(*QUICK, *QUICK[:2]), begin=small_files),
        Scenario(
            "paid elsewhere meanwhile", (POLL, NIGHT), tokens=QUICK[:2], begin=both(runs("nightly", 2), bought), changed=(0,)
        ),
        Scenario("calls", (NIGHT,), tokens=QUICK, begin=by_calls, alike=(), followed=(POLL,)),
        Scenario(
            "calls without an answer",
            (Step("nightly", before=fault("reset_connection", skip=1)),),
            until=BOOKS,
            followed=(POLL,),
            tokens=QUICK[:2],
            begin=by_calls,
            alike=(),
        ),
        Scenario(
            "copies by calls",
            (Step("transmit"),),
            until=BOOKS,
            followed=(Step("transmit"),),
            tokens=(COMPLETES, COMPLETES),
            begin=both(by_calls, paid(0, 1)),
            changed=(0, 1),
            alike=("provider", "order rows"),
        ),
        Scenario(
            "cancel",
            (Step("cancel 0"),),
            until=BOOKS,
            tokens=QUICK[:2],
            begin=runs("nightly", 0.2),
            alike=(),
            followed=(Step("poll"), Step("poll")),
        ),
        Scenario(
            "refund",
            (Step("refund 0"),),
            tokens=QUICK[:2],
            begin=both(runs("nightly", 2), runs("poll", 20)),
            alike=("order rows", "order states", "provider", "not written back"),
            followed=(POLL, Step("refund 0"), Step("poll")),
        ),
        Scenario(
            "capture",
            (Step("capture 0"),),
            until=BOOKS,
            followed=(POLL, Step("capture 0"), Step("poll")),
            tokens=(CAPTURE, COMPLETES),
            begin=both(runs("nightly", 2), runs("poll", 2)),
            alike=("order rows", "order states", "provider", "not written back"),
            is_decided=True,
        ),
        Scenario(
            "a decision about an order",
            (Step("decide 0 provider-is-right"),),
            until=BOOKS,
            followed=(Step("poll"),),
            tokens=QUICK[:2],
            begin=both(fault("contradictory_rows"), runs("nightly", 2)),
        ),
        Scenario(
            "a decision about a file",
            (Step("decide file support-confirmed-never-arrived"),),
            until=BOOKS,
            followed=(NIGHT, POLL, POLL),
            tokens=QUICK[:2],
            options=SandboxOptions(pickup_delay_seconds=300),
            begin=both(sent_and_lost, runs("poll", 20)),
        ),
        Scenario("pairs: night", (NIGHT, Step("poll")), tokens=QUICK),
        Scenario("pairs: stale part", (NIGHT, Step("poll")), tokens=QUICK, begin=dies_at("before SFTP rename", minutes=20)),
    )
}
