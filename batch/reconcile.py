"""What the books say of one order, side by side: whether they agree, and where they do not, what settles it. Pure.

Nothing here, and nothing that follows from it, changes the state of an order: only a status read ends one. A difference
that the next poll settles by itself, because it has only not asked yet, is told apart from one that it cannot settle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from batch.action_rules import Money, captured_minor
from batch.conclusions import Conclusion, Facts, conclude, meaning_of
from batch.house_charges import RECOVERED, remedy
from batch.order_commands import COMPARE, POLL, explain_command
from batch.order_rows import amount_of
from batch.provider_words import fit_to_show
from batch.responses import OrderRead
from schemas.matches import Match
from schemas.money import people_text
from schemas.order import RowStatus
from schemas.profile import Profile
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, OPEN, RELEASED, State

_ASK = "ask the provider's support, by the id that this shows,"
_FREE = (RowStatus.DECLINED, RowStatus.NOT_RECOVERED)
_NOT_HANDED_OVER = (State.CLAIMED, State.HELD, State.WITHDRAWN)
_UNDER_WAY = (State.CLAIMED, State.HELD, State.SENDING, State.IN_DOUBT)
"""What has not left, or of which nobody knows whether it has: its row, as the merchant changed it, is what withdraws it."""
_LEAVE = "leave the row as it is: the next nightly withdraws what has not left, and asks what has become of it if it may have"


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

    `command` settles it, or shows that it is settled; `advice` is what is to be done in one of the books before that.

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
    advice: str = ""

    @property
    def told(self) -> str:
        """What differs, what to do about it, and the command."""
        return f"{'; '.join(words for words in (self.words, self.advice) if words)}: {self.command}"


def differences(books: OrderBooks, profile: Profile) -> list[Difference]:
    """Everything in which the books of one order differ, the gravest first; nothing where they agree."""
    found = [*_house_charge(books, profile), *_at_provider(books, profile), *_in_orders(books), *_in_file(books)]
    return sorted(found, key=lambda each: (not each.house_charge, list(Match).index(each.match)))


def explanation(found: list[Difference]) -> str:
    """The differences of one order in words, each with the command that settles it."""
    return "; ".join(each.told for each in found)


def difference_minor(found: list[Difference], amount_minor: int) -> int:
    """What the other book has more than the ledger, in minor units; a missing order counts with its whole amount."""
    first = found[0]
    if first.match in (Match.MISSING_AT_PROVIDER, Match.MISSING_IN_ORDERS):
        return -amount_minor
    return 0 if first.other_minor is None else first.other_minor - amount_minor


def _money(amount_minor: int | None, currency: str) -> str:
    """An amount for people, whatever somebody wrote as its currency."""
    return "no amount" if amount_minor is None else people_text(amount_minor, fit_to_show(currency))


def _is_held(books: OrderBooks) -> bool:
    return books.row is not None and books.row["hold_reference"] == books.hold_reference


def _is_paid_as_well(books: OrderBooks) -> bool:
    """Whether its row, still under our hold, shows that the merchant was paid for what the provider recovers or recovered."""
    row, state = books.row, books.facts.state
    return row is not None and _is_held(books) and row["status"] == RowStatus.PAID and state in (*OPEN, *RECOVERED)


def _house_charge(books: OrderBooks, profile: Profile) -> Iterator[Difference]:
    """Drift: while our hold stands, the merchant's own retry has taken the row, or it shows that the charge was paid."""
    facts, row = books.facts, books.row
    if row is None or not _is_held(books) or facts.state in RELEASED:
        return
    was_paid = _is_paid_as_well(books)
    if not row["retry_state"] and not was_paid:
        return
    what = "its row shows paid" if was_paid else f"your own retry is at it (retry_state {fit_to_show(row['retry_state'])!r})"
    is_twice = facts.state in (*OPEN, *RECOVERED)
    follows = "the customer may be charged twice" if is_twice else "nobody charges it again"
    money = _money_of(books)
    meaning = meaning_of(books.read, profile) if books.read is not None else None
    found = remedy(facts, meaning, money, partial_max_percent=profile.payments.partial_refund_max_percent)
    yield Difference(
        Match.STATE_DIFFERS,
        f"{what} while it is held ({facts.state}); {follows}",
        found.command,
        ItemKind.DOUBLE_CHARGE,
        house_charge=True,
        advice=found.advice,
    )


def _money_of(books: OrderBooks) -> Money:
    """What of an order was taken and what is gone again, as far as the books of a comparison tell."""
    facts, read = books.facts, books.read
    captured = facts.amount_minor if read is None else captured_minor(read, facts.amount_minor)
    shown = read.refunded_minor if read is not None else None
    return Money(facts.currency, captured, books.given_back_minor, shown)


def _at_provider(books: OrderBooks, profile: Profile) -> Iterator[Difference]:
    facts, read = books.facts, books.read
    look = explain_command(facts.order_id)
    if books.shown is Shown.TWICE:
        words = "the provider's list has it twice, under two ids of its own"
        advice = f"{_ASK} which of the two it works on, and have the other one stopped"
        yield Difference(Match.STATE_DIFFERS, words, look, ItemKind.CONTRADICTION, advice=advice)
    elif books.shown is Shown.UNSHOWN and facts.provider_order_id:
        words = "the provider's list does not show it, and it was not asked about alone"
        yield Difference(Match.MISSING_AT_PROVIDER, words, f"{POLL} --all")
    elif books.shown is Shown.ABSENT and facts.provider_order_id:
        words = "the provider accepted it and does not show it; it stays as it is until its support says what became of it"
        kind, advice = (None, "") if books.is_recent else (ItemKind.CONTRADICTION, f"{_ASK} where it is")
        yield Difference(Match.MISSING_AT_PROVIDER, words, POLL if books.is_recent else look, kind, advice=advice)
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
        look, advice = explain_command(facts.order_id), f"{_ASK} who handed it over, and have it stopped"
        return Difference(Match.STATE_DIFFERS, words, look, ItemKind.CONTRADICTION, asks=True, advice=advice)
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
        advice = "" if is_read_next else f"{_ASK} to put its amount right, or note the item where theirs is right"
        yield Difference(Match.AMOUNT_DIFFERS, words, look, kind, read.amount_minor, advice=advice)
    is_reflected = read.refunded_minor in (None, books.given_back_minor)
    if not is_reflected and facts.state in (State.COMPLETED, State.PARTIALLY_REFUNDED, State.REFUNDED):
        words = f"the provider gave back {_money(read.refunded_minor, facts.currency)} of it, the ledger knows of"
        words = f"{words} {_money(books.given_back_minor, facts.currency)}"
        other = facts.amount_minor + books.given_back_minor - (read.refunded_minor or 0)
        advice = "" if is_read_next else f"{_ASK} who gave that back, and note the item where theirs is right"
        yield Difference(Match.AMOUNT_DIFFERS, words, look, kind, other, advice=advice)


def _in_orders(books: OrderBooks) -> Iterator[Difference]:
    facts, row = books.facts, books.row
    if facts.state in (State.CLAIMED, State.WITHDRAWN) and not _is_held(books):
        return
    if facts.state in RELEASED:  # the row is the merchant's own again, but for a hold that should be gone
        if _is_held(books) and not books.keeps_hold:
            yield Difference(Match.STATE_DIFFERS, f"it ended ({facts.state}), and its row still bears our hold", POLL)
        return
    if row is None:
        words = f"it is {facts.state}, and the order system has no such row"
        put_back = f"put the row back, {_as_it_should_be(books)}; then", COMPARE
        advice, command = _left_alone(facts) if facts.state in _UNDER_WAY else put_back
        yield Difference(Match.MISSING_IN_ORDERS, words, command, ItemKind.WRITE_BACK_CONFLICT, advice=advice)
        return
    yield from _row_amounts(books, row)
    if _is_paid_as_well(books):  # that is told as a charge in-house
        return
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
    advice, command = _row_advice(books, row)
    yield Difference(Match.STATE_DIFFERS, words, command, kind, advice=advice)


def _left_alone(facts: Facts) -> tuple[str, str]:
    return _LEAVE, explain_command(facts.order_id)


def _row_advice(books: OrderBooks, row: Mapping[str, str]) -> tuple[str, str]:
    """What to do about a row with another status or hold, and the command; the next poll does it where the row is clear.

    What the merchant wrote may be the only trace of a charge of theirs, or of a wish that the order stops: nobody is told to
    write over that without looking.
    """
    facts, status, back = books.facts, row["status"], f"set the row to {_as_it_should_be(books)}"
    if facts.state in OPEN and status in _FREE and not row["hold_reference"] and not row["retry_state"]:
        return "it looks free, and the next poll holds it again", POLL
    if facts.state in _UNDER_WAY:
        return _left_alone(facts)
    is_theirs = status not in (*RowStatus,) or status == RowStatus.PAID
    if is_theirs and facts.state in (State.PENDING, State.CAPTURE_REQUIRED) and facts.provider_order_id:
        return f"the next poll asks the provider to stop it; if it should go on, {back} before that", POLL
    if status == RowStatus.PAID:
        paid = "if you were paid for it otherwise, leave the row so, see that one of two charges goes back, and note the item"
        return f"{paid}; else {back}; then", COMPARE
    if row["retry_state"]:
        return f"your own retry is at it: stop it, see whether it has charged, and if not {back}; then", COMPARE
    return f"{back}; then", COMPARE


def _as_it_should_be(books: OrderBooks) -> str:
    """The cells of a row that bears our hold, as the ledger has them."""
    return f"status {books.shows.value!r} and hold_reference {books.hold_reference!r}"


def _row_amounts(books: OrderBooks, row: Mapping[str, str]) -> Iterator[Difference]:
    facts = books.facts
    amount = amount_of(row["amount_minor"])
    if amount not in (facts.amount_minor, books.agreed_minor) or row["currency"] != facts.currency:
        ours, theirs = _money(facts.amount_minor, facts.currency), _money(amount, row["currency"])
        words = f"handed over as {ours}, its row shows {theirs}"
        right = f"amount_minor {facts.amount_minor} and currency {facts.currency!r}"
        set_right = f"the provider collects {ours}: set the row to {right}, or note the item where yours is meant; then", COMPARE
        advice, command = _left_alone(facts) if facts.state in _UNDER_WAY else set_right
        yield Difference(Match.AMOUNT_DIFFERS, words, command, ItemKind.AMOUNT_DIFFERS, amount, advice=advice)
    is_given_back = facts.state in (State.PARTIALLY_REFUNDED, State.REFUNDED)
    shown = amount_of(row["refunded_minor"]) or 0
    if is_given_back and shown != books.given_back_minor:
        given, theirs = _money(books.given_back_minor, facts.currency), _money(shown, facts.currency)
        words = f"{given} of it was given back, its row shows {theirs}"
        other = facts.amount_minor + books.given_back_minor - shown
        told = None if books.is_unwritten else ItemKind.AMOUNT_DIFFERS
        right = f"set refunded_minor of the row to {books.given_back_minor}, or note the item where yours is meant; then"
        advice = "" if books.is_unwritten else right
        yield Difference(Match.AMOUNT_DIFFERS, words, POLL if books.is_unwritten else COMPARE, told, other, advice=advice)


def _in_file(books: OrderBooks) -> Iterator[Difference]:
    if books.sent_minor is None or books.sent_minor == books.facts.amount_minor:
        return
    currency = books.facts.currency
    claimed, sent = _money(books.facts.amount_minor, currency), _money(books.sent_minor, currency)
    words = f"it was claimed as {claimed}, and its record in the file has {sent}"
    look, advice = explain_command(books.facts.order_id), f"{_ASK} which amount it collects"
    yield Difference(Match.FILE_DIFFERS, words, look, ItemKind.CONTRADICTION, books.sent_minor, advice=advice)
