"""What happens before a run begins: rows, settings, files, the ledger itself, and what an operator does to them."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.sandbox.options import SandboxOptions
from schemas.settings import Settings
from tests.night.house import order
from tests.world.schedule import Deed, Schedule
from tests.world.traits import TRAITS
from tests.world.world import START, World

if TYPE_CHECKING:
    from tests.world.story import Story

SETTINGS_IDS: dict[str, tuple[str, ...]] = {
    "channels.evaluate": ("O-04",),
    "channels.evaluate_format": ("O-04",),
    "channels.transmit": ("O-04",),
    "schedule.timezone": ("O-08",),
    "provider.mid": ("O-05",),
    "provider.api_url": ("O-05",),
    "provider.expiry_days": ("D-14",),
    "channels.max_rows_per_file": ("D-11",),
}
"""The ids of changing a setting between two runs."""

SETTLED = frozenset(
    "completed declined expired cancelled rejected withdrawn review refunded partially_refunded chargeback".split()
)
"""States in which nobody waits for the provider any more."""

FOR_ONE_RUN = {"provider.mid", "provider.api_url"}


def world_of(schedule: Schedule) -> World:
    """The world that a schedule begins with: the provider's ways and the time at which it starts."""
    options: dict[str, Any] = {}
    start = START
    for deed in schedule.deeds:
        if deed.kind == "provider":
            key, _, value = deed.name.partition("=")
            options[key] = json.loads(value)
        if deed.kind == "start":
            start = datetime.fromisoformat(deed.name.partition(" ")[0])
    is_sync = options.pop("account", "managed") == "sync"
    hides = not options.pop("shows_refunds", True)
    given = SandboxOptions(**options)
    world = World(schedule.seed, given, orders=schedule.orders, start=start, is_sync=is_sync, hides_refunds=hides)
    for deed in schedule.deeds:
        if deed.kind == "start" and (zone := deed.name.partition(" ")[2]):
            world.settings = changed_settings(world.settings, "schedule.timezone", zone)
    return world


def changed_settings(settings: Settings, key: str, value: object) -> Settings:
    """The settings with one key changed, checked as they are when they are read from the file."""
    section, _, name = key.partition(".")
    if not name:
        assert isinstance(value, dict), f"{key} is a section; its keys are changed together"
        old = getattr(settings, section)
        return settings.model_copy(update={section: type(old).model_validate({**old.model_dump(), **value})})
    if section == "site":
        sites = tuple(each.model_copy(update={"enabled": bool(value)}) if each.name == name else each for each in settings.sites)
        return settings.model_copy(update={"sites": sites})
    old = getattr(settings, section)
    return settings.model_copy(update={section: type(old).model_validate({**old.model_dump(), name: value})})


def do_before(story: "Story", deed: Deed) -> None:
    """Do what a deed does before its run."""
    _BEFORE[deed.kind](story, deed)


def _settings(story: "Story", deed: Deed) -> None:
    key, _, value = deed.name.partition("=")
    if key in FOR_ONE_RUN and not any(ended.report for _, ended in story.world.runs):
        return  # a first use with them would tie the ledger to them for good
    if key.startswith(("channels.evaluate", "channels.transmit")) and _knows_no_files(story):
        return
    if key in FOR_ONE_RUN:
        story.undo.append(_put_settings(story, story.world.settings))
    story.world.settings = changed_settings(story.world.settings, key, json.loads(value))
    outcomes = story.world.settings.outcomes
    story.hears |= {outcomes.ask} | ({"files"} if outcomes.trust_files else set())
    if deed.run or not key.startswith(("schedule.timezone", "channels.evaluate", "channels.transmit")):
        story.strike(*SETTINGS_IDS.get(key, ()))


def _knows_no_files(story: "Story") -> bool:
    """Whether the merchant is in sync mode now, in which everything is called (CONTRACT 7.6)."""
    return story.world.settings.provider.mit_mode == "sync"


def _mode(story: "Story", deed: Deed) -> None:
    """Provider and merchant change the account's mode tonight; both set it back if orders of the old one are open then.

    Where an order that was under review is open once more later on, the next run is refused, and they set it back by its advice.
    """
    world, old = story.world, story.world.settings
    if world.is_sync:
        return  # that account is another one, which has never had another mode
    mode = "managed" if old.provider.mit_mode == "sync" else "sync"
    world.settings = _in_mode(old, mode)
    account, way = world.provider._account, world.provider._account.mode
    object.__setattr__(account, "mode", mode)
    if any(each != mode for each in _open_claims(story)):
        story.strike("O-06")

    def put_back() -> None:
        if any(each != mode for each in _open_claims(story)):
            object.__setattr__(account, "mode", way)
            world.settings = old

    def follow_advice() -> None:
        if any(each != mode for each in _open_claims(story)):
            object.__setattr__(account, "mode", way)
            world.settings = _in_mode(world.settings, old.provider.mit_mode)

    story.undo.append(put_back)
    story.advised.append(follow_advice)


def _in_mode(settings: Settings, mode: str) -> Settings:
    """The settings for an account of this mode; everything is called, as sync mode demands."""
    if settings.channels.evaluate != "api":
        settings = changed_settings(settings, "channels.evaluate", "api")
    return changed_settings(settings, "provider.mit_mode", mode)


def _open_claims(story: "Story") -> list[str]:
    """The modes in which orders are claimed that have not ended; of a customer who was present they have none."""
    query = "SELECT state, mit_mode FROM submission"
    with closing(sqlite3.connect(story.world.ground.ledger_path, timeout=0)) as connection:
        claims = connection.execute(query).fetchall()
    return [mode or "managed" for state, mode in claims if state not in SETTLED and mode != "cit"]


def _put_settings(story: "Story", settings: Settings) -> Callable[[], None]:
    def put() -> None:
        story.world.settings = settings

    return put


def _row(story: "Story", deed: Deed) -> None:
    """An order of the first night is odd from the beginning."""
    trait, world = TRAITS[deed.name], story.world
    order_id = world.order_ids[deed.at % len(world.order_ids)]
    wanted = trait.columns.get("order_id", order_id)
    if order_id in story.traits or (wanted != order_id and wanted in world.order_ids):
        return
    if trait.columns:
        world.merchant.change(order_id, **trait.columns)
    world.order_ids[world.order_ids.index(order_id)] = str(wanted)
    _remember(story, str(wanted), deed.name)


def _order(story: "Story", deed: Deed) -> None:
    """The merchant has a new declined charge."""
    trait = TRAITS[deed.name or "nothing"]
    order_id = str(trait.columns.get("order_id", f"new-{deed.run}-{deed.at}"))
    if order_id in story.world.order_ids:
        return
    story.world.merchant.add(order(order_id, charged_at=story.hours_ago(2)) | trait.columns)
    story.world.order_ids.append(order_id)
    _remember(story, order_id, deed.name or "nothing")


def _remember(story: "Story", order_id: str, name: str) -> None:
    trait = TRAITS[name]
    story.traits[order_id] = name
    story.world.given = {key: row for key, row in story.world.given.items() if key in story.world.order_ids}
    story.world.given[order_id] = story.world.merchant.rows()[order_id]
    currency = trait.columns.get("currency")
    if currency in {"JPY", "KWD"}:
        gate = story.world.settings.gate
        story.world.settings = changed_settings(story.world.settings, "gate.currencies", (*gate.currencies, currency))


def _orders(story: "Story", deed: Deed) -> None:
    """The order system refuses one row or all, or cannot be reached at all, as long as this run lasts."""
    path = story.world.merchant.path
    if deed.name == "away" and path.exists():
        path.rename(path.with_name("away.db"))
        story.undo.append(lambda: _rename(path.with_name("away.db"), path))
        story.strike("P-20")
        return
    if not path.exists():
        return
    order_id = story.world.order_ids[deed.at % len(story.world.order_ids)]
    with closing(sqlite3.connect(path, timeout=0)) as connection, connection:
        quoted = order_id.replace("'", "''")
        which = "" if deed.name == "refuse all" else f"WHEN OLD.order_id='{quoted}'"
        connection.execute(
            f"CREATE TRIGGER IF NOT EXISTS refuse BEFORE UPDATE ON orders {which}"
            " BEGIN SELECT RAISE(ABORT, 'this row is locked for ever'); END"
        )
    story.undo.append(lambda: _accept_again(story, path))


def _rename(old: Path, new: Path) -> None:
    old.rename(new)


def _accept_again(story: "Story", path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0)) as connection, connection:
        connection.execute("DROP TRIGGER IF EXISTS refuse")
    if any(item["kind"] == "write_back_conflict" for item in story.items()):
        story.strike("P-20")


def _restore(story: "Story", deed: Deed) -> None:
    """The ledger is an older copy of itself, an empty one, or, for this run alone, a copy that another host works on."""
    if story.spoilt:
        return
    now = story.ledger_now()
    old = story.world.ground.blank_ledger if deed.name == "empty" else story.backup
    if old is None or old == now or not any(job != "dry run" for job, _ in story.world.runs):
        return
    story.strike("O-07" if deed.name in {"empty", "copy"} else "P-18")
    story.world.ground.put(story.world.ground.ledger_path, old)
    story.restored = True
    if deed.name == "copy":
        story.undo.append(lambda: story.world.ground.put(story.world.ground.ledger_path, now))


def _files(story: "Story", deed: Deed) -> None:
    """An operator deletes or changes files on the server or in our folders."""
    world, found = story.world, False
    place, _, deletes = deed.name.partition(" ")
    if place in {"inbound", "outbound"}:
        for path in sorted((world.provider.folder / "sftp" / place).iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
            found = True
    else:
        for path in [each for each in world.disk.there if place in each.parts]:
            found = True
            story.edited.add(path.parent.name)
            if deletes == "deleted":
                del world.disk.there[path]
            elif path.name == "declines.csv":
                world.disk.there[path] = world.disk.there[path].replace(b'"0', b'"')
    if found:
        story.strike("O-10" if deletes == "deleted" else "O-09")


def _secret(story: "Story", deed: Deed) -> None:
    """The secret was rotated, and our file still has the old one."""
    story.world.secrets[deed.name] = "of last year"
    story.undo.append(story.world.secrets.clear)
    story.strike("O-12")


def _ledger(story: "Story", deed: Deed) -> None:
    """The ledger cannot be used by this version, as long as this run lasts."""
    if story.spoilt:
        return
    ground, now = story.world.ground, story.ledger_now()
    story.spoilt = True
    if deed.name == "newer":
        with closing(sqlite3.connect(ground.ledger_path)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num='9999_of_next_year'")
        story.strike("O-11", "P-19")
    elif deed.name == "damaged":
        ground.put(ground.ledger_path, now[:4096] + b"\xff" * (len(now) - 4096))
        story.strike("P-19")
    else:
        ground.ledger_path.chmod(0o644)
        story.strike("O-12")

    def put_back() -> None:
        ground.ledger_path.chmod(0o600)
        ground.put(ground.ledger_path, now)

    story.undo.append(put_back)


def _webhooks(story: "Story", deed: Deed) -> None:
    """The provider tells everything from now on, with a fault if one is named; one that speaks of tests, to production."""
    world = story.world
    name, _, times = deed.name.partition("*")
    if name == "test_mode_webhook" and not world.runs:
        world.settings = world.settings.model_copy(update={"environment": "production"})
    world.receiver.register()
    if name:
        world.provider.faults.switch_on(name, skip=deed.at, times=int(times or 1))


_BEFORE: dict[str, Callable[["Story", Deed], None]] = {
    "settings": _settings,
    "mode": _mode,
    "row": _row,
    "order": _order,
    "orders": _orders,
    "restore": _restore,
    "files": _files,
    "secret": _secret,
    "ledger": _ledger,
    "webhooks": _webhooks,
}
BEFORE = frozenset(_BEFORE)
