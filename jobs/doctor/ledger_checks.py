"""The group `ledger`: where it lies, that it cannot forget, that nobody changed it, and whose it is. Nothing is written."""

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import paramiko
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from batch.departures import Departures
from batch.ledger import Ledger
from batch.ledger.identity import check_identity, locked_identity
from batch.ledger_seals import LedgerSeals
from batch.tampering import broken_chains
from jobs.assembly import check_departures, identity_of, load_profile
from jobs.databases import ledger_url
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, failed, good, skipped, warned
from jobs.doctor.ledger_storage import durable, file_system
from jobs.sftp_access import host_keys
from schemas.counted import counted
from schemas.errors import AuditBroken, LedgerUnfit, MitbatchError, SecretExposed
from schemas.migrations import HEAD

MOST_CHAINS = 200
_TRIGGERS = {
    "sqlite": {"event_no_update", "event_no_delete", "evidence_no_update", "evidence_no_delete"},
    "postgresql": {"event_no_change", "event_no_truncate", "evidence_no_change", "evidence_no_truncate"},
}
_FIND_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


def look_at_ledger_group(round_: Examination) -> Iterator[Finding]:
    """The file first, then what it says; there may be none yet, and then there is nothing to say."""
    name = "ledger.url"
    try:
        url = ledger_url(round_.settings.ledger.url)
        name, path, is_file = (
            url.render_as_string(hide_password=True),
            Path(str(url.database)),
            url.drivername.startswith("sqlite"),
        )
        is_private = True
        if is_file and path.exists():
            file = _file(path)
            is_private = file.problem is None
            yield file
        if is_file:
            yield file_system(path)
        with round_.ledger() as ledger:
            if ledger is None:
                yield skipped("ledger", f"{name}: none yet; the first nightly makes it and locks it to these settings")
                return
            yield from _inside(round_, ledger, is_private=is_private)
    except MitbatchError as problem:
        yield failed("ledger", name, problem)
    except DBAPIError as error:
        yield failed("ledger", name, LedgerUnfit(f"The ledger cannot be read: {' '.join(str(error.orig).split())[:200]}."))


def _file(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if path.is_symlink():
        problem = SecretExposed(f"The ledger {path} is a symbolic link.", next_step="Name the file itself in ledger.url.")
        return failed("file", f"{path}", problem)
    if mode & 0o077:
        problem = SecretExposed(f"The ledger {path} can be read by others.", next_step=f"Run: chmod 600 {path}")
        return failed("file", f"{path}, mode {mode:04o}", problem)
    return good("file", f"{path}, mode {mode:04o}")


def _inside(round_: Examination, ledger: Ledger, *, is_private: bool) -> Iterator[Finding]:
    with ledger.reading() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or "none"
        yield _version(version)
        yield durable(round_, connection, opens=is_private and version == HEAD)
        yield _append_only(connection)
    if version == HEAD:
        yield _chains(ledger)
    else:
        yield skipped("chain", "looked at once it is of this version")
    identity = _identity(round_, ledger)
    yield identity
    if version == HEAD and identity.problem is None:
        yield _marks(round_, ledger)
    else:
        yield skipped("marks", "looked at once it is the ledger of these settings, and of this version")


def _version(version: str) -> Finding:
    if version == HEAD:
        return good("version", version)
    if version > HEAD:
        problem = LedgerUnfit(
            f"The ledger is of version {version}, this program reads up to {HEAD}.",
            next_step="Run the newer version of mitbatch that last wrote it.",
        )
        return failed("version", version, problem)
    older = LedgerUnfit(
        f"The ledger is of version {version}; the next run makes it {HEAD}, and older programs cannot read it then.",
        next_step="Copy it first, while nothing runs (sqlite3 LEDGER \"VACUUM INTO 'COPY'\", or pg_dump).",
    )
    return warned("version", version, older)


def _append_only(connection: Connection) -> Finding:
    """That the database itself still refuses to change what happened."""
    dialect = connection.dialect.name
    found = set(connection.exec_driver_sql(_FIND_TRIGGERS[dialect]).scalars())
    if missing := sorted(_TRIGGERS[dialect] - found):
        problem = AuditBroken(f"The ledger's guards against changes are gone: {', '.join(missing)}.", next_step=_VERIFY)
        return failed("append-only", counted(len(missing), "guard is", "guards are") + " gone", problem)
    return good("append-only", "events cannot be changed, and evidence only be emptied")


_VERIFY = "Find out who changed the ledger, and run: mitbatch audit verify"


def _chains(ledger: Ledger) -> Finding:
    """The chains that were written to last; `audit verify` reads all of them."""
    with LedgerSeals(ledger.reading, ledger.mid).reading() as reader:
        chains = reader.latest_chains(MOST_CHAINS)
    broken = list(broken_chains(event for chain in chains for event in chain))
    if broken:
        problem = AuditBroken(f"{broken[0].sentence[0].upper()}{broken[0].sentence[1:]}", next_step=_VERIFY)
        return failed("chain", counted(len(broken), "chain does", "chains do") + " not hold", problem)
    return good("chain", f"the latest {counted(len(chains), 'chain holds', 'chains hold')}")


def _identity(round_: Examination, ledger: Ledger) -> Finding:
    settings, known = round_.settings, locked_identity(ledger)
    keys: tuple[paramiko.PKey, ...] = ()
    if settings.sftp is not None:
        with suppress(MitbatchError):  # that is the group sftp's to say
            keys = host_keys(settings.sftp)
    try:
        wanted = identity_of(settings, load_profile(settings), keys)
    except MitbatchError as problem:
        seen = round_.looks_at(Group.CONFIG)
        return skipped("identity", "the profile is of no use; see config") if seen else failed("identity", "", problem)
    try:
        check_identity(ledger, wanted)
    except MitbatchError as problem:
        return failed("identity", "locked to other settings", problem)
    if known is None:
        return skipped("identity", "not locked yet; the first run locks it to these settings")
    identity, since = known
    return good("identity", f"locked since {since} to {identity.environment}, {identity.api_url}, mid {identity.mid[:8]}")


def _marks(round_: Examination, ledger: Ledger) -> Finding:
    departures = Departures(round_.settings.data_dir / "sent", round_.around.disk)
    try:
        check_departures(ledger, departures)
    except MitbatchError as problem:
        return failed("marks", "older than what was sent", problem)
    count = len(departures.marked()) + len({group for group, _, _ in departures.marked_calls()})
    return good("marks", f"the ledger knows of {counted(count, 'file or group of calls', 'files and groups of calls')} that left")
