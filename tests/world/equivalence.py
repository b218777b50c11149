"""I9, crash equivalence: after a crash and its recovery, every book must say what it says after the same nights without.

What must be equal: each order's row as the merchant reads it, the latest state of each order with its amount and the
provider's id and last word, the results of copies, the open items, what the provider accepted and refused and how often,
how it sees each order, what lies in its inbound folder, which orders the merchant charged itself although they were not
given back, and every row of finance's files of every date.

What may differ, because it names the attempt and not the outcome: times of the day, run and batch ids and file names made
of them, ids of items, evidence ids, the number of an attempt and the keys that are made of it, in which file an order
travelled, and by which answer the provider was first heard to work on it.
And whether the merchant's own retry has already taken what was given back to it: that is the merchant's doing.
"""

import csv
import io
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from schemas.order import RowStatus
from schemas.states import RELEASED
from tests.world.world import World

Ending = dict[str, Any]
"""Everything that must be equal, by the name of the book. Plain values, so that it travels between processes."""

MOST = 600
"""Characters that are shown of one book's differences."""

_ROW = ("status", "provider_order_id", "provider_status", "retry_state", "amount_minor", "currency")
_ORDER = ("state", "site", "currency", "amount_minor", "business_date", "provider_order_id", "provider_status")
_PASSING = frozenset(
    "run_id batch_id file_name evidence_id row_check attempt idempotency_key hold_reference hold_until review_id command".split()
)
"""Columns of finance's files that name an attempt or its time, besides those that end in `_at`."""
_HEARD = frozenset(("state_from", "source", "provider_status"))
"""By which answer the provider was first heard to work on an order: who died before its acknowledgement may be told by a read."""
_TALKING = frozenset(("ledger_says", "provider_says", "orders_say"))
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{12}(?![0-9a-f])")
"""A batch's id, as sentences about a file name it."""


def ending_of(world: World) -> Ending:
    """How things stand in every book."""
    journal, ledger = world.provider.journal(), _ledger(world)
    charged = {charge.order_id for charge in world.merchant.charges}
    taken = {key for key, fields in ledger["order states"].items() if fields[0] in RELEASED and key in charged}
    return {
        "order rows": {key: _row(row, is_taken=key in taken) for key, row in world.merchant.rows().items()},
        **ledger,
        "accepted": _counted(journal, "accepted"),
        "refused": _counted(journal, "row_refused"),
        "provider": {str(row["order_id"]): [row["status"], row["amount"], row["currency"]] for row in world.provider.orders()},
        "inbound": sorted(path.suffix for path in world.provider.inbound.iterdir()),
        "charged in-house": sorted(charged - taken),
        **_finance(world),
    }


def differences(expected: Ending, found: Ending) -> list[str]:
    """What I9 forbids: one sentence for each book that differs from that of the nights without a crash."""
    names = sorted(expected.keys() | found.keys())
    return [
        f"I9: {name}: {_missing(expected.get(name), found.get(name))[:MOST]}"
        for name in names
        if expected.get(name) != found.get(name)
    ]


def _row(row: dict[str, Any], *, is_taken: bool) -> list[Any]:
    """What the merchant reads in a row; one that its own retry took after the release reads as it was released."""
    shown = {**row, "status": RowStatus.NOT_RECOVERED.value} if is_taken and row["status"] == "paid" else row
    return [*(shown[name] for name in _ROW), bool(row["hold_reference"])]


def _missing(expected: Any, found: Any) -> str:  # noqa: ANN401 - a book of whatever form
    if isinstance(expected, dict) and isinstance(found, dict):
        differ = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
        return "; ".join(f"{key} is {found.get(key)} instead of {expected.get(key)}" for key in differ)
    if isinstance(expected, list) and isinstance(found, list):
        return (
            f"too much {[one for one in found if one not in expected]}, missing {[one for one in expected if one not in found]}"
        )
    return f"{found} instead of {expected}"


def _counted(journal: Iterable[dict[str, object]], event: str) -> dict[str, int]:
    facts = ("kind", "order_id", "amount", "currency")
    return dict(Counter(" ".join(str(row[name]) for name in facts) for row in journal if row["event"] == event))


def _ledger(world: World) -> dict[str, Any]:
    with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
        connection.row_factory = sqlite3.Row
        submissions = connection.execute("SELECT * FROM submission ORDER BY order_id, attempt").fetchall()
        copies = connection.execute("SELECT order_id, result, transmit_id FROM transmission ORDER BY order_id").fetchall()
        items = connection.execute("SELECT kind, subject FROM item WHERE closed_at IS NULL").fetchall()
        lease = connection.execute("SELECT run_id FROM lease").fetchall()
    return {
        "order states": {row["order_id"]: [row[name] for name in _ORDER] for row in submissions},
        "not written back": sorted(row["order_id"] for row in submissions if row["written_version"] != row["row_version"]),
        "copies": [list(row) for row in copies],
        "open items": sorted([row["kind"], _subject(row["subject"])] for row in items),
        "lease": [row["run_id"] for row in lease],
    }


def _subject(subject: str) -> str:
    """An item's subject; of a file only that it is one, for its name holds the id of an attempt."""
    return subject if subject.startswith(("order:", "overdue:", "paid:")) else subject.partition(":")[0]


def _finance(world: World) -> dict[str, Any]:
    books: dict[str, Any] = {}
    left_over = []
    for path, content in sorted(world.disk.there.items()):
        if path.suffix == ".csv" and "audit" in path.parts:
            rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
            books[f"{path.parent.name}/{path.name}"] = sorted(_lasting(row) for row in rows)
        elif path.suffix in {".tmp", ".new"}:
            left_over.append(path.name)
    return {**books, "left over": left_over}


def _lasting(row: dict[str, str]) -> list[tuple[str, str]]:
    passing = _PASSING | _HEARD if row.get("state_to") == "pending" else _PASSING
    return [
        (name, _ID.sub("ID", value) if name in _TALKING else value)
        for name, value in row.items()
        if name not in passing and not name.endswith("_at")
    ]
