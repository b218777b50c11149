"""The four steps on a row of the merchant's, each one atomic statement, built once for a table.

Values are given when a statement runs: `w_` says which row and how it must still be, `v_` what it shall show.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Update, and_, bindparam, case, func, literal, or_, update

from batch.orders_table import AsGiven, OrdersTable
from schemas.order import RETRY_COLUMN, RowStatus

OURS = (RowStatus.PENDING, RowStatus.COMPLETED, RowStatus.REVIEW)
"""Statuses that only we write while a hold stands; a held row with any other was changed by the merchant."""

AFTER_RECOVERY = (RowStatus.PARTIALLY_REFUNDED, RowStatus.REFUNDED, RowStatus.CHARGEBACK)
"""Statuses that only we write after a completion; one may follow another."""


@lru_cache(maxsize=8)
def placing(orders: OrdersTable) -> Update:
    """Put our hold on a row that is still free and still has the amount that was claimed."""
    column = orders.column
    return (
        update(orders.table)
        .where(
            column("order_id") == bindparam("w_order_id"),
            column("status") == RowStatus.DECLINED.value,
            column("hold_reference").is_(None),
            column(RETRY_COLUMN).is_(None),
            column("amount_minor") == bindparam("w_amount_minor"),
            column("currency") == bindparam("w_currency"),
        )
        .values({**_hold(orders), column("status"): RowStatus.PENDING.value})
    )


@lru_cache(maxsize=8)
def lifting(orders: OrdersTable) -> Update:
    """Take our hold off: the row is as it was, or as the merchant has made it since."""
    column = orders.column
    free_again = case(
        (column("status") == RowStatus.PENDING.value, literal(RowStatus.DECLINED.value, AsGiven())), else_=column("status")
    )
    return (
        update(orders.table)
        .where(column("order_id") == bindparam("w_order_id"), column("hold_reference") == bindparam("w_reference"))
        .values(
            {
                column("status"): free_again,
                column("hold_reference"): None,
                column("hold_until"): None,
                column("updated_at"): bindparam("v_updated_at"),
            }
        )
    )


@lru_cache(maxsize=8)
def showing(orders: OrdersTable) -> Update:
    """Show a result where our hold still stands and the merchant changed nothing.

    A completion is only written for the amount that was handed over, and nothing goes back to pending but from
    `w_back_from`: `review` where a person has decided, so that a runner that was paused writes no older news over newer.
    `w_kept`: `not_recovered` where the hold was kept, and the order was recovered after all.
    """
    column = orders.column
    return (
        update(orders.table)
        .where(
            column("order_id") == bindparam("w_order_id"),
            column("hold_reference") == bindparam("w_reference"),
            or_(orders.has_status(*OURS, *AFTER_RECOVERY), column("status") == bindparam("w_kept")),
            or_(
                bindparam("w_status") != RowStatus.PENDING.value,
                column("status") == RowStatus.PENDING.value,
                column("status") == bindparam("w_back_from"),
            ),
            or_(
                bindparam("w_status") != RowStatus.COMPLETED.value,
                and_(column("amount_minor") == bindparam("w_amount_minor"), column("currency") == bindparam("w_currency")),
            ),
        )
        .values(_result(orders))
    )


@lru_cache(maxsize=8)
def holding_again(orders: OrdersTable) -> Update:
    """Put the hold back on a released order that the provider recovered after all, if the row is still free."""
    return (
        update(orders.table)
        .where(orders.column("order_id") == bindparam("w_order_id"), orders.retryable())
        .values(_result(orders))
    )


def _hold(orders: OrdersTable) -> dict[Any, Any]:
    return {
        orders.column("hold_reference"): bindparam("v_reference"),
        orders.column("hold_until"): bindparam("v_until"),
        orders.column("updated_at"): bindparam("v_updated_at"),
    }


def _result(orders: OrdersTable) -> dict[Any, Any]:
    return {
        **_hold(orders),
        orders.column("status"): bindparam("v_status"),
        orders.column("provider_order_id"): bindparam("v_provider_order_id"),
        orders.column("provider_status"): bindparam("v_provider_status"),
        orders.column("refunded_minor"): func.coalesce(bindparam("v_refunded_minor"), orders.column("refunded_minor")),
    }
