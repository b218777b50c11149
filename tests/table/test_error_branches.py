"""When an SFTP session, the order system or the ledger's database says no in a way that no server can be asked for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import paramiko
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from batch.ledger_history import LedgerHistory
from batch.orders_table import orders_table
from batch.sftp import SftpFolder
from batch.sftp_channel import SftpChannel
from batch.sftp_connection import SftpAccess, SftpConnections
from batch.source import OrderSource
from batch.strict_json import parse
from batch.token_writer import TokenWriter
from batch.writeback import OrderWriter
from jobs.sample_orders import orders as default_orders
from schemas.errors import AnswerUnreadable, LeaseLost, OrdersUnreachable, SftpRefused, SftpUnreachable
from tests.audit.ledger_builder import settings
from tests.ledger.room import DAY, MID, Room


class Refusing:
    """Connections whose every step is refused, and not because something is missing."""

    @contextmanager
    def step(self, what: str) -> Iterator[SftpChannel]:
        """Refuse."""
        raise SftpRefused(f"no to {what}", absent=False)
        yield


def folder() -> SftpFolder:
    """A folder behind such connections."""
    return SftpFolder(cast("SftpConnections", Refusing()), inbound="in", outbound="out")


@pytest.mark.parametrize(
    "ask", [lambda there: there.size_of("a.part"), lambda there: there.sha256_of("a.json", 9), lambda there: there.fetch("a", 9)]
)
def test_a_refusal_is_not_taken_for_absence(ask: Callable[[SftpFolder], object]) -> None:
    """Only the server's word that there is no such file counts as absent; any other no is told (I12)."""
    with pytest.raises(SftpRefused, match="no to"):
        ask(folder())


class Line:
    """A transport on which somebody is logged in, until it is closed."""

    def __init__(self) -> None:
        self.open = True

    def is_active(self) -> bool:
        """Whether it still stands."""
        return self.open

    def close(self) -> None:
        """Hang up."""
        self.open = False

    def get_transport(self) -> "Line":
        """What a channel runs on: this."""
        return self

    def settimeout(self, _seconds: float) -> None:
        """Nothing here takes time."""


class Session(SftpChannel):
    """A session on such a line."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def get_channel(self) -> Any:  # noqa: ANN401 - paramiko's own type
        """The line itself."""
        return self.line


def connections(monkeypatch: pytest.MonkeyPatch, line: Line, opened: Callable[[], object]) -> SftpConnections:
    """Connections that log in on this line, and open a session there as told."""
    monkeypatch.setattr("batch.sftp_connection.log_in", lambda _access: line)
    monkeypatch.setattr(SftpChannel, "from_transport", lambda _line: opened())
    watch: Callable[..., AbstractContextManager[None]] = lambda _seconds, _action: nullcontext()  # noqa: E731 - one word of the access
    keys: Sequence[paramiko.PKey] = ()
    return SftpConnections(
        SftpAccess("provider", cast("Any", None), "me", cast("Any", None), keys, 1.0, transports=1, channels=1, watch=watch)
    )


def test_a_login_without_a_session_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server lets us in and opens no session the line is given up, and nothing was sent."""

    def refuse() -> object:
        raise paramiko.SSHException("Channel closed.")

    line = Line()
    with pytest.raises(SftpUnreachable, match="opened no SFTP session"), connections(monkeypatch, line, refuse).step("look"):
        pass

    assert not line.open


def test_what_stops_us_in_a_step_ends_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that our own side gives up leaves a line on which anything may be under way: it is closed, not lent again."""
    line = Line()
    lent = connections(monkeypatch, line, lambda: Session(line))
    with pytest.raises(LeaseLost), lent.step("write"):
        raise LeaseLost("another run took over")

    assert not line.open


def test_an_order_system_that_cannot_be_read_is_unreachable(tmp_path: Path) -> None:
    """A database without the table is told as such, with the kind of error and none of its words."""
    table = orders_table(settings().orders, [column.name for column in default_orders.columns])
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    source = OrderSource(engine, table)

    with pytest.raises(OrdersUnreachable, match=r"could not be read \(OperationalError\)") as told:
        list(source.declined(10))

    engine.dispose()
    assert "no such table" not in str(told.value)


def test_our_own_mistake_is_not_taken_for_a_busy_database(tmp_path: Path) -> None:
    """A statement that is wrong in itself is no trouble of the database's, and comes through as it is."""
    room = Room(tmp_path / "ledger.db")
    with pytest.raises(ProgrammingError), room.ledger.reading() as connection:
        connection.exec_driver_sql("SELECT ?", ())
    room.close()


def test_too_many_values_are_refused_before_they_are_made() -> None:
    """More than half a million values are refused by counting, whatever they are."""
    with pytest.raises(AnswerUnreadable, match="more than 500,000"):
        parse(b"[" + b"0," * 500_001 + b"0]", max_bytes=2_000_000)


def test_a_claim_whose_events_are_gone_is_left_out_of_the_books(tmp_path: Path) -> None:
    """Finance's files tell only what the chain of events proves; that events are gone is what the chain's check tells."""
    room = Room(tmp_path / "ledger.db")
    room.claim("b00000000001", "a", "b")
    room.sql("DROP TRIGGER event_no_delete")
    room.sql("DELETE FROM event WHERE subject = 'order:a'")

    with LedgerHistory(room.ledger.reading, MID).reading() as reader:
        told = [attempt.order_id for attempt in reader.attempts(DAY)]

    room.close()
    assert told == ["b"]


def test_a_view_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """An order system that does not let us make the view is told with the kind of error and none of its words."""
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE retryable_orders (order_id TEXT)"))
    writer = OrderWriter(engine, orders_table(settings().orders, [column.name for column in default_orders.columns]))

    with pytest.raises(OrdersUnreachable, match="could not be written"):
        writer.create_view()

    engine.dispose()


def test_an_order_system_that_takes_no_token_is_told(tmp_path: Path) -> None:
    """Where no row could be written it concerns every card: what to check is said, and not that this one row was refused."""
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    writer = TokenWriter(engine, orders_table(settings().orders, [column.name for column in default_orders.columns]))

    with pytest.raises(OrdersUnreachable, match=r"could not be written \(OperationalError") as told:
        writer.write_token("000471", "token-1", "3184", seen="")

    engine.dispose()
    assert "orders.admin_url" in told.value.next_step
