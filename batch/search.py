"""Looking for orders whose acknowledgement never came: in the provider's listing, by our own id."""

from datetime import timedelta

from batch.api import Answer
from batch.applying import raise_item
from batch.equipment import Equipment
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.batches import waiting_batches
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_items, open_item
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.reading import bearers_of, hinted_without_id, submissions_of_batch
from batch.ledger.steps import move_batch
from batch.pace import from_utc_text, utc_text
from batch.responses import OrderRead
from schemas.errors import ApiUnreachable, InternalError
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import EDGES, BatchStep, State

_WAITING = (State.SENDING, State.IN_DOUBT)


def look_for_unanswered(equipment: Equipment, run: Run) -> None:
    """Files that were delivered, or may have been, and have no acknowledgement, or not of every row, after the ingest window.

    Their orders are in doubt and stay held; an item opens, and each order is searched for at the provider. Finding it
    settles it; finding nothing settles nothing (I12, I16).
    """
    with equipment.ledger.reading() as connection:
        waiting = waiting_batches(connection, equipment.ledger.mid)
    window = timedelta(seconds=equipment.settings.outcomes.ingest_window_seconds)
    for batch in waiting:
        is_doubted = batch.step is BatchStep.IN_DOUBT
        if not is_doubted and equipment.clock.now() - from_utc_text(batch.delivered_at) <= window:
            continue
        if not is_doubted:
            _open_missing(equipment, run, batch)
        if batch.kind == "evaluate":
            _search(equipment, run, batch)
    with equipment.ledger.reading() as connection:
        hinted = hinted_without_id(connection, equipment.ledger.mid, now=utc_text(equipment.clock.now()))
    for submission in hinted:
        try:
            _search_one(equipment, run, submission)
        except InternalError as error:
            with equipment.ledger.writing(run) as writing:
                words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: what was found of it could not be applied ({error.what})"
                raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words)
                note_reads(writing, [(submission, "")])


def search_some(equipment: Equipment, run: Run, batch: Batch, most: int) -> None:
    """Search the provider for the first orders of a file: finding one of them shows that the file has arrived.

    Raises ApiUnreachable when the listing does not answer the question.
    """
    with equipment.ledger.reading() as connection:
        waiting = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _WAITING)
    for submission in waiting[:most]:
        answer = _search_one(equipment, run, submission)
        if answer.read is None and not (answer.is_absent or answer.is_double):
            raise ApiUnreachable(f"The provider's orders cannot be searched: {answer.problem}.")


def _open_missing(equipment: Equipment, run: Run, batch: Batch) -> None:
    with equipment.ledger.writing(run) as writing:
        sending = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, [State.SENDING])
        reason = "no acknowledgement within the ingest window"
        move_orders(writing, [Move(each, State.IN_DOUBT, "poll", reason, shows=False) for each in sending])
        open_item(
            writing,
            ItemKind.MISSING_ACKNOWLEDGEMENT,
            f"batch:{batch.batch_id}",
            f"{ITEM_TEXTS[ItemKind.MISSING_ACKNOWLEDGEMENT]}: {batch.file_name}, delivered at {batch.delivered_at}",
            due_business_days=equipment.settings.review.due_business_days,
        )


def _search(equipment: Equipment, run: Run, batch: Batch) -> None:
    with equipment.ledger.reading() as connection:
        waiting = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _WAITING)
    for submission in waiting:
        _search_one(equipment, run, submission)
    with equipment.ledger.writing(run) as writing:
        if not submissions_of_batch(writing.connection, writing.mid, batch.batch_id, _WAITING):
            reason = "every order of it was found by asking"
            if batch.step is not BatchStep.ACKNOWLEDGED:
                delivered = {} if batch.delivered_at else {"delivered_at": writing.now}
                move_batch(writing, batch, BatchStep.ACKNOWLEDGED, reason=reason, acknowledged_at=writing.now, **delivered)
            close_items(writing, ItemKind.MISSING_ACKNOWLEDGEMENT, f"batch:{batch.batch_id}", reason)


def _search_one(equipment: Equipment, run: Run, submission: Submission) -> Answer:
    answer = equipment.api.find_order(submission.order_id)
    with equipment.ledger.writing(run) as writing:
        evidence_id = ""
        if answer.content:
            subject = f"order:{submission.order_id}"
            evidence_id = store_evidence(writing, source="poll", subject=subject, content=answer.content).evidence_id
        found_id = answer.read.provider_order_id if answer.read is not None else ""
        bearer = bearers_of(writing.connection, writing.mid, [found_id]).get(found_id, submission.order_id)
        if bearer != submission.order_id:
            doubt = f"the provider's id {found_id} belongs to order {bearer!r} already"
        elif answer.is_double:
            doubt = f"{answer.problem}; ask its support to stop one of them"
        elif answer.read is not None and submission.state not in _WAITING:
            doubt = f"it is {submission.state} here, and the provider's listing shows it"
        else:
            doubt = ""
        if doubt:
            _contradict(writing, equipment, submission, doubt, evidence_id)
        elif answer.read is not None:
            _arrive(writing, submission, answer.read, evidence_id)
        elif answer.is_absent:
            note_reads(writing, [(submission, "")])
        else:
            words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: it cannot be searched for: {answer.problem}"
            raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words, evidence_id)
    return answer


def _contradict(writing: Writing, equipment: Equipment, submission: Submission, doubt: str, evidence_id: str) -> None:
    words = f"{ITEM_TEXTS[ItemKind.CONTRADICTION]}: {doubt}"
    raise_item(writing, equipment, ItemKind.CONTRADICTION, submission, words, evidence_id)
    if State.REVIEW in EDGES[submission.state]:
        (submission,) = move_orders(writing, [Move(submission, State.REVIEW, "poll", doubt, evidence_id)])
    note_reads(writing, [(submission, "")])


def _arrive(writing: Writing, submission: Submission, read: OrderRead, evidence_id: str) -> None:
    word = read.status or str(read.code)
    move = Move(
        submission,
        State.PENDING,
        "poll",
        "the provider's listing shows it",
        evidence_id,
        detail={"provider_order_id": read.provider_order_id, "provider_status": word},
        changes={
            "provider_order_id": read.provider_order_id,
            "provider_status": word.upper()[:64],
            "handed_over_date": writing.run.business_date,
        },
    )
    (found,) = move_orders(writing, [move])
    note_reads(writing, [(found, writing.now)])
