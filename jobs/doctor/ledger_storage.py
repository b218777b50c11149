"""Whether what the ledger has confirmed stays: its file system, SQLite's log, the server's syncing."""

from pathlib import Path

from sqlalchemy import Connection

from jobs.databases import open_ledger
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, failed, good, warned
from jobs.doctor.mounts import kind_of_file_system
from schemas.errors import LedgerNotDurable

FULL = 2
"""What SQLite calls `synchronous=FULL`."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "fuse.glusterfs"})


def file_system(path: Path) -> Finding:
    """That a ledger in a file lies on a disk of its own machine."""
    kind = kind_of_file_system(path)
    if kind in _NETWORK:
        problem = LedgerNotDurable(
            f"The ledger lies in a network folder ({kind}), where SQLite's log does not hold.",
            next_step="Move the ledger to a local disk, or use PostgreSQL in ledger.url.",
        )
        return failed("file system", kind, problem)
    return good("file system", kind or "unknown kind")


def durable(round_: Examination, connection: Connection, *, opens: bool) -> Finding:
    """That what is committed is on the disk; `opens` says that it may be opened as a run does."""
    if connection.dialect.name == "postgresql":
        return _durable_server(connection)
    journal = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    if journal != "wal":
        problem = LedgerNotDurable(
            "Another program has switched the ledger's log off; the next run switches it on.",
            next_step="Find out which program opens the ledger, and let it not.",
        )
        return warned("durability", f"journal_mode {journal}", problem)
    if not opens:  # a run would refuse it, or migrate it
        return good("durability", "journal_mode wal")
    engine = open_ledger(round_.settings.ledger.url, create=False, make_engine=round_.around.make_engine)
    try:
        with engine.connect() as own:
            synchronous = own.exec_driver_sql("PRAGMA synchronous").scalar_one()
    finally:
        engine.dispose()
    if synchronous < FULL:
        problem = LedgerNotDurable("Runs do not sync the ledger in full.", next_step="Report it.")
        return failed("durability", f"synchronous {synchronous}", problem)
    return good("durability", "journal_mode wal, synchronous full")


def _durable_server(connection: Connection) -> Finding:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    values = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in names}
    measured = ", ".join(f"{name} {value}" for name, value in values.items())
    if off := [name for name, value in values.items() if value == "off"]:
        problem = LedgerNotDurable(
            f"The ledger's PostgreSQL has {' and '.join(off)} off.",
            next_step=f"Run there, as its owner: ALTER SYSTEM SET {off[0]} = on; SELECT pg_reload_conf();",
        )
        return failed("durability", measured, problem)
    return good("durability", measured)
