"""What was sent leaves after its time: names, addresses and payment tokens are kept no longer than they may be needed (S24).

A batch that has ended is never rendered again and none of its calls repeated, so nobody reads the rows of its ended orders;
the comparison of books needs the amount alone, which stays, as do every event, digest and order key. An order whose story
goes on keeps its record, however old.

The exported file says that something of its batch is left to forget, and goes last: who dies before that leaves it to the
next night, which does the same once more. Batches without such a file, which are empty ones and copies sent by calls, are
looked at for two weeks after their time.
"""

from datetime import timedelta

from batch.equipment import Equipment
from batch.ledger import Run
from batch.ledger.batches import batch_by_id, unexported_batches
from batch.ledger.sent_records import shorten_records
from batch.pace import business_date
from schemas.states import BatchStep

LOOKED_AT = timedelta(days=14)
ENDED = (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED, BatchStep.EMPTY)


def forget_sent(equipment: Equipment, run: Run) -> None:
    """Drop what was sent of orders that ended `retention.sent_days` ago: from the ledger, then the file of the export folder.

    A file whose batch the ledger does not know is not ours to judge, and stays.
    """
    ledger, settings = equipment.ledger, equipment.settings
    limit = equipment.clock.now() - timedelta(days=settings.retention.sent_days)
    zone = settings.schedule.timezone
    before, since = business_date(limit, zone), business_date(limit - LOOKED_AT, zone)
    with ledger.reading() as connection:
        unexported = unexported_batches(connection, ledger.mid, since=since, until=before)
    for batch in unexported:
        with ledger.writing(run) as writing:
            shorten_records(writing, batch, before=before)
    for kept in equipment.export.up_to(before):
        with ledger.reading() as connection:
            found = batch_by_id(connection, ledger.mid, kept.batch_id)
        if found is None or found.step not in ENDED:
            continue
        with ledger.writing(run) as writing:
            left = shorten_records(writing, found, before=before)
        if not left:
            equipment.export.forget(kept)
