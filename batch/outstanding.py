"""What a run had to leave undone although it did something: named as an item, and closed by the run that gets it done."""

from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run, Writing
from batch.ledger.items import close_items, open_item
from batch.ledger.reading import to_write_back
from schemas.errors import OrdersUnreachable
from schemas.reasons import ItemKind

_FILES = "files:undelivered"
_RESULTS = "orders:results"


def note_outstanding(equipment: Equipment, run: Run, findings: Findings) -> None:
    """Open or close the items about files that were left behind while others went, and results that no row shows yet."""
    with equipment.ledger.reading() as connection:
        unwritten = bool(to_write_back(connection, equipment.ledger.mid, after="", limit=1))
    findings.left_unwritten = unwritten and any(isinstance(problem, OrdersUnreachable) for problem in findings.problems)
    left_behind = bool(findings.delivered and findings.undelivered)
    with equipment.ledger.writing(run) as writing:
        words = (
            f"{len(findings.undelivered)} files could not be delivered although others were; the next nightly goes on with them"
        )
        _set(writing, equipment, ItemKind.FILE_REFUSED, _FILES, words, stands=left_behind)
        words = "results could not be written to the order system; holds stay as they are, the next poll writes them"
        _set(writing, equipment, ItemKind.WRITE_BACK_CONFLICT, _RESULTS, words, stands=findings.left_unwritten)


def _set(writing: Writing, equipment: Equipment, kind: ItemKind, subject: str, words: str, *, stands: bool) -> None:
    if stands:
        open_item(writing, kind, subject, words, due_business_days=equipment.settings.review.due_business_days)
    else:
        close_items(writing, kind, subject, "done by a later run")
