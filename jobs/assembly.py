"""Putting a run together from the settings: databases, keys, connections, profile and rules. Nothing else opens anything."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from batch.equipment import Clock, Equipment, Progress
from batch.export import ExportFolder
from batch.ledger import Ledger
from batch.ledger.identity import Identity, check_identity, lock_identity
from batch.source import OrderSource
from batch.writeback import OrderWriter
from jobs.databases import open_ledger, open_orders
from jobs.surroundings import Surroundings
from schemas.decline_codes import parse_decline_codes
from schemas.errors import PathMissing
from schemas.network_rules import parse_network_rules
from schemas.profile import Profile, parse_profile
from schemas.settings import Settings

if TYPE_CHECKING:
    from batch.bookkeeping import Bookkeeping
    from batch.sftp_connection import SftpAccess


@dataclass(frozen=True, slots=True)
class Workshop:
    """A run's equipment, what writes finance's files, and the surroundings that all of it was made from."""

    equipment: Equipment
    bookkeeping: "Bookkeeping"
    surroundings: Surroundings


class Silent:
    """A progress that nobody watches."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""


def api_url(settings: Settings, profile: Profile) -> str:
    """The provider's API as the settings or, where they leave it open, the environment name it; always ends in a slash."""
    url = settings.provider.api_url or getattr(profile.hosts, settings.environment)
    return url if url.endswith("/") else f"{url}/"


def load_profile(settings: Settings) -> Profile:
    """The provider profile that the settings name: a packaged one, or a file. Raises PathMissing, ConfigurationError."""
    name = settings.provider.profile
    packaged = files("schemas") / "profiles" / f"{name}.toml"
    source = Path(name) if name.endswith(".toml") else packaged
    if not source.is_file():
        raise PathMissing(f"There is no provider profile {name} (provider.profile).")
    return parse_profile(source.read_text(encoding="utf-8"))


@contextlib.contextmanager
def assemble(
    settings: Settings,
    surroundings: Surroundings,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    writes: bool = True,
) -> Iterator[Workshop]:
    """Everything that a run needs, checked before anything is sent, and closed afterwards.

    Without `writes` (a dry run) the ledger is opened as it is, or stands in memory while there is none yet.
    Raises ConfigurationError for settings or files that are not fit, SafetyRefusal when the ledger belongs elsewhere.
    """
    from batch.audit import AuditFolder
    from batch.bookkeeping import Bookkeeping
    from batch.ledger_history import LedgerHistory
    from batch.sftp import SftpFolder
    from batch.sftp_connection import SftpConnections

    profile = load_profile(settings)
    secrets = {name: surroundings.secret(settings, name) for name in ("app_key", "app_secret")}
    access = surroundings.sftp_access(settings)
    orders_engine, orders = open_orders(settings.orders.url, settings.orders, make_engine=surroundings.make_engine)
    ledger, scrub_key = _ledger(settings, profile, access, surroundings, writes=writes)
    connections = SftpConnections(access)
    api = _api(settings, profile, secrets, surroundings)
    packaged = files("schemas")
    workers = workers or settings.sftp.transports * settings.sftp.channels
    equipment = Equipment(
        settings=settings,
        profile=profile,
        network_rules=parse_network_rules((packaged / "network_rules.toml").read_text(encoding="utf-8")),
        decline_codes=parse_decline_codes((packaged / "decline_codes.toml").read_text(encoding="utf-8")),
        ledger=ledger,
        source=OrderSource(orders_engine, orders),
        writer=OrderWriter(orders_engine, orders),
        folder=SftpFolder(connections, inbound=settings.sftp.inbound, outbound=settings.sftp.outbound),
        api=api,
        export=ExportFolder(settings.data_dir / "export", surroundings.disk),
        clock=surroundings.clock,
        new_batch_id=surroundings.new_batch_id,
        scrub_key=scrub_key,
        side_by_side=surroundings.side_by_side(workers),
        progress=progress or Silent(),
    )
    history = LedgerHistory(ledger.reading, ledger.mid)
    audit = AuditFolder(settings.data_dir / "audit", surroundings.disk)
    bookkeeping = Bookkeeping(history=history, folder=audit, settings=settings)
    try:
        yield Workshop(equipment, bookkeeping, surroundings)
    finally:
        connections.close()
        api.close()
        ledger.engine.dispose()
        orders_engine.dispose()


@contextlib.contextmanager
def open_books(settings: Settings, *, clock: Clock) -> Iterator[tuple[Ledger, OrderSource, OrderWriter]]:
    """The ledger and the order system for commands that only look; no secret is needed and nothing is created."""
    engine = open_ledger(settings.ledger.url, create=False)
    ledger = Ledger(engine, mid=settings.provider.mid, clock=clock, lease_seconds=settings.lease.seconds)
    orders_engine, orders = open_orders(settings.orders.url, settings.orders)
    try:
        yield ledger, OrderSource(orders_engine, orders), OrderWriter(orders_engine, orders)
    finally:
        engine.dispose()
        orders_engine.dispose()


def _ledger(
    settings: Settings, profile: Profile, access: "SftpAccess", surroundings: Surroundings, *, writes: bool
) -> tuple[Ledger, bytes]:
    """The ledger, locked to these settings at first use. Raises IdentityChanged when it is locked to others."""
    from batch.sftp_connection import fingerprint

    engine = open_ledger(settings.ledger.url, create=writes, make_engine=surroundings.make_engine)
    ledger = Ledger(
        engine,
        mid=settings.provider.mid,
        clock=surroundings.clock,
        lease_seconds=settings.lease.seconds,
        may_go_on=surroundings.stop.check,
    )
    wanted = Identity(
        environment=settings.environment,
        api_url=api_url(settings, profile),
        mid=settings.provider.mid,
        host_key=" ".join(sorted(fingerprint(key) for key in access.host_keys)),
    )
    fresh_key = surroundings.new_scrub_key()
    if not writes:
        return ledger, check_identity(ledger, wanted) or bytes.fromhex(fresh_key)
    return ledger, lock_identity(ledger, wanted, ledger_id=surroundings.new_run_id(), scrub_key=fresh_key)


def _api(settings: Settings, profile: Profile, secrets: dict[str, str], surroundings: Surroundings) -> "ProviderApi":
    from batch.api import ApiAccess, ProviderApi

    access = ApiAccess(api_url(settings, profile), lambda: secrets["app_key"], lambda: secrets["app_secret"])
    return ProviderApi(access, surroundings.http_transport(), profile=profile, clock=surroundings.clock)


if TYPE_CHECKING:
    from batch.api import ProviderApi
