"""The shop's orders table, each change one atomic step on one row that says what it expects to find there."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

COLUMNS = (
    *("order_id", "site", "origin", "customer_id", "email", "phone", "first_name", "last_name"),
    *("address_line1", "address_line2", "city", "state", "zipcode", "country"),
    *("subscription_id", "subscription_interval", "payment_number", "amount_minor", "currency", "charged_at"),
    *("response_code", "response_code_source", "response_description"),
    *("avs_result_code", "cvv_result_code", "cavv_result_code", "processor_name"),
    *("network_response_code", "network_advice_code", "attempts_30d"),
    *("payment_token", "holder_name", "card_brand", "card_bin", "card_last4", "card_country", "exp_month", "exp_year"),
    *("opted_out", "card_funding", "transaction_id", "descriptor", "network_transaction_id", "customer_ip", "sense_key"),
    *("status", "hold_reference", "hold_until", "provider_order_id", "provider_status", "refunded_minor", "updated_at"),
    "retry_state",
)
_INTEGERS = ("amount_minor", "attempts_30d", "exp_month", "exp_year", "refunded_minor")

Row = Mapping[str, str | int | None]

_OURS = "retry_state = 'in_flight' AND hold_reference IS NULL"
"""The row is the checkout's, not mitbatch's."""


class Orders:
    """The table, made if it is not there. Every method may be called from any thread; True means that the row was moved.

    Raises `sqlite3.Error` for a file that is no database, or a table without one of the columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        columns = ", ".join(f"{name} {'INTEGER' if name in _INTEGERS else 'TEXT'}" for name in COLUMNS)
        self._run(f"CREATE TABLE IF NOT EXISTS orders ({columns}, PRIMARY KEY (order_id))")
        self._run(f"SELECT {', '.join(COLUMNS)} FROM orders LIMIT 0")  # noqa: S608 - our own column names

    def find(self, order_id: str) -> Row | None:
        """The row as it stands now."""
        with closing(self._connected()) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,)).fetchone()
        return dict(found) if found else None

    def place(self, cells: Mapping[str, object]) -> None:
        """A new order, with its id, before anything is asked of anybody."""
        names = ", ".join(cells)
        marks = ", ".join("?" for _ in cells)
        self._run(f"INSERT INTO orders ({names}, status) VALUES ({marks}, 'open')", *cells.values())  # noqa: S608 - our own column names

    def begin(self, order_id: str) -> bool:
        """Take the order for one payment: whoever comes second finds it taken."""
        return self._run("UPDATE orders SET status = 'paying' WHERE order_id = ? AND status = 'open'", order_id)

    def charged(self, order_id: str, status: str, cells: Mapping[str, object]) -> bool:
        """What the gateway answered: `paid`, or `declined` and claimed for the checkout in the same statement."""
        claim = "in_flight" if status == "declined" else None
        sets = ", ".join(f"{name} = ?" for name in (*cells, "status", "retry_state"))
        statement = f"UPDATE orders SET {sets} WHERE order_id = ? AND status = 'paying'"  # noqa: S608 - our own column names
        return self._run(statement, *cells.values(), status, claim, order_id)

    def handed_over(self, order_id: str, key: str, word: str) -> bool:
        """The provider has it, under this id and with this word."""
        sets = "status = 'pending', provider_order_id = ?, provider_status = ?"
        return self._run(f"UPDATE orders SET {sets} WHERE order_id = ? AND {_OURS}", key, word, order_id)  # noqa: S608

    def found(self, order_id: str, key: str) -> bool:
        """The provider shows it under this id, while the answer to its evaluate is not known, or not yet."""
        sets = "status = 'pending', provider_order_id = ?, provider_status = 'SUBMITTED'"
        where = f"order_id = ? AND provider_order_id IS NULL AND {_OURS}"
        return self._run(f"UPDATE orders SET {sets} WHERE {where}", key, order_id)  # noqa: S608

    def left_to_mitbatch(self, order_id: str) -> bool:
        """Nothing was sent, for certain: the claim is lifted, and what is declined and unclaimed is mitbatch's.

        The widget's key goes with it: by night nobody looks at the page on which the widget would ask.
        """
        where = f"order_id = ? AND status = 'declined' AND provider_order_id IS NULL AND {_OURS}"
        return self._run(f"UPDATE orders SET retry_state = NULL, sense_key = NULL WHERE {where}", order_id)  # noqa: S608

    def ended(self, order_id: str, status: str, word: str) -> bool:
        """How it ended, and with it the claim."""
        sets = "status = ?, provider_status = ?, retry_state = NULL"
        return self._run(f"UPDATE orders SET {sets} WHERE order_id = ? AND {_OURS}", status, word, order_id)  # noqa: S608

    def given_up(self, order_id: str) -> bool:
        """The customer pays with another card: take the row from mitbatch, unless a night has it already."""
        where = "order_id = ? AND status = 'declined' AND retry_state IS NULL AND hold_reference IS NULL"
        return self._run(f"UPDATE orders SET status = 'not_recovered' WHERE {where}", order_id)  # noqa: S608

    def _run(self, statement: str, *values: object) -> bool:
        with closing(self._connected()) as connection:
            return connection.execute(statement, values).rowcount == 1

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10, isolation_level=None)
