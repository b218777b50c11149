"""Writing a payment token into the merchant's order system: two columns, under the login that may."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Text, Update, and_, bindparam, cast, not_, or_, update
from sqlalchemy.exc import DBAPIError

from batch.orders_table import OrdersTable
from batch.row_statements import AFTER_RECOVERY, OURS
from batch.writeback import concerns_all, said
from schemas.errors import OrdersUnreachable


@lru_cache(maxsize=8)
def _writing_a_token(orders: OrdersTable) -> Update:
    """Put a token on a row that nobody holds and whose token is still the one that was seen; an empty one may be null."""
    column, seen = orders.column, bindparam("w_seen", type_=Text())
    return (
        update(orders.table)
        .where(
            column("order_id") == bindparam("w_order_id"),
            column("hold_reference").is_(None),
            not_(orders.has_status(*OURS, *AFTER_RECOVERY)),
            or_(and_(column("payment_token").is_(None), seen == ""), cast(column("payment_token"), Text) == seen),
        )
        .values({column("payment_token"): bindparam("v_token"), column("card_last4"): bindparam("v_last4")})
    )


@dataclass(frozen=True, slots=True)
class TokenWrite:
    """What came of writing one row: it moved, or not; `refusal` is the kind of error with which the database refused it."""

    has_moved: bool
    refusal: str = ""


class TokenWriter:
    """The order system, for writing `payment_token` and `card_last4`."""

    def __init__(self, engine: Engine, orders: OrdersTable) -> None:
        self._engine = engine
        self._orders = orders

    def write_token(self, order_id: str, token: str, last4: str, *, seen: str) -> TokenWrite:
        """Write a card's token and last four digits, if the row is not held and still has the token that was seen.

        Raises OrdersUnreachable when the database itself cannot be used.
        """
        values: dict[str, Any] = {"w_order_id": order_id, "w_seen": seen, "v_token": token, "v_last4": last4}
        try:
            with self._engine.connect().execution_options(writing=True) as connection, connection.begin():
                return TokenWrite(has_moved=connection.execute(_writing_a_token(self._orders), values).rowcount > 0)
        except DBAPIError as error:
            if concerns_all(error):
                raise OrdersUnreachable(
                    f"The order system could not be written ({said(error)}).",
                    next_step="Check orders.admin_url and the rights of its login; running again is safe.",
                ) from error
            return TokenWrite(has_moved=False, refusal=said(error))
