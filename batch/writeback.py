"""Writing to the merchant's order system: holds before sending, results afterwards, and nothing where our hold is gone.

Each row is one atomic step. The merchant's own retry job takes its orders by the same kind of step, so whoever comes
second sees the first and stands back (schemas/INTEGRATION.md, "The hold").
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Update, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from batch.database_state import WILL_WRITE
from batch.many_rows import driver_form
from batch.orders_table import OrdersTable
from batch.row_statements import holding_again, lifting, placing, showing
from schemas.errors import OrdersUnreachable
from schemas.order import RETRY_COLUMN, RowStatus

Refusals = dict[str, str]
"""Orders whose row the database itself refused to change, each with the kind of error."""


class HoldWanted(NamedTuple):
    """A hold to be placed: on this order, under this reference, if its amount is still what was claimed (minor units)."""

    order_id: str
    hold_reference: str
    amount_minor: int
    currency: str
    hold_until: str


class RowResult(NamedTuple):
    """What a held row shall show. `keeps_hold` is false when the order is released to the merchant's own retry.

    `refunded_minor` is what was given back of it, None where the column is left as it is. `ends_review` says that a person
    has decided: the row may go from `review` back to `pending`. `ends_release` says that it was recovered although it had been
    given up: the row may be `not_recovered` under the hold that was kept.
    """

    order_id: str
    hold_reference: str
    status: RowStatus
    keeps_hold: bool
    hold_until: str
    provider_order_id: str
    provider_status: str
    amount_minor: int
    currency: str
    refunded_minor: int | None = None
    ends_review: bool = False
    ends_release: bool = False


class OrderWriter:
    """The order system, for writing the seven columns that are ours."""

    def __init__(self, engine: Engine, orders: OrdersTable) -> None:
        self._engine = engine
        self._orders = orders

    def place_holds(self, wanted: Sequence[HoldWanted], *, now: str) -> Refusals:
        """Place these holds where the rows are still free; the caller reads the rows to see which stand."""
        rows = [
            {
                "w_order_id": hold.order_id,
                "w_amount_minor": hold.amount_minor,
                "w_currency": hold.currency,
                "v_reference": hold.hold_reference,
                "v_until": hold.hold_until,
                "v_updated_at": now,
            }
            for hold in wanted
        ]
        return self._each(placing(self._orders), rows)

    def lift_holds(self, references: Sequence[tuple[str, str]], *, now: str) -> Refusals:
        """Give back orders that were held and never sent: the row is as it was, or as the merchant has made it since."""
        rows = [{"w_order_id": order_id, "w_reference": reference, "v_updated_at": now} for order_id, reference in references]
        return self._each(lifting(self._orders), rows)

    def write_results(self, results: Sequence[RowResult], *, now: str) -> Refusals:
        """Write results where our hold still stands and the merchant changed nothing; the caller reads the rows to see.

        A completion is only written for the amount that was handed over, and nothing goes back to pending but what a person
        has decided.
        """
        return self._each(showing(self._orders), [_result_values(result, now) for result in results])

    def hold_again(self, result: RowResult, *, now: str) -> None:
        """Put the hold back on a released order that the provider recovered after all, if the row is still free."""
        values = _result_values(result, now)
        unused = ("w_reference", "w_status", "w_amount_minor", "w_currency", "w_back_from", "w_kept")
        self._each(holding_again(self._orders), [{name: value for name, value in values.items() if name not in unused}])

    def view_statement(self) -> str:
        """The SQL that makes the view `retryable_orders`: exactly the rows that the merchant's own retry may take."""
        quote = self._engine.dialect.identifier_preparer.quote
        table = self._engine.dialect.identifier_preparer.format_table(self._orders.table)
        names = {ours: quote(self._orders.table.c[ours].name) for ours in ("status", "hold_reference", RETRY_COLUMN)}
        return (
            f"CREATE VIEW retryable_orders AS SELECT * FROM {table} "  # noqa: S608 - identifiers from the settings, checked and quoted
            f"WHERE {names['status']} IN ('declined', 'not_recovered') "
            f"AND {names['hold_reference']} IS NULL AND {names[RETRY_COLUMN]} IS NULL"
        )

    def create_view(self) -> None:
        """Make the view, replacing an older one of that name. Raises OrdersUnreachable where the rights do not allow it."""
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":  # dropping it would take the retry job's right to read it along
                connection.execute(text(self.view_statement().replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)))
                return
            connection.execute(text("DROP VIEW IF EXISTS retryable_orders"))
            connection.execute(text(self.view_statement()))

    def _each(self, statement: Update, rows: list[dict[str, Any]]) -> Refusals:
        """Carry out the statement for every row, all in one transaction; what the database refuses, each on its own.

        One row that a constraint or a trigger of the merchant's refuses stops no other. Raises OrdersUnreachable when the
        database itself cannot be used.
        """
        if not rows:
            return {}
        try:
            with self._transaction() as connection:
                form = driver_form(statement, connection.dialect, rows)
                connection.execute(statement, rows) if form is None else connection.exec_driver_sql(*form)
        except DBAPIError as error:
            if len(rows) == 1 and not concerns_all(error):
                return {rows[0]["w_order_id"]: said(error)}
            if concerns_all(error):
                raise OrdersUnreachable(f"The order system could not be written ({said(error)}).") from error
            refused: Refusals = {}
            for row in rows:
                refused |= self._each(statement, [row])
            return refused
        return {}

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._transaction() as connection:
                yield connection
        except DBAPIError as error:
            raise OrdersUnreachable(f"The order system could not be written ({said(error)}).") from error

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connection.info[WILL_WRITE] = True
            with connection.begin():
                yield connection


_OF_ONE_ROW = ("22", "23", "44", "P0", "40")
"""Classes of SQLSTATE that speak of a row: its values, a constraint, a view's check, a trigger, or a deadlock over it."""


def concerns_all(error: DBAPIError) -> bool:
    """Whether the database itself cannot be used, rather than one row being refused."""
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is not None and not error.connection_invalidated:
        return not sqlstate.startswith(_OF_ONE_ROW)
    return error.connection_invalidated or isinstance(error, OperationalError | ProgrammingError | InterfaceError)


def said(error: DBAPIError) -> str:
    """What kind of error a driver reported, without its words: they may repeat the row."""
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return " ".join(word for word in (type(error.orig).__name__, name) if word)


def _result_values(result: RowResult, now: str) -> dict[str, Any]:
    return {
        "w_order_id": result.order_id,
        "w_reference": result.hold_reference,
        "w_status": result.status.value,
        "w_back_from": (RowStatus.REVIEW if result.ends_review else RowStatus.PENDING).value,
        "w_kept": (RowStatus.NOT_RECOVERED if result.ends_release else RowStatus.PENDING).value,
        "w_amount_minor": result.amount_minor,
        "w_currency": result.currency,
        "v_status": result.status.value,
        "v_reference": result.hold_reference if result.keeps_hold else None,
        "v_until": result.hold_until if result.keeps_hold else None,
        "v_provider_order_id": result.provider_order_id or None,
        "v_provider_status": result.provider_status or None,
        "v_refunded_minor": result.refunded_minor,
        "v_updated_at": now,
    }
