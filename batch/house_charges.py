"""What to do about an order that is held here and charged in-house, by its state: advice, and a command that it accepts. Pure."""

from dataclasses import dataclass

from batch.action_rules import STOPPABLE, Money, refund_obstacle
from batch.conclusions import Facts
from batch.order_commands import POLL, REVIEW_LIST, cancel_command, explain_command, give_back_command
from schemas.money import people_text
from schemas.profile import Meaning
from schemas.states import State

RECOVERED = (State.COMPLETED, State.PARTIALLY_REFUNDED)
"""States in which money of the order is here, so that a charge in-house takes it twice."""

_REASON = "charged in-house"
_MONEY_MOVED = (Meaning.COMPLETED, Meaning.REFUNDED, Meaning.CHARGEBACK)
_STOP = "stop your own retry of it"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, as a sentence that the command ends."""

    advice: str
    command: str


def remedy(facts: Facts, meaning: Meaning | None, money: Money, *, partial_max_percent: int) -> Remedy:
    """What settles a charge in-house of a held order. `meaning` is what the provider says of it now, None where nothing."""
    state, has_moved = facts.state, meaning in _MONEY_MOVED
    if state in (State.CLAIMED, State.HELD):
        advice = (
            f"nothing of it was sent: {_STOP}, and give its row the status that is true, such as 'paid', before the next nightly"
        )
        return Remedy(f"{advice}, which withdraws it then", explain_command(facts.order_id))
    if state in RECOVERED and meaning in (None, Meaning.COMPLETED) and money.left > 0:
        first = _returnable(state, money, partial_max_percent)
        command = give_back_command(facts.order_id, first, money.currency, _REASON)
        rest = f" (and {people_text(money.left - first, money.currency)} more after it)" if first < money.left else ""
        return Remedy(f"{_STOP}; if it has charged, give one of the two back, here{rest}", command)
    if state in STOPPABLE and facts.provider_order_id and not has_moved:
        return Remedy("stop it at the provider", cancel_command(facts.order_id, _REASON))
    if state is State.REVIEW:
        return Remedy(f"{_STOP}, and decide its item; if it was charged twice, one of the two goes back", REVIEW_LIST)
    if state in (State.REFUNDED, State.CHARGEBACK) or (state in RECOVERED and money.left <= 0):
        advice = f"{_STOP}; what it has charged only you can give back, as nothing is left of it at the provider"
        return Remedy(advice, explain_command(facts.order_id))
    return Remedy(f"{_STOP}; the next poll asks the provider what has become of it", POLL)


def _returnable(state: State, money: Money, partial_max_percent: int) -> int:
    """All that is left, or as much of it as one refund may be."""
    obstacle = refund_obstacle(state, Meaning.COMPLETED, money, money.left, partial_max_percent=partial_max_percent)
    return min(money.left, money.captured * partial_max_percent // 100) if obstacle else money.left
