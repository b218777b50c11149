"""What each row of an acknowledgement means for its order: the provider has it, or refused it, or the rows contradict.

Exactly the rows that the provider refused are released; an order that no row names stays held (I14).
"""

from collections import defaultdict
from collections.abc import Collection

from batch.contradictions import contest_id, late_acceptance, no_longer_refused, review_whole_file, tell, tell_of_order
from batch.early_news import apply_early_news
from batch.equipment import Equipment
from batch.ledger import Batch, Submission, Writing
from batch.ledger.copies import refuse_copies
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import bearers_of, submissions_of_batch, superseded_in
from batch.odd_rows import told_of_rows
from batch.pace import from_utc_text, next_read_at, utc_text
from batch.provider_words import fit_to_show
from batch.responses import AcknowledgedRow, Acknowledgement
from schemas.profile import Meaning
from schemas.reasons import ItemKind
from schemas.states import BatchStep, State

_WAITING = (State.SENDING, State.IN_DOUBT)


def apply_rows(writing: Writing, equipment: Equipment, batch: Batch, answer: Acknowledgement, evidence_id: str) -> None:
    """Move the orders of an evaluate file that its acknowledgement names."""
    orders = {
        s.order_id: s
        for s in submissions_of_batch(writing.connection, writing.mid, batch.batch_id)
        if s.state is not State.WITHDRAWN
    }
    by_number = {str(s.sequence_number): s for s in orders.values()}
    answers: dict[str, list[AcknowledgedRow]] = defaultdict(list)
    odd = list(answer.odd_words)
    for row in answer.rows:
        order = orders.get(row.order_id) if row.order_id else by_number.get(row.sequence_number)
        if order is None or (row.sequence_number and row.sequence_number != str(order.sequence_number)):
            odd.append(not_in_file(row))
            continue
        answers[order.order_id].append(row)
    superseded = superseded_in(writing.connection, writing.mid, batch.batch_id)
    for order_id in sorted(answers.keys() & superseded.keys()):
        if any(row.accepted for row in answers.pop(order_id)):
            late_acceptance(writing, equipment, superseded[order_id], evidence_id)
    shared = _shared_ids(writing, answers)
    moves = [
        move
        for order_id, rows in answers.items()
        if (move := _move(writing, equipment, orders[order_id], rows, shared, evidence_id)) is not None
    ]
    move_orders(writing, moves)
    for move in moves:
        _items(writing, equipment, move, evidence_id)
    for provider_id, order_ids in sorted(shared.items()):
        contest_id(writing, equipment, provider_id, order_ids, evidence_id, "acknowledgement")
    learnt = [str(move.changes["provider_order_id"]) for move in moves if move.changes.get("provider_order_id")]
    apply_early_news(writing, equipment, [*learnt, *shared])
    if odd:
        tell(
            writing,
            equipment,
            ItemKind.QUARANTINE,
            f"batch:{batch.batch_id}",
            told_of_rows(odd),
            evidence_id,
        )


def not_in_file(row: AcknowledgedRow) -> str:
    """Why a row that can be read fits no order of its file."""
    number = f" as number {fit_to_show(row.sequence_number)}" if row.sequence_number else ""
    return f"the row for {fit_to_show(row.order_id) or 'no order'!r}{number} fits none of the file"


def _shared_ids(writing: Writing, answers: dict[str, list[AcknowledgedRow]]) -> dict[str, set[str]]:
    """Ids of the provider's that stand for several orders of ours, in this answer or together with the ledger, and for which."""
    bearers: dict[str, set[str]] = defaultdict(set)
    for order_id, rows in answers.items():
        for row in rows:
            if row.accepted:
                bearers[row.provider_id].add(order_id)
    for provider_id, order_id in bearers_of(writing.connection, writing.mid, list(bearers)).items():
        bearers[provider_id].add(order_id)
    return {provider_id: orders for provider_id, orders in bearers.items() if len(orders) > 1}


def refuse_all(writing: Writing, equipment: Equipment, batch: Batch, why: str, evidence_id: str) -> None:
    """The provider refused the whole file: no rescue started for any of its orders.

    If it had accepted the file before, or is known to have any order of it, the two answers contradict: a person decides
    about every order of it.
    """
    orders = submissions_of_batch(writing.connection, writing.mid, batch.batch_id)
    waiting = [each for each in orders if each.state in _WAITING]
    answered = batch.step in (BatchStep.ACKNOWLEDGED, BatchStep.EMPTY)
    known = answered or any(each.provider_order_id or each.state is State.REVIEW for each in orders)
    if known:
        words = f"{batch.file_name} is refused although the provider accepted orders of it before"
        review_whole_file(writing, equipment, batch, words, evidence_id)
        return
    move_orders(writing, [_refusal(each, why, "FAILED", evidence_id) for each in waiting])
    tell(writing, equipment, ItemKind.FILE_REFUSED, f"batch:{batch.batch_id}", f"{batch.file_name}: {why}", evidence_id)
    if batch.kind == "transmit":
        refuse_copies(writing, batch, why)


def _move(
    writing: Writing,
    equipment: Equipment,
    order: Submission,
    rows: list[AcknowledgedRow],
    shared: Collection[str],
    evidence_id: str,
) -> Move | None:
    """The one move that all rows about an order together demand, whatever their order and number.

    Of several ids the least is kept, so that it does not matter which came first; rows with an id that stands for two
    orders are settled for both of them together.
    """
    ids = {row.provider_id for row in rows if row.accepted}
    refused = [row for row in rows if not row.accepted]
    if not ids.isdisjoint(shared):
        return None
    known = ids | ({order.provider_order_id} - {""})
    learnt = min(known, default="")
    if (ids and refused) or len(known) > 1:
        return _contradiction(order, "its acknowledgement says two things", learnt, evidence_id)
    if refused:
        if order.state in _WAITING:
            return _refusal(order, refused[0].error_text or "refused", refused[0].status, evidence_id)
        if order.state is State.REJECTED:
            return None
        return _contradiction(order, "refused after it was accepted", learnt, evidence_id)
    if order.state is State.REJECTED:
        return _contradiction(order, "accepted after it was refused", learnt, evidence_id)
    if order.state not in _WAITING:
        return None if learnt == order.provider_order_id else _learns(order, learnt, evidence_id)
    word = rows[0].status
    return Move(
        order,
        State.PENDING,
        "acknowledgement",
        "the provider accepted the row",
        evidence_id,
        detail={"provider_order_id": rows[0].provider_id, "provider_status": word},
        changes={
            "provider_order_id": rows[0].provider_id,
            "provider_status": word.upper()[:64],
            "handed_over_date": writing.run.business_date,
            "next_read_at": first_read(writing, equipment, order, word),
        },
    )


def first_read(writing: Writing, equipment: Equipment, order: Submission, word: str) -> str:
    """When an order that the provider has just taken is first read: at the usual pace, but at once for news in its answer."""
    if equipment.profile.meaning(word) not in (Meaning.PENDING, Meaning.ONHOLD):
        return writing.now
    now = from_utc_text(writing.now)
    interval = equipment.settings.outcomes.min_poll_interval_seconds
    expires = from_utc_text(order.expires_at)
    return utc_text(next_read_at(now=now, handed_over_at=now, expires_at=expires, min_interval_seconds=interval))


def _refusal(order: Submission, why: str, word: str, evidence_id: str) -> Move:
    status = (word or "FAILED").upper()[:64]
    detail = {"provider_status": status, "error_code": "MB-ROW-REJECTED", "error_text": why}
    return Move(order, State.REJECTED, "acknowledgement", why, evidence_id, detail=detail, changes={"provider_status": status})


def _contradiction(order: Submission, why: str, learnt: str, evidence_id: str) -> Move | None:
    if order.state is State.REVIEW:
        return None if learnt == order.provider_order_id else _learns(order, learnt, evidence_id)
    detail = {"provider_order_id": learnt} if learnt else {}
    return Move(order, State.REVIEW, "acknowledgement", why, evidence_id, detail=detail, changes=detail)


def _learns(order: Submission, provider_id: str, evidence_id: str) -> Move:
    """An order whose state does not follow from this row learns the provider's id from it all the same."""
    detail = {"provider_order_id": provider_id}
    return Move(order, None, "acknowledgement", "the provider's id is known now", evidence_id, "learnt", detail, detail)


def _items(writing: Writing, equipment: Equipment, move: Move, evidence_id: str) -> None:
    if move.to is State.REJECTED:
        subject = f"order:{move.submission.order_id}"
        tell(writing, equipment, ItemKind.ROW_REFUSED, subject, move.reason, evidence_id)
    elif move.to is State.REVIEW:
        no_longer_refused(writing, move.submission)
        tell_of_order(writing, equipment, move.submission, move.reason, evidence_id)
