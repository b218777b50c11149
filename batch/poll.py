"""Asking for outcomes: every order that is due, one read each, and a search for orders whose acknowledgement never came."""

from datetime import timedelta

from batch.api import Answer
from batch.applying import Heard, hear, raise_item
from batch.equipment import Equipment
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_items, open_item
from batch.ledger.moves import Move, move_batch, move_orders, note_reads
from batch.ledger.reading import (
    bearers_of,
    due_for_read,
    hinted_without_id,
    overdue_submissions,
    submissions_of_batch,
    waiting_batches,
)
from batch.pace import from_utc_text, utc_text
from batch.responses import OrderRead
from schemas.errors import ApiLoginRefused, ApiUnreachable, InternalError
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import EDGES, BatchStep, State

AT_A_TIME = 64
_WAITING = (State.SENDING, State.IN_DOUBT)


def poll(equipment: Equipment, run: Run, *, everything: bool = False) -> int:
    """Read every order that is due (or all that the provider has) and apply the answers. Returns how many were read.

    Each page is one transaction, so a poll that is cut off goes on where it stopped. Raises ApiUnreachable when a whole
    page got no answer.
    """
    mid, after, asked = equipment.ledger.mid, "", 0
    now = utc_text(equipment.clock.now())
    equipment.progress.stage("poll")
    while True:
        with equipment.ledger.reading() as connection:
            due = due_for_read(connection, mid, now=now, everything=everything, after=after, limit=AT_A_TIME)
        if not due:
            return asked
        answers = list(equipment.api.read_orders([submission.provider_order_id for submission in due]))
        if all(answer.is_unreachable for answer in answers):
            raise ApiUnreachable(answers[0].problem)
        if all(answer.is_forbidden for answer in answers):
            raise ApiLoginRefused("The provider's API forbids our merchant id to read its orders (HTTP 403).")
        _apply(equipment, run, list(zip(due, answers, strict=True)))
        asked += len(due)
        after = due[-1].order_id
        equipment.progress.advance(len(due))


def _apply(equipment: Equipment, run: Run, page: list[tuple[Submission, Answer]]) -> None:
    """Apply a page of answers in one transaction; where one cannot be applied, each on its own, and that one set aside."""
    try:
        with equipment.ledger.writing(run) as writing:
            for submission, answer in page:
                problem = "" if answer.is_unreachable or answer.is_absent else answer.problem
                hear(writing, equipment, submission, Heard("poll", answer.content, answer.read, problem))
    except InternalError as error:
        if len(page) > 1:
            for one in page:
                _apply(equipment, run, [one])
            return
        ((submission, answer),) = page
        with equipment.ledger.writing(run) as writing:
            evidence_id = ""
            if answer.content:
                subject = f"order:{submission.order_id}"
                evidence_id = store_evidence(writing, source="poll", subject=subject, content=answer.content).evidence_id
            words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: its answer could not be applied ({error.what})"
            raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words, evidence_id)
            later = equipment.clock.now() + timedelta(seconds=equipment.settings.outcomes.min_poll_interval_seconds)
            note_reads(writing, [(submission, utc_text(later))])


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
        _search_one(equipment, run, submission)


def flag_overdue(equipment: Equipment, run: Run) -> None:
    """Open an item for every order that has had no final answer since its expiry and the grace; its hold stays (I13)."""
    grace = timedelta(seconds=equipment.settings.outcomes.expiry_grace_seconds)
    before = utc_text(equipment.clock.now() - grace)
    with equipment.ledger.reading() as connection:
        overdue = overdue_submissions(connection, equipment.ledger.mid, before=before)
    if not overdue:
        return
    with equipment.ledger.writing(run) as writing:
        for submission in overdue:
            words = (
                f"the provider gives no final answer although it expired at {submission.expires_at}; ask the provider's support"
            )
            days = equipment.settings.review.due_business_days
            subject = f"overdue:{submission.order_id}"
            open_item(writing, ItemKind.UNKNOWN_STATUS, subject, words, due_business_days=days)


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


def search_some(equipment: Equipment, run: Run, batch: Batch, most: int) -> None:
    """Search the provider for the first orders of a file: finding one of them shows that the file has arrived."""
    with equipment.ledger.reading() as connection:
        waiting = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _WAITING)
    for submission in waiting[:most]:
        _search_one(equipment, run, submission)


def _search_one(equipment: Equipment, run: Run, submission: Submission) -> None:
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
        else:
            note_reads(writing, [(submission, "")])


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
