"""What the books are folded from: an order's events, its claim, the gate's decision on it, and the copy of a good charge.

What every order has is a tuple: each is made anew for finance's files of a date, and a tuple is made several times as fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Total:
    """So many orders and what they add up to, in minor units of one currency. Two currencies are never added."""

    orders: int = 0
    amount_minor: int = 0

    def __add__(self, other: "Total") -> "Total":
        return Total(self.orders + other.orders, self.amount_minor + other.amount_minor)

    def __sub__(self, other: "Total") -> "Total":
        return Total(self.orders - other.orders, self.amount_minor - other.amount_minor)


@dataclass(slots=True)
class Sum:
    """A total that grows in place: every order is counted many times, and a new object each time would be most of the work."""

    orders: int = 0
    amount_minor: int = 0

    def add(self, amount_minor: int) -> None:
        """Count one order."""
        self.orders += 1
        self.amount_minor += amount_minor

    def total(self) -> Total:
        """What it has come to."""
        return Total(self.orders, self.amount_minor)


class Event(NamedTuple):
    """One thing that happened to an order. `at` is UTC, `business_date` the day on which it is booked.

    `kind` is `transition`, `learnt` or `written_back`; the states are empty where nothing changed. `detail` is the
    event's JSON object.
    """

    seq: int
    at: str
    business_date: str
    run_id: str
    kind: str
    from_state: str
    to_state: str
    source: str
    reason: str
    evidence_id: str
    detail: Mapping[str, Any]

    def text(self, key: str) -> str:
        """A text of the event's detail, empty where it has none."""
        value = self.detail.get(key)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """When a file left, as far as a day knows: the time (UTC) and the business date on which it was booked, or nothing."""

    at: str
    business_date: str


NOT_DELIVERED = Delivery("", "")


class Attempt(NamedTuple):
    """One claim of an order: what never changes about it, its whole history, and the state that the ledger's row shows.

    `response_code` and `decline_group` are those of the charge, known
    where something changed on the day in hand.
    """

    order_id: str
    attempt: int
    site: str
    currency: str
    amount_minor: int
    channel: str
    batch_id: str
    file_name: str
    idempotency_key: str
    hold_reference: str
    expires_at: str
    delivered_at: str
    delivered_date: str
    row_state: str
    response_code: str
    decline_group: str
    events: tuple[Event, ...]


class Decision(NamedTuple):
    """The gate's verdict on one candidate, with what the row showed. `amount_minor` is None where it was unreadable.

    `decision` is `selected`, `skipped`, or `withdrawn` when the claim of that date was taken back.
    """

    order_id: str
    site: str
    currency: str
    amount_minor: int | None
    decision: str
    reason: str
    reason_text: str
    rule_id: str
    batch_id: str
    run_id: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transmission:
    """The copy of one good charge that was handed to the provider, and what is known of it by the day in hand."""

    order_id: str
    site: str
    currency: str
    amount_minor: int
    charged_at: str
    channel: str
    file_name: str
    sequence_number: int
    delivered_at: str
    result: str
    transmit_id: str
    error_text: str


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund that was asked for or settled on the day in hand, as far as it had got by then; amounts in minor units.

    `effect_minor` is what left on that very day, nought or negative; `total_minor` what had left of the order by its end.
    """

    order_id: str
    site: str
    currency: str
    amount_minor: int
    refund_id: str
    provider_order_id: str
    requested_minor: int
    effect_minor: int
    total_minor: int
    status: str
    response_code: str
    message: str
    requested_by: str
    reason: str
    requested_at: str
    confirmed_at: str
    written_back: str
    evidence_id: str


@dataclass(frozen=True, slots=True)
class Heads:
    """The ends of all event chains by a day: one digest over them, and the time of the last event (empty if there is none)."""

    digest: str
    as_of: str
