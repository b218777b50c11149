"""The provider's settlement, read strictly, line by line: what it paid, took back or lost for each order (CONTRACT 16). Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from batch.card_numbers import has_card_number
from batch.order_commands import POLL, explain_command
from batch.order_rows import is_storable
from batch.provider_words import plain_id
from batch.reconcile import Difference
from schemas.errors import AnswerUnreadable, UsageRefused
from schemas.matches import Match, SettledKind
from schemas.money import minor_of, people_text
from schemas.profile import SettlementLayout
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, OPEN, State

_MOST_ID, _MOST_DIGITS = 255, 12
_CURRENCY = re.compile("[A-Z]{3}")
_WHICH = "ask the provider's support which figure is right, by the id that this shows"


@dataclass(frozen=True, slots=True)
class SettledLine:
    """One movement of one order's money; `amount_minor` is never below nought. One of the two ids may be empty."""

    order_id: str
    provider_order_id: str
    currency: str
    kind: SettledKind
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Settled:
    """All that a settlement says of one order, in minor units, and the currencies that it says it in."""

    captured_minor: int = 0
    returned_minor: int = 0
    charged_back_minor: int = 0
    currencies: tuple[str, ...] = ()


def settled_lines(rows: Iterable[Sequence[str]], layout: SettlementLayout) -> Iterator[SettledLine | None]:
    """The lines of a settlement, whose first row is its header; None for one that cannot be read. Fees are passed over.

    Raises UsageRefused when a column is missing.
    """
    header, columns = None, dict[str, int]()
    for row in rows:
        if header is None:
            header = [name.strip().lower() for name in row]
            columns = _columns(header, layout)
        elif row:
            yield from _line(row, len(header), columns, layout)
    if header is None:
        raise UsageRefused("The settlement is empty; it has no header.")


def _columns(header: Sequence[str], layout: SettlementLayout) -> dict[str, int]:
    """Where each of the profile's columns stands. Raises UsageRefused."""
    found = {name: header.index(name.lower()) for name in _names(layout) if header.count(name.lower()) == 1}
    missing = [name for name in (layout.kind, layout.amount, layout.currency) if name not in found]
    if not any(name in found for name in (*layout.order_ids, layout.order_session_key)):
        missing.append(layout.order_ids[0])
    if missing:
        raise UsageRefused(
            f"The settlement has no column {', '.join(missing)}, or has it twice.",
            next_step="Name its columns in [settlement] of the provider profile (provider.profile).",
        )
    return found


def _names(layout: SettlementLayout) -> tuple[str, ...]:
    return (*layout.order_ids, layout.order_session_key, layout.kind, layout.amount, layout.currency)


def _line(row: Sequence[str], width: int, columns: dict[str, int], layout: SettlementLayout) -> Iterator[SettledLine | None]:
    if len(row) != width:
        yield None
        return
    cells = {name: row[at] for name, at in columns.items()}
    word = cells[layout.kind].strip().lower()
    if word in layout.ignored:
        return
    order_id = next((cells[name] for name in layout.order_ids if cells.get(name)), "")
    order_id = "" if has_card_number(order_id) else order_id
    try:
        key = plain_id(cells.get(layout.order_session_key, ""))
    except AnswerUnreadable:
        key = ""
    currency, kind = cells[layout.currency].strip().upper(), layout.kinds.get(word)
    amount = _amount(cells[layout.amount].strip(), currency, is_minor=layout.amounts_are_minor)
    is_named = bool(order_id or key) and is_storable(order_id) and len(order_id) <= _MOST_ID
    is_taken_back = kind is SettledKind.CAPTURE and amount is not None and amount < 0
    if not is_named or kind is None or amount is None or is_taken_back or not _CURRENCY.fullmatch(currency):
        yield None
    else:
        yield SettledLine(order_id, key, currency, kind, abs(amount))


def _amount(text: str, currency: str, *, is_minor: bool) -> int | None:
    """An amount with its sign, in minor units: a plain number, with as many decimals as the currency has, or none."""
    digits = text.removeprefix("-")
    sign = -1 if digits != text else 1
    if is_minor:
        return sign * int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
    if not digits.strip("0.") and digits.strip("."):
        return 0 if digits.count(".") <= 1 else None
    found = minor_of(digits, currency)
    return None if found is None else sign * found


def settled_differences(
    order_id: str, state: State, amount_minor: int, currency: str, given_back_minor: int, settled: Settled
) -> list[Difference]:
    """Where a settlement has something else of an order than the ledger. What it does not name proves nothing."""
    found, look = list[Difference](), explain_command(order_id)
    if odd := sorted(set(settled.currencies) - {currency}):
        words = f"handed over in {currency}, the settlement has {', '.join(odd)}"
        found.append(Difference(Match.FILE_DIFFERS, words, look, ItemKind.AMOUNT_DIFFERS, settled.captured_minor, advice=_WHICH))
    if settled.captured_minor and state not in NEVER_AGAIN:
        words = f"the settlement pays {people_text(settled.captured_minor, currency)} for it, and it is {state}"
        kind = None if state in OPEN and state is not State.REVIEW else ItemKind.CONTRADICTION
        command = POLL if kind is None else look
        advice = "" if kind is None else f"the next poll reads it; where that tells nobody, {_WHICH}"
        found.append(Difference(Match.FILE_DIFFERS, words, command, kind, settled.captured_minor, asks=True, advice=advice))
    elif settled.captured_minor and settled.captured_minor != amount_minor:
        paid = people_text(settled.captured_minor, currency)
        words = f"recovered {people_text(amount_minor, currency)}, the settlement pays {paid}"
        found.append(Difference(Match.FILE_DIFFERS, words, look, ItemKind.AMOUNT_DIFFERS, settled.captured_minor, advice=_WHICH))
    if settled.returned_minor and settled.returned_minor != given_back_minor:
        taken, known = people_text(settled.returned_minor, currency), people_text(given_back_minor, currency)
        words = f"the settlement takes back {taken}, the ledger knows of {known}"
        other = amount_minor + given_back_minor - settled.returned_minor
        advice = f"the next poll reads it; where it differs then, {_WHICH}"
        found.append(Difference(Match.FILE_DIFFERS, words, look, ItemKind.AMOUNT_DIFFERS, other, asks=True, advice=advice))
    if settled.charged_back_minor and state is not State.CHARGEBACK:
        words = f"the settlement has a chargeback of {people_text(settled.charged_back_minor, currency)}, and it is {state}"
        found.append(Difference(Match.FILE_DIFFERS, words, POLL, None, amount_minor - settled.charged_back_minor, asks=True))
    return found
