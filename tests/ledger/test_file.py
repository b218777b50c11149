"""The ledger as a file: versions, damage, durability, privacy, and the same statements for PostgreSQL."""

import io
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import ClauseElement, Engine, create_engine, inspect, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from jobs.databases import open_ledger
from schemas.errors import ExitCode, LedgerUnfit, SecretExposed
from schemas.ledger_tables import metadata
from schemas.migrations import HEAD
from tests.by_name import rows_by_name
from tests.commands.merchant_folder import merchant_folder
from tests.ledger.room import Room


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a ledger may be."""
    return tmp_path / "var" / "ledger.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    """A new ledger's engine."""
    opened = open_ledger(f"sqlite:///{path}")
    yield opened
    opened.dispose()


def where(index: Any) -> str:  # noqa: ANN401 - as the inspector describes it
    """The condition of a partial index, empty for a whole one."""
    return str(index.get("dialect_options", {}).get("sqlite_where", ""))


def tables(engine: Engine) -> dict[str, Any]:
    """Tables with columns, keys and indexes, as the database describes them."""
    seen = inspect(engine)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(name)],
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted((i["name"], i["column_names"], i["unique"], where(i)) for i in seen.get_indexes(name)),
            sorted((u["name"], u["column_names"]) for u in seen.get_unique_constraints(name)),
            [(f["constrained_columns"], f["referred_table"]) for f in seen.get_foreign_keys(name)],
        )
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def test_a_migrated_ledger_is_what_the_tables_say(engine: Engine, tmp_path: Path) -> None:
    """The migrations make exactly the tables, keys, constraints and indexes that the program's own description makes."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    try:
        assert tables(engine) == tables(plain)
    finally:
        plain.dispose()


def test_the_version_is_the_programs(engine: Engine) -> None:
    """A new ledger bears the version that the program names, and the last migration is that version."""
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
    folder = Path(str(import_module("schemas.migrations").__file__)).parent / "versions"
    assert max(found.name.partition("_")[0] for found in folder.glob("0*.py")) == HEAD


def test_opening_again_changes_nothing(room: Room) -> None:
    """A ledger that is opened once more keeps every row and its version."""
    room.claim("b00000000001", "o-1")
    before = room.everything()
    open_ledger(f"sqlite:///{room.path}").dispose()

    assert room.everything() == before


def test_a_later_version_is_refused(path: Path) -> None:
    """A ledger that a newer program wrote is refused with 30 and the advice to run that one; it is not touched."""
    open_ledger(f"sqlite:///{path}").dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()

    with pytest.raises(LedgerUnfit, match=f"version 9999, this program reads up to {HEAD}") as refused:
        open_ledger(f"sqlite:///{path}")
    assert refused.value.exit_code is ExitCode.REFUSED
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["header", "middle", "text", "cut"])
def test_a_damaged_ledger_is_refused(damage: str, path: Path) -> None:
    """A ledger that is no database any more is refused with 30, is not replaced by an empty one, and stays as it is."""
    open_ledger(f"sqlite:///{path}").dispose()
    whole = path.read_bytes()
    broken = {
        "header": b"\0" * 100 + whole[100:],
        "middle": whole[:100] + b"\xff" * 4000 + whole[4100:],
        "text": b"this is no database, it is a sentence. " * 50,
        "cut": whole[: len(whole) // 2],
    }[damage]
    path.write_bytes(broken)

    with pytest.raises(LedgerUnfit) as refused:
        open_ledger(f"sqlite:///{path}")
    assert refused.value.exit_code is ExitCode.REFUSED
    assert path.read_bytes() == broken


@pytest.mark.parametrize("command", ["status", "nightly", "nightly --dry-run", "holds check 1"])
@pytest.mark.parametrize("fault", ["damaged", "newer"])
def test_commands_refuse_an_unfit_ledger(fault: str, command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every command ends with 30 and one sentence at a ledger that is damaged or of a later version, and sends nothing."""
    with merchant_folder(tmp_path / "merchant") as merchant:
        open_ledger(f"sqlite:///{merchant.ledger}").dispose()
        if fault == "damaged":
            merchant.ledger.write_bytes(b"no database " * 1000)
        else:
            with closing(sqlite3.connect(merchant.ledger)) as connection, connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")

        assert merchant.run(command) == 30
        err = capfd.readouterr().err
        assert err.count("\n") == 1
        assert "[MB-LEDGER-UNFIT]" in err
        assert merchant.sandbox.journal() == []


def test_every_connection_is_durable(engine: Engine) -> None:
    """Every connection of the pool writes ahead, syncs fully at each commit, and checks foreign keys."""
    with ExitStack() as stack:
        connections = [stack.enter_context(engine.connect()) for _ in range(5)]
        found = [
            tuple(
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            )
            for connection in connections
        ]

    assert found == [("wal", 2, 1)] * 5


def test_a_commit_stands_in_the_log_before_the_next_step(room: Room) -> None:
    """What is committed can be read at once by another connection that knows nothing of ours."""
    room.claim("b00000000001", "o-1")

    assert room.sql("SELECT order_id, state FROM submission") == [("o-1", "claimed")]


def test_the_files_are_private(room: Room) -> None:
    """The ledger, its log and its index are 0600 in a folder of 0700, while it is in use."""
    room.claim("b00000000001", "o-1")
    with room.ledger.reading() as connection:
        connection.execute(text("SELECT 1"))
        modes = {found.name: oct(stat.S_IMODE(found.stat().st_mode)) for found in room.path.parent.iterdir()}

    assert modes == {"ledger.db": "0o600", "ledger.db-wal": "0o600", "ledger.db-shm": "0o600"}
    assert oct(stat.S_IMODE(room.path.parent.stat().st_mode)) == "0o700"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_ledger_that_others_can_read_is_refused(mode: int, path: Path) -> None:
    """A ledger that others can read or write is refused, with the command that mends it, and not opened."""
    open_ledger(f"sqlite:///{path}").dispose()
    path.chmod(mode)

    with pytest.raises(SecretExposed, match=f"chmod 600 {path}"):
        open_ledger(f"sqlite:///{path}")


def test_a_link_is_no_ledger(path: Path, tmp_path: Path) -> None:
    """A symbolic link in the ledger's place is refused, wherever it leads."""
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere.db")

    with pytest.raises(SecretExposed, match="symbolic link"):
        open_ledger(f"sqlite:///{path}")
    assert not (tmp_path / "elsewhere.db").exists()


def test_without_leave_to_create_nothing_is_left_behind(path: Path) -> None:
    """A ledger that is only looked at and does not exist stands in memory."""
    looked_at = open_ledger(f"sqlite:///{path}", create=False)
    with looked_at.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM submission")).scalar_one() == 0
    looked_at.dispose()

    assert not path.parent.exists()


@pytest.fixture(scope="module")
def night_statements(tmp_path_factory: pytest.TempPathFactory) -> list[ClauseElement]:
    """Every construct that a night, a transmit, a poll and the commands that look have executed, each once."""
    constructs: dict[str, ClauseElement] = {}

    def note(_connection: object, element: ClauseElement, _many: object, _params: object, _options: object) -> None:
        constructs.setdefault(str(element), element)

    sqlalchemy_event.listen(Engine, "before_execute", note)
    try:
        with rows_by_name(), merchant_folder(tmp_path_factory.mktemp("statements")) as merchant:
            for words in (
                "nightly",
                "transmit",
                "poll --all",
                "nightly",
                "status",
                "explain 000471",
                "holds list",
                "holds check 1",
            ):
                assert merchant.run(f"--json {words}") in {0, 10}, words
    finally:
        sqlalchemy_event.remove(Engine, "before_execute", note)
    return list(constructs.values())


def test_every_statement_compiles_for_postgresql(night_statements: list[ClauseElement]) -> None:
    """Every construct that a night executes can be said in PostgreSQL, and none holds SQLite's own words."""
    spoken = [str(each.compile(dialect=postgresql.dialect())) for each in night_statements]  # type: ignore[no-untyped-call]

    assert len(spoken) > 40
    assert {table for table in metadata.tables if not any(f" {table}" in words for words in spoken)} == set()
    assert [
        words for words in spoken if "PRAGMA" in words.upper() or "sqlite" in words.lower() or "INSERT OR" in words.upper()
    ] == []


def test_the_tables_can_be_made_in_postgresql() -> None:
    """Every table and index of the ledger can be said in PostgreSQL, the partial ones with their condition."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    spoken = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = {
        str(index.name): str(CreateIndex(index).compile(dialect=dialect))
        for table in metadata.sorted_tables
        for index in table.indexes
    }

    assert len(spoken) >= 9
    assert "WHERE state NOT IN ('withdrawn', 'rejected')" in indexes["one_rescue_per_order"]
    assert "UNIQUE" in indexes["one_rescue_per_order"]
    assert "WHERE closed_at IS NULL" in indexes["one_open_item"]


def test_the_migrations_can_be_said_in_postgresql() -> None:
    """Every migration can be said in PostgreSQL, with triggers that guard the history."""
    spoken = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": spoken})
    folder = Path(str(import_module("schemas.migrations").__file__)).parent / "versions"
    with Operations.context(context):
        for found in sorted(folder.glob("0*.py")):
            import_module(f"schemas.migrations.versions.{found.stem}").upgrade()

    for table in ("event", "evidence"):
        assert f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}" in spoken.getvalue()
    assert "CREATE UNIQUE INDEX one_rescue_per_order" in spoken.getvalue()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_url_that_is_no_file_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A ledger that would live in memory only, and so forget its claims, is refused by the settings and leaves no file."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with merchant_folder(tmp_path / "merchant") as merchant:
        merchant.config.write_text(f'{merchant.config.read_text()}\n[ledger]\nurl = "{url}"\n')
        assert merchant.run("nightly") == 78
        assert "ledger.url" in capfd.readouterr().err
        assert merchant.sandbox.journal() == []
    assert list(elsewhere.iterdir()) == []
