"""What `mitbatch reconcile` tells people: each book by site, currency and state, what differs, and what settles it."""

from collections.abc import Iterator
from pathlib import Path

from batch.book_entries import Total
from batch.compared import Compared
from jobs.report_lines import LABEL
from schemas.counted import counted
from schemas.matches import Book
from schemas.money import people_text


def comparison_lines(compared: Compared, where: Path | None) -> list[str]:
    """One fact a line: what was compared, how each book has it, and the first few orders that differ."""
    lines = [_line("compared", f"{counted(compared.orders, 'order')}   open, or claimed since {compared.since[:10]}")]
    lines += _books(compared)
    sent = counted(compared.handed_over, "order")
    lines.append(
        _line(
            "files sent",
            f"{sent} in {counted(len(compared.files), 'file or group of calls', 'files or groups of calls')}",
            f"acknowledged {compared.acknowledged:,}, answered {compared.answered:,}",
        )
    )
    lines.append(_line("provider's list", _how_listed(compared)))
    if compared.has_settlement:
        unread = f"{compared.odd_lines:,} could not be read" if compared.odd_lines else ""
        lines.append(_line("settlement", counted(compared.settled_lines, "line"), unread))
    lines.append(_line("equal", counted(compared.equal, "order")))
    lines.append(_line("differ", counted(compared.differing, "order"), _matches(compared)))
    charges = compared.house_charges
    lines.append(_line("house charges", f"{charges:,}" + ("   your own retry charges orders that are held" if charges else "")))
    lines += [f"DIFF  {each.order_id}   {each.match}   {each.explanation}" for each in compared.named]
    left = compared.differing - len(compared.named)
    if left > 0:
        lines.append(f"DIFF  {left:,} more" + (f": {where}" if where is not None else ""))
    return lines


def _how_listed(compared: Compared) -> str:
    if not compared.is_list_had:
        return "not had; the other books were compared"
    alone = f", {compared.asked_singly:,} asked about alone" if compared.asked_singly else ""
    whole = "" if compared.is_list_whole else "; it did not come to its end, so what it leaves out proves nothing"
    return f"{counted(compared.listed, 'order')}{alone}{whole}"


def _books(compared: Compared) -> Iterator[str]:
    places = sorted({key[1:3] for key in compared.totals})
    for site, currency in places:
        label = f"{site} {currency}"
        for book in Book:
            states = [
                (state, total)
                for (of_book, of_site, of_currency, state), total in sorted(compared.totals.items())
                if (of_book, of_site, of_currency) == (book, site, currency)
            ]
            if states:
                words = " · ".join(_state(state, total, currency) for state, total in states)
                yield _line(label, book.value.ljust(11) + words)
                label = ""


def _state(state: str, total: Total, currency: str) -> str:
    return f"{state} {total.orders:,} ({people_text(total.amount_minor, currency)})"


def _matches(compared: Compared) -> str:
    found = sorted(compared.matches.items())
    return " · ".join(
        f"{match} {total.orders:,}" + (f" ({people_text(total.amount_minor, currency)})" if currency else "")
        for (match, currency), total in found
    )


def _line(label: str, *facts: str) -> str:
    return (f"{label:<{LABEL - 1}} " + "   ".join(fact for fact in facts if fact)).rstrip()
