"""The short way of a statement comes to what SQLAlchemy's own comes to: rows, counts, errors, and what a transaction keeps."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError, OperationalError

from jobs.databases import open_ledger
from schemas.ledger_tables import evidence, remote_file
from tests.world import statements
from tests.world.points import Points
from tests.world.statements import Found
from tests.world.witness import Witness
from tests.world.world import START, quick_engine

_NEW = insert(evidence)
_SOME = select(evidence.c.evidence_id, evidence.c.content).where(evidence.c.evidence_id.in_(bindparam("ids", expanding=True)))
_SOME_IN_ORDER = _SOME.order_by(evidence.c.evidence_id)
_FILE = insert(remote_file)
_OTHER = update(remote_file).where(remote_file.c.reason == bindparam("was")).values(reason=bindparam("now"))
_ODD = text("SELECT no_such_column FROM evidence")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A world's engine on a new ledger."""
    points = Points()
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(url).dispose()
    path = tmp_path / "ledger.db"
    points.witness = Witness(path, path, now=_morning, point=_none, journal_length=_none, reader=_never)
    made = open_ledger(url, make_engine=lambda url, **options: quick_engine(url, lambda: points, **options))
    yield made
    made.dispose()


def _never(*_arguments: object) -> Any:  # noqa: ANN401 - nobody asks
    raise AssertionError


def _morning() -> datetime:
    return START


def _none() -> int:
    return 0


def _row(number: int) -> dict[str, Any]:
    same = {"mid": "m", "source": "poll", "subject": "order:1", "received_at": "2026-11-23T06:30:00Z"}
    return {**same, "evidence_id": f"e{number}", "content_hash": f"h{number}", "content": f"said {number}".encode()}


def _file(number: int) -> dict[str, Any]:
    same = {"mid": "m", "content_hash": "h", "size": 1, "seen_at": "2026-11-23T06:30:00Z", "verdict": "unstable"}
    return {**same, "name": f"f{number}", "reason": "a"}


def _twice(connection: Connection, statement: Any, *values: Any) -> list[Any]:  # noqa: ANN401
    return [connection.execute(statement, *values) for _ in range(2)]


def test_the_second_time_is_the_short_way_and_finds_the_same(engine: Engine) -> None:
    """Lists of any length, none among them, and bytes: each row is the same by name, by place and as a mapping."""
    with engine.begin() as connection:
        connection.execute(_NEW, [_row(number) for number in range(5)])
        for ids in (["e0"], ["e3", "e1"], [], ["e0", "e1", "e2"], ["e4"]):
            first, second = _twice(connection, _SOME_IN_ORDER, {"ids": ids})

            assert isinstance(second, Found)
            found = second.all()
            assert found == first.all()
            assert [row.evidence_id for row in found] == sorted(ids)
            assert [row._mapping[evidence.c.content] for row in found] == [f"said {each[1:]}".encode() for each in sorted(ids)]
        assert isinstance(connection.execute(_SOME_IN_ORDER, {"ids": ["e2"]}), Found)


def test_plainly_every_statement_goes_the_long_way(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the switch no result is of the short way, however often it was executed."""
    monkeypatch.setattr(statements, "is_plain", [True])

    with engine.connect() as connection:
        assert not any(isinstance(found, Found) for found in _twice(connection, _SOME, {"ids": ["e0"]}))


def test_changes_are_counted(engine: Engine) -> None:
    """One row of values, or many: how many rows changed is said both ways."""
    with engine.begin() as connection:
        assert [connection.execute(_FILE, _file(number)).rowcount for number in range(3)] == [1, 1, 1]
        changed = [connection.execute(_OTHER, {"was": was, "now": now}).rowcount for was, now in ("ab", "xc", "bc", "bd")]
        connection.execute(_FILE, [_file(number) for number in (3, 4)])
        connection.execute(_FILE, [_file(number) for number in (5, 6, 7)])
        many = [connection.execute(_OTHER, [{"was": "a", "now": now}, {"was": "c", "now": now}]).rowcount for now in "ef"]

    assert changed == [3, 0, 3, 0]
    assert many == [8, 0]


def test_errors_are_the_same(engine: Engine) -> None:
    """A row that is there already, and a text that the database does not understand, are SQLAlchemy's errors both times."""
    with engine.begin() as connection:
        connection.execute(_NEW, _row(1))
        for number in (1, 1):
            with pytest.raises(IntegrityError):
                connection.execute(_NEW, _row(number))
        for _ in range(2):
            with pytest.raises(OperationalError):
                connection.execute(_ODD)


def test_a_statement_that_is_made_of_another_has_a_way_of_its_own(engine: Engine) -> None:
    """What is kept for one is never taken for another that was made of it."""
    with engine.begin() as connection:
        connection.execute(_NEW, [_row(number) for number in range(3)])
        _twice(connection, _SOME_IN_ORDER, {"ids": ["e0", "e1", "e2"]})
        backwards = _SOME_IN_ORDER.order_by(None).order_by(evidence.c.evidence_id.desc())

        for _ in range(2):
            found = connection.execute(backwards, {"ids": ["e0", "e1", "e2"]})
            assert [row.evidence_id for row in found] == ["e2", "e1", "e0"]


def test_a_savepoint_changes_nothing(engine: Engine) -> None:
    """Inside a savepoint as well a statement finds what there is, and what it wrote goes when the savepoint does."""
    with engine.begin() as connection:
        _twice(connection, _SOME, {"ids": ["e1"]})
        connection.execute(_NEW, _row(0))
        with connection.begin_nested() as savepoint:
            assert connection.execute(_NEW, _row(1)).rowcount == 1
            assert [row.evidence_id for row in connection.execute(_SOME, {"ids": ["e1"]})] == ["e1"]
            savepoint.rollback()
        assert connection.execute(_SOME, {"ids": ["e1"]}).all() == []


def test_nothing_is_done_after_the_end_of_a_transaction(engine: Engine) -> None:
    """What was rolled back inside its block refuses every statement more, the short way too."""
    with engine.connect() as connection:
        _twice(connection, _SOME, {"ids": ["e0"]})

    with engine.connect() as connection, connection.begin() as transaction:
        transaction.rollback()
        with pytest.raises(InvalidRequestError):
            connection.execute(_SOME, {"ids": ["e0"]})


def test_what_is_not_committed_is_undone_and_the_connection_is_lent_again(engine: Engine) -> None:
    """A connection that comes back in the midst of a transaction has forgotten it when it is lent the next time."""
    lent = engine.raw_connection()
    driver = lent.dbapi_connection
    lent.cursor().execute("BEGIN IMMEDIATE")
    lent.cursor().execute("INSERT INTO lease (mid, token) VALUES ('m', 0)")
    assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    lent.close()

    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with engine.connect() as again:
        assert again.connection.dbapi_connection is driver
        assert again.exec_driver_sql("SELECT * FROM lease").all() == []
