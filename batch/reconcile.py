"""What the books say of one order, side by side: whether they agree, and where they do not, what settles it. Pure.

Nothing here, and nothing that follows from it, changes the state of an order: only a status read ends one. A difference
that the next poll settles by itself, because it has only not asked yet, is told apart from one that it cannot settle.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from batch.conclusions import Conclusion, Facts, conclude
from batch.order_rows import amount_of
from batch.provider_words import fit_to_show
from batch.responses import OrderRead
from schemas.matches import Match
from schemas.money import people_text
from schemas.order import RowStatus
from schemas.profile import Profile
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, OPEN, RELEASED, State

POLL = "mitbatch poll"
"""The command that settles what has only not been asked, or not been written, yet."""

_NOT_HANDED_OVER = (State.CLAIMED, State.HELD, State.WITHDRAWN)


class Shown(StrEnum):
    """What is known of an order at the provider in a comparison."""

    SHOWN = "shown"
    TWICE = "twice"
    ABSENT = "absent"  # neither the list nor a read of its own shows it
    UNSHOWN = "unshown"  # the list does not show it, and no read of its own was had
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class OrderBooks:
    """One order of the ledger beside its row, the file that it left in, and the provider's list; amounts in minor units.

    `row` is what the order system shows, None where it has no such row; `shows` is what its status should be. `is_unwritten`:
    the row is still to be written. `keeps_hold`: its hold stays in this state. `agreed_minor` is another amount with which
    a person has accepted its completion, `is_recent` says that the provider may not show it yet.
    """

    facts: Facts
    hold_reference: str
    row: Mapping[str, str] | None
    shows: RowStatus
    keeps_hold: bool
    is_unwritten: bool
    given_back_minor: int
    sent_minor: int | None
    shown: Shown
    read: OrderRead | None = None
    agreed_minor: int | None = None
    is_recent: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the books differ. `kind` is the item that tells a person, None where the next poll settles it.

    `other_minor` is the amount in the other book, where amounts differ. `house_charge`: the merchant's own retry charges, or
    has charged, an order that is held. `asks`: the order should be read, which decides.
    """

    match: Match
    words: str
    command: str
    kind: ItemKind | None = None
    other_minor: int | None = None
    house_charge: bool = False
    asks: bool = False


def differences(books: OrderBooks, profile: Profile) -> list[Difference]:
    """Everything in which the books of one order differ, the gravest first; nothing where they agree."""
    found = [*_house_charge(books), *_at_provider(books, profile), *_in_orders(books), *_in_file(books)]
    return sorted(found, key=lambda each: (not each.house_charge, list(Match).index(each.match)))


def explanation(found: list[Difference]) -> str:
    """The differences of one order in words, each with the command that settles it."""
    return "; ".join(f"{each.words}: {each.command}" for each in found)


def difference_minor(found: list[Difference], amount_minor: int) -> int:
    """What the other book has more than the ledger, in minor units; a missing order counts with its whole amount."""
    first = found[0]
    if first.match in (Match.MISSING_AT_PROVIDER, Match.MISSING_IN_ORDERS):
        return -amount_minor
    return 0 if first.other_minor is None else first.other_minor - amount_minor


def explain_command(order_id: str) -> str:
    """The command that shows what every book says of an order."""
    return f"mitbatch explain {shlex.quote(order_id)}"


def _money(amount_minor: int | None, currency: str) -> str:
    """An amount for people, whatever somebody wrote as its currency."""
    return "no amount" if amount_minor is None else people_text(amount_minor, fit_to_show(currency))


def _is_held(books: OrderBooks) -> bool:
    return books.row is not None and books.row["hold_reference"] == books.hold_reference


def _house_charge(books: OrderBooks) -> Iterator[Difference]:
    """Drift: while our hold stands, the merchant's own retry has taken the row, or it shows that the charge was paid."""
    state, row = books.facts.state, books.row
    if row is None or not _is_held(books) or state in RELEASED:
        return
    was_paid = row["status"] == RowStatus.PAID and state in OPEN
    if not row["retry_state"] and not was_paid:
        return
    what = "its row shows paid" if was_paid else f"your own retry is at it (retry_state {fit_to_show(row['retry_state'])!r})"
    words = f"{what} while it is held ({state}); the customer may be charged twice"
    command = f'mitbatch cancel {shlex.quote(books.facts.order_id)} --reason "charged in-house"'
    yield Difference(Match.STATE_DIFFERS, words, command, ItemKind.DOUBLE_CHARGE, house_charge=True)


def _at_provider(books: OrderBooks, profile: Profile) -> Iterator[Difference]:
    facts, read = books.facts, books.read
    look = explain_command(facts.order_id)
    if books.shown is Shown.TWICE:
        words = "the provider's list has it twice, under two ids of its own"
        yield Difference(Match.STATE_DIFFERS, words, look, ItemKind.CONTRADICTION)
    elif books.shown is Shown.UNSHOWN and facts.provider_order_id:
        words = "the provider's list does not show it, and it was not asked about alone"
        yield Difference(Match.MISSING_AT_PROVIDER, words, f"{POLL} --all")
    elif books.shown is Shown.ABSENT and facts.provider_order_id:
        words = "the provider accepted it and does not show it; it stays as it is until its support says what became of it"
        kind = None if books.is_recent else ItemKind.CONTRADICTION
        yield Difference(Match.MISSING_AT_PROVIDER, words, POLL if books.is_recent else look, kind)
    elif books.shown is Shown.SHOWN and read is not None:
        conclusion = conclude(facts, read, profile)
        yield from _amounts(books, read, is_read_next=bool(conclusion.path))
        if conclusion.path or (conclusion.item and not _is_accepted(books, conclusion, read)):
            yield _unlike(facts, conclusion, fit_to_show(read.status) or f"code {read.code}")


def _is_accepted(books: OrderBooks, conclusion: Conclusion, read: OrderRead) -> bool:
    """Whether all that is odd about a completion is its amount, and a person has accepted that."""
    is_agreed = books.agreed_minor is not None and read.amount_minor == books.agreed_minor
    return conclusion.item is ItemKind.AMOUNT_DIFFERS and is_agreed and books.facts.state in NEVER_AGAIN


def _unlike(facts: Facts, conclusion: Conclusion, said: str) -> Difference:
    """The provider says something that the ledger has not heard yet: a read of its own decides, and the next poll has it."""
    if facts.state in _NOT_HANDED_OVER:  # nobody reads an order that was never handed over
        words = f"it was never handed over ({facts.state}), and the provider says {said}"
        return Difference(Match.STATE_DIFFERS, words, explain_command(facts.order_id), ItemKind.CONTRADICTION, asks=True)
    leads = f"and goes to {conclusion.path[-1]}" if conclusion.path else "and tells a person"
    return Difference(Match.STATE_DIFFERS, f"the provider says {said}; the next poll reads it, {leads}", POLL, asks=True)


def _amounts(books: OrderBooks, read: OrderRead, *, is_read_next: bool) -> Iterator[Difference]:
    """Amount, currency, and what was given back, where the provider shows them; of what is read next, the read tells."""
    facts, look = books.facts, POLL if is_read_next else explain_command(books.facts.order_id)
    kind = None if is_read_next else ItemKind.AMOUNT_DIFFERS
    is_other = read.amount_minor is not None and read.amount_minor not in (facts.amount_minor, books.agreed_minor)
    if is_other or read.currency not in ("", facts.currency):
        theirs = _money(read.amount_minor, read.currency or facts.currency)
        words = f"handed over as {_money(facts.amount_minor, facts.currency)}, the provider shows {theirs}"
        yield Difference(Match.AMOUNT_DIFFERS, words, look, kind, read.amount_minor)
    is_reflected = read.refunded_minor in (None, books.given_back_minor)
    if not is_reflected and facts.state in (State.COMPLETED, State.PARTIALLY_REFUNDED, State.REFUNDED):
        words = f"the provider gave back {_money(read.refunded_minor, facts.currency)} of it, the ledger knows of"
        words = f"{words} {_money(books.given_back_minor, facts.currency)}"
        other = facts.amount_minor + books.given_back_minor - (read.refunded_minor or 0)
        yield Difference(Match.AMOUNT_DIFFERS, words, look, kind, other)


def _in_orders(books: OrderBooks) -> Iterator[Difference]:
    facts, row = books.facts, books.row
    if facts.state in (State.CLAIMED, State.WITHDRAWN) and not _is_held(books):
        return
    if facts.state in RELEASED:  # the row is the merchant's own again, but for a hold that should be gone
        if _is_held(books) and not books.keeps_hold:
            yield Difference(Match.STATE_DIFFERS, f"it ended ({facts.state}), and its row still bears our hold", POLL)
        return
    look = explain_command(facts.order_id)
    if row is None:
        words = f"it is {facts.state}, and the order system has no such row"
        yield Difference(Match.MISSING_IN_ORDERS, words, look, ItemKind.WRITE_BACK_CONFLICT)
        return
    yield from _row_amounts(books, row, look)
    if _is_held(books) and row["status"] == books.shows:
        return
    if books.is_unwritten:
        yield Difference(Match.STATE_DIFFERS, f"it is {facts.state}, which its row does not show yet", POLL)
        return
    kind = ItemKind.WRITE_BACK_CONFLICT
    if row["status"] == RowStatus.COMPLETED and facts.state not in NEVER_AGAIN:
        kind = ItemKind.CONTRADICTION
    held = "" if _is_held(books) else ", without our hold"
    words = f"it is {facts.state}, and its row shows {fit_to_show(row['status'])!r}{held}"
    yield Difference(Match.STATE_DIFFERS, words, look, kind)


def _row_amounts(books: OrderBooks, row: Mapping[str, str], look: str) -> Iterator[Difference]:
    facts = books.facts
    amount = amount_of(row["amount_minor"])
    if (amount, row["currency"]) != (facts.amount_minor, facts.currency):
        ours, theirs = _money(facts.amount_minor, facts.currency), _money(amount, row["currency"])
        words = f"handed over as {ours}, its row shows {theirs}"
        yield Difference(Match.AMOUNT_DIFFERS, words, look, ItemKind.AMOUNT_DIFFERS, amount)
    is_given_back = facts.state in (State.PARTIALLY_REFUNDED, State.REFUNDED)
    shown = amount_of(row["refunded_minor"]) or 0
    if is_given_back and shown != books.given_back_minor:
        given, theirs = _money(books.given_back_minor, facts.currency), _money(shown, facts.currency)
        words = f"{given} of it was given back, its row shows {theirs}"
        other = facts.amount_minor + books.given_back_minor - shown
        told = None if books.is_unwritten else ItemKind.AMOUNT_DIFFERS
        yield Difference(Match.AMOUNT_DIFFERS, words, POLL if books.is_unwritten else look, told, other)


def _in_file(books: OrderBooks) -> Iterator[Difference]:
    if books.sent_minor is None or books.sent_minor == books.facts.amount_minor:
        return
    currency = books.facts.currency
    claimed, sent = _money(books.facts.amount_minor, currency), _money(books.sent_minor, currency)
    words = f"it was claimed as {claimed}, and its record in the file has {sent}"
    look = explain_command(books.facts.order_id)
    yield Difference(Match.FILE_DIFFERS, words, look, ItemKind.CONTRADICTION, books.sent_minor)
