"""What finance's files are called, which columns they have, and what each line of the summary means. All of it is public."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 1
"""Grows when a column is added, at the end of a file's own columns; no column is ever renamed or taken away."""

_KEY = "business_date mid site order_id currency amount_minor amount"

ROW_CHECK = "row_check"
"""The last column of every row file: 8 hex digits of SHA-256 over the row's other cells joined by U+001F, as UTF-8."""

_OWN_COLUMNS = {
    "declines": "origin customer_id subscription_id payment_number charged_at charged_date response_code response_code_source"
    " response_description decline_group network_response_code network_advice_code attempts_30d avs_result_code cvv_result_code"
    " cavv_result_code card_brand card_bin card_last4 card_country exp_month exp_year decision reason reason_text rule_id"
    " batch_id run_id",
    "submissions": "batch_id channel file_name sequence_number idempotency_key attempt claimed_at delivered_at acknowledged_at"
    " acknowledgement provider_order_id expires_at state error_code error_text run_id",
    "outcomes": "provider_order_id state_from state_to provider_status source provider_at learnt_at handed_over_date"
    " days_to_outcome recovered_minor recovered response_code decline_group confirmation_id written_back written_back_at"
    " evidence_id",
    "holds": "hold_reference state placed_at hold_until closed_at days_held close_reason closed_by order_status in_house_retry",
    "transmissions": "charged_at channel file_name sequence_number delivered_at hours_after_charge late result transmit_id"
    " error_text",
    "refunds": "refund_id provider_order_id requested_minor requested effect_minor effect refunded_total_minor"
    " refundable_left_minor status provider_response_code provider_message requested_by reason requested_at confirmed_at"
    " written_back evidence_id",
    "review": "review_id kind opened_at due_date age_days ledger_says provider_says orders_say at_risk_minor at_risk"
    " proposed_action command closed_at closed_by resolution resolution_reason",
    "reconciliation": "match ledger_state ledger_minor provider_status provider_minor orders_status orders_minor file_minor"
    " difference_minor difference explanation first_seen_date age_days compared_at",
}

ROW_FILES: Mapping[str, tuple[str, ...]] = {name: (*_KEY.split(), *own.split(), ROW_CHECK) for name, own in _OWN_COLUMNS.items()}
"""Columns of each row file, in order: what every file begins with, its own, and the check."""

SUMMARY_COLUMNS = tuple("business_date mid site currency section line sign orders amount_minor amount definition".split())
"""Columns of `summary.csv`: one row per site, currency, section and line."""

INTEGER_COLUMNS = frozenset(
    "amount_minor recovered_minor attempts_30d exp_month exp_year sequence_number attempt days_to_outcome days_held"
    " hours_after_charge sign orders requested_minor effect_minor refunded_total_minor refundable_left_minor"
    " age_days at_risk_minor ledger_minor provider_minor orders_minor file_minor difference_minor".split()
)
"""Columns of whole numbers. They are written bare, and never guarded."""

DECIMAL_COLUMNS: Mapping[str, str] = {
    "amount": "amount_minor",
    "recovered": "recovered_minor",
    "requested": "requested_minor",
    "effect": "effect_minor",
    "at_risk": "at_risk_minor",
    "difference": "difference_minor",
}
"""Columns with the decimals of the row's currency, each with the column of minor units that it is made from."""

SIGNED_COLUMNS = frozenset({"recovered_minor", "effect_minor"})
"""Money that moved, seen from the merchant: in is positive, out is negative. The manifest adds these up too."""

FILE_TEXTS: Mapping[str, str] = {
    "declines": "every declined charge that was looked at this day, with the decision and its reason",
    "submissions": "every order that was claimed this day for the provider, and how far it had got by the end of the day",
    "outcomes": "every change of an order's state that was learnt from the provider, or decided by a person, this day",
    "holds": "every order that was open at the end of the day, or closed during it; where closed_at is empty it is open",
    "transmissions": "every good charge whose copy was prepared this day for the provider",
    "refunds": "every refund that was asked for or settled this day; effect is what left this day, and never above nought",
    "review": "everything that waited for a person at the end of the day, or was closed during it, with its reason; where"
    " closed_at is empty it waits",
    "reconciliation": "every order that differs between ledger, orders table, sent records and the provider's list or settlement,"
    " by the day's last comparison (mitbatch reconcile), with what settles it; no row where nothing was compared",
    "summary": "the day in totals per site and currency; the held section adds up to nought",
}
"""One sentence for each file."""


class Section(StrEnum):
    """The parts of `summary.csv`, in their order there."""

    HELD = "held"
    CLOSING_BY_STATE = "closing_by_state"
    INTAKE = "intake"
    HANDOVER = "handover"
    MONEY = "money"
    COHORT = "cohort"
    DIFFERENCES = "differences"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary. Only lines of the held section have a sign: sign times orders, and amount, add up to nought."""

    section: Section
    name: str
    definition: str
    sign: int | None = None


SUMMARY_LINES: tuple[Line, ...] = (
    Line(Section.HELD, "opening", "open at the end of the day before", 1),
    Line(Section.HELD, "claimed", "claimed for the provider this day", 1),
    Line(Section.HELD, "reopened", "closed before, and under review since this day", 1),
    Line(Section.HELD, "withdrawn", "the hold could not be placed, or was taken back before anything was sent", -1),
    Line(Section.HELD, "rejected", "refused by the provider; no rescue started", -1),
    Line(Section.HELD, "declined", "the provider gave up", -1),
    Line(Section.HELD, "expired", "not recovered by the expiry date", -1),
    Line(Section.HELD, "cancelled", "the provider was told to stop", -1),
    Line(Section.HELD, "completed", "recovered, at the order's amount; also when first seen after a refund or chargeback", -1),
    Line(Section.HELD, "closing", "open at the end of the day", -1),
    Line(Section.CLOSING_BY_STATE, "claimed", "of closing: claimed, the hold not yet confirmed"),
    Line(Section.CLOSING_BY_STATE, "held", "of closing: held, nothing sent"),
    Line(Section.CLOSING_BY_STATE, "sending", "of closing: being sent"),
    Line(Section.CLOSING_BY_STATE, "in_doubt", "of closing: it may or may not have been sent"),
    Line(Section.CLOSING_BY_STATE, "pending", "of closing: the provider has it"),
    Line(Section.CLOSING_BY_STATE, "capture_required", "of closing: authorised at the provider, waits for capture or cancel"),
    Line(Section.CLOSING_BY_STATE, "review", "of closing: contradictory, a person decides"),
    Line(Section.INTAKE, "candidates", "declined charges that were looked at"),
    Line(Section.INTAKE, "selected", "candidates that were claimed and not withdrawn this day"),
    Line(Section.HANDOVER, "sent", "orders in files delivered this day"),
    Line(Section.HANDOVER, "acknowledged", "orders first accepted by the provider this day"),
    Line(Section.HANDOVER, "rejected", "orders refused by the provider this day"),
    Line(Section.HANDOVER, "in_doubt", "orders in doubt at the end of the day"),
    Line(Section.HANDOVER, "files", "files delivered this day with such an order in it; a mixed file counts more than once"),
    Line(Section.MONEY, "recovered", "signed: what the provider says it recovered, less recoveries that went to review this day"),
    Line(Section.MONEY, "refunded", "signed: paid back this day after recovery"),
    Line(Section.MONEY, "chargeback", "signed: charged back this day after recovery"),
    Line(Section.MONEY, "net", "signed: recovered, refunded and chargeback together"),
    Line(Section.COHORT, "handed_over", "orders first accepted by the provider this day"),
    Line(Section.COHORT, "recovered_to_date", "of handed_over: recovered by the end of the day"),
    Line(Section.COHORT, "still_open", "of handed_over: open at the end of the day"),
    Line(Section.COHORT, "final", "1 when no order of handed_over is open, else 0"),
    Line(Section.DIFFERENCES, "reconciliation_rows", "orders that differ between the books, by the day's last comparison"),
    Line(Section.DIFFERENCES, "write_back_conflicts", "rows that the merchant had changed before a result was written this day"),
    Line(Section.DIFFERENCES, "review_open", "orders under review at the end of the day"),
)
"""Lines that the summary has for every site and currency, in order. The reasons of `intake` follow after `selected`."""

COUNTS = frozenset({"files", "final"})
"""Lines of the summary that count something other than orders, and so have no amount."""
