"""The rows of `review.csv`: what waited for a person at the end of a day, or was closed during it, from the ledger alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from batch.audit_rows import Day, Row
from batch.book_entries import Event
from batch.card_numbers import has_card_number
from batch.fitting import fitting
from batch.provider_words import WITHHELD
from schemas.reasons import ItemKind

_MOST = 1000
_OF_THE_ORDER_SYSTEM = frozenset({ItemKind.WRITE_BACK_CONFLICT, ItemKind.PAN_FOUND})
"""Kinds whose explanation tells what stood in the order system."""

_OF_THE_LEDGER = frozenset({ItemKind.RUN_MISSED, ItemKind.UNUSUAL_NIGHT, ItemKind.NO_RESPONSE, ItemKind.SWITCHED_OFF})
_OF_COMPARISONS = ("reconcile", "settlement", "charge")
"""Kinds, and what the subjects of items begin with, whose explanation is our own: neither the provider nor the order system said
it. That of every other item tells of the provider.
"""


@dataclass(frozen=True, slots=True)
class Concern:
    """The order that an item is about: empty for a file or a webhook; without a claim or a verdict only its id is known."""

    order_id: str = ""
    site: str = ""
    currency: str = ""
    amount_minor: int | None = None
    at_risk_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """One item of the ledger with what is known by a date of what it is about.

    `own` are the events of its subject by that date, `of_order` those of its order; `call_kind` is the kind of the group of
    calls that it is about. What is empty is not known, or not yet.
    """

    item_id: str
    kind: ItemKind
    subject: str
    opened_at: str
    opened_date: str
    due_date: str
    explanation: str
    closed_at: str
    closed_date: str
    closed_by: str
    resolution: str
    resolution_reason: str
    concern: Concern
    own: tuple[Event, ...]
    of_order: tuple[Event, ...]
    call_kind: str = ""


def review_row(day: Day, matter: Matter) -> Row:
    """One item as it stood at the end of the day: whoever closed it later is not known yet.

    `ledger_says` is the state of its order, file or request, and behind it what only the ledger knows; an explanation stands
    under whom it tells of.
    """
    ended = matter.closed_date or (day.date_of(matter.closed_at) if matter.closed_at else "")
    is_closed = "" < ended <= day.business_date
    until = max(matter.opened_date, ended) if is_closed else day.business_date
    concern, says = matter.concern, _says(matter)
    decisions = (
        () if is_closed else fitting(matter.kind, matter.subject, {matter.subject: matter.call_kind} if matter.call_kind else {})
    )
    return {
        **day.key(concern.site, concern.order_id, concern.currency, concern.amount_minor),
        "review_id": matter.item_id,
        "kind": matter.kind.value,
        "opened_at": matter.opened_at,
        "due_date": matter.due_date,
        "age_days": (date.fromisoformat(until) - date.fromisoformat(matter.opened_date)).days,
        "ledger_says": says[0],
        "provider_says": says[1],
        "orders_say": says[2],
        "at_risk_minor": concern.at_risk_minor,
        "proposed_action": " | ".join(decisions),
        "command": _command(matter.item_id, decisions) if decisions else "",
        "closed_at": matter.closed_at if is_closed else None,
        "closed_by": shown(matter.closed_by) if is_closed else None,
        "resolution": shown(matter.resolution) if is_closed else None,
        "resolution_reason": shown(matter.resolution_reason) if is_closed else None,
    }


def by_key(matter: Matter) -> tuple[bytes, ...]:
    """How rows are sorted, byte by byte: by site, currency and order id as in every file, then by item."""
    concern = matter.concern
    return tuple(text.encode() for text in (concern.site, concern.currency, concern.order_id, matter.item_id))


def shown(words: str) -> str:
    """A text fit for finance: cut, and nothing at all where a card number stands."""
    return WITHHELD if has_card_number(words) else words[:_MOST]


def known_by(chain: Iterable[Event]) -> tuple[Event, ...]:
    """The beginning of a chain that is booked by a date, from its events that bear such a date.

    What was booked after a gap counts for the later day that the gap stands for, as everywhere in the books.
    """
    return tuple(event for number, event in enumerate(chain, start=1) if event.seq == number)


def _says(matter: Matter) -> tuple[str, str, str]:
    """What ledger, provider and order system say; the explanation stands under one of them."""
    state = next((event.to_state for event in reversed(matter.own) if event.to_state), "")
    provider, row = (shown(_latest(matter.of_order, key)) for key in ("provider_status", "row_status"))
    words = _words(matter)
    if matter.kind in _OF_THE_ORDER_SYSTEM:
        return state, provider, words
    if matter.kind in _OF_THE_LEDGER or matter.subject.partition(":")[0].partition("-")[0] in _OF_COMPARISONS:
        return ": ".join(each for each in (state, words) if each), provider, row
    return state, words, row


def _words(matter: Matter) -> str:
    about = "" if matter.concern.order_id else f"{matter.subject}: "
    return shown(f"{about}{matter.explanation}")


def _latest(events: tuple[Event, ...], key: str) -> str:
    return next((text for event in reversed(events) if (text := event.text(key))), "")


def _command(item_id: str, decisions: tuple[str, ...]) -> str:
    decision = decisions[0] if len(decisions) == 1 else "DECISION"
    return f'mitbatch review resolve {item_id} --as {decision} --reason "..." --dry-run'
