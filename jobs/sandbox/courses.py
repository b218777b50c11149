"""The course of an order through time: each status with its moment and the event that announces it. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from jobs.sandbox.fates import Fate, Way
from jobs.sandbox.strict_text import Fields

DRAFT_LASTS = timedelta(minutes=5)
CAPTURE_WINDOW = timedelta(days=7)
CHALLENGE_STEP = timedelta(minutes=5)
LATER = timedelta(days=1)
"""How long after its ending an order is charged back, returned, or completed all the same, by the provider's own doing."""

Event = Literal[
    "accepted",
    "completed",
    "cancelled",
    "expired",
    "refunded",
    "capturerequired",
    "chargeback",
    "challenge.presented",
    "challenge.attempted",
    "challenge.passed",
    "challenge.failed",
]
"""What can be told of an order; CONTRACT 12 names the webhook for each but the first."""


@dataclass(frozen=True)
class Step:
    """From `at` on the order has the status `name`; `event` announces it, None is a silent step."""

    at: datetime
    name: str
    event: Event | None = None
    expired: bool = False
    by_merchant: bool = False


@dataclass(frozen=True)
class Order:
    """An order as the provider holds it; amounts in minor units.

    `deeds` are the steps that somebody took (cancel, capture, full refund); they end what would have come by itself.
    `refunds` are the amounts given back so far. `changed` is the moment of the event with which an order is told.
    """

    order_session_key: str
    order_id: str
    amount: int
    currency: str
    placed: datetime
    expiry: datetime | None
    fate: Fate
    record: Fields = field(repr=False)
    mid: str = ""
    way: Way = "managed"
    capture_window: timedelta = CAPTURE_WINDOW
    deeds: tuple[Step, ...] = ()
    refunds: tuple[int, ...] = ()
    changed: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """How an order stands at a moment: status name, its number (None where none is published), amount."""

    name: str
    code: int | None
    amount: int
    expired: bool


def course_of(order: Order) -> list[Step]:
    """Every step of the order, past and to come, in their order."""
    natural = [*_opening(order), *_ending(order)]
    if not order.deeds:
        return natural
    first = order.deeds[0].at
    return [*(step for step in natural if step.at <= first), *order.deeds]


def step_at(order: Order, now: datetime) -> Step:
    """The latest step that has been reached; the first one if none has."""
    course = course_of(order)
    reached = course[0]
    for step in course:
        if step.at <= now:
            reached = step
    return reached


def _opening(order: Order) -> list[Step]:
    placed = order.placed
    if order.way == "managed":
        return [Step(placed, "Draft"), Step(placed + DRAFT_LASTS, "Processing")]
    return [Step(placed, "Processing")]


def _ending(order: Order) -> list[Step]:
    fate = order.fate
    if fate.ending == "onhold":
        return [Step(order.placed, "Onhold")]
    challenge = _challenge(order) if order.way == "cit" else []
    ends_at = challenge[-1].at if challenge else order.placed + fate.after
    expires = order.expiry is not None and (fate.ending == "expired" or ends_at >= order.expiry)
    if expires and order.expiry is not None:
        return [Step(order.expiry, "EXPIRED" if fate.reads_expired else "Cancelled", "expired", expired=True)]
    return [*challenge, *final_steps(order, ends_at)]


def _challenge(order: Order) -> list[Step]:
    if order.fate.challenge == "none":
        return []
    placed = order.placed
    word: Event = "challenge.passed" if order.fate.challenge == "passed" else "challenge.failed"
    return [
        Step(placed, "Processing", "challenge.presented"),
        Step(placed + CHALLENGE_STEP, "Processing", "challenge.attempted"),
        Step(placed + 2 * CHALLENGE_STEP, "Processing", word),
    ]


def final_steps(order: Order, at: datetime) -> list[Step]:
    """How the order ends from this moment on, as it was decided when it was taken."""
    completed = Step(at, "Completed", "completed")
    match order.fate.ending:
        case "completed":
            return [completed]
        case "problem":
            return [Step(at, "Problem")]
        case "capturerequired":
            voided = Step(at + order.capture_window, "Cancelled", "cancelled")
            return [Step(at, "Capturerequired", "capturerequired"), voided]
        case "chargeback":
            return [completed, Step(at + LATER, "Chargeback", "chargeback")]
        case "returned":
            return [completed, Step(at + LATER, "Returned", "refunded")]
        case "regretted":
            return [Step(at, "Cancelled", "cancelled"), replace(completed, at=at + LATER)]
        case _:
            return [Step(at, "Cancelled", "cancelled")]
