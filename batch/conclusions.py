"""What follows from an answer: the next state of an order, and what a person must look at. Nothing else decides that.

Only a status read for the same order ends it. An unknown status, an absence, or an answer about another order changes
nothing. Two final reads that disagree go to review; terminal states are left in no other way (CONTRACT 14).
"""

from dataclasses import dataclass, replace

from batch.action_rules import refund_command
from batch.provider_words import fit_to_show
from batch.responses import OrderRead
from schemas.profile import Meaning, Profile
from schemas.reasons import ItemKind
from schemas.states import NEVER_AGAIN, NOT_RECOVERED, OPEN, RELEASED, State

CHALLENGED = "show the provider's widget (SenseJS) for it in the customer's browser; it cannot be cancelled meanwhile"
"""What to do about a challenge: the order is held until the provider's status says how it ended (cancels: CONTRACT 9)."""

UNANSWERED = (State.SENDING, State.IN_DOUBT)

MINDS_A_CANCEL = (Meaning.NOT_RECOVERED, Meaning.COMPLETED)
"""What a read must mean for it to matter whether a cancel was asked for: code 2, or a recovery all the same (CONTRACT 14)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What our side knows of an order when an answer about it arrives; amounts are minor units.

    `is_worked_on`: it is of sync mode, and its agreed period is not over, so that the provider goes on in the background
    after a decline (CONTRACT 7.6). `is_cit`: a customer was present, and may be asked to confirm (a challenge).
    `cancel_wanted` says that its cancel was asked for, `may_be_cancelled` that the provider has not refused that (and has
    confirmed it, where it goes on after a decline: there the same word may mean that it has not heard of it).
    `given_back_minor` is what was given back of it already.
    """

    order_id: str
    provider_order_id: str
    state: State
    amount_minor: int
    currency: str
    is_past_expiry: bool
    was_called_expired: bool
    is_worked_on: bool = False
    cancel_wanted: bool = False
    may_be_cancelled: bool = False
    is_cit: bool = False
    given_back_minor: int = 0


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
    if read.code is None or word == code:
        return word
    if word is Meaning.EXPIRED and code is Meaning.NOT_RECOVERED:
        return word
    return None


def meaning_of_word(word: str, profile: Profile) -> Meaning | None:
    """What a status means that the ledger keeps of an earlier answer: a word, or a code that came without one."""
    return profile.code_meaning(int(word)) if word.isdecimal() else profile.meaning(word)


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
    if meaning is None or meaning in (Meaning.NOT_FOUND, Meaning.CHALLENGE, Meaning.PROBLEM):
        return _odd(facts, meaning, said)
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


def _odd(facts: Facts, meaning: Meaning | None, said: str) -> Conclusion:
    """A word that a person must hear of. It changes nothing, but for the challenge of a CIT, which says that it arrived."""
    if meaning is Meaning.CHALLENGE and facts.is_cit and facts.state in (*UNANSWERED, State.PENDING):
        return replace(_arrived(facts, said), item=ItemKind.CHALLENGE, explanation=CHALLENGED)
    if meaning is Meaning.PROBLEM:
        return _item(ItemKind.UNKNOWN_STATUS, "the provider reports a problem with the order; contact its support")
    return _item(ItemKind.UNKNOWN_STATUS, f"the provider said {said!r}, which is not a known status of such an order")


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


CAME_TOO_LATE = "its cancel was asked for and came too late"


def cancel_came_too_late(facts: Facts, read: OrderRead) -> str:
    """The words about a recovery whose cancel was asked for, and the command that gives back what is left of it."""
    amount_minor = (facts.amount_minor if read.amount_minor is None else read.amount_minor) - facts.given_back_minor
    proposal = refund_command(facts.order_id, amount_minor, fit_to_show(read.currency) or facts.currency)
    return f"{CAME_TOO_LATE}; refund it if it should not have been charged: {proposal}"


def _completed(facts: Facts, read: OrderRead) -> Conclusion:
    amount_differs = read.amount_minor is not None and read.amount_minor != facts.amount_minor
    currency_differs = bool(read.currency) and read.currency != facts.currency
    if facts.state is State.PARTIALLY_REFUNDED or (facts.state is State.REVIEW and not facts.cancel_wanted):
        return _same(facts)
    if facts.cancel_wanted and facts.state not in NEVER_AGAIN:
        words = cancel_came_too_late(facts, read)
        if facts.state is State.REVIEW:
            return Conclusion(item=ItemKind.DOUBLE_CHARGE, explanation=words)
        return _review(facts, "recovered although its cancel was asked for", ItemKind.DOUBLE_CHARGE, words)
    if amount_differs or currency_differs:
        amount_minor = facts.amount_minor if read.amount_minor is None else read.amount_minor
        completed = f"{amount_minor} {fit_to_show(read.currency) or facts.currency}"
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
    if meaning is Meaning.NOT_RECOVERED and facts.may_be_cancelled and facts.state not in _ENDED:
        return _onwards(facts, State.CANCELLED, said)
    if facts.is_worked_on and facts.state in (*UNANSWERED, State.PENDING, State.CAPTURE_REQUIRED):
        path = (State.PENDING,) if facts.state in UNANSWERED else ()
        return Conclusion(path, f"{said} so far; the provider goes on until the agreed period is over")
    called = meaning is Meaning.EXPIRED or (meaning is Meaning.NOT_RECOVERED and facts.was_called_expired)
    if facts.state is State.DECLINED and called:  # what it is called depends on all that was said, not on what came first
        return Conclusion((State.EXPIRED,), said)
    if facts.state in _ENDED:
        return _same(facts)
    expired = called or (meaning is Meaning.NOT_RECOVERED and facts.is_past_expiry)
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
