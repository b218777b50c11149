"""The books: where each order stood at the end of a day, what moved on it, and whether it balances. Nothing here does I/O."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson

from batch.book_entries import Attempt, Event, Total
from schemas.states import NEVER_AGAIN, OPEN, RELEASED, TERMINAL, State

FIRST_HASH = "0" * 64
"""What the first event of a chain names as the hash before it."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""What says how canonical JSON looks. It is made once, and asked where orjson may write another text for the same value."""

_ALIKE = frozenset({str, int, bool, type(None)})
"""Values that orjson writes byte for byte as `_CANONICAL` does, where it writes them at all; floats are not among them."""

_ANSWERED = (State.PENDING, State.REJECTED)
_NOTHING = Total()


def canonical_detail(detail: Mapping[str, Any]) -> str:
    """An event's detail as the one text that it is stored and hashed as: JSON, keys sorted, no spaces, letters as they are."""
    if _ALIKE.issuperset(map(type, detail.values())):
        try:
            return orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode()
        except TypeError:  # a number or a text that it does not know how to write, or a key that is no text
            pass
    return _CANONICAL.encode(detail)


def event_hash(previous_hash: str, row: Mapping[str, object]) -> str:
    """The seal of one event: SHA-256 (hex) over the hash before it, a newline, and the row as canonical JSON.

    `row` is the event row by column names; `hash` and `previous_hash` in it are left out.
    """
    sealed = {name: value for name, value in row.items() if name not in {"hash", "previous_hash"}}
    return hashlib.sha256(f"{previous_hash}\n{canonical_detail(sealed)}".encode()).hexdigest()


def chain_digest(heads: Iterable[tuple[str, int, str]]) -> str:
    """One digest (hex) that anchors every chain: over a JSON line of subject, last seq and last hash each, sorted by subject."""
    digest = hashlib.sha256()
    for head in heads:
        digest.update(orjson.dumps(head) + b"\n")
    return digest.hexdigest()


def attempt_events(chain: Iterable[Event], attempt: int) -> tuple[Event, ...]:
    """The part of an order's chain that belongs to its n-th claim.

    A day that is closed stays closed: an event booked on an earlier day than the one before it counts for that later day.
    """
    booked, current, found = "", 0, []
    for event in chain:
        booked = max(booked, event.business_date)
        if event.kind == "transition" and not event.from_state:
            current += 1
        if int(event.detail.get("attempt") or current) == attempt:
            found.append(event if event.business_date == booked else event._replace(business_date=booked))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Standing:
    """One claim of an order as of the end of a business date, knowing nothing that was booked later.

    `opening` and `closing` are its states at both ends of the day (`opening` is empty before the claim), `transitions` its
    changes of state, oldest first, and `moves` those of that day. `money` is what each of them moved; it is worked out only
    where something changed on the day.
    """

    attempt: Attempt
    business_date: str
    events: tuple[Event, ...]
    opening: str
    closing: str
    transitions: tuple[Event, ...]
    moves: tuple[Event, ...]
    money: "tuple[MoneyMove, ...]"

    @property
    def total(self) -> Total:
        """This order, counted."""
        return Total(1, self.attempt.amount_minor)

    @property
    def claim(self) -> Event:
        """The event that claimed it."""
        return self.events[0]

    @property
    def in_books(self) -> bool:
        """Whether it was open at some moment of the day: such orders make up the day's equation."""
        return self.opening in OPEN or any(move.to_state in OPEN for move in self.moves)

    @property
    def closed(self) -> Event | None:
        """The move that took it out of the books, if it is out at the end of the day."""
        if self.closing in OPEN:
            return None
        leaving = (event for event in reversed(self.transitions) if event.from_state in OPEN and event.to_state in TERMINAL)
        return next(leaving, None)

    @property
    def handed_over(self) -> Event | None:
        """The move by which the provider first accepted it."""
        return self.first(State.PENDING)

    @property
    def acknowledged(self) -> Event | None:
        """The provider's first word on it: its acknowledgement, or the read that showed it accepted or refused."""
        for event in self.events:
            if _is_answer(event):
                return event
        return None

    @property
    def sent_date(self) -> str:
        """The business date on which its file was delivered, empty if that is not known by now.

        A file whose delivery was not confirmed before counts as delivered when the provider first answers for the order.
        """
        if self.first(State.SENDING) is None:
            return ""
        proofs = [self.attempt.delivered_date, self.acknowledged.business_date if self.acknowledged else ""]
        return min((date for date in proofs if "" < date <= self.business_date), default="")

    def today(self, kind: str) -> Iterator[Event]:
        """Its events of one kind that were booked on the day."""
        return (event for event in self.events if event.kind == kind and event.business_date == self.business_date)

    def first(self, state: State) -> Event | None:
        """The first move into a state."""
        for event in self.transitions:
            if event.to_state == state:
                return event
        return None

    def latest(self, key: str) -> str:
        """The last text that any event gave for a key of its detail."""
        for event in self.events[::-1]:
            if text := event.text(key):
                return text
        return ""

    def written_back(self, since: Event | None = None) -> Event | None:
        """The first write to the order row after an event; without one, the last write of all."""
        writes = [event for event in self.events if event.kind == "written_back"]
        if since is None:
            return writes[-1] if writes else None
        return next((event for event in writes if event.seq > since.seq), None)


def _is_answer(event: Event) -> bool:
    return event.source == "acknowledgement" or (event.kind == "transition" and event.to_state in _ANSWERED)


def stand(attempt: Attempt, business_date: str) -> Standing | None:
    """Fold a claim's events up to and including a business date; None where it was claimed later.

    Where nothing was booked later the state is the ledger row's own: a row that was changed without an event breaks the
    equation, and shows.
    """
    events = tuple(event for event in attempt.events if event.business_date <= business_date)
    transitions = tuple(event for event in events if event.kind == "transition")
    if not transitions:
        return None
    before = [event.to_state for event in transitions if event.business_date < business_date]
    later = any(event.kind == "transition" for event in attempt.events[len(events) :])
    moves = tuple(event for event in transitions if event.business_date == business_date)
    return Standing(
        attempt=attempt,
        business_date=business_date,
        events=events,
        opening=before[-1] if before else "",
        closing=transitions[-1].to_state if later else attempt.row_state,
        transitions=transitions,
        moves=moves,
        money=tuple(moved_money(attempt.amount_minor, transitions)) if moves else (),
    )


def movement(move: Event) -> str:
    """The line of the `held` section that a change of state belongs to; empty where it stays on its side of the books."""
    if not move.from_state:
        return "claimed"
    if move.from_state in OPEN and move.to_state in NEVER_AGAIN:
        return "completed"
    if move.from_state in OPEN and move.to_state in RELEASED:
        return move.to_state
    return "reopened" if move.from_state in TERMINAL and move.to_state in OPEN else ""


class MoneyMove(NamedTuple):
    """What one change of state moved for the merchant, in minor units: in is positive, out is negative."""

    move: Event
    recovered: int
    refunded: int
    chargeback: int

    @property
    def is_nothing(self) -> bool:
        """Whether no money moved."""
        return not (self.recovered or self.refunded or self.chargeback)


def moved_money(amount: int, moves: Iterable[Event]) -> Iterator[MoneyMove]:
    """What each of an order's changes of state moved, by the order's amount in minor units.

    The amount is the one that the provider named, else the order's own. Under review a recovery does not count: what
    was booked is taken back until a person or a read decides.
    """
    recovered = refunded = chargeback = 0
    for move in moves:
        amount = int(move.detail.get("recovered_minor") or amount)
        before = (recovered, refunded, chargeback)
        recovered = amount if move.to_state in NEVER_AGAIN else 0
        refunded = -_given_back(move, amount)
        chargeback = -amount if move.to_state == State.CHARGEBACK else 0
        yield MoneyMove(move, recovered - before[0], refunded - before[1], chargeback - before[2])


def _given_back(move: Event, amount: int) -> int:
    """What had been given back of an order after a change of its state, in minor units."""
    if move.to_state == State.PARTIALLY_REFUNDED:
        return int(move.detail.get("refunded_minor") or 0)
    return amount if move.to_state == State.REFUNDED else 0


@dataclass(frozen=True, slots=True)
class Balance:
    """opening + claimed + reopened - released - completed = closing, for one currency (and one site, where asked by site).

    `released` are withdrawn, rejected, declined, expired and cancelled orders together.
    """

    opening: Total = _NOTHING
    claimed: Total = _NOTHING
    reopened: Total = _NOTHING
    released: Total = _NOTHING
    completed: Total = _NOTHING
    closing: Total = _NOTHING

    @property
    def balanced(self) -> bool:
        """Whether it closes, in orders and to the cent."""
        return self.opening + self.claimed + self.reopened - self.released - self.completed == self.closing

    def plus(self, line: str, total: Total) -> "Balance":
        """The same with one more line of the `held` section in it."""
        name = "released" if line in RELEASED else line
        return replace(self, **{name: getattr(self, name) + total})


def balance(held: Iterable[tuple[str, str, str, Total]]) -> dict[tuple[str, str], Balance]:
    """The equation per (site, currency), from lines of the `held` section: (site, currency, line, total)."""
    balances: dict[tuple[str, str], Balance] = defaultdict(Balance)
    for site, currency, line, total in held:
        balances[site, currency] = balances[site, currency].plus(line, total)
    return dict(balances)
