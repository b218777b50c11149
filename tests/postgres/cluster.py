"""A PostgreSQL of the tests' own: a cluster on a socket in a private folder, never run as root, gone at the end."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.in_memory import private_folder

OWNER = "postgres"
OPTIONS = "-c listen_addresses= -c max_connections=200 -c shared_buffers=32MB -c fsync=on -c log_min_messages=fatal"


def server_binaries() -> Path | None:
    """The folder with the server's programs, of the newest version installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[4]))
    return found[-1].parent if found else None


class Cluster:
    """One running cluster; `stop` and `start` are what a host does to it."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self._binaries, self._databases = folder, binaries, 0
        self._run("initdb", "-D", f"{folder}/base", "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        as_owner = ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_owner, str(self._binaries / program), *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60
        )

    def dump(self, database: str, path: Path) -> None:
        """Copy a database into a file, as the runbook says; the server's own account owns the file."""
        self._run("pg_dump", "-Fc", "-h", str(self.folder), "-U", OWNER, "-f", str(path), database)

    def restored(self, path: Path) -> str:
        """A new database with what such a file holds."""
        name = self.database()
        self._run("pg_restore", "-e", "-h", str(self.folder), "-U", OWNER, "-d", name, str(path))
        return name

    def start(self) -> None:
        """Start the server and wait until it answers."""
        base, options = f"{self.folder}/base", f"{OPTIONS} -k {self.folder}"
        self._run("pg_ctl", "-w", "-s", "-D", base, "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `immediate` is a crash, `fast` is orderly."""
        self._run("pg_ctl", "-w", "-s", "-D", f"{self.folder}/base", "-m", mode, "stop")

    def url(self, database: str, role: str = OWNER) -> str:
        """The SQLAlchemy URL of a database, for a role."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres", role: str = OWNER, **more: Any) -> "psycopg.Connection[dict[str, Any]]":  # noqa: ANN401 - psycopg's own options
        """A connection past the program, whose rows are dictionaries."""
        return psycopg.connect(host=str(self.folder), dbname=database, user=role, row_factory=dict_row, **more)

    def sql(self, database: str, statement: str, values: Any = (), role: str = OWNER) -> list[dict[str, Any]]:  # noqa: ANN401 - any parameters
        """Run one statement and commit it."""
        with self.connect(database, role, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def database(self) -> str:
        """A new, empty database."""
        self._databases += 1
        name = f"d{self._databases}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return name


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A cluster for as long as the block lasts, in memory where the machine allows. It is stopped whatever happens."""
    binaries = server_binaries()
    assert binaries is not None, "PostgreSQL's server is not installed (Debian: postgresql)"
    folder = private_folder("cluster")
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)
    cluster = None
    try:
        cluster = Cluster(folder, binaries)
        yield cluster
    finally:
        if cluster is not None:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                cluster.stop()
        shutil.rmtree(folder)
