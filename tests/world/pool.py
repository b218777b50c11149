"""The pool of a world's engine: connections for one thread, lent and given back without the guards that many would need.

A connection that comes back without an end of its transaction is rolled back, as SQLAlchemy's own pool does it.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.pool import QueuePool


class Lent:
    """A connection of the driver's while it is lent: what `Connection` uses of SQLAlchemy's own wrapper, and no more."""

    def __init__(self, pool: "OneThreadPool", record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own record
        self.pool, self._connection_record = pool, record
        self.dbapi_connection = record.dbapi_connection
        self.driver_connection = record.dbapi_connection
        self.info = record.info
        self.cursor: Callable[[], Any] = self.dbapi_connection.cursor
        self.commit: Callable[[], None] = self.dbapi_connection.commit
        self.rollback: Callable[[], None] = self.dbapi_connection.rollback
        self.execute: Callable[[str], Any] = self.dbapi_connection.execute
        self.is_valid = True

    def close(self) -> None:
        """Give it back, and undo what it has not committed."""
        self._close_special()

    def _close_special(self, transaction_reset: bool = False) -> None:
        if self.is_valid and not transaction_reset:
            self.pool._dialect.do_rollback(self)  # type: ignore[arg-type]
        self.pool.take_back(self)

    def invalidate(self, e: BaseException | None = None, soft: bool = False) -> None:
        """Close it: it is of no more use."""
        self.is_valid = False
        self._connection_record.invalidate(e=e, soft=soft)


class OneThreadPool(QueuePool):
    """Connections that are free, and how many are lent; made, and closed in the end, as SQLAlchemy's own are."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the same as QueuePool
        super().__init__(*arguments, **options)
        self._free: list[Lent] = []
        self._lent = 0

    def connect(self) -> Any:  # noqa: ANN401 - it stands for a PoolProxiedConnection
        """Lend a connection."""
        lent = self._free.pop() if self._free else Lent(self, self._create_connection())
        self._lent += 1
        return lent

    def take_back(self, lent: Lent) -> None:
        """A connection comes back."""
        self._lent -= 1
        if lent.is_valid:
            self._free.append(lent)

    def checkedout(self) -> int:
        """How many are lent."""
        return self._lent

    def dispose(self) -> None:
        """Close those that are free."""
        while self._free:
            self._free.pop()._connection_record.close()
