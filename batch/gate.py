"""Which declined orders are handed over, and why the rest are not: one reason for each, in a fixed order of checks."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from batch.card_numbers import brand_of, mask, offending_columns, scrubbed_id
from batch.order_rows import Malformed, amount_of, charged_time, read_order, storable, storable_id
from batch.pace import utc_text
from batch.switching import Switches
from schemas.decline_codes import GATEWAY_REJECTION, DeclineCodes
from schemas.network_rules import NetworkRule, NetworkRules
from schemas.order import Order, OrderRow
from schemas.reasons import REASON_TEXTS, Reason
from schemas.settings import Settings
from schemas.states import CLAIMABLE_AGAIN, OPEN, State

CELL_COLUMNS = (
    "origin",
    "customer_id",
    "subscription_id",
    "payment_number",
    "charged_at",
    "response_code",
    "response_code_source",
    "response_description",
    "decline_group",
    "network_response_code",
    "network_advice_code",
    "attempts_30d",
    "avs_result_code",
    "cvv_result_code",
    "cavv_result_code",
    "card_brand",
    "card_bin",
    "card_last4",
    "card_country",
    "exp_month",
    "exp_year",
)
"""The columns of `declines.csv` that come from the order's row, without `charged_date`; nothing personal is among them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one candidate. `order` is there when the row could be read and may be looked at further.

    `site`, `currency`, `amount_minor` are empty where the row does not say them properly; `cells` holds CELL_COLUMNS as
    texts; `rule_id` names the dated network rule, if one decided. A row with a card number goes by its scrubbed id.
    """

    order_id: str
    selected: bool
    reason: Reason
    reason_text: str
    rule_id: str
    site: str
    currency: str
    amount_minor: int | None
    cells: dict[str, str]
    order: Order | None


class _Finding(NamedTuple):
    """Why an order stays here: the reason, what to add to its sentence, and the network rule, if one decided."""

    reason: Reason
    detail: str = ""
    rule_id: str = ""


class Gate:
    """Decides about rows of the orders table, one at a time. The same row and settings give the same verdict.

    `switches` may be set anew between two rows.
    `now` and `business_date_end` are UTC; the end is the first moment that no longer belongs to the business date.
    `scrub_key` keys the hash under which rows with a card number are recorded.
    """

    def __init__(
        self,
        settings: Settings,
        rules: NetworkRules,
        decline_codes: DeclineCodes,
        *,
        now: datetime,
        business_date_end: datetime,
        scrub_key: bytes,
        switches: Switches | None = None,
    ) -> None:
        self._settings = settings
        self.switches = switches or Switches(settings)
        self._sites = {site.name: site for site in settings.sites}
        self._rules = rules
        self._decline_codes = decline_codes
        self._now = now
        self._today = now.astimezone(UTC).date()
        self._end = business_date_end
        self._oldest = now - timedelta(hours=settings.gate.max_decline_age_hours)
        self._scrub_key = scrub_key

    def judge(self, row: OrderRow, past: State | None) -> Verdict | None:
        """The verdict on one row with status `declined`, or nothing: charged later than now or than the business date.

        `past` is the state of the order's latest submission, if there is one.
        """
        if offending := offending_columns(row.cells, self._settings.gate.pan_exempt):
            return self._card_number_found(row, offending)
        if finding := _submitted_before(row, past):
            return self._verdict(row.cells, finding)
        order = read_order(row)
        if isinstance(order, Malformed):
            return self._verdict(row.cells, _Finding(Reason.INVALID_ROW, order.sentence))
        charged_at = charged_time(order)
        if charged_at > self._now or charged_at >= self._end:
            return None
        finding = (
            self._not_a_candidate(row, order, charged_at)
            or self._not_wanted(order)
            or self._not_payable(order)
            or self._forbidden_by_network(order, charged_at)
        )
        return self._verdict(row.cells, finding or _Finding(Reason.SELECTED, self._remark(order)), order)

    def _not_a_candidate(self, row: OrderRow, order: Order, charged_at: datetime) -> _Finding | None:
        if row.retry_state:
            return _Finding(Reason.IN_HOUSE_RETRY)
        if charged_at < self._oldest:
            return _Finding(Reason.TOO_OLD)
        if self._group(row.cells) == GATEWAY_REJECTION:
            return _Finding(Reason.NOT_DECLINED)
        site = self._sites.get(order.site)
        if site is None:
            return _Finding(Reason.SITE_UNKNOWN)
        off = self.switches.of_site(order.site)
        return _Finding(off.reason, off.sentence if site.enabled else "") if off else None

    def _not_wanted(self, order: Order) -> _Finding | None:
        if off := self.switches.of_kind(order.origin):
            return _Finding(off.reason, off.sentence)
        return _Finding(Reason.OPTED_OUT) if order.opted_out else None

    def _not_payable(self, order: Order) -> _Finding | None:
        gate = self._settings.gate
        if order.currency not in gate.currencies:
            return _Finding(Reason.CURRENCY_UNSUPPORTED)
        if not gate.min_amount_minor <= order.amount_minor <= gate.max_amount_minor:
            return _Finding(Reason.AMOUNT_OUT_OF_RANGE)
        if not order.payment_token.strip():
            return _Finding(Reason.MISSING_TOKEN)
        if not gate.send_expired_cards and self._has_expired(order):
            return _Finding(Reason.INVALID_ROW, "the card has expired, and gate.send_expired_cards is off")
        return None

    def _forbidden_by_network(self, order: Order, charged_at: datetime) -> _Finding | None:
        gate, rules = self._settings.gate, self._rules
        brand = order.card_brand.strip() or brand_of(order.card_bin)
        code, advice = order.network_response_code, order.network_advice_code
        limit = rules.limit(brand, self._today) if gate.network_rules else None
        if gate.network_rules and (rule := rules.never(brand, code, advice, self._today)):
            return _Finding(Reason.NETWORK_NEVER_RETRY, _words(rule), rule.id)
        if limit and limit.figure <= min(gate.max_attempts_30d, order.attempts_30d):
            return _Finding(Reason.NETWORK_LIMIT, f"{order.attempts_30d} of {limit.figure}. {_words(limit)}", limit.id)
        if order.attempts_30d >= gate.max_attempts_30d:
            detail = f"{order.attempts_30d} of {gate.max_attempts_30d}, which is gate.max_attempts_30d"
            return _Finding(Reason.NETWORK_LIMIT, detail)
        if gate.network_rules and (rule := rules.wait(brand, advice, self._today)):
            until = charged_at + timedelta(seconds=rule.figure)
            if self._now < until:
                return _Finding(Reason.NETWORK_WAIT, f"until {utc_text(until)}. {_words(rule)}", rule.id)
        return None

    def _has_expired(self, order: Order) -> bool:
        """A card is good to the end of its month, in UTC; one whose year is not known is taken for good."""
        if order.exp_year is None:
            return False
        return (order.exp_year, order.exp_month or 12) < (self._now.year, self._now.month)

    def _group(self, cells: Mapping[str, str]) -> str:
        names = ("response_code_source", "response_code", "network_response_code")
        return self._decline_codes.group_of(*(cells.get(name, "") for name in names))

    def _remark(self, order: Order) -> str:
        known = self._decline_codes.group_of(order.response_code_source, order.response_code, order.network_response_code)
        return "" if known else "its decline code is in no table, so it counts as one that may be tried again"

    def _card_number_found(self, row: OrderRow, offending: tuple[str, ...]) -> Verdict:
        cells = {column: "" if column in offending else text for column, text in row.cells.items()}
        verdict = self._verdict(cells, _Finding(Reason.PAN_FOUND, f"it was found in {', '.join(offending)}"))
        return replace(verdict, order_id=scrubbed_id(row.order_id, self._scrub_key))

    def _verdict(self, cells: Mapping[str, str], finding: _Finding, order: Order | None = None) -> Verdict:
        currency = cells.get("currency", "")
        well_formed = len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
        text = REASON_TEXTS[finding.reason]
        return Verdict(
            order_id=storable_id(cells["order_id"]),
            selected=finding.reason is Reason.SELECTED,
            reason=finding.reason,
            reason_text=f"{text}: {finding.detail}" if finding.detail else text,
            rule_id=finding.rule_id,
            site=storable(cells.get("site", "")),
            currency=currency if well_formed else "",
            amount_minor=amount_of(cells.get("amount_minor", "")),
            cells=self._cells(cells),
            order=order,
        )

    def _cells(self, cells: Mapping[str, str]) -> dict[str, str]:
        shown = {column: storable(cells.get(column, "")) for column in CELL_COLUMNS}
        with suppress(ValueError):  # a time that cannot be read is shown as it stands
            shown["charged_at"] = utc_text(charged_time(shown["charged_at"]))
        return mask(shown) | {"decline_group": self._group(cells)}


def _submitted_before(row: OrderRow, past: State | None) -> _Finding | None:
    if past in OPEN:
        return _Finding(Reason.ALREADY_ACTIVE)
    if past is not None and past not in CLAIMABLE_AGAIN:
        return _Finding(Reason.ALREADY_SUBMITTED, f"it ended as {past}")
    if row.hold_reference:
        return _Finding(Reason.ALREADY_ACTIVE, "its hold_reference is set, so somebody holds it")
    return None


def _words(rule: NetworkRule) -> str:
    return f"{rule.note} ({rule.source})"
