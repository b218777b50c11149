"""What follows from an answer: the next state of an order, and what a person must look at. Nothing else decides that.

Only a status read for the same order ends it. An unknown status, an absence, or an answer about another order changes
nothing. Two final reads that disagree go to review; terminal states are left in no other way (CONTRACT 14).
"""

from dataclasses import dataclass

from batch.provider_words import fit_to_show
from batch.responses import OrderRead
from schemas.profile import Meaning, Profile
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, NOT_RECOVERED, OPEN, RELEASED, State

UNANSWERED = (State.SENDING, State.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Facts:
    """What our side knows of an order when an answer about it arrives; amounts are minor units."""

    order_id: str
    provider_order_id: str
    state: State
    amount_minor: int
    currency: str
    is_past_expiry: bool
    was_called_expired: bool


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Where the order goes (`path`, empty: nowhere), and the item to open, if any. `understood` closes an older doubt."""

    path: tuple[State, ...] = ()
    reason: str = ""
    item: ItemKind | None = None
    explanation: str = ""
    understood: bool = True


def meaning_of(read: OrderRead, profile: Profile) -> Meaning | None:
    """What a read's status means: the word decides, and the code must not contradict it. None when it is not known.

    An expired order may bear the code of a cancelled one (CONTRACT 6.4), and a word alone or a code alone will do.
    """
    word = profile.meaning(read.status) if read.status else None
    code = profile.code_meaning(read.code) if read.code is not None else None
    if not read.status:
        return code
    if word is None or read.code is None or word == code:
        return word
    if word is Meaning.EXPIRED and code is Meaning.NOT_RECOVERED:
        return word
    return None


def conclude(facts: Facts, read: OrderRead, profile: Profile) -> Conclusion:
    """What one status read means for one order."""
    if read.external_id and read.external_id != facts.order_id:
        named = fit_to_show(read.external_id)
        return _item(ItemKind.QUARANTINE, f"an answer about order {named!r} came for order {facts.order_id!r}")
    if facts.provider_order_id and read.provider_order_id != facts.provider_order_id:
        named = fit_to_show(read.provider_order_id)
        return _item(ItemKind.QUARANTINE, f"an answer about {named!r} came for {facts.provider_order_id}")
    meaning = meaning_of(read, profile)
    said = read.status or f"code {read.code}"
    if meaning is None or meaning in (Meaning.NOT_FOUND, Meaning.CHALLENGE):
        return _item(ItemKind.UNKNOWN_STATUS, f"the provider said {said!r}, which is not a known status of such an order")
    if meaning is Meaning.PROBLEM:
        return _item(ItemKind.UNKNOWN_STATUS, "the provider reports a problem with the order; contact its support")
    if facts.state in _NEVER_SENT or (facts.state is State.REJECTED and meaning is Meaning.CAPTURE_REQUIRED):
        explanation = f"it is {facts.state} here, and the provider says {said}"
        return _review(facts, "the provider has it all the same", ItemKind.CONTRADICTION, explanation)
    if meaning in (Meaning.PENDING, Meaning.ONHOLD):
        return _arrived(facts, said)
    if meaning is Meaning.COMPLETED:
        return _completed(facts, read)
    if meaning is Meaning.CAPTURE_REQUIRED:
        return (
            _onwards(facts, State.CAPTURE_REQUIRED, said)
            if facts.state not in (State.CAPTURE_REQUIRED, *_ENDED)
            else _same(facts)
        )
    if meaning in (Meaning.REFUNDED, Meaning.CHARGEBACK):
        return _after_recovery(facts, State.REFUNDED if meaning is Meaning.REFUNDED else State.CHARGEBACK)
    return _not_recovered(facts, meaning, said)


_NEVER_SENT = (State.CLAIMED, State.HELD, State.WITHDRAWN)
_ENDED = (State.COMPLETED, State.REFUNDED, State.PARTIALLY_REFUNDED, State.CHARGEBACK, State.REVIEW, *RELEASED)


def _arrived(facts: Facts, said: str) -> Conclusion:
    if facts.state in UNANSWERED:
        return Conclusion((State.PENDING,), f"the provider has it: {said}")
    if facts.state is State.REJECTED:
        return Conclusion(
            (State.REVIEW,),
            f"refused before, yet the provider says {said}",
            ItemKind.CONTRADICTION,
            "a refused row is being worked",
        )
    return _same(facts)


def _completed(facts: Facts, read: OrderRead) -> Conclusion:
    amount_differs = read.amount_minor is not None and read.amount_minor != facts.amount_minor
    currency_differs = bool(read.currency) and read.currency != facts.currency
    if facts.state in (State.REVIEW, State.PARTIALLY_REFUNDED):
        return _same(facts)
    if amount_differs or currency_differs:
        amount_minor = facts.amount_minor if read.amount_minor is None else read.amount_minor
        completed = f"{amount_minor} {read.currency or facts.currency}"
        explanation = f"handed over {facts.amount_minor} {facts.currency}, completed with {completed}"
        return _review(facts, "completed for another amount", ItemKind.AMOUNT_DIFFERS, explanation)
    if facts.state in NEVER_AGAIN:
        return _same(facts)
    if facts.state in RELEASED:
        explanation = f"the order was {facts.state} here and its hold released; the provider says completed"
        return _review(facts, "completed after it had ended", ItemKind.LATE_COMPLETION, explanation)
    return _onwards(facts, State.COMPLETED, "recovered")


def _not_recovered(facts: Facts, meaning: Meaning, said: str) -> Conclusion:
    if facts.state in NEVER_AGAIN:
        return _review(facts, "completed before", ItemKind.CONTRADICTION, f"{facts.state} here, the provider now says {said}")
    if facts.state in _ENDED:
        return _same(facts)
    expired = meaning is Meaning.EXPIRED or (
        meaning is Meaning.NOT_RECOVERED and (facts.is_past_expiry or facts.was_called_expired)
    )
    return _onwards(facts, State.EXPIRED if expired else State.DECLINED, said)


def _after_recovery(facts: Facts, to: State) -> Conclusion:
    if facts.state in (to, State.REVIEW, State.CHARGEBACK):
        return _same(facts)
    if facts.state in (*NOT_RECOVERED, State.REJECTED):
        return _review(facts, f"{to} after it had ended", ItemKind.LATE_COMPLETION, f"{facts.state} here, the provider says {to}")
    return _onwards(facts, to, to.value)


def _onwards(facts: Facts, to: State, reason: str) -> Conclusion:
    """By way of `pending` where no answer had come before: the provider has had it."""
    path = (State.PENDING, to) if facts.state in UNANSWERED else (to,)
    return Conclusion(path, reason)


def _review(facts: Facts, reason: str, item: ItemKind, explanation: str) -> Conclusion:
    return Conclusion((State.REVIEW,), reason, item, explanation)


def _same(facts: Facts) -> Conclusion:
    return Conclusion(reason="as known" if facts.state in OPEN else "already ended")


def _item(kind: ItemKind, explanation: str) -> Conclusion:
    return Conclusion(item=kind, explanation=explanation, understood=False)
