"""Orders that were given up and recovered after all: their rows are held again where they are free, and show it either way.

Only a row that still is as we left it is taken: what the merchant has begun to charge, or changed, stays theirs, and so do
rows of which the ledger does not say that we wrote them so (I1, I5). Dying in between: the next run does the same again.
"""

import orjson

from batch.equipment import Equipment
from batch.ledger.reading import events_of
from batch.row_statements import AFTER_RECOVERY
from batch.writeback import Refusals, RowResult
from schemas.order import RowStatus

_RECOVERED = (RowStatus.REVIEW, *AFTER_RECOVERY)


def show_recovered(equipment: Equipment, results: list[RowResult], rows: dict[str, dict[str, str]], *, now: str) -> Refusals:
    """Show what was recovered after a release in rows that stand as they were released, or were kept (`writeback`).

    A review is shown in any row that the merchant may still take. Returns the orders whose row the database refused to change.
    """
    refused: Refusals = {}
    for result in results:
        row = rows.get(result.order_id)
        if row is None or result.status not in _RECOVERED:
            continue
        stands = row["status"] == RowStatus.NOT_RECOVERED.value and _was_left_so(equipment, result.order_id)
        is_held = row["hold_reference"] == result.hold_reference
        if not is_held and (stands or result.status is RowStatus.REVIEW):
            equipment.writer.hold_again(result, now=now)
        elif is_held and stands:
            refused |= equipment.writer.write_results([result._replace(ends_release=True)], now=now)
    return refused


def _was_left_so(equipment: Equipment, order_id: str) -> bool:
    """Whether what was last written to an order's row is that it was not recovered."""
    with equipment.ledger.reading() as connection:
        chain = events_of(connection, equipment.ledger.mid, f"order:{order_id}")
    written = [orjson.loads(row["detail"]) for row in chain if row["kind"] == "written_back"]
    return bool(written) and written[-1]["outcome"] == "yes" and written[-1]["row_status"] == RowStatus.NOT_RECOVERED.value
