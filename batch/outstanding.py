"""What a run had to leave undone although it did something: named as an item, and closed by the run that gets it done."""

from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.ledger.batches import batch_named
from batch.ledger.items import close_all, open_item, open_items
from batch.ledger.reading import to_write_back
from schemas.counted import counted
from schemas.errors import OrdersUnreachable
from schemas.reasons import ItemKind
from schemas.states import UNSENT_STEPS

_FILES = "files:undelivered"
_CALLS = "calls:unmade"
_RESULTS = "orders:results"


def note_arrived(equipment: Equipment, findings: Findings) -> None:
    """Count as delivered what this run asked to be renamed and thought lost, once an answer has shown that it arrived (I20).

    Without this a run would say that nothing was sent, although the provider works on it.
    """
    perhaps = [name for name in findings.undelivered if name in findings.asked]
    if not perhaps:
        return
    with equipment.ledger.reading() as connection:
        for name in perhaps:
            batch = batch_named(connection, equipment.ledger.mid, name)
            if batch is not None and batch.step not in UNSENT_STEPS:
                findings.undelivered.remove(name)
                findings.delivered.append(name)


def note_outstanding(equipment: Equipment, run: Run, findings: Findings) -> None:
    """Open or close the items about files that were left behind while others went, and results that no row shows yet.

    Who holds the lease alone opens and closes items, so what was read stands; a run without it that finds nothing to write has
    changed nothing, and learns at its end that it was overtaken.
    """
    note_arrived(equipment, findings)
    with equipment.ledger.reading() as connection:
        unwritten = bool(to_write_back(connection, equipment.ledger.mid, after="", limit=1))
        opened = {item.subject for item in open_items(connection, equipment.ledger.mid)}
    findings.left_unwritten = unwritten and any(isinstance(problem, OrdersUnreachable) for problem in findings.problems)
    left_behind = bool(findings.delivered and findings.undelivered)
    uncalled = bool(findings.called and findings.uncalled)
    files = f"{counted(len(findings.undelivered), 'file')} could not be delivered although others were; the next nightly goes on"
    unsent = counted(findings.uncalled, "order or copy", "orders or copies")
    calls = f"{unsent} could not be sent although others were; the next run goes on"
    results = "results could not be written to the order system; holds stay as they are, the next poll writes them"
    items = (
        (ItemKind.FILE_REFUSED, _FILES, files, left_behind),
        (ItemKind.FILE_REFUSED, _CALLS, calls, uncalled),
        (ItemKind.WRITE_BACK_CONFLICT, _RESULTS, results, findings.left_unwritten),
    )
    if not any(stands for *_, stands in items) and not opened & {subject for _, subject, _, _ in items}:
        equipment.ledger.may_go_on()  # nothing to write; who was asked to stop stops here all the same
        return
    with equipment.ledger.writing(run) as writing:
        for kind, subject, words, stands in items:
            if stands:
                open_item(writing, kind, subject, words, due_business_days=equipment.settings.review.due_business_days)
        close_all(writing, [(kind, subject) for kind, subject, _, stands in items if not stands], "done by a later run")
