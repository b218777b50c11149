"""Carrying out what a person decided about an item, an order under review, or a file without an answer.

Touches I1, I2, I3 and I12. The provider was asked before, outside any transaction; one transaction does all of it: the
moves, with who, why and on what evidence, and the items that close. What moved since it was looked at is not decided
about: the decision is refused, and can be made again. Dying before the transaction changes nothing, after it everything
is done. The mark of a file that is to go again is removed before the ledger says so (`Departures.unmark`).
"""

from typing import Any

from batch.applying import raise_item
from batch.equipment import Equipment
from batch.file_rulings import WAITING, FileRuling
from batch.hinted_refusals import take_for_answered
from batch.ledger import Batch, Run, Writing
from batch.ledger.batches import batch_by_id
from batch.ledger.copies import refuse_copies
from batch.ledger.evidence import store_evidence
from batch.ledger.items import Item, close_by_hand, open_items
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.operations import given_back
from batch.ledger.reading import attempts_of, submissions_of_batch
from batch.ledger.steps import BY_HAND, move_batch
from batch.order_rulings import OrderRuling
from batch.request_decisions import settle_by_hand
from batch.review import Case, Decision, Judged
from batch.row_statements import OURS
from schemas.errors import DecisionRefused
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.resolutions import Resolution
from schemas.states import BatchStep, State


def decide(equipment: Equipment, run: Run, decision: Decision, judged: Judged) -> None:
    """Carry out what was judged, in one transaction. Raises DecisionRefused when something moved since."""
    if judged.file is not None and judged.file.step is BatchStep.SENDING:
        batch = _file_of(judged.case)
        equipment.departures.unmark(batch.kind, batch.batch_id)
    with equipment.ledger.writing(run) as writing:
        now = found(writing, judged.case)
        if now != judged.case:
            raise DecisionRefused("Something moved while this was decided.", next_step="Look again, and decide again.")
        if judged.order is not None:
            _move_order(writing, equipment, decision, judged.order, judged)
        if judged.file is not None:
            _move_file(writing, decision, _file_of(now), judged.file)
        if judged.request is not None:
            settle_by_hand(writing, judged.request, decision.words)
        if decision.resolution is Resolution.NOTED:
            take_for_answered(writing, now.items, now.order)
        items = now.items if decision.resolution is Resolution.NOTED else settled(writing, now)
        closed = [each.item_id for each in items]
        values = {"resolution": decision.resolution.value, "person": decision.person, "reason": decision.reason}
        close_by_hand(writing, closed, **values)


def found(writing: Writing, case: Case) -> Case:
    """The same case as it stands now."""
    items = {each.item_id: each for each in open_items(writing.connection, writing.mid)}
    attempts = attempts_of(writing.connection, writing.mid, case.order.order_id) if case.order else []
    batch = batch_by_id(writing.connection, writing.mid, case.batch.batch_id) if case.batch else None
    return Case(
        tuple(items[each.item_id] for each in case.items if each.item_id in items), attempts[-1] if attempts else None, batch
    )


def _file_of(case: Case) -> Batch:
    assert case.batch is not None  # noqa: S101 - what is ruled of a file is about one
    return case.batch


def _move_order(writing: Writing, equipment: Equipment, decision: Decision, ruling: OrderRuling, judged: Judged) -> None:
    order, answer = judged.case.order, judged.answer
    assert order is not None  # noqa: S101 - what is ruled of an order is about one
    assert answer is not None  # noqa: S101 - an order is never judged without asking
    evidence_id = ""
    if answer.content:
        subject = f"order:{order.order_id}"
        evidence_id = store_evidence(writing, source=answer.source, subject=subject, content=answer.content).evidence_id
    row = equipment.source.written([order.order_id]).get(order.order_id)
    held = row["status"] if row is not None and row["hold_reference"] == order.hold_reference else None
    is_ours = held in OURS
    news = {
        name: value
        for name, value in (("provider_order_id", ruling.provider_order_id), ("provider_status", ruling.provider_status))
        if value
    }
    by = {"decided": decision.resolution.value, "by": decision.person}
    for to in ruling.path:
        recovered = {"recovered_minor": ruling.recovered_minor} if to is State.COMPLETED else {}
        (order,) = move_orders(
            writing,
            [
                Move(
                    order,
                    to,
                    BY_HAND,
                    decision.words,
                    evidence_id,
                    detail={**by, **news, **recovered},
                    changes=news,
                    shows=is_ours or (to is State.CANCELLED and held is not None),  # our hold is lifted, whatever they wrote
                )
            ],
        )
    back = given_back(writing.connection, writing.mid, [order.order_id]).get(order.order_id, 0)
    if order.state is State.COMPLETED and back:
        detail = {**by, "refunded_minor": back}
        (order,) = move_orders(
            writing, [Move(order, State.PARTIALLY_REFUNDED, BY_HAND, decision.words, evidence_id, detail=detail, shows=is_ours)]
        )
    if ruling.too_late:  # whoever decides was told: it is closed with the rest that stands open about the order
        words = f"{ITEM_TEXTS[ItemKind.DOUBLE_CHARGE]}: {ruling.too_late}"
        raise_item(writing, equipment, ItemKind.DOUBLE_CHARGE, order, words, evidence_id, is_news=True)
    working = order.state in (State.PENDING, State.CAPTURE_REQUIRED)
    note_reads(writing, [(order, writing.now if working else "")])


def _move_file(writing: Writing, decision: Decision, batch: Batch, ruling: FileRuling) -> None:
    orders = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, WAITING)
    moving = [each for each in orders if each.state is not ruling.orders_to]
    by = {"decided": decision.resolution.value, "by": decision.person}
    released = ruling.orders_to is State.REJECTED
    move_orders(writing, [Move(each, ruling.orders_to, BY_HAND, decision.words, detail=by, shows=released) for each in moving])
    changes: dict[str, Any] = {}
    if ruling.step is BatchStep.DELIVERED:
        changes = {"delivered_at": writing.now}
    elif ruling.step is BatchStep.SENDING:
        changes = {"part_sha256": None, "token_minted_at": None, "delivered_at": None}
    elif batch.kind == "transmit":
        refuse_copies(writing, batch, decision.words)
    move_batch(writing, batch, ruling.step, reason=decision.words, source=BY_HAND, **changes)


def settled(writing: Writing, case: Case) -> list[Item]:
    """The items that a decision closes: all that stand open about the same order or file, and about a file none of whose
    orders is under review or waits for an answer any more."""
    items = open_items(writing.connection, writing.mid)
    subjects = {each.subject for each in case.items}
    if case.batch is not None:
        subjects.add(f"batch:{case.batch.batch_id}")
    if case.order is not None:
        subjects.add(f"order:{case.order.order_id}")
        left = submissions_of_batch(writing.connection, writing.mid, case.order.batch_id, [State.REVIEW, *WAITING])
        if not left:
            subjects.add(f"batch:{case.order.batch_id}")
    return [each for each in items if each.subject in subjects]
