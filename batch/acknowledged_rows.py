"""What each row of an acknowledgement means for its order: the provider has it, or refused it, or the rows contradict.

Exactly the rows that the provider refused are released; an order that no row names stays held (I14).
"""

from collections import defaultdict

from batch.equipment import Equipment
from batch.ledger import Batch, Submission, Writing
from batch.ledger.copies import refuse_copies
from batch.ledger.items import open_item
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import bearers_of, submissions_of_batch, superseded_in
from batch.pace import from_utc_text, next_read_at, utc_text
from batch.responses import AcknowledgedRow, Acknowledgement
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import EDGES, BatchStep, State

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
    odd = answer.odd_rows
    for row in answer.rows:
        order = orders.get(row.order_id) if row.order_id else by_number.get(row.sequence_number)
        if order is None or (row.sequence_number and row.sequence_number != str(order.sequence_number)):
            odd += 1
            continue
        answers[order.order_id].append(row)
    superseded = superseded_in(writing.connection, writing.mid, batch.batch_id)
    for order_id in sorted(answers.keys() & superseded.keys()):
        if any(row.accepted for row in answers.pop(order_id)):
            _late_acceptance(writing, equipment, superseded[order_id], evidence_id)
    shared = _shared_ids(writing, answers)
    moves = [
        move
        for order_id, rows in answers.items()
        if (move := _move(writing, equipment, orders[order_id], rows, shared, evidence_id)) is not None
    ]
    move_orders(writing, moves)
    for move in moves:
        _items(writing, equipment, move, evidence_id)
    if odd:
        tell(
            writing,
            equipment,
            ItemKind.QUARANTINE,
            f"batch:{batch.batch_id}",
            f"{odd} rows of its answer fit no order",
            evidence_id,
        )


def _late_acceptance(writing: Writing, equipment: Equipment, latest: Submission, evidence_id: str) -> None:
    """An earlier claim of this order is accepted after it was taken for refused, and the order was claimed again since."""
    words = "an earlier claim of it was accepted late: the provider may have it twice"
    if State.REVIEW in EDGES[latest.state]:
        move_orders(writing, [Move(latest, State.REVIEW, "acknowledgement", words, evidence_id)])
    tell(writing, equipment, ItemKind.CONTRADICTION, f"order:{latest.order_id}", words, evidence_id)


def _shared_ids(writing: Writing, answers: dict[str, list[AcknowledgedRow]]) -> set[str]:
    """Ids of the provider's that stand for two orders of ours, in this answer or together with the ledger."""
    bearers: dict[str, set[str]] = defaultdict(set)
    for order_id, rows in answers.items():
        for row in rows:
            if row.accepted:
                bearers[row.provider_id].add(order_id)
    for provider_id, order_id in bearers_of(writing.connection, writing.mid, list(bearers)).items():
        bearers[provider_id].add(order_id)
    return {provider_id for provider_id, orders in bearers.items() if len(orders) > 1}


def accept_after_refusal(writing: Writing, equipment: Equipment, batch: Batch, evidence_id: str) -> None:
    """The provider accepts a file that it had refused: its released orders are held again where that still goes."""
    words = f"{batch.file_name} is accepted although the provider refused it before"
    tell(writing, equipment, ItemKind.CONTRADICTION, f"batch:{batch.batch_id}", words, evidence_id)
    superseded = superseded_in(writing.connection, writing.mid, batch.batch_id)
    for latest in superseded.values():
        _late_acceptance(writing, equipment, latest, evidence_id)
    rejected = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, [State.REJECTED])
    free = [each for each in rejected if each.order_id not in superseded]
    move_orders(writing, [Move(each, State.REVIEW, "acknowledgement", words, evidence_id) for each in free])


def refuse_all(writing: Writing, equipment: Equipment, batch: Batch, why: str, evidence_id: str) -> None:
    """The provider refused the whole file: no rescue started for any of its orders.

    If it had accepted the file before, or is known to have any order of it, the two answers contradict: nothing is
    released, and a person decides.
    """
    orders = submissions_of_batch(writing.connection, writing.mid, batch.batch_id)
    waiting = [each for each in orders if each.state in _WAITING]
    answered = batch.step in (BatchStep.ACKNOWLEDGED, BatchStep.EMPTY)
    known = answered or any(each.provider_order_id or each.state is State.REVIEW for each in orders)
    if known:
        words = f"{batch.file_name} is refused although the provider accepted orders of it before"
        moves = [Move(each, State.REVIEW, "acknowledgement", words, evidence_id) for each in waiting]
        tell(writing, equipment, ItemKind.CONTRADICTION, f"batch:{batch.batch_id}", words, evidence_id)
    else:
        moves = [_refusal(each, why, "FAILED", evidence_id) for each in waiting]
        tell(writing, equipment, ItemKind.FILE_REFUSED, f"batch:{batch.batch_id}", f"{batch.file_name}: {why}", evidence_id)
    move_orders(writing, moves)
    if batch.kind == "transmit" and not known:
        refuse_copies(writing, batch, why)


def _move(
    writing: Writing, equipment: Equipment, order: Submission, rows: list[AcknowledgedRow], shared: set[str], evidence_id: str
) -> Move | None:
    """The one move that all rows about an order together demand, whatever their order and number."""
    ids = {row.provider_id for row in rows if row.accepted}
    refused = [row for row in rows if not row.accepted]
    if ids & shared:
        return _contradiction(order, "the provider gave its id to another order as well", evidence_id)
    if (ids and refused) or len(ids) > 1 or (order.provider_order_id and ids - {order.provider_order_id}):
        return _contradiction(order, "its acknowledgement says two things", evidence_id)
    if refused:
        if order.state in _WAITING:
            return _refusal(order, refused[0].error_text or "refused", refused[0].status, evidence_id)
        return None if order.state is State.REJECTED else _contradiction(order, "refused after it was accepted", evidence_id)
    if order.state is State.REJECTED:
        return _contradiction(order, "accepted after it was refused", evidence_id)
    if order.state not in _WAITING:
        return None
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
            "next_read_at": _first_read(writing, equipment, order, word),
        },
    )


def _first_read(writing: Writing, equipment: Equipment, order: Submission, word: str) -> str:
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


def _contradiction(order: Submission, why: str, evidence_id: str) -> Move | None:
    if order.state is State.REVIEW:
        return None
    return Move(order, State.REVIEW, "acknowledgement", why, evidence_id)


def _items(writing: Writing, equipment: Equipment, move: Move, evidence_id: str) -> None:
    subject = f"order:{move.submission.order_id}"
    if move.to is State.REJECTED:
        tell(writing, equipment, ItemKind.ROW_REFUSED, subject, move.reason, evidence_id)
    elif move.to is State.REVIEW:
        tell(writing, equipment, ItemKind.CONTRADICTION, subject, move.reason, evidence_id)


def tell(writing: Writing, equipment: Equipment, kind: ItemKind, subject: str, words: str, evidence_id: str) -> None:
    """Open an item about what an acknowledgement says."""
    days = equipment.settings.review.due_business_days
    open_item(writing, kind, subject, f"{ITEM_TEXTS[kind]}: {words}", due_business_days=days, evidence_id=evidence_id)
