"""Looking for orders whose acknowledgement never came: in the provider's listing, by our own id."""

from contextlib import suppress
from datetime import timedelta

from batch.api_evaluates import doubt_begun
from batch.applying import raise_item
from batch.contradictions import contest_id, doubt_refusal, tell_of_order
from batch.early_news import apply_early_news
from batch.equipment import Equipment
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.batches import waiting_batches
from batch.ledger.evidence import store_evidence
from batch.ledger.items import close_items, open_item
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.reading import attempts_of, bearers_of, hinted_without_id, submissions_of_batch
from batch.ledger.steps import move_batch
from batch.pace import from_utc_text, utc_text
from batch.provider_reads import Answer
from batch.responses import OrderRead
from schemas.errors import ApiUnreachable, InternalError, NothingSent
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import EDGES, BatchStep, State

_WAITING = (State.SENDING, State.IN_DOUBT)


def look_for_unanswered(equipment: Equipment, run: Run) -> None:
    """Files that were delivered, or may have been, and have no acknowledgement, or not of every row, after the ingest window.

    Their orders are in doubt and stay held; an item opens (I13), and each order is searched for at the provider. Finding
    it settles it; finding nothing settles nothing (I12, I16). Of a file in doubt the window counts from its last token.
    Where we may not read orders (`outcomes.ask`), nothing is searched for and they stay in doubt until an answer comes.
    """
    with equipment.ledger.reading() as connection:
        waiting = waiting_batches(connection, equipment.ledger.mid)
    window = timedelta(seconds=equipment.settings.outcomes.ingest_window_seconds)
    for batch in waiting:
        if batch.is_of_calls:
            doubt_begun(equipment, run, batch)
        is_doubted = batch.step is BatchStep.IN_DOUBT or batch.is_of_calls
        is_late = equipment.clock.now() - from_utc_text(batch.token_minted_at if is_doubted else batch.delivered_at) > window
        if not is_doubted and not is_late:
            continue
        if is_late:
            _open_missing(equipment, run, batch)
        if batch.kind == "evaluate" and equipment.settings.outcomes.ask == "orders":
            _search(equipment, run, batch)
    if equipment.settings.outcomes.ask != "orders":
        return
    with equipment.ledger.reading() as connection:
        hinted = hinted_without_id(connection, equipment.ledger.mid, now=utc_text(equipment.clock.now()))
    for submission in hinted:
        try:
            _search_one(equipment, run, submission)
        except InternalError as error:
            _set_aside(equipment, run, submission, error)


def apply_found(equipment: Equipment, run: Run, submission: Submission, answer: Answer) -> None:
    """Follow what a search for this order has found; what cannot be applied is set aside, and a person told."""
    try:
        _apply(equipment, run, submission, answer)
    except InternalError as error:
        _set_aside(equipment, run, submission, error)


def _set_aside(equipment: Equipment, run: Run, submission: Submission, error: InternalError) -> None:
    with equipment.ledger.writing(run) as writing:
        words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: what was found of it could not be applied ({error.what})"
        raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words)
        note_reads(writing, [(submission, "")])


def search_some(equipment: Equipment, run: Run, batch: Batch, most: int) -> None:
    """Search the provider for the first orders of a file: finding one of them shows that the file has arrived.

    Where we may not read orders (`outcomes.ask`) there is nothing to search; the acknowledgements were read before, and the
    part alone tells whether a rename happened (I12). Raises ApiUnreachable when the listing does not answer the question.
    """
    if equipment.settings.outcomes.ask != "orders":
        return
    with equipment.ledger.reading() as connection:
        waiting = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _WAITING)
    for submission in waiting[:most]:
        answer = _search_one(equipment, run, submission)
        if answer.read is None and not (answer.is_absent or answer.is_double):
            raise ApiUnreachable(f"The provider's orders cannot be searched: {answer.problem}.")


def find_by_our_id(equipment: Equipment, run: Run, submission: Submission) -> None:
    """Search the provider for one order by our id; whatever cannot be learnt now is left to the next poll."""
    with suppress(NothingSent):
        _search_one(equipment, run, submission)


def _open_missing(equipment: Equipment, run: Run, batch: Batch) -> None:
    with equipment.ledger.writing(run) as writing:
        sending = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, [State.SENDING])
        reason = "no acknowledgement within the ingest window"
        move_orders(writing, [Move(each, State.IN_DOUBT, "poll", reason, shows=False) for each in sending])
        open_item(
            writing,
            ItemKind.MISSING_ACKNOWLEDGEMENT,
            f"batch:{batch.batch_id}",
            _what_is_missing(batch),
            due_business_days=equipment.settings.review.due_business_days,
        )


def _what_is_missing(batch: Batch) -> str:
    if batch.is_of_calls:
        return f"calls of {batch.file_name}, the last made at {batch.token_minted_at}, had no clear answer; none is repeated"
    if batch.delivered_at:
        return f"{ITEM_TEXTS[ItemKind.MISSING_ACKNOWLEDGEMENT]}: {batch.file_name}, delivered at {batch.delivered_at}"
    return f"{batch.file_name} may have been delivered at {batch.token_minted_at} or later; it is not sent again"


def _search(equipment: Equipment, run: Run, batch: Batch) -> None:
    with equipment.ledger.reading() as connection:
        waiting = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _WAITING)
    for submission in waiting:
        _search_one(equipment, run, submission)
    with equipment.ledger.writing(run) as writing:
        if not submissions_of_batch(writing.connection, writing.mid, batch.batch_id, _WAITING):
            reason = "every order of it was found by asking"
            if batch.step not in (BatchStep.ACKNOWLEDGED, BatchStep.CALLING):
                delivered = {} if batch.delivered_at else {"delivered_at": writing.now}
                move_batch(writing, batch, BatchStep.ACKNOWLEDGED, reason=reason, acknowledged_at=writing.now, **delivered)
            close_items(writing, ItemKind.MISSING_ACKNOWLEDGEMENT, f"batch:{batch.batch_id}", reason)


def _search_one(equipment: Equipment, run: Run, submission: Submission) -> Answer:
    answer = equipment.api.find_order(submission.order_id)
    _apply(equipment, run, submission, answer)
    return answer


def _apply(equipment: Equipment, run: Run, submission: Submission, answer: Answer) -> None:
    with equipment.ledger.writing(run) as writing:
        submission = _as_it_stands(writing, submission)
        evidence_id = ""
        if answer.content:
            subject = f"order:{submission.order_id}"
            evidence_id = store_evidence(writing, source="poll", subject=subject, content=answer.content).evidence_id
        found_id = answer.read.provider_order_id if answer.read is not None else ""
        bearer = bearers_of(writing.connection, writing.mid, [found_id]).get(found_id, submission.order_id)
        if bearer != submission.order_id:
            contest_id(writing, equipment, found_id, [submission.order_id, bearer], evidence_id, "poll")
            note_reads(writing, [(submission, "")])
            return
        if answer.is_double:
            doubt = f"{answer.problem}; ask its support to stop one of them"
        elif answer.read is not None and submission.state not in _WAITING:
            doubt = f"it is {submission.state} here, and the provider's listing shows it"
        else:
            doubt = ""
        if doubt:
            _contradict(writing, equipment, submission, doubt, found_id, evidence_id)
        elif answer.read is not None:
            _arrive(writing, equipment, submission, answer.read, evidence_id)
        elif answer.is_absent:
            note_reads(writing, [(submission, "")])
        else:
            words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: it cannot be searched for: {answer.problem}"
            raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words, evidence_id)


def _as_it_stands(writing: Writing, asked: Submission) -> Submission:
    """What was found of another order may have moved this one since it was read; a hint that came since stays a hint."""
    attempts = attempts_of(writing.connection, writing.mid, asked.order_id)
    return attempts[asked.attempt - 1]._replace(next_read_at=asked.next_read_at)


def _contradict(
    writing: Writing, equipment: Equipment, submission: Submission, doubt: str, found_id: str, evidence_id: str
) -> None:
    """Review, with the provider's id where it is known now; if its file was refused, that holds for the whole of the file."""
    was_refused = submission.state is State.REJECTED
    detail = {"provider_order_id": found_id} if found_id and not submission.provider_order_id else {}
    if State.REVIEW in EDGES[submission.state]:
        move = Move(submission, State.REVIEW, "poll", doubt, evidence_id, detail=detail, changes=detail)
        (submission,) = move_orders(writing, [move])
    elif detail:
        words = "the provider's id is known now"
        (submission,) = move_orders(writing, [Move(submission, None, "poll", words, evidence_id, "learnt", detail, detail)])
    tell_of_order(writing, equipment, submission, doubt, evidence_id)
    if was_refused:
        doubt_refusal(writing, equipment, submission, evidence_id)
    note_reads(writing, [(submission, "")])
    if detail:
        apply_early_news(writing, equipment, [found_id])


def _arrive(writing: Writing, equipment: Equipment, submission: Submission, read: OrderRead, evidence_id: str) -> None:
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
    apply_early_news(writing, equipment, [read.provider_order_id])
