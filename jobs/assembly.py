"""Putting a run together from the settings: databases, keys, connections, profile and rules. Nothing else opens anything."""

import contextlib
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from batch.day_counts import Figures
from batch.departures import Departures
from batch.equipment import Clock, Equipment, Progress
from batch.export import ExportFolder
from batch.ledger import Ledger
from batch.ledger.batches import steps_of
from batch.ledger.calls import not_intended
from batch.ledger.identity import Identity, check_identity, lock_identity
from batch.source import OrderSource
from batch.writeback import OrderWriter
from jobs.databases import MakeEngine, default_engine, leave_no_copy, open_ledger, open_orders
from jobs.event_log import EventLog, NoLog, Telling, note_problem
from jobs.surroundings import Surroundings
from schemas.counted import counted
from schemas.errors import EnvironmentMixed, LedgerBehind, MitbatchError, PathMissing
from schemas.settings import Settings
from schemas.states import BatchStep

if TYPE_CHECKING:
    import paramiko

    from batch.bookkeeping import Bookkeeping
    from batch.drawn_pages import DrawnPages
    from batch.sftp import ProviderFolder
    from batch.sftp_connection import SftpAccess
    from batch.written_dates import WrittenDates
    from schemas.profile import Profile


@dataclass(frozen=True, slots=True)
class Workshop:
    """A run's equipment, what writes finance's files, the surroundings of all of it, the whole API, and the log.

    `calls` counts the calls of the API as they are made.
    """

    equipment: Equipment
    bookkeeping: "Bookkeeping"
    surroundings: Surroundings
    api: "ProviderApi"
    log: EventLog
    calls: Figures = field(default_factory=Counter)


class Silent:
    """A progress that nobody watches."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""

    def trouble(self, sentence: str) -> None:
        """Say nothing; the summary will."""


def api_url(settings: Settings, profile: "Profile") -> str:
    """The provider's API as the settings or, where they leave it open, the environment name it; always ends in a slash."""
    url = settings.provider.api_url or getattr(profile.hosts, settings.environment)
    return url if url.endswith("/") else f"{url}/"


def load_profile(settings: Settings) -> "Profile":
    """The provider profile that the settings name: a packaged one, or a file. Raises PathMissing, ConfigurationError."""
    from schemas.profile import parse_profile

    name = settings.provider.profile
    try:
        own = name.endswith(".toml")
        text = Path(name).read_text(encoding="utf-8") if own else _packaged(f"profiles/{name}.toml")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise PathMissing(f"There is no provider profile {name} (provider.profile).") from error
    return parse_profile(text)


@functools.cache
def _packaged(name: str) -> str:
    """A text that comes with the program, which does not change while it runs: read once, however many runs there are."""
    return files("schemas").joinpath(name).read_text(encoding="utf-8")


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
    Raises ConfigurationError for settings or files that are not fit, SafetyRefusal when the ledger belongs elsewhere; the
    log has a line for what is raised, also out of the block.
    """
    log = surroundings.event_log(settings, surroundings.clock) if writes else NoLog()
    try:
        with _put_together(
            settings, surroundings, log, progress=progress or Silent(), workers=workers, writes=writes
        ) as workshop:
            yield workshop
    except MitbatchError as problem:
        note_problem(log, problem)
        raise
    finally:
        if log.trouble():
            sys.stderr.write(f"The log could not be written ({log.trouble()}); the ledger has everything.\n")


@contextlib.contextmanager
def _put_together(
    settings: Settings, surroundings: Surroundings, log: EventLog, *, progress: Progress, workers: int | None, writes: bool
) -> Iterator[Workshop]:
    # by the files as they are before what makes finance's is loaded: who installs another version meanwhile is noticed
    program = surroundings.written_program(settings.schedule.timezone) if surroundings.written_program else ""
    from batch.audit import AuditFolder
    from batch.bookkeeping import Bookkeeping
    from batch.ledger_history import LedgerHistory
    from schemas.decline_codes import parse_decline_codes
    from schemas.network_rules import parse_network_rules

    profile = load_profile(settings)
    check_environment(settings, profile)
    secrets = {name: surroundings.secret(settings, name) for name in ("app_key", "app_secret")}
    access = surroundings.sftp_access(settings.sftp) if settings.sftp is not None else None
    calls: Figures = Counter()
    with contextlib.ExitStack() as opened:  # also what was opened before something was refused is closed again
        orders_engine, orders = open_orders(settings.orders.url, settings.orders, make_engine=surroundings.make_engine)
        opened.callback(orders_engine.dispose)
        ledger, scrub_key = _ledger(settings, profile, access, surroundings, log, opened, writes=writes)
        departures = Departures(settings.data_dir / "sent", surroundings.disk)
        check_departures(ledger, departures)
        api, sends = _api(settings, profile, secrets, surroundings, calls)
        opened.callback(api.close)
        workers = workers or (access.transports * access.channels if access is not None else 1)
        equipment = Equipment(
            settings=settings,
            profile=profile,
            network_rules=parse_network_rules(_packaged("network_rules.toml")),
            decline_codes=parse_decline_codes(_packaged("decline_codes.toml")),
            ledger=ledger,
            source=OrderSource(orders_engine, orders),
            writer=OrderWriter(orders_engine, orders),
            folder=_folder(settings, access, opened, beat=functools.partial(progress.advance, 0)),
            api=api,
            sends=sends,
            export=ExportFolder(settings.data_dir / "export", surroundings.disk),
            departures=departures,
            clock=surroundings.clock,
            new_batch_id=surroundings.new_batch_id,
            scrub_key=scrub_key,
            side_by_side=surroundings.side_by_side(workers),
            progress=Telling(progress, log),
        )
        history = LedgerHistory(ledger.reading, ledger.mid)
        audit = AuditFolder(settings.data_dir / "audit", surroundings.disk)
        bookkeeping = Bookkeeping(
            history=history,
            folder=audit,
            settings=settings,
            page=surroundings.page,
            drawn=_drawn_pages(settings, surroundings),
            written=_written_dates(settings, surroundings, program, scrub_key),
        )
        yield Workshop(equipment, bookkeeping, surroundings, api, log, calls)


def _drawn_pages(settings: Settings, surroundings: Surroundings) -> "DrawnPages | None":
    """What is known of the pages that were drawn; None where nobody draws."""
    if surroundings.page is None:
        return None
    from batch.drawn_pages import DrawnPages

    def program_now() -> str:
        surroundings.forget_program()
        return surroundings.page_program()

    return DrawnPages(settings.data_dir / "pages", surroundings.disk, surroundings.page_program(), program_now)


def _written_dates(settings: Settings, surroundings: Surroundings, program: str, key: bytes) -> "WrittenDates | None":
    """What is known of the dates whose files were made by this program; None where every run makes them."""
    tell, timezone = surroundings.written_program, settings.schedule.timezone
    if tell is None:
        return None
    from batch.written_dates import WrittenDates

    def program_now() -> str:
        surroundings.forget_program()
        return tell(timezone)

    return WrittenDates(settings.data_dir / "written", surroundings.disk, program, key, program_now)


@contextlib.contextmanager
def open_books(settings: Settings, *, clock: Clock) -> Iterator[tuple[Ledger, OrderSource, OrderWriter]]:
    """The ledger and the order system for commands that only look; no secret is needed and nothing is created."""
    with open_ledger_alone(settings, clock=clock) as ledger:
        orders_engine, orders = open_orders(settings.orders.url, settings.orders)
        try:
            yield ledger, OrderSource(orders_engine, orders), OrderWriter(orders_engine, orders)
        finally:
            orders_engine.dispose()


@contextlib.contextmanager
def open_ledger_alone(
    settings: Settings, *, clock: Clock, make_engine: MakeEngine = default_engine, log: EventLog | None = None
) -> Iterator[Ledger]:
    """The ledger for commands that need nothing else; it is not created. What they write goes into the log, if there is one."""
    engine = open_ledger(settings.ledger.url, create=False, make_engine=make_engine)
    try:
        told = (log or NoLog()).told
        yield Ledger(engine, mid=settings.provider.mid, clock=clock, lease_seconds=settings.lease.seconds, told=told)
    finally:
        engine.dispose()


def _folder(
    settings: Settings, access: "SftpAccess | None", opened: contextlib.ExitStack, *, beat: Callable[[], None]
) -> "ProviderFolder":
    """The provider's folders; for who has no section [sftp], one that says so."""
    if access is None or settings.sftp is None:
        from batch.no_server import NoServer

        return NoServer()
    from batch.sftp import SftpFolder
    from batch.sftp_connection import SftpConnections

    connections = SftpConnections(access)
    opened.callback(connections.close)
    return SftpFolder(connections, inbound=settings.sftp.inbound, outbound=settings.sftp.outbound, beat=beat)


def _ledger(
    settings: Settings,
    profile: "Profile",
    access: "SftpAccess | None",
    surroundings: Surroundings,
    log: EventLog,
    opened: contextlib.ExitStack,
    *,
    writes: bool,
) -> tuple[Ledger, bytes]:
    """The ledger, locked to these settings at first use. Raises IdentityChanged when it is locked to others."""
    engine = open_ledger(settings.ledger.url, create=writes, make_engine=surroundings.make_engine)
    opened.callback(engine.dispose)
    ledger = Ledger(
        engine,
        mid=settings.provider.mid,
        clock=surroundings.clock,
        lease_seconds=settings.lease.seconds,
        may_go_on=surroundings.stop.check,
        told=log.told,
        leave_no_copy=functools.partial(leave_no_copy, engine),
    )
    wanted = identity_of(settings, profile, access.host_keys if access is not None else ())
    fresh_key = surroundings.new_scrub_key()
    if not writes:
        return ledger, check_identity(ledger, wanted) or bytes.fromhex(fresh_key)
    return ledger, lock_identity(ledger, wanted, ledger_id=surroundings.new_run_id(), scrub_key=fresh_key)


def check_environment(settings: Settings, profile: "Profile") -> None:
    """Refuse settings of one environment with the address of the other one. Raises EnvironmentMixed."""
    url = api_url(settings, profile)
    for name in ("sandbox", "production"):
        if name != settings.environment and urlsplit(url).hostname == urlsplit(getattr(profile.hosts, name)).hostname:
            raise EnvironmentMixed(
                f"The settings say {settings.environment}, and {url} is the address of {name}.",
                next_step="Correct environment or provider.api_url in the settings file.",
            )


def identity_of(settings: Settings, profile: "Profile", host_keys: "Iterable[paramiko.PKey]") -> Identity:
    """What a ledger of these settings is locked to; no host keys while no SFTP server is set."""
    from batch.sftp_connection import fingerprint

    return Identity(
        environment=settings.environment,
        api_url=api_url(settings, profile),
        mid=settings.provider.mid,
        host_key=" ".join(sorted(fingerprint(key) for key in host_keys)),
    )


def check_departures(ledger: Ledger, departures: Departures) -> None:
    """Refuse a ledger that is older than what was sent: a marked file stands in a true ledger as verified at least.

    So does one from which another has parted, such as a copy on another host that called the orders which this one took back
    or has not called yet.
    """
    marked, calls = departures.marked(), departures.marked_calls()
    # they are read before the ledger: a run beside this one commits first, and marks then
    if not marked and not calls:
        return
    with ledger.reading() as connection:
        steps, behind_calls = steps_of(connection, ledger.mid), not_intended(connection, ledger.mid, calls)
    behind_files = sorted(batch_id for batch_id in marked if steps.get(batch_id, BatchStep.CLAIMED) in _NOT_YET_LEFT)
    if behind := [*behind_files, *behind_calls]:
        kinds = ((behind_files, "file", ""), (behind_calls, "group of calls", "groups of calls"))
        what = " and ".join(counted(len(some), one, many) for some, one, many in kinds if some)
        raise LedgerBehind(
            f"This ledger does not know that {what} left ({', '.join(behind[:3])}): it is older than what was sent.",
            next_step="Restore the newest copy of the ledger; mitbatch explain MB-LEDGER-BEHIND says what to do without one.",
        )


_NOT_YET_LEFT = (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.EMPTY)


def _api(
    settings: Settings, profile: "Profile", secrets: dict[str, str], surroundings: Surroundings, calls: Figures
) -> tuple["ProviderApi", "ApiSends"]:
    from batch.api import ApiAccess, ProviderApi
    from batch.api_sends import ApiSends
    from jobs.call_counts import CountedTransport

    asks: Literal["orders", "outcome"] = "outcome" if settings.outcomes.ask == "outcome" else "orders"
    url = api_url(settings, profile)
    transport = CountedTransport(surroundings.http_transport(), surroundings.clock, calls, base_path=urlsplit(url).path)
    access = ApiAccess(url, lambda: secrets["app_key"], lambda: secrets["app_secret"], asks=asks)
    api = ProviderApi(access, transport, profile=profile, clock=surroundings.clock)
    return api, ApiSends(api, surroundings.aside)


if TYPE_CHECKING:
    from batch.api import ProviderApi
    from batch.api_sends import ApiSends
