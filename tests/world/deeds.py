"""What happens in the midst of a run, at a point of it: each kind of deed as a function that is done there."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.world import counted, hands
from tests.world.dice import dice
from tests.world.merchant import RowChange
from tests.world.schedule import Deed
from tests.world.turning import turn

if TYPE_CHECKING:
    from tests.world.story import Story

Act = Callable[[], None]


def act_of(story: "Story", deed: Deed) -> Act:
    """What to do when the point of a deed is reached."""
    return lambda: _ACTS[deed.kind](story, deed)


def _crash(story: "Story", _deed: Deed) -> None:
    story.strike(*counted.kill_ids(story))
    story.world.points.die()


def _power_cut(story: "Story", deed: Deed) -> None:
    story.strike("P-11", *counted.kill_ids(story))
    story.world.points.die()
    story.world.disk.power_cut(dice(story.schedule.seed, "cut", deed.run, deed.at))


def _engine(story: "Story", _deed: Deed) -> None:
    if story.world.merchant.path.exists():
        story.world.wake_engine()


def _disk_full(story: "Story", _deed: Deed) -> None:
    story.world.disk.full = True


def _leap(story: "Story", deed: Deed) -> None:
    story.strike("P-16")
    story.world.leap(timedelta(seconds=int(deed.name)))


def _merchant(story: "Story", deed: Deed) -> None:
    order_id = dice(story.schedule.seed, "changed", deed.at).choice(story.world.order_ids)
    if not story.world.merchant.path.exists():
        return
    try:
        changed = change_row(story, order_id, deed.name)
    except (sqlite3.OperationalError, sqlite3.IntegrityError):
        return  # the table is locked, or refuses every change for now
    is_told = story.changed.get(order_id) in ("amount", "currency")  # a later change does not bring these back
    if (changed or deed.name in _FIRST_CHANGES) and not is_told:
        story.changed[order_id] = deed.name
    if changed:
        story.strike(*counted.MERCHANT_IDS[deed.name])


_FIRST_CHANGES = {"paid", "cancelled", "amount", "gone"}

_STATEMENTS = {
    "gone": "DELETE FROM orders WHERE order_id=?",
    "amount": "UPDATE orders SET amount_minor=amount_minor+1 WHERE order_id=?",
    "currency": "UPDATE orders SET currency='EUR' WHERE order_id=? AND currency<>'EUR'",
    "retry": "UPDATE orders SET retry_state='in_flight' WHERE order_id=? AND status='declined' AND hold_reference IS NULL",
    "set back": "UPDATE orders SET status='declined', hold_reference=NULL, charged_at=:now WHERE order_id=?"
    " AND status='not_recovered'",
    "set back held": "UPDATE orders SET status='declined' WHERE order_id=? AND status='pending'",
    "hold taken": "UPDATE orders SET hold_reference='theirs' WHERE order_id=? AND hold_reference IS NOT NULL",
}


def change_row(story: "Story", order_id: str, how: str) -> bool:
    """The merchant changes a row by hand. Whether there was anything to change; raises OperationalError when it is locked."""
    statement = _STATEMENTS.get(how, f"UPDATE orders SET status='{how}' WHERE order_id=?")
    statement = statement.replace(":now", f"'{story.hours_ago(1)}'")
    with closing(sqlite3.connect(story.world.merchant.path, timeout=0)) as connection, connection:
        found = connection.execute("SELECT hold_reference FROM orders WHERE order_id=?", (order_id,)).fetchone()
        has_changed = connection.execute(statement, (order_id,)).rowcount > 0
    if has_changed:
        story.changes.append(RowChange(order_id, how, found[0] or "", len(story.world.points.labels)))
    return has_changed


def _second_run(story: "Story", deed: Deed) -> None:
    points = story.world.points
    here = points.labels[-1]
    if not deed.label and (here.startswith("before commit") or " HTTP " in here):
        points.plan.setdefault(len(points.labels) + 1, []).append(act_of(story, deed))
        return
    story.strike("P-12", "O-01")
    beside(story, deed.name or "nightly")


def _paused(story: "Story", deed: Deed) -> None:
    """The runner stands still for longer than its lease; another one runs; then the first goes on as if nothing had been."""
    story.world.provider.advance(timedelta(seconds=story.world.settings.lease.seconds + 100))
    before = len(story.world.runs)
    beside(story, deed.name or "nightly")
    if any(ended.code != 21 for _, ended in story.world.runs[before:]):
        story.strike("P-13")


def beside(story: "Story", job: str) -> None:
    """Another run, while the first stands at a point of its own; in a thread of its own where the first is inside a loop."""
    work = partial(hands.do, story, job) if job.partition(" ")[0] in hands.JOBS else partial(story.world.run, job)
    with story.wish.of_another():
        if not _is_in_a_loop():
            work()
            return
        runner = threading.Thread(target=work)
        runner.start()
        runner.join()


def _is_in_a_loop() -> bool:
    """Whether the run that stands still is in the midst of its calls: no second loop may be begun in its thread."""
    with suppress(RuntimeError):
        return asyncio.get_running_loop().is_running()
    return False


def _stop(story: "Story", deed: Deed) -> None:
    story.strike("P-17")
    story.world.witness.asks_to_stop()
    if deed.name == "twice":
        raise KeyboardInterrupt
    story.wish.want(deed.name)


def _commit(story: "Story", deed: Deed) -> None:
    """A COMMIT fails, or happened and its answer is lost: the label says which."""
    story.strike(*(("P-20",) if "orders" in deed.label else ("P-15",)))
    raise sqlite3.OperationalError("disk I/O error")


def _locked(story: "Story", deed: Deed) -> None:
    """Another program takes a database for itself, until the run has ended."""
    path = story.world.ground.ledger_path if deed.name == "ledger" else story.world.ground.orders_path
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        connection.close()
        return
    story.locks.append(connection)
    story.strike("P-15" if deed.name == "ledger" else "P-20")


def _orders(story: "Story", deed: Deed) -> None:
    """The order system is slow: this call takes so many seconds."""
    story.strike("P-20")
    story.world.clock.advance(timedelta(seconds=int(deed.name)))


def _backup(story: "Story", _deed: Deed) -> None:
    story.backup = story.ledger_now()


def _told(story: "Story", deed: Deed) -> None:
    """In the midst of a run the provider tells of an order that it has, whether it is true or not."""
    world = story.world
    world.receiver.register()
    orders = world.provider._brain.orders()
    if orders:
        order = dice(story.schedule.seed, "told", deed.run, deed.at).choice(list(orders))
        world.provider.webhooks.send(deed.name, order)
        world.provider.webhooks.catch_up()


def _switch(story: "Story", deed: Deed) -> None:
    """Somebody turns a switch while a run is at work; where it has the ledger just now, they try again at the next point."""
    with story.wish.of_another():
        if turn(story, deed.name, is_alone=not _is_in_a_loop()):
            points = story.world.points
            points.plan.setdefault(len(points.labels) + 1, []).append(act_of(story, deed))


_ACTS: dict[str, Callable[["Story", Deed], None]] = {
    "crash": _crash,
    "power cut": _power_cut,
    "engine": _engine,
    "disk full": _disk_full,
    "leap": _leap,
    "merchant": _merchant,
    "second run": _second_run,
    "paused": _paused,
    "stop": _stop,
    "commit": _commit,
    "locked": _locked,
    "orders": _orders,
    "backup": _backup,
    "told": _told,
    "switch": _switch,
}
AT_A_POINT = frozenset(_ACTS)
