"""The columns of finance's files, each by name and in order: somebody's spreadsheet counts on every one of them."""

import csv
from itertools import zip_longest

import pytest

from schemas.audit_columns import ROW_FILES, SCHEMA_VERSION, SUMMARY_COLUMNS, SUMMARY_LINES
from tests.audit.conftest import MakeBooks
from tests.audit.ledger_builder import LedgerBuilder

KEY = "business_date mid site order_id currency amount_minor amount"
OWN = {
    "declines": """
        origin customer_id subscription_id payment_number charged_at charged_date response_code response_code_source
        response_description decline_group network_response_code network_advice_code attempts_30d avs_result_code
        cvv_result_code cavv_result_code card_brand card_bin card_last4 card_country exp_month exp_year decision reason
        reason_text rule_id batch_id run_id""",
    "submissions": """
        batch_id channel file_name sequence_number idempotency_key attempt claimed_at delivered_at acknowledged_at
        acknowledgement provider_order_id expires_at state error_code error_text run_id""",
    "outcomes": """
        provider_order_id state_from state_to provider_status source provider_at learnt_at handed_over_date days_to_outcome
        recovered_minor recovered response_code decline_group confirmation_id written_back written_back_at evidence_id""",
    "holds": """
        hold_reference state placed_at hold_until closed_at days_held close_reason closed_by order_status in_house_retry""",
    "transmissions": """
        charged_at channel file_name sequence_number delivered_at hours_after_charge late result transmit_id error_text""",
    "refunds": """
        refund_id provider_order_id requested_minor requested effect_minor effect refunded_total_minor refundable_left_minor
        status provider_response_code provider_message requested_by reason requested_at confirmed_at written_back
        evidence_id""",
    "review": """
        review_id kind opened_at due_date age_days ledger_says provider_says orders_say at_risk_minor at_risk
        proposed_action command closed_at closed_by resolution resolution_reason""",
    "reconciliation": """
        match ledger_state ledger_minor provider_status provider_minor orders_status orders_minor file_minor
        difference_minor difference explanation first_seen_date age_days compared_at""",
}
"""What was promised, at version 1: a column may be added at the end of a file's own, and none renamed, moved or taken away."""
SUMMARY = "business_date mid site currency section line sign orders amount_minor amount definition"
LINES = """
held opening claimed reopened withdrawn rejected declined expired cancelled completed closing
closing_by_state claimed held sending in_doubt pending capture_required review
intake candidates selected
handover sent acknowledged rejected in_doubt files
money recovered refunded chargeback net
cohort handed_over recovered_to_date still_open final
differences reconciliation_rows write_back_conflicts review_open
"""


def promised(name: str) -> list[str]:
    """The header of a row file."""
    return [*KEY.split(), *OWN[name].split(), "row_check"]


def test_every_file_is_listed() -> None:
    """A file more has its list here."""
    assert (set(ROW_FILES), SCHEMA_VERSION) == (set(OWN), 1)


@pytest.mark.parametrize("name", OWN)
def test_the_columns_are_those_that_were_promised(name: str) -> None:
    """Name by name; what differs first is shown with its place."""
    moved = [
        (place, *pair) for place, pair in enumerate(zip_longest(promised(name), ROW_FILES[name]), start=1) if pair[0] != pair[1]
    ]
    assert moved[:1] == []


def test_the_summary_is_as_it_was_promised() -> None:
    """Its columns, and the lines of each section in their order."""
    lines = [line.split() for line in LINES.strip().splitlines()]
    assert list(SUMMARY_COLUMNS) == SUMMARY.split()
    assert [(line.section.value, line.name) for line in SUMMARY_LINES] == [
        (first, name) for first, *rest in lines for name in rest
    ]


def test_what_is_written_bears_these_headers(ledger: LedgerBuilder, make_books: MakeBooks) -> None:
    """The files themselves, one by one."""
    ledger.day = "2026-11-23"
    ledger.send("a", "b")
    ledger.accept("a")
    folder = make_books().write("2026-11-23").folder
    for name in OWN:
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            assert next(csv.reader(file)) == promised(name)
    with (folder / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == SUMMARY.split()
    reasons = {row["line"] for row in rows if row["section"] == "intake"} - {"candidates", "selected"}
    written = {(row["section"], row["line"]) for row in rows if row["line"] not in reasons}
    assert written == {(line.section.value, line.name) for line in SUMMARY_LINES}
