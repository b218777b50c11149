"""Every order gets one reason; each is reached by one change from a row that may be sent, and the order of checks is fixed."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.gate import CELL_COLUMNS, Verdict
from batch.order_rows import charged_time
from schemas.order import OrderRow
from schemas.reasons import REASON_TEXTS, Reason
from schemas.states import CLAIMABLE_AGAIN, OPEN, State
from tests.pure.samples import END, GOOD_CELLS, NOW, changed_row, gate_under, good_order, good_row, judged, settings


@dataclass(frozen=True)
class Change:
    """One thing that differs from the good row under the good settings, and what the gate then says."""

    reason: Reason
    cells: dict[str, str] = field(default_factory=dict)
    sections: dict[str, dict[str, object]] = field(default_factory=dict)
    past: State | None = None
    retry_state: str = ""
    hold_reference: str = ""

    def row(self) -> OrderRow:
        """The changed row."""
        return OrderRow(GOOD_CELLS | self.cells, "declined", self.retry_state, self.hold_reference)

    def verdict(self) -> Verdict:
        """The gate's verdict on it."""
        verdict = gate_under(settings(**self.sections)).judge(self.row(), self.past)
        assert verdict is not None
        return verdict


CHANGES = [
    Change(Reason.PAN_FOUND, {"first_name": "4111 1111 1111 1111"}),
    Change(Reason.ALREADY_ACTIVE, past=State.PENDING),
    Change(Reason.ALREADY_SUBMITTED, past=State.DECLINED),
    Change(Reason.INVALID_ROW, {"zipcode": ""}),
    Change(Reason.IN_HOUSE_RETRY, retry_state="in_flight"),
    Change(Reason.TOO_OLD, {"charged_at": "2026-11-22T06:30:00Z"}),
    Change(Reason.NOT_DECLINED, {"response_code": "310"}),
    Change(Reason.SITE_UNKNOWN, {"site": "acme-uk"}),
    Change(Reason.SITE_DISABLED, {"site": "acme-ca"}),
    Change(Reason.SWITCHED_OFF, {"origin": "website"}),
    Change(Reason.OPTED_OUT, {"opted_out": "1"}),
    Change(Reason.CURRENCY_UNSUPPORTED, {"currency": "EUR"}),
    Change(Reason.AMOUNT_OUT_OF_RANGE, {"amount_minor": "0"}),
    Change(Reason.MISSING_TOKEN, {"payment_token": ""}),
    Change(Reason.NETWORK_NEVER_RETRY, {"network_response_code": "41"}),
    Change(Reason.NETWORK_LIMIT, {"attempts_30d": "15"}),
    Change(Reason.NETWORK_WAIT, {"card_brand": "mastercard", "network_advice_code": "25"}),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.reason)
def test_one_change_gives_its_reason(change: Change) -> None:
    """A good row with one change gets exactly that reason, and its sentence."""
    verdict = change.verdict()

    assert verdict.reason is change.reason
    assert not verdict.selected
    assert verdict.reason_text.startswith(REASON_TEXTS[change.reason])


def test_every_reason_is_reached() -> None:
    """No reason stands in the list for nothing."""
    assert {change.reason for change in CHANGES} | {Reason.SELECTED} == set(Reason)


def test_a_good_row_is_selected() -> None:
    """A row that nothing speaks against may be handed over, with its order."""
    verdict = judged(good_row())

    assert verdict is not None
    assert (verdict.selected, verdict.reason, verdict.reason_text) == (True, Reason.SELECTED, "may be handed over")
    assert verdict.order == good_order()
    assert (verdict.order_id, verdict.site, verdict.currency, verdict.amount_minor) == ("000471", "acme-us", "USD", 1999)


# One row cannot have both: the same column, or rules of different brands.
_NOT_TOGETHER = {
    frozenset({Reason.SITE_UNKNOWN, Reason.SITE_DISABLED}),
    frozenset({Reason.NETWORK_NEVER_RETRY, Reason.NETWORK_WAIT}),
}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(first, second, id=f"{first.reason}-{second.reason}")
        for place, first in enumerate(CHANGES)
        for second in CHANGES[place + 1 :]
        if frozenset({first.reason, second.reason}) not in _NOT_TOGETHER
    ],
)
def test_the_earlier_reason_wins(first: Change, second: Change) -> None:
    """Of two reasons on one row, the one that is checked first is given."""
    both = Change(
        first.reason,
        second.cells | first.cells,
        {**second.sections, **first.sections},
        first.past or second.past,
        first.retry_state or second.retry_state,
    )
    assert both.verdict().reason is first.reason


@pytest.mark.parametrize("past", State)
def test_an_order_is_handed_over_once_ever(past: State) -> None:
    """Only an order that no rescue ever started for may be claimed again."""
    verdict = judged(good_row(), past)
    assert verdict is not None

    if past in OPEN:
        assert verdict.reason is Reason.ALREADY_ACTIVE
    elif past in CLAIMABLE_AGAIN:
        assert verdict.selected
    else:
        assert verdict.reason is Reason.ALREADY_SUBMITTED


@pytest.mark.parametrize("past", [None, *CLAIMABLE_AGAIN])
def test_a_hold_that_is_not_ours_keeps_the_order_here(past: State | None) -> None:
    """A row that somebody holds is not sent, whoever placed the hold."""
    verdict = judged(good_row(hold_reference="somebody"), past)

    assert verdict is not None
    assert verdict.reason is Reason.ALREADY_ACTIVE
    assert "hold_reference" in verdict.reason_text
    assert "somebody" not in verdict.reason_text.split("hold_reference")[0]


@pytest.mark.parametrize(
    ("charged_at", "expected"),
    [
        (NOW, Reason.SELECTED),
        (NOW + timedelta(seconds=1), None),
        (NOW - timedelta(hours=24), Reason.SELECTED),
        (NOW - timedelta(hours=24, seconds=1), Reason.TOO_OLD),
    ],
)
def test_the_age_of_a_decline_is_bounded_to_the_second(charged_at: datetime, expected: Reason | None) -> None:
    """A decline of this moment and of exactly the permitted age goes; a later one is not for today, an older one is too old."""
    verdict = judged(good_row(charged_at=charged_at.strftime("%Y-%m-%dT%H:%M:%SZ")))

    assert (verdict and verdict.reason) is expected


@pytest.mark.parametrize(
    ("charged_at", "is_for_this_date"), [(END - timedelta(seconds=1), True), (END, False), (END + timedelta(seconds=1), False)]
)
def test_a_charge_belongs_to_its_business_date(charged_at: datetime, is_for_this_date: bool) -> None:
    """The date's last second counts, the next date's first does not."""
    verdict = judged(good_row(charged_at=charged_at.strftime("%Y-%m-%d %H:%M:%S")), now=END + timedelta(hours=2))

    assert (verdict is not None) is is_for_this_date


def test_a_card_number_is_nowhere_in_the_verdict() -> None:
    """The offending cells are empty, the id is a keyed hash, and there is no order."""
    number = "4111111111111111"
    row = good_row(order_id=number, customer_id=f"x{number}", site=number, amount_minor=number, response_description=number)
    verdict = judged(row)

    assert verdict is not None
    assert verdict.order is None
    assert verdict.order_id.startswith("pan:")
    assert (verdict.site, verdict.amount_minor, verdict.cells["customer_id"]) == ("", None, "")
    assert verdict.cells["subscription_id"] == "sub-88"
    assert number not in repr(verdict)
    assert "order_id, site, customer_id, amount_minor, response_description" in verdict.reason_text


def test_a_row_with_a_card_number_elsewhere_is_scrubbed_too() -> None:
    """Even where the order id itself is harmless, the row is recorded under its hash."""
    verdict = judged(good_row(holder_name="4242424242424242"))

    assert verdict is not None
    assert verdict.order_id.startswith("pan:")


@pytest.mark.parametrize("column", [name for name in GOOD_CELLS if name != "opted_out"])
def test_a_card_number_is_found_in_every_column(column: str) -> None:
    """No column is overlooked."""
    verdict = judged(changed_row({column: "a 5555-5555-5555-4444"}))

    assert verdict is not None
    assert verdict.reason is Reason.PAN_FOUND


def test_an_id_column_that_the_merchant_vouches_for_is_not_looked_into() -> None:
    """An exempt order id goes out, although it looks like a card number."""
    verdict = judged(good_row(order_id="4111111111111111"), gate={"pan_exempt": ["order_id"]})

    assert verdict is not None
    assert verdict.selected
    assert verdict.order_id == "4111111111111111"


@pytest.mark.parametrize(("origin", "switch"), [("website", "cit_website"), ("call_center", "cit_call_center")])
def test_orders_with_the_cardholder_present_have_switches_of_their_own(origin: str, switch: str) -> None:
    """Website and call-centre orders stay here until their own switch is on; the text says which one is off."""
    off, on = judged(good_row(origin=origin)), judged(good_row(origin=origin), switches={switch: True, "mit": False})
    assert off is not None
    assert on is not None

    assert (off.reason, on.reason) == (Reason.SWITCHED_OFF, Reason.SELECTED)
    assert off.reason_text.endswith(f"switches.{switch} is off")


@pytest.mark.parametrize("origin", ["recurring", "website", "call_center"])
@pytest.mark.parametrize("site", ["acme-us", "acme-ca", "acme-xx"])
@pytest.mark.parametrize(("mit", "website", "call_center"), list(itertools.product((False, True), repeat=3)))
def test_every_combination_of_switches_and_sites(origin: str, site: str, mit: bool, website: bool, call_center: bool) -> None:
    """An order goes exactly when its own switch and its own site are on, whatever the others are; the site speaks first."""
    switches: dict[str, object] = {"mit": mit, "cit_website": website, "cit_call_center": call_center}
    verdict = judged(good_row(origin=origin, site=site), switches=switches)
    assert verdict is not None

    of_site = {"acme-us": None, "acme-ca": Reason.SITE_DISABLED, "acme-xx": Reason.SITE_UNKNOWN}[site]
    is_on = {"recurring": mit, "website": website, "call_center": call_center}[origin]
    assert verdict.reason == (of_site or (Reason.SELECTED if is_on else Reason.SWITCHED_OFF))


def test_the_mit_switch_stops_recurring_orders() -> None:
    """With switches.mit off nothing recurring goes."""
    verdict = judged(good_row(), switches={"mit": False})

    assert verdict is not None
    assert verdict.reason_text.endswith("switches.mit is off")


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("-1", Reason.AMOUNT_OUT_OF_RANGE),
        ("4", Reason.AMOUNT_OUT_OF_RANGE),
        ("5", Reason.SELECTED),
        ("9", Reason.SELECTED),
        ("10", Reason.AMOUNT_OUT_OF_RANGE),
    ],
)
def test_the_amounts_bounds_belong_to_the_range(amount: str, reason: Reason) -> None:
    """The smallest and the largest amount may go."""
    verdict = judged(good_row(amount_minor=amount), gate={"min_amount_minor": 5, "max_amount_minor": 9})

    assert verdict is not None
    assert verdict.reason is reason


@pytest.mark.parametrize(
    ("month", "year", "sends_expired", "reason"),
    [
        ("11", "2026", False, Reason.SELECTED),
        ("10", "2026", False, Reason.INVALID_ROW),
        ("10", "2026", True, Reason.SELECTED),
        ("", "2025", False, Reason.INVALID_ROW),
        ("", "2026", False, Reason.SELECTED),
        ("1", "", False, Reason.SELECTED),
    ],
)
def test_an_expired_card_goes_only_where_the_merchant_sends_them(
    month: str, year: str, sends_expired: bool, reason: Reason
) -> None:
    """A card is good to the end of its month; what is not known does not count against it."""
    verdict = judged(good_row(exp_month=month, exp_year=year), gate={"send_expired_cards": sends_expired})

    assert verdict is not None
    assert verdict.reason is reason


@pytest.mark.parametrize(
    ("cells", "maximum", "rule_id"),
    [
        ({"attempts_30d": "14"}, 15, None),
        ({"attempts_30d": "15"}, 15, "visa-limit-15-kept"),
        ({"attempts_30d": "15"}, 40, "visa-limit-15-kept"),
        ({"attempts_30d": "5"}, 5, ""),
        ({"attempts_30d": "16"}, 5, ""),
        ({"card_brand": "MasterCard", "attempts_30d": "34"}, 40, None),
        ({"card_brand": "MasterCard", "attempts_30d": "35"}, 40, "mastercard-limit-30d"),
        ({"card_brand": "amex", "attempts_30d": "40"}, 50, None),
        ({"card_brand": "amex", "attempts_30d": "15"}, 15, ""),
        ({"card_brand": "", "attempts_30d": "15"}, 40, "visa-limit-15-kept"),
    ],
)
def test_the_smaller_limit_holds(cells: dict[str, str], maximum: int, rule_id: str | None) -> None:
    """The brand's rule or the merchant's own number, whichever is smaller; the rule is named where it decides."""
    verdict = judged(changed_row(cells), gate={"max_attempts_30d": maximum})
    assert verdict is not None

    assert verdict.reason is (Reason.SELECTED if rule_id is None else Reason.NETWORK_LIMIT)
    assert verdict.rule_id == (rule_id or "")


@pytest.mark.parametrize("change", CHANGES[-3:], ids=lambda change: change.reason)
def test_network_rules_can_be_switched_off(change: Change) -> None:
    """Without network rules only the merchant's own limit remains."""
    for maximum in (15, 16):
        verdict = judged(change.row(), gate={"network_rules": False, "max_attempts_30d": maximum})
        assert verdict is not None
        held_back = change.reason is Reason.NETWORK_LIMIT and maximum == 15
        assert verdict.reason is (Reason.NETWORK_LIMIT if held_back else Reason.SELECTED)
        assert verdict.rule_id == ""


@pytest.mark.parametrize(
    ("brand", "code", "advice", "rule_id"),
    [
        ("VISA", "14", "", "visa-category1-14"),
        ("Visa Credit", "r0", "", "visa-category1-r0"),
        ("visa", "4", "", "visa-category1-04"),
        ("visa", "57", "", "visa-category1-57"),
        ("visa", "05", "", ""),
        ("visa", "5", "03", ""),
        ("", "41", "", "visa-category1-41"),
        ("mc", "05", "03", "mastercard-advice-03"),
        ("Master Card", "79", "21", "mastercard-advice-21"),
        ("mastercard", "41", "", ""),
        ("mastercard", "79", "3", "mastercard-advice-03"),
        ("amex", "41", "03", ""),
    ],
)
def test_what_the_networks_forbid_stays_here(brand: str, code: str, advice: str, rule_id: str) -> None:
    """Category 1 codes of Visa and advice 03 and 21 of Mastercard, in every spelling; other brands have no rule."""
    row = good_row(card_brand=brand, network_response_code=code, network_advice_code=advice)
    verdict = judged(row)
    assert verdict is not None

    assert verdict.rule_id == rule_id
    assert verdict.reason is (Reason.NETWORK_NEVER_RETRY if rule_id else Reason.SELECTED)


@pytest.mark.parametrize(("day", "rule_id"), [("2026-10-24", ""), ("2026-10-25", "visa-category1-57")])
def test_57_counts_from_its_day(day: str, rule_id: str) -> None:
    """Visa's 57 is forbidden from 25 October 2026 on, and not before."""
    now = charged_time(f"{day}T12:00:00Z")
    verdict = judged(good_row(network_response_code="57", charged_at=f"{day}T11:00:00Z"), now=now)

    assert verdict is not None
    assert verdict.rule_id == rule_id


@pytest.mark.parametrize(("minutes", "reason"), [(59, Reason.NETWORK_WAIT), (60, Reason.SELECTED)])
def test_a_wait_ends_when_it_has_passed(minutes: int, reason: Reason) -> None:
    """Advice 24 asks for one hour, counted from the charge."""
    row = good_row(card_brand="mastercard", network_advice_code="24")
    verdict = judged(row, now=charged_time(good_order()) + timedelta(minutes=minutes))

    assert verdict is not None
    assert verdict.reason is reason
    assert verdict.rule_id == ("mastercard-advice-24" if reason is Reason.NETWORK_WAIT else "")


def test_an_unknown_code_goes_with_a_remark() -> None:
    """A code that no table has counts as one that may be tried again; the text says so."""
    verdict = judged(good_row(response_code="9999", network_response_code="ZZ"))

    assert verdict is not None
    assert verdict.selected
    assert "in no table" in verdict.reason_text
    assert verdict.cells["decline_group"] == ""


def test_the_cells_are_the_audits_and_nothing_personal() -> None:
    """Names, addresses and tokens stay out of what is recorded; the time is normalised and the group is ours."""
    verdict = judged(good_row(charged_at="2026-11-22 22:15:09.5"))
    assert verdict is not None

    assert tuple(verdict.cells) == CELL_COLUMNS
    assert verdict.cells["charged_at"] == "2026-11-22T22:15:09Z"
    assert verdict.cells["decline_group"] == "insufficient_funds"
    personal = {"Ada", "Lovelace", "ada@example.com", "+1 555 0100", "1 Main St", "02134", GOOD_CELLS["payment_token"]}
    assert not personal & set(verdict.cells.values())


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"currency": "usd"}, ("", 1999)),
        ({"currency": "U" * 500}, ("", 1999)),
        ({"amount_minor": "12.50"}, ("USD", None)),
        ({"amount_minor": "9" * 30}, ("USD", None)),
    ],
)
def test_a_malformed_row_is_recorded_with_what_is_proper(cells: dict[str, str], expected: tuple[str, int | None]) -> None:
    """A currency or an amount that is none stays empty in the verdict."""
    verdict = judged(changed_row(cells))
    assert verdict is not None

    assert (verdict.currency, verdict.amount_minor) == expected


@pytest.mark.parametrize("order_id", ["000123", "1E10", "9" * 40, " a b ", "café", "cafe\u0301", "🦊", "a\nb", "\u202eabc"])
def test_ids_stay_byte_for_byte(order_id: str) -> None:
    """Whatever an id looks like, the verdict bears the same bytes."""
    verdict = judged(good_row(order_id=order_id))

    assert verdict is not None
    assert verdict.selected
    assert verdict.order_id.encode() == order_id.encode()


@pytest.mark.parametrize(("order_id", "recorded"), [("a\x00b", "a\\u0000b"), ("a\ud800", "a\\ud800"), ("", "")])
def test_an_id_that_cannot_be_stored_is_spelt_out(order_id: str, recorded: str) -> None:
    """A row with an impossible id is refused, and recorded under a name that can be stored."""
    verdict = judged(good_row(order_id=order_id))
    assert verdict is not None

    assert (verdict.reason, verdict.order_id) == (Reason.INVALID_ROW, recorded)


_CELLS = st.dictionaries(st.sampled_from(sorted(GOOD_CELLS)), st.text(max_size=40))


@given(_CELLS, st.sampled_from([None, *State]), st.sampled_from(["", "in_flight"]), st.sampled_from(["", "ref"]))
def test_any_row_gets_a_verdict_that_can_be_stored(cells: dict[str, str], past: State | None, retry: str, hold: str) -> None:
    """No row stops the night: each has one reason, or is not for this date, and its verdict is storable text."""
    verdict = judged(OrderRow(GOOD_CELLS | cells, "declined", retry, hold), past)
    if verdict is None:
        return
    texts = [verdict.order_id, verdict.reason_text, verdict.rule_id, verdict.site, verdict.currency, *verdict.cells.values()]

    assert all("\x00" not in text and text.encode("utf-8") for text in texts if text)
    assert verdict.selected is (verdict.reason is Reason.SELECTED)
    assert not verdict.selected or verdict.order is not None


def test_the_same_row_gives_the_same_verdict() -> None:
    """Nothing but the row and the settings decides."""
    assert judged(good_row()) == judged(good_row())
