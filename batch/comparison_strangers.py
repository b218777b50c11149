"""Orders that the ledger does not know: in the provider's list, or with a hold of ours on their row."""

from collections.abc import Sequence
from typing import Any

from batch.compared import Compared
from batch.equipment import Equipment
from batch.held_rows import PREFIX, is_of_this_merchant
from batch.ledger import Run, Writing
from batch.ledger.comparison_past import first_seen
from batch.ledger.comparisons import add_rows, listed_among, strangers_page
from batch.ledger.holds import states_by_reference
from batch.ledger.items import close_all, open_item
from batch.order_rows import amount_of, is_storable
from batch.provider_words import fit_to_show
from schemas.counted import counted
from schemas.matches import Match
from schemas.reasons import ItemKind

PAGE = 1000
UNKNOWN = "reconcile-unknown:orders"
"""The subject of the one item about all orders that the ledger does not know."""

_NO_ORDER = "an order without an id of yours"
_LOOK = "mitbatch review list"


def compare_strangers(equipment: Equipment, run: Run, compared: Compared, *, before: str) -> None:
    """Write down every order that another book has and the ledger does not, and tell a person once of all that are new."""
    after = -1
    while compared.is_list_had:
        with equipment.ledger.reading() as connection:
            page = strangers_page(connection, equipment.ledger.mid, after=after, limit=PAGE)
        if not page:
            break
        rows = equipment.source.written([row.order_id for row in page if row.order_id])
        with equipment.ledger.writing(run) as writing:
            _write(writing, compared, [_listed_cells(row, rows.get(row.order_id)) for row in page], before)
        after = page[-1].number
    for held in equipment.source.held_rows(PREFIX, PAGE, everywhere=True):
        unknown = _unknown(equipment, [row for row in held if is_storable(row[0])])
        rows = equipment.source.written(unknown)
        with equipment.ledger.writing(run) as writing:
            _write(writing, compared, [_row_cells(rows[each]) for each in unknown if each in rows], before)
    with equipment.ledger.writing(run) as writing:
        _tell(writing, equipment, compared)


def _unknown(equipment: Equipment, rows: Sequence[tuple[str, str]]) -> list[str]:
    with equipment.ledger.reading() as connection:
        known = states_by_reference(connection, equipment.ledger.mid, [reference for _, reference in rows])
        unknown = [
            order_id
            for order_id, reference in rows
            if reference not in known and is_of_this_merchant(equipment.ledger.mid, order_id, reference)
        ]
        listed = listed_among(connection, equipment.ledger.mid, unknown)
    return [order_id for order_id in unknown if order_id not in listed]


def _listed_cells(row: Any, shown: dict[str, str] | None) -> dict[str, Any]:  # noqa: ANN401 - a row of a database driver
    said = row.status or f"code {row.code}"
    named = fit_to_show(row.order_id) if row.order_id else _NO_ORDER
    return {
        "order_id": row.order_id,
        "currency": row.currency,
        "amount_minor": row.amount_minor,
        "provider_status": said,
        "provider_minor": row.amount_minor,
        "orders_status": fit_to_show(shown["status"])[:64] if shown else "",
        "orders_minor": amount_of(shown["amount_minor"]) if shown else None,
        "explanation": f"the provider has {named} ({row.provider_order_id}, {said}), which this ledger does not know: {_LOOK}",
    }


def _row_cells(row: dict[str, str]) -> dict[str, Any]:
    amount, status = amount_of(row["amount_minor"]), fit_to_show(row["status"])[:64]
    return {
        "order_id": row["order_id"],
        "currency": row["currency"][:16],
        "amount_minor": amount,
        "provider_status": "",
        "provider_minor": None,
        "orders_status": status,
        "orders_minor": amount,
        "explanation": f"its row shows {status!r} and bears a hold of ours, which this ledger did not place: {_LOOK}",
    }


def _write(writing: Writing, compared: Compared, page: Sequence[dict[str, Any]], before: str) -> None:
    match = Match.MISSING_IN_LEDGER
    seen = first_seen(writing.connection, writing.mid, before, [cells["order_id"] for cells in page])
    rows = []
    for cells in page:
        since = seen.get((cells["order_id"], match), writing.run.business_date)
        rows.append(
            {
                **cells,
                "number": compared.rows,
                "site": "",
                "match": match.value,
                "ledger_state": "",
                "ledger_minor": None,
                "file_minor": None,
                "difference_minor": cells["amount_minor"],
                "first_seen_date": since,
                "is_settlement": 0,
            }
        )
        compared.note(match, cells["order_id"], cells["currency"], cells["amount_minor"], cells["explanation"])
        compared.strangers += 1
        compared.new_strangers += since == writing.run.business_date
    add_rows(writing, rows)


def _tell(writing: Writing, equipment: Equipment, compared: Compared) -> None:
    """One item for all of them: an account that others send for as well has many, and a person notes that once."""
    if compared.new_strangers:
        orders = counted(compared.strangers, "order stands", "orders stand")
        words = (
            f"{orders} in the provider's list or under our hold, which this ledger does not know; reconciliation.csv names each"
        )
        days = equipment.settings.review.due_business_days
        open_item(writing, ItemKind.CONTRADICTION, UNKNOWN, words, due_business_days=days)
    elif not compared.strangers and compared.is_list_whole:
        close_all(writing, [(ItemKind.CONTRADICTION, UNKNOWN)], "the ledger knows all of them")
