"""The page on PostgreSQL: drawn from the same rows, it is the page of SQLite to the byte."""

from pathlib import Path

from sqlalchemy import create_engine, insert, select

from jobs.surroundings import of_this_machine
from schemas.ledger_tables import metadata
from tests.night.house import order
from tests.postgres.cluster import Cluster
from tests.postgres.house import PostgresHouse
from tests.report.conftest import drawn_of
from tests.report.months import Months


def test_the_page_is_the_same_to_the_byte(cluster: Cluster, tmp_path: Path) -> None:
    """Months of nights, copied row by row into a database whose language sorts otherwise, give the same page."""
    months = Months(tmp_path / "ledger.db", orders=12, nights=40)
    on_sqlite = drawn_of(months, tmp_path / "sqlite")
    there = create_engine(cluster.url(cluster.database()))
    metadata.create_all(there)
    with months.engine.connect() as source, there.begin() as target:
        for table in metadata.sorted_tables:
            rows = [row._asdict() for row in source.execute(select(table))]
            if rows:
                target.execute(insert(table), rows)
    months.engine = there
    on_postgres = drawn_of(months, tmp_path / "postgres")
    there.dispose()

    assert on_postgres.page == on_sqlite.page
    assert len(on_postgres.figures.nights) > 20


def test_a_night_draws_its_page(house: PostgresHouse) -> None:
    """A night on PostgreSQL leaves the page beside finance's files, with its file and the size that the provider received."""
    house.add(order())
    report = house.run(surroundings=of_this_machine(house.clock))
    assert report.audit is not None
    assert report.audit.page is not None
    (received,) = [each for each in house.sandbox.journal() if each["event"] == "file_received"]
    text = report.audit.page.read_text(encoding="utf-8")
    assert str(received["file"]) in text
    assert f"{int(str(received['size'])) / 1000:,.1f} kB" in text
