"""Reconciliation: ledger, orders table, files sent and the provider's list are compared, order by order, in bounded memory.

No state of an order is changed. Each page of orders is one transaction, which writes down what differs, makes orders due for
the read that settles them, and tells a person of the rest. A comparison that dies or gives way in between counts for nothing
but what it has told so far, which is true; the next one begins anew. Pages are looked up by order id in each book, so that it
does not matter how the databases of two books sort.
"""

from collections.abc import Iterable
from datetime import timedelta

from batch.compared import Compared
from batch.comparison_books import gather
from batch.comparison_strangers import compare_strangers
from batch.comparison_tells import Finding, ledger_cells, tell_of_the_rest, tell_page
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run, Submission
from batch.ledger.comparison_past import last_comparison, open_differences
from batch.ledger.comparisons import active_page, clear_unfinished, count_active, end_comparison
from batch.order_rows import amount_of
from batch.pace import from_utc_text, utc_text
from batch.provider_list import lay_down_list
from batch.provider_words import fit_to_show
from batch.reconcile import OrderBooks, differences
from batch.settled_orders import compare_settlement, lay_down_settlement
from batch.settlement import SettledLine

PAGE = 1000
LOOKED_BACK = timedelta(days=60)
"""Orders that were claimed within so long before, and every open one, are compared: no rescue lasts longer."""

EARLIER = timedelta(days=1)
"""The provider's list begins so long before: its clock, and the date that it filters on, are its own."""


def reconcile(
    equipment: Equipment,
    run: Run,
    findings: Findings,
    *,
    settlement: Iterable[SettledLine | None] | None = None,
    everything: bool = False,
) -> Compared:
    """Compare the books and write down every order that differs; with `everything`, each order that was compared.

    Where the provider's list cannot be had, the others are compared all the same, and what kept it is a finding. Raises
    OrdersUnreachable where the order system cannot be read.
    """
    since = utc_text(equipment.clock.now() - LOOKED_BACK)
    compared = Compared(since)
    with equipment.ledger.writing(run) as writing:
        clear_unfinished(writing)
    with equipment.ledger.reading() as connection:
        mid = equipment.ledger.mid
        expected, oldest = count_active(connection, mid, since=since)
        earlier = last_comparison(connection, mid, is_whole=True) or last_comparison(connection, mid)
        settled = last_comparison(connection, mid, is_settled=True)
        standing = open_differences(connection, mid)
    before = earlier.comparison_id if earlier else ""
    placed_from = utc_text(from_utc_text(oldest or since) - EARLIER)  # a ledger that is empty may have lost what it knew
    found = lay_down_list(equipment, run, findings, placed_from=placed_from, expected=expected)
    compared.is_list_had, compared.is_list_whole, compared.listed = found.is_had, found.is_whole, found.orders
    if settlement is not None:
        lay_down_settlement(equipment, run, compared, settlement)
    equipment.progress.stage("compare", expected)
    _compare_orders(equipment, run, compared, before=before, standing=standing, everything=everything)
    compare_strangers(equipment, run, compared, before=before)
    if settlement is not None:
        compare_settlement(equipment, run, compared, before=settled.comparison_id if settled else "")
    with equipment.ledger.writing(run) as writing:
        tell_of_the_rest(writing, equipment, compared)
        end_comparison(
            writing,
            is_whole=compared.is_list_whole,
            is_settled=compared.has_settlement,
            orders=compared.orders,
            found=_figures(compared),
        )
    return compared


def _compare_orders(
    equipment: Equipment, run: Run, compared: Compared, *, before: str, standing: dict[str, list[str]], everything: bool
) -> None:
    after = ""
    while True:
        with equipment.ledger.reading() as connection:
            claimed = active_page(connection, equipment.ledger.mid, since=compared.since, after=after, limit=PAGE)
        if not claimed:
            return
        page = gather(equipment, compared, claimed)
        told = [Finding(order, differences(books, equipment.profile), _cells(order, books)) for order, books in page.orders]
        compared.equal += sum(not each.found for each in told)
        with equipment.ledger.writing(run) as writing:
            tell_page(writing, equipment, compared, told, before=before, standing=standing, everything=everything)
        equipment.progress.advance(len(claimed))
        after = claimed[-1].submission.order_id


def _cells(order: Submission, books: OrderBooks) -> dict[str, object]:
    """What a row says of an order, as each book has it."""
    row, read = books.row, books.read
    said = (read.status or str(read.code)).upper() if read is not None else ""
    return {
        **ledger_cells(order),
        "provider_status": said[:64],
        "provider_minor": read.amount_minor if read is not None else None,
        "orders_status": fit_to_show(row["status"])[:64] if row is not None else "",
        "orders_minor": amount_of(row["amount_minor"]) if row is not None else None,
        "file_minor": books.sent_minor,
    }


def _figures(compared: Compared) -> dict[str, object]:
    """What the comparison's event keeps besides: figures, nothing of an order."""
    return {
        "matches": {
            f"{match} {currency}": [total.orders, total.amount_minor]
            for (match, currency), total in sorted(compared.matches.items())
        },
        "house_charges": compared.house_charges,
        "listed": compared.listed,
        "settled_lines": compared.settled_lines,
    }
