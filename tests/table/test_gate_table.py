"""Up to three reasons at once in every past state: an order goes only where nothing speaks against it (I2, I16)."""

import itertools
from dataclasses import dataclass, field

import pytest

from schemas.order import OrderRow
from schemas.reasons import Reason
from schemas.states import State
from tests.pure.samples import GOOD_CELLS, gate_under, settings
from tests.table.rules import NEVER_SENT, UNANSWERED, WORKED_ON

CARD = "4111 1111 1111 1111"
ACTIVE = ("claimed", "held", *UNANSWERED, *WORKED_ON, "review")


@dataclass(frozen=True)
class Spoilt:
    """One thing that keeps an order here, and the reasons that may be given for it."""

    reason: Reason | None
    cells: dict[str, str] = field(default_factory=dict)
    retry_state: str = ""
    hold_reference: str = ""


SPOILT = (
    Spoilt(Reason.PAN_FOUND, {"holder_name": CARD}),
    Spoilt(Reason.ALREADY_ACTIVE, hold_reference="mitbatch:somebody"),
    Spoilt(Reason.INVALID_ROW, {"zipcode": ""}),
    Spoilt(Reason.INVALID_ROW, {"exp_month": "13"}),
    Spoilt(None, {"charged_at": "2026-11-23T06:30:02Z"}),
    Spoilt(Reason.TOO_OLD, {"charged_at": "2026-11-21T06:30:00Z"}),
    Spoilt(Reason.IN_HOUSE_RETRY, retry_state="in_flight"),
    Spoilt(Reason.NOT_DECLINED, {"response_code": "310"}),
    Spoilt(Reason.SITE_UNKNOWN, {"site": "elsewhere"}),
    Spoilt(Reason.SITE_DISABLED, {"site": "acme-ca"}),
    Spoilt(Reason.SWITCHED_OFF, {"origin": "website"}),
    Spoilt(Reason.OPTED_OUT, {"opted_out": "true"}),
    Spoilt(Reason.CURRENCY_UNSUPPORTED, {"currency": "EUR"}),
    Spoilt(Reason.AMOUNT_OUT_OF_RANGE, {"amount_minor": "-5"}),
    Spoilt(Reason.AMOUNT_OUT_OF_RANGE, {"amount_minor": "10000001"}),
    Spoilt(Reason.MISSING_TOKEN, {"payment_token": " "}),
    Spoilt(Reason.NETWORK_NEVER_RETRY, {"network_response_code": "41"}),
    Spoilt(Reason.NETWORK_LIMIT, {"attempts_30d": "999"}),
    Spoilt(Reason.NETWORK_WAIT, {"card_brand": "mastercard", "network_advice_code": "25"}),
)


def first_of(reasons: set[Reason | None], past: str | None) -> set[Reason | None]:
    """The reasons that may be given: a card number and the past come before everything, a future charge is no candidate."""
    if Reason.PAN_FOUND in reasons:
        return {Reason.PAN_FOUND}
    if past in ACTIVE:
        return {Reason.ALREADY_ACTIVE}
    if past is not None and past not in ("withdrawn", "rejected"):
        return {Reason.ALREADY_SUBMITTED}
    if Reason.ALREADY_ACTIVE in reasons:
        return {Reason.ALREADY_ACTIVE}
    if None in reasons:
        return {None} | ({Reason.INVALID_ROW} & reasons)
    return reasons or {Reason.SELECTED}


@pytest.mark.parametrize("past", [None, *State], ids=str)
def test_every_set_of_up_to_three_reasons(past: State | None) -> None:
    """No set of faults is ever selected, whatever the order's past; what is given is one of its reasons."""
    gate, asked = gate_under(settings()), 0
    for chosen in itertools.chain.from_iterable(itertools.combinations(SPOILT, size) for size in range(4)):
        cells = {name: text for each in chosen for name, text in each.cells.items()}
        if sum(len(each.cells) for each in chosen) != len(cells):
            continue  # two of them want different things of one column
        hold = "".join(each.hold_reference for each in chosen)
        row = OrderRow(GOOD_CELLS | cells, "declined", "".join(each.retry_state for each in chosen), hold)
        verdict = gate.judge(row, past)
        asked += 1
        wanted = first_of({each.reason for each in chosen}, past.value if past else None)
        assert (verdict.reason if verdict else None) in wanted, (chosen, past)
        assert verdict is None or verdict.selected == (wanted == {Reason.SELECTED})
        assert verdict is None or CARD not in repr((verdict.cells, verdict.order_id, verdict.site, verdict.reason_text))
    assert asked > 900


def test_every_state_has_its_place_in_the_past() -> None:
    """An open order is active; of the ended ones only those that no rescue started for may go once more."""
    gate = gate_under(settings())
    reasons = {}
    for past in State:
        verdict = gate.judge(OrderRow(GOOD_CELLS, "declined", "", ""), past)
        assert verdict is not None
        reasons[past.value] = verdict.reason
    assert {state for state, reason in reasons.items() if reason is Reason.SELECTED} == {NEVER_SENT[2], "rejected"}
    assert {state for state, reason in reasons.items() if reason is Reason.ALREADY_ACTIVE} == set(ACTIVE)
