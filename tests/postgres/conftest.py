"""One cluster for the session, a new database for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from tests.night.house import START
from tests.postgres.cluster import Cluster, running_cluster, server_binaries
from tests.postgres.house import PostgresHouse
from tests.postgres.room import PostgresRoom


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The tests' own PostgreSQL. Where it must be and is not, that is a failure."""
    if server_binaries() is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    with running_cluster() as running:
        yield running


@pytest.fixture
def room(cluster: Cluster) -> Iterator[PostgresRoom]:
    """A fresh ledger on PostgreSQL whose lease belongs to a nightly run."""
    made = PostgresRoom(Path(cluster.database()), cluster=cluster)
    yield made
    made.close()


@pytest.fixture
def house(cluster: Cluster, tmp_path: Path) -> Iterator[PostgresHouse]:
    """A house whose ledger and orders are both on PostgreSQL, in a database each."""
    clock = MovableClock(START)
    with Sandbox(tmp_path / "provider", clock=clock) as sandbox:
        yield PostgresHouse(tmp_path, sandbox, clock, cluster)
