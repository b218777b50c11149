"""Which cancels were asked for, of a page of orders with their books: a recovery all the same is news until a person knows it."""

from collections.abc import Sequence
from dataclasses import replace

from batch.applying import with_cancels
from batch.conclusions import CAME_TOO_LATE, MINDS_A_CANCEL, meaning_of
from batch.equipment import Equipment
from batch.ledger import Submission
from batch.ledger.completed_by_hand import is_taken_for_right
from batch.ledger.items import stands_open
from batch.ledger.operations import Operation, cancels_of
from batch.reconcile import OrderBooks
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, State

_Order = tuple[Submission, OrderBooks]


def knowing_cancels(equipment: Equipment, page: Sequence[_Order]) -> list[_Order]:
    """The same books, and of each order for which it matters, whether its cancel was asked for: one question for a page."""
    mid = equipment.ledger.mid
    due = [order.order_id for order, books in page if _minds(equipment, order, books)]
    if not due:
        return list(page)
    with equipment.ledger.reading() as connection:
        asked = cancels_of(connection, mid, due)
    return [(order, _knowing(equipment, order, books, asked.get(order.order_id, []))) for order, books in page]


def _minds(equipment: Equipment, order: Submission, books: OrderBooks) -> bool:
    if books.read is None or order.state in NEVER_AGAIN:
        return False
    return meaning_of(books.read, equipment.profile) in MINDS_A_CANCEL


def _knowing(equipment: Equipment, order: Submission, books: OrderBooks, asked: Sequence[Operation]) -> OrderBooks:
    facts = with_cancels(books.facts, order, asked)
    is_review = order.state is State.REVIEW and facts.cancel_wanted
    return books if is_review and _is_known(equipment, order, asked) else replace(books, facts=facts)


def _is_known(equipment: Equipment, order: Submission, asked: Sequence[Operation]) -> bool:
    """Whether a read would tell nobody anything: a person has heard that the cancel came too late, or takes that for right."""
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        if stands_open(connection, mid, ItemKind.DOUBLE_CHARGE, f"order:{order.order_id}", CAME_TOO_LATE):
            return True
        return is_taken_for_right(connection, mid, order, asked)
