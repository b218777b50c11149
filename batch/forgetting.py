"""What was sent, and what the provider said, leave after their time: nothing personal is kept longer than it may be needed (S24).

A batch that has ended is never rendered again and none of its calls repeated, so nobody reads the rows of its ended orders;
the comparison of books needs the amount alone, which stays, as do every event, digest and order key. An order whose story
goes on keeps its record, however old.

The exported file says that something of its batch is left to forget, and goes last: who dies before that leaves it to the
next night, which does the same once more. Batches without such a file, which are empty ones and copies sent by calls, are
looked at for two weeks after their time.

What the provider said goes a portion at a time, each in one transaction with the event that names it
(`batch.ledger.forgotten_answers` says what may go, and why no decision can miss it). Dying before a commit leaves a portion
whole, dying after it leaves it done: the next night goes on with what is left. While sending is paused nothing is emptied,
because somebody may be looking into what happened.
"""

from datetime import timedelta

from batch.equipment import Equipment
from batch.ledger import Run
from batch.ledger.batches import batch_by_id, unexported_batches
from batch.ledger.forgotten_answers import Limit, empty_answers, old_answers
from batch.ledger.sent_records import shorten_records
from batch.pace import business_date, utc_text
from batch.permission import switches_now
from schemas.states import BatchStep

LOOKED_AT = timedelta(days=14)
AT_A_TIME = 500
"""So many old answers are looked at in one transaction."""

MOST_PORTIONS = 400
"""So many portions are emptied in one night: those of a ledger that was kept for years go in several. What must stay and is only
looked at does not count, or there might be so much of it one day that nothing behind it was ever reached."""

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


def forget_answers(equipment: Equipment, run: Run) -> None:
    """Empty what the provider said of orders that ended `retention.answer_days` ago; its hash, and what followed, stay."""
    if switches_now(equipment).is_paused:
        return
    ledger, settings = equipment.ledger, equipment.settings
    oldest = equipment.clock.now() - timedelta(days=settings.retention.answer_days)
    limit = Limit(utc_text(oldest), business_date(oldest, settings.schedule.timezone))
    after, portions = ("", ""), 0
    while portions < MOST_PORTIONS:
        with ledger.reading() as connection:
            page = old_answers(connection, ledger.mid, limit, after=after, most=AT_A_TIME)
        if page.evidence_ids:
            with ledger.writing(run) as writing:
                empty_answers(writing, limit, page.evidence_ids)
            portions += 1
        if page.is_last:
            break
        after = page.after
    if portions:
        ledger.leave_no_copy()
