"""A page of the ledger's orders with what the other books say of each: the order rows, the files sent, the provider."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from batch.applying import facts_of
from batch.compared import Compared
from batch.comparison_cancels import knowing_cancels
from batch.conclusions import meaning_of
from batch.equipment import Equipment
from batch.ledger import Submission
from batch.ledger.comparisons import Claimed, listed_of
from batch.ledger.completed_by_hand import accepted_amount
from batch.ledger.operations import given_back
from batch.pace import from_utc_text
from batch.provider_reads import Answer
from batch.reconcile import OrderBooks, Shown
from batch.responses import OrderRead
from batch.results import row_result
from schemas.errors import ApiLoginRefused, ApiUnreachable
from schemas.matches import Book
from schemas.order import RowStatus
from schemas.states import NEVER_AGAIN, TERMINAL, State

AT_A_TIME = 64
MOST_ASKED_SINGLY = 2000
"""So many orders that the list does not show are asked about alone in one comparison."""

_NOT_SENT = (State.CLAIMED, State.HELD, State.WITHDRAWN, State.SENDING)


@dataclass(frozen=True, slots=True)
class Page:
    """Orders of the ledger, each with its books."""

    orders: tuple[tuple[Submission, OrderBooks], ...]

    @property
    def order_ids(self) -> list[str]:
        """Our ids of these orders."""
        return [submission.order_id for submission, _ in self.orders]


def gather(equipment: Equipment, compared: Compared, claimed: Sequence[Claimed]) -> Page:
    """What every book says of these orders. Raises OrdersUnreachable; what the provider does not answer is only not known."""
    orders = [each.submission for each in claimed]
    rows = equipment.source.written([each.order_id for each in orders])
    with equipment.ledger.reading() as connection:
        mid = equipment.ledger.mid
        refunds = given_back(connection, mid, [each.order_id for each in orders if each.state in NEVER_AGAIN])
        listed = listed_of(connection, mid, orders) if compared.is_list_had else []
    words = _words(equipment, compared, orders, listed)
    found = []
    for each in claimed:
        shown, read = words[each.submission.order_id]
        books = _books(equipment, each, rows.get(each.submission.order_id), refunds.get(each.submission.order_id, 0))
        books = _with_agreed(equipment, each.submission, replace(books, shown=shown, read=read))
        _count(equipment, compared, each.submission, books)
        found.append((each.submission, books))
    return Page(tuple(knowing_cancels(equipment, found)))


def _books(equipment: Equipment, claimed: Claimed, row: dict[str, str] | None, refunded_minor: int) -> OrderBooks:
    order = claimed.submission
    is_withdrawn = order.state is State.WITHDRAWN
    result = None if is_withdrawn else row_result(equipment, order, refunded_minor)
    now, window = equipment.clock.now(), timedelta(seconds=equipment.settings.outcomes.ingest_window_seconds)
    return OrderBooks(
        facts=facts_of(now, order),
        hold_reference=order.hold_reference,
        row=row,
        shows=result.status if result else RowStatus.DECLINED,
        keeps_hold=result.keeps_hold if result else False,
        is_unwritten=order.row_version != order.written_version,
        given_back_minor=refunded_minor or (order.amount_minor if order.state is State.REFUNDED else 0),
        sent_minor=_sent_minor(claimed.record) if order.sequence_number else None,
        shown=Shown.NOT_ASKED,
        is_recent=now - from_utc_text(order.claimed_at) <= window,
    )


def _sent_minor(record: dict[str, Any]) -> int | None:
    """The amount in the record that left (CONTRACT 7.2)."""
    transaction = record.get("transaction")
    amount = transaction.get("amount") if isinstance(transaction, dict) else None
    return amount if isinstance(amount, int) else None


def _with_agreed(equipment: Equipment, order: Submission, books: OrderBooks) -> OrderBooks:
    """Another amount that a person has accepted is looked up only where the provider shows another amount."""
    read = books.read
    if read is None or order.state not in NEVER_AGAIN or read.amount_minor in (None, order.amount_minor):
        return books
    with equipment.ledger.reading() as connection:
        return replace(books, agreed_minor=accepted_amount(connection, equipment.ledger.mid, order.order_id))


Word = tuple[Shown, OrderRead | None]


def _words(equipment: Equipment, compared: Compared, orders: Sequence[Submission], listed: Sequence[Any]) -> dict[str, Word]:
    """What is known of each order at the provider: from its list, and of those that it does not show, from a read of each."""
    by_theirs: dict[str, list[OrderRead]] = {}
    by_ours: dict[str, list[OrderRead]] = {}
    for row in listed:
        read = OrderRead(
            row.provider_order_id, row.order_id, row.code, row.status, row.amount_minor, row.currency, row.refunded_minor
        )
        by_theirs.setdefault(read.provider_order_id, []).append(read)
        by_ours.setdefault(read.external_id, []).append(read)
    unshown = Shown.UNSHOWN if compared.is_list_whole else Shown.NOT_ASKED
    words = {
        each.order_id: _word(each, by_theirs.get(each.provider_order_id, []), by_ours.get(each.order_id, []), unshown)
        for each in orders
    }
    asked = [each for each in orders if each.provider_order_id and _is_unsaid(each, words[each.order_id])]
    asked = asked[: max(0, MOST_ASKED_SINGLY - compared.asked_singly)]
    for start in range(0, len(asked), AT_A_TIME):
        some = asked[start : start + AT_A_TIME]
        compared.asked_singly += len(some)
        for each, answer in zip(some, _asked(equipment, some), strict=True):
            words[each.order_id] = _answered(answer, words[each.order_id])
    return words


def _is_unsaid(order: Submission, word: Word) -> bool:
    """Whether only a read of its own can say it: the list does not show the order, or not what was given back of it."""
    shown, read = word
    is_silent = order.state is State.PARTIALLY_REFUNDED and read is not None and read.refunded_minor is None
    return shown is Shown.UNSHOWN or (shown is Shown.SHOWN and is_silent)


def _word(order: Submission, theirs: list[OrderRead], ours: list[OrderRead], unshown: Shown) -> Word:
    """One order in the list: by the provider's id where we know that, and by our own."""
    ids = {read.provider_order_id for read in ours}
    if len(ids) > 1 or (order.provider_order_id and ids - {order.provider_order_id}):
        return Shown.TWICE, (theirs or ours)[0]
    found = theirs or ours
    if len(set(found)) > 1:  # it moved while the pages were fetched: only a read of its own can tell
        return unshown, None
    return (Shown.SHOWN, found[0]) if found else (unshown, None)


def _asked(equipment: Equipment, orders: Sequence[Submission]) -> list[Answer]:
    ids = [each.provider_order_id for each in orders]
    try:
        return list(equipment.api.read_orders(ids))
    except (ApiLoginRefused, ApiUnreachable) as problem:
        return [Answer(each, b"", None, problem.what, is_unreachable=True) for each in ids]


def _answered(answer: Answer, listed: Word) -> Word:
    """What a read of its own said; where it said nothing, the list's word stands."""
    if answer.read is not None:
        return Shown.SHOWN, answer.read
    return (Shown.ABSENT, None) if answer.is_absent and listed[0] is Shown.UNSHOWN else listed


def _count(equipment: Equipment, compared: Compared, order: Submission, books: OrderBooks) -> None:
    """Count an order in each book, by site, currency and state."""
    key = (order.site, order.currency)
    compared.orders += 1
    compared.count(Book.LEDGER, *key, order.state, order.amount_minor)
    status = books.row["status"] if books.row is not None else "missing"
    known = status if status in (*RowStatus, "missing") else "other"
    amount = (books.row or {}).get("amount_minor", "")
    compared.count(Book.ORDERS, *key, known, int(amount) if amount.lstrip("-").isdecimal() else None)
    if books.shown is not Shown.NOT_ASKED and order.provider_order_id:
        read = books.read
        meaning = meaning_of(read, equipment.profile) if read is not None else None
        minor = read.amount_minor if read is not None and read.amount_minor is not None else order.amount_minor
        compared.count(Book.PROVIDER, *key, (meaning or "unknown") if read is not None else "not_shown", minor)
    if order.state not in _NOT_SENT:
        compared.handed_over += 1
        compared.files.add(order.batch_id)
        compared.acknowledged += bool(order.provider_order_id) or order.state is State.REJECTED
        compared.answered += order.state in TERMINAL
