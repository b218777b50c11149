"""What follows from a difference: a row that is kept, an order that is due for a read, and an item where a person is needed.

No state of an order is changed. A difference that the next poll settles is told to nobody at first; where it still stands in a
comparison of a later date, a person hears of it. Who has heard of one, and noted it, is not told again while it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from batch.compared import Compared
from batch.equipment import Equipment
from batch.ledger import Submission, Writing
from batch.ledger.comparison_past import CHARGE, HOUSE_CHARGE, RECONCILE, SETTLEMENT, Told, first_seen, told_of
from batch.ledger.comparisons import add_rows
from batch.ledger.hints import is_hinted, make_due
from batch.ledger.items import close_all, open_item
from batch.ledger.moves import Move, move_orders
from batch.reconcile import Difference, difference_minor, explanation
from schemas.matches import Match
from schemas.reasons import ItemKind

MOST_ITEMS = 500
"""So many items one comparison opens; what differs beyond them stands in the file, and one more item says how many."""

_MOST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One order's differences, none where its books agree, and the cells of its row but those that follow from them."""

    order: Submission
    found: list[Difference]
    cells: dict[str, Any]


def ledger_cells(order: Submission) -> dict[str, Any]:
    """What a row says of an order as the ledger has it."""
    return {
        "order_id": order.order_id,
        "site": order.site,
        "currency": order.currency,
        "amount_minor": order.amount_minor,
        "ledger_state": order.state.value,
        "ledger_minor": order.amount_minor,
    }


def tell_page(
    writing: Writing,
    equipment: Equipment,
    compared: Compared,
    page: Sequence[Finding],
    *,
    before: str,
    standing: dict[str, list[str]],
    everything: bool,
) -> None:
    """Write down what differs on a page and what follows; `before` is the comparison that says since when.

    `standing` are the items about differences that stand open: of an order whose books agree again they are closed.
    """
    _write(writing, equipment, compared, page, before=before, everything=everything, prefix=RECONCILE)
    if not compared.is_list_whole:
        return
    agree = [f"{RECONCILE}:{each.order.order_id}" for each in page if not each.found]
    due = [(ItemKind(kind), subject) for subject in agree for kind in standing.get(subject, ())]
    close_all(writing, due, "the books agree again")


def tell_of_settlement(
    writing: Writing, equipment: Equipment, compared: Compared, page: Sequence[Finding], *, before: str
) -> None:
    """The same for what a settlement has otherwise. What it says once is not taken back by its silence the next time."""
    _write(writing, equipment, compared, page, before=before, everything=False, prefix=SETTLEMENT)


def _write(
    writing: Writing,
    equipment: Equipment,
    compared: Compared,
    page: Sequence[Finding],
    *,
    before: str,
    everything: bool,
    prefix: str,
) -> None:
    differing = [each for each in page if each.found]
    ids, is_settlement = [each.order.order_id for each in differing], prefix == SETTLEMENT
    seen = first_seen(writing.connection, writing.mid, before, ids, is_settlement=is_settlement)
    told = told_of(writing.connection, writing.mid, [f"{kind}:{each}" for each in ids for kind in ("order", prefix, CHARGE)])
    rows = []
    for each in page:
        if not each.found and not everything:
            continue
        match = each.found[0].match if each.found else Match.EQUAL
        since = seen.get((each.order.order_id, match), writing.run.business_date)
        words = explanation(each.found)[:_MOST_WORDS]
        rows.append(
            {
                **each.cells,
                "number": compared.rows,
                "match": match.value,
                "difference_minor": difference_minor(each.found, each.order.amount_minor) if each.found else 0,
                "explanation": words,
                "first_seen_date": since if each.found else writing.run.business_date,
                "is_settlement": int(is_settlement),
            }
        )
        compared.note(match, each.order.order_id, each.order.currency, each.order.amount_minor, words)
        _follow(writing, equipment, compared, each, since=since, told=told, prefix=prefix)
    add_rows(writing, rows)


def _follow(
    writing: Writing,
    equipment: Equipment,
    compared: Compared,
    finding: Finding,
    *,
    since: str,
    told: dict[str, Told],
    prefix: str,
) -> None:
    order = finding.order
    if any(each.asks for each in finding.found) and not is_hinted(order):
        make_due(writing, provider_order_id=order.provider_order_id, order_id=order.order_id, called_expired=False)
    nobody = Told("", is_open=False)
    is_known = told.get(f"order:{order.order_id}", nobody).is_open
    for each in finding.found:
        if each.house_charge:
            _tell_of_charge(
                writing, equipment, compared, finding, each, is_told=_is_told(told, f"{CHARGE}:{order.order_id}", since)
            )
            continue
        kind = each.kind or (ItemKind.CONTRADICTION if since < writing.run.business_date else None)
        about = "order" if kind is ItemKind.WRITE_BACK_CONFLICT else prefix
        subject = f"{about}:{order.order_id}"
        if kind is not None and not is_known and not _is_told(told, subject, since):
            lasting = f"so since {since}: " if each.kind is None else ""
            _tell(writing, equipment, compared, kind, subject, f"{lasting}{each.told}")


def _is_told(told: dict[str, Told], subject: str, since: str) -> bool:
    known = told.get(subject)
    return known is not None and (known.is_open or known.opened_date >= since)


def _tell(writing: Writing, equipment: Equipment, compared: Compared, kind: ItemKind, subject: str, words: str) -> None:
    if compared.items >= MOST_ITEMS:
        compared.untold += 1
        return
    days = equipment.settings.review.due_business_days
    compared.items += open_item(writing, kind, subject, f"the books differ: {words}"[:_MOST_WORDS], due_business_days=days)


def _tell_of_charge(
    writing: Writing, equipment: Equipment, compared: Compared, finding: Finding, charge: Difference, *, is_told: bool
) -> None:
    """Drift: an event in the order's own chain, and a case for a person, once for as long as the row shows it."""
    compared.house_charges += 1
    if is_told:
        return
    order, days = finding.order, equipment.settings.review.due_business_days
    row_status = str(finding.cells["orders_status"])
    move_orders(
        writing, [Move(order, None, "reconcile", charge.words, kind=HOUSE_CHARGE, detail={"row_status": row_status}, shows=False)]
    )
    open_item(writing, ItemKind.DOUBLE_CHARGE, f"{CHARGE}:{order.order_id}", charge.told, due_business_days=days)


UNTOLD = f"{RECONCILE}-rest:items"
"""The subject of the one item that stands for all that were too many for items of their own."""


def tell_of_the_rest(writing: Writing, equipment: Equipment, compared: Compared) -> None:
    """Say once that more orders differ than were told one by one."""
    if compared.untold:
        days = equipment.settings.review.due_business_days
        words = f"{compared.untold:,} more differences need a person: reconciliation.csv of the day names each"
        open_item(writing, ItemKind.CONTRADICTION, UNTOLD, words, due_business_days=days)
