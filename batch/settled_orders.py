"""A settlement of the provider's beside the ledger: laid down line by line, then compared order by order."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from batch.compared import Compared
from batch.comparison_tells import Finding, ledger_cells, tell_of_settlement
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.comparison_past import first_seen
from batch.ledger.comparisons import add_rows, latest_claims, lay_down_settled, settled_of, settled_page
from batch.ledger.items import open_item
from batch.ledger.operations import given_back
from batch.ledger.reading import bearers_of
from batch.provider_words import fit_to_show
from batch.settlement import Settled, SettledLine, settled_differences
from schemas.counted import counted
from schemas.matches import Book, Match, SettledKind
from schemas.reasons import ItemKind
from schemas.states import State

PAGE = 1000
ODD = "settlement-lines:unread"
UNKNOWN = "settlement-unknown:orders"
"""Subjects of the items about lines that could not be read, and about orders that the ledger does not know."""


def lay_down_settlement(equipment: Equipment, run: Run, compared: Compared, lines: Iterable[SettledLine | None]) -> None:
    """Keep the settlement's lines, each under our order id, a page at a time. Raises UsageRefused for a file that is none."""
    compared.has_settlement = True
    pages, laid = iter(lines), 0
    while page := list(islice(pages, PAGE)):
        read = [line for line in page if line is not None]
        compared.odd_lines += len(page) - len(read)
        with equipment.ledger.writing(run) as writing:
            keys = [line.provider_order_id for line in read if line.provider_order_id]
            ours = bearers_of(writing.connection, writing.mid, keys) if keys else {}
            lay_down_settled(writing, [_row(line, ours, laid + place) for place, line in enumerate(read)])
        laid += len(read)
    compared.settled_lines = laid


def _row(line: SettledLine, ours: dict[str, str], number: int) -> dict[str, Any]:
    """A line by our id: the one that the provider's id stands for counts more than the one that is written there."""
    order_id = ours.get(line.provider_order_id) or line.order_id or f"({line.provider_order_id})"
    return {
        "number": number,
        "order_id": order_id,
        "currency": line.currency,
        "kind": line.kind.value,
        "amount_minor": line.amount_minor,
    }


def compare_settlement(equipment: Equipment, run: Run, compared: Compared, *, before: str) -> None:
    """Compare every order that the settlement names with the ledger; `before` is the last comparison that had one."""
    after, unknown = "", 0
    while True:
        with equipment.ledger.reading() as connection:
            mid = equipment.ledger.mid
            order_ids = settled_page(connection, mid, after=after, limit=PAGE)
            if not order_ids:
                break
            settled = _by_order(settled_of(connection, mid, order_ids))
            claims = latest_claims(connection, mid, order_ids)
            refunds = given_back(connection, mid, list(claims))
        findings = [_finding(claims[each], settled[each], refunds.get(each, 0)) for each in order_ids if each in claims]
        strange = {each: settled[each] for each in order_ids if each not in claims}
        with equipment.ledger.writing(run) as writing:
            tell_of_settlement(writing, equipment, compared, findings, before=before)
            unknown += _write_unknown(writing, compared, strange, before)
        for each in findings:
            compared.count(Book.SETTLEMENT, each.order.site, each.order.currency, "captured", each.cells["file_minor"])
        after = order_ids[-1]
    with equipment.ledger.writing(run) as writing:
        days = equipment.settings.review.due_business_days
        if unknown:
            words = (
                f"the settlement names {counted(unknown, 'order')} that this ledger does not know; reconciliation.csv names each"
            )
            open_item(writing, ItemKind.CONTRADICTION, UNKNOWN, words, due_business_days=days)
        if compared.odd_lines:
            words = f"{counted(compared.odd_lines, 'line')} of the settlement could not be read; see [settlement] of the profile"
            open_item(writing, ItemKind.QUARANTINE, ODD, words, due_business_days=days)


def _by_order(lines: Sequence[Any]) -> dict[str, Settled]:
    sums: dict[str, dict[str, int]] = {}
    currencies: dict[str, set[str]] = {}
    for line in lines:
        by_kind = sums.setdefault(line.order_id, {})
        by_kind[line.kind] = by_kind.get(line.kind, 0) + line.amount_minor
        currencies.setdefault(line.order_id, set()).add(line.currency)
    return {
        order_id: Settled(
            captured_minor=by_kind.get(SettledKind.CAPTURE, 0),
            returned_minor=by_kind.get(SettledKind.RETURN, 0),
            charged_back_minor=by_kind.get(SettledKind.CHARGEBACK, 0),
            currencies=tuple(sorted(currencies[order_id])),
        )
        for order_id, by_kind in sums.items()
    }


def _finding(order: Submission, settled: Settled, refunded_minor: int) -> Finding:
    refunded_minor = refunded_minor or (order.amount_minor if order.state is State.REFUNDED else 0)
    found = settled_differences(order.order_id, order.state, order.amount_minor, order.currency, refunded_minor, settled)
    return Finding(order, found, _cells(order, settled))


def _cells(order: Submission, settled: Settled) -> dict[str, Any]:
    return {
        **ledger_cells(order),
        "provider_status": "",
        "provider_minor": None,
        "orders_status": "",
        "orders_minor": None,
        "file_minor": settled.captured_minor,
    }


def _write_unknown(writing: Writing, compared: Compared, strange: dict[str, Settled], before: str) -> int:
    """Rows of orders that the ledger does not know. Returns how many of them are new."""
    seen = first_seen(writing.connection, writing.mid, before, list(strange), is_settlement=True)
    rows, new = [], 0
    for order_id, settled in strange.items():
        since = seen.get((order_id, Match.FILE_DIFFERS), writing.run.business_date)
        currency = settled.currencies[0]
        words = f"the settlement names {fit_to_show(order_id)}, which this ledger did not hand over: mitbatch review list"
        blank = {"ledger_state": "", "ledger_minor": None, "provider_status": "", "provider_minor": None}
        rows.append(
            {
                **blank,
                "number": compared.rows,
                "order_id": order_id,
                "site": "",
                "currency": currency,
                "amount_minor": settled.captured_minor,
                "match": Match.FILE_DIFFERS.value,
                "orders_status": "",
                "orders_minor": None,
                "file_minor": settled.captured_minor,
                "difference_minor": settled.captured_minor,
                "explanation": words,
                "first_seen_date": since,
                "is_settlement": 1,
            }
        )
        compared.note(Match.FILE_DIFFERS, order_id, currency, settled.captured_minor, words)
        new += since == writing.run.business_date
    add_rows(writing, rows)
    return new
