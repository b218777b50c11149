"""What follows from a person's decision about an order, and which decisions are refused. Pure: both sides are handed in.

A person may settle what the protocol cannot, and may not overrule what the provider says now: an order completes only
as it says (I3), and is released only where it shows nothing of it (I1).
"""

from dataclasses import dataclass, replace

from batch.conclusions import Facts, cancel_came_too_late, conclude
from batch.provider_words import fit_to_show
from batch.responses import OrderRead
from schemas.errors import DecisionRefused
from schemas.money import people_text
from schemas.profile import Profile
from schemas.reasons import ItemKind
from schemas.resolutions import Resolution
from schemas.states import State


@dataclass(frozen=True, slots=True)
class Said:
    """What the provider says of an order when it is asked now. Without `read`, `problem` says why; `is_absent`: it shows none."""

    read: OrderRead | None
    problem: str = ""
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class OrderRuling:
    """Where an order goes by a decision, and the sentence that says so. `recovered_minor` is set where it completes.

    `too_late` proposes a refund where it completes although its cancel was asked for.
    """

    path: tuple[State, ...]
    sentence: str
    recovered_minor: int | None = None
    provider_order_id: str = ""
    provider_status: str = ""
    too_late: str = ""


def rule_on_order(resolution: Resolution, order: Facts, said: Said, bearer: str, profile: Profile) -> OrderRuling:
    """Where an order goes. `said` is what the provider said when asked now; `bearer` whose the id in it is already."""
    allowed = (State.REVIEW, State.IN_DOUBT) if resolution is Resolution.NO_RESCUE else (State.REVIEW,)
    if order.state not in allowed:
        raise DecisionRefused(f"Order {order.order_id!r} is {order.state}; {resolution} is for an order under review.")
    if resolution is Resolution.NO_RESCUE:
        return _no_rescue(order, said)
    if said.read is None:
        raise DecisionRefused(
            f"The provider does not show order {order.order_id!r} now: {fit_to_show(said.problem).rstrip('.')}."
        )
    if bearer not in ("", order.order_id):
        raise DecisionRefused(f"The provider's id {said.read.provider_order_id} belongs to order {bearer!r}.")
    word = said.read.status or f"code {said.read.code}"
    conclusion = conclude(replace(order, state=State.PENDING, cancel_wanted=False), said.read, profile)
    shown = {"provider_order_id": said.read.provider_order_id, "provider_status": word.upper()[:64]}
    if resolution is Resolution.OTHER_AMOUNT_ACCEPTED:
        return _told_of_cancel(_other_amount(order, said, conclusion.item, shown), order, said.read)
    if conclusion.item is not None:
        hint = f"--as {Resolution.OTHER_AMOUNT_ACCEPTED}" if conclusion.item is ItemKind.AMOUNT_DIFFERS else ""
        raise DecisionRefused(
            f"Nothing follows from what the provider says of order {order.order_id!r} now: {conclusion.explanation}.",
            next_step=f"If that amount is right, decide {hint}." if hint else "Ask the provider's support.",
        )
    path = conclusion.path or (State.PENDING,)
    path = (State.PENDING, *path) if path == (State.CAPTURE_REQUIRED,) else path
    recovered = order.amount_minor if path[-1] is State.COMPLETED else None
    sentence = f"Order {order.order_id!r} goes from {order.state} to {path[-1]}: the provider says {word}."
    return _told_of_cancel(OrderRuling(path, sentence, recovered, **shown), order, said.read)


def _told_of_cancel(ruling: OrderRuling, order: Facts, read: OrderRead) -> OrderRuling:
    """The same, and where it completes although its cancel was asked for, what a person may want to do about that."""
    if ruling.recovered_minor is None or not order.cancel_wanted or order.given_back_minor >= ruling.recovered_minor:
        return ruling
    words = cancel_came_too_late(order, read)
    return replace(ruling, sentence=f"{ruling.sentence.removesuffix('.')}; {words}", too_late=words)


def shows_none(order_id: str, said: Said) -> None:
    """Nothing, where the provider was asked and shows no such order. Raises DecisionRefused where it could not be asked."""
    if not said.is_absent:
        raise DecisionRefused(
            f"The provider cannot be asked about order {order_id!r} now: {fit_to_show(said.problem).rstrip('.')}.",
            next_step="Decide again when it answers; until then the order stays held.",
        )


def _no_rescue(order: Facts, said: Said) -> OrderRuling:
    if said.read is not None:
        word = said.read.status or f"code {said.read.code}"
        raise DecisionRefused(
            f"The provider shows order {order.order_id!r}: {word}. It is not released on a word that contradicts that.",
            next_step=f"If what the provider shows is right, decide --as {Resolution.PROVIDER_IS_RIGHT}.",
        )
    shows_none(order.order_id, said)
    sentence = (
        f"Order {order.order_id!r} goes from {order.state} to {State.REJECTED}: no rescue of it runs; its hold is released."
    )
    return OrderRuling((State.REJECTED,), sentence)


def _other_amount(order: Facts, said: Said, item: ItemKind | None, shown: dict[str, str]) -> OrderRuling:
    read = said.read
    assert read is not None  # noqa: S101 - looked at before
    if item is not ItemKind.AMOUNT_DIFFERS or read.amount_minor is None:
        raise DecisionRefused(f"The provider does not say that order {order.order_id!r} was completed with another amount.")
    if read.currency and read.currency != order.currency:
        raise DecisionRefused(
            f"Order {order.order_id!r} was completed in {fit_to_show(read.currency)}, not in {order.currency}.",
            next_step="The books have one currency an order; ask the provider's support to correct it.",
        )
    amounts = f"{people_text(read.amount_minor, order.currency)} instead of {people_text(order.amount_minor, order.currency)}"
    sentence = f"Order {order.order_id!r} goes from {order.state} to {State.COMPLETED} with {amounts}."
    return OrderRuling((State.COMPLETED,), sentence, read.amount_minor, **shown)
