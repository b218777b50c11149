"""Everything outside that a run is given: the machine's own, or a world of its own that decides everything by a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch.disk import Disk
from batch.equipment import Clock, SideBySide
from batch.ledger import Owner
from jobs.databases import MakeEngine, default_engine
from jobs.disk import MachineDisk
from jobs.event_log import EventLog, LogFile, NoLog
from jobs.outside import StopRequest, aside, is_alive, new_batch_id, new_run_id, new_scrub_key, side_by_side, this_process
from jobs.report.drawing import forget_program, machine_page, page_program, written_program
from jobs.secret_values import secret
from jobs.sftp_access import sftp_access
from schemas.settings import Settings, SftpSettings

if TYPE_CHECKING:
    import httpx

    from batch.api_line import Aside
    from batch.bookkeeping import Page
    from batch.sftp_connection import SftpAccess


def _machine_transport() -> "httpx.AsyncBaseTransport":
    from jobs.late_transport import LateTransport

    return LateTransport(_made_transport)


def _made_transport() -> "httpx.AsyncBaseTransport":
    from jobs.http_transport import MachineTransport

    return MachineTransport()


def _log_file(settings: Settings, clock: Clock) -> EventLog:
    log = LogFile(settings.data_dir / "log", clock, orders=settings.log.orders)
    log.drop_older(settings.retention.log_days)
    return log


def no_log(_settings: Settings, _clock: Clock) -> EventLog:
    """Surroundings in which nobody keeps a log."""
    return NoLog()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run meets outside itself. Nothing that a run does reaches the world in any other way.

    `this_process` names the process in the lease, `is_alive` says whether such a one still runs; `new_run_id`,
    `new_batch_id` and `new_scrub_key` are fresh ids; `make_engine` opens a database, `http_transport` carries requests,
    `sftp_access` is how to get into the SFTP server; `side_by_side(n)` runs work n at a time, `aside`
    does a piece of it while requests are under way. `event_log` is where runs say what they do.
    `page` draws the report, None where nobody does; `page_program` tells versions of what draws it apart, `written_program` of
    what makes finance's files in a time zone: None where they are made by every run. Both are found out once, and again
    after `forget_program`.
    """

    clock: Clock
    stop: StopRequest
    disk: Disk
    new_run_id: Callable[[], str] = new_run_id
    new_batch_id: Callable[[], str] = new_batch_id
    new_scrub_key: Callable[[], str] = new_scrub_key
    this_process: Callable[[], Owner] = this_process
    is_alive: Callable[[Owner], bool] = is_alive
    secret: Callable[[Settings, str], str] = secret
    make_engine: MakeEngine = default_engine
    sftp_access: Callable[[SftpSettings], "SftpAccess"] = sftp_access
    http_transport: Callable[[], "httpx.AsyncBaseTransport"] = _machine_transport
    side_by_side: Callable[[int], SideBySide] = side_by_side
    aside: "Aside" = aside
    event_log: Callable[[Settings, Clock], EventLog] = _log_file
    page: "Page | None" = None
    page_program: Callable[[], str] = page_program
    written_program: Callable[[str], str] | None = None
    forget_program: Callable[[], None] = forget_program


def of_this_machine(clock: Clock) -> Surroundings:
    """The machine's own surroundings, with this clock."""
    return Surroundings(clock=clock, stop=StopRequest(), disk=MachineDisk(), page=machine_page(), written_program=written_program)
