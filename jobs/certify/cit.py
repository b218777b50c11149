"""The groups `cit.standard` and `cit.advanced`, as far as calls show them: what only a page shows, a person attests."""

from collections.abc import Sequence

from jobs.certify.bench import Bench
from jobs.certify.looks import (
    Case,
    call_is_answered,
    looked,
    new_case,
    order_id_is_set,
    outcome_comes,
    show_entry,
    status_is_right,
)
from jobs.certify.marked_orders import CHALLENGE_PHONE, of_customer_present
from jobs.certify.sheet import Sheet
from schemas.order import Origin

CHALLENGED = ("SUBMITTED", "CHALLENGE")
"""The checklist says SUBMITTED; what was captured on the wire for a challenge is CHALLENGE (CONTRACT 7.5)."""


def run_standard(bench: Bench, sheet: Sheet) -> None:
    """A customer's declined charge that is approved at once."""
    case = new_case(bench, "cit.standard", of_customer_present(Origin.WEBSITE))
    _show_evaluate(bench, sheet, case, ["APPROVED"])
    (order_id,) = case.orders
    needs = [case.item("evaluate")]
    sheet.show(case.item("our_status"), bench, case.orders, looked(bench, order_id, status_is_right), needs=needs)


def run_advanced(bench: Bench, sheet: Sheet) -> None:
    """A customer's declined charge that is challenged first, and completed when the challenge was passed."""
    present = {**of_customer_present(Origin.WEBSITE), "phone": CHALLENGE_PHONE}
    case = new_case(bench, "cit.advanced", present, card=bench.test_cards[1])
    _show_evaluate(bench, sheet, case, CHALLENGED)
    (order_id,) = case.orders
    evaluate, outcome = case.item("evaluate"), case.item("outcome")
    sheet.show(outcome, bench, case.orders, looked(bench, order_id, outcome_comes), needs=[evaluate])
    sheet.show(case.item("our_status"), bench, case.orders, looked(bench, order_id, status_is_right), needs=[outcome])


def _show_evaluate(bench: Bench, sheet: Sheet, case: Case, wanted: Sequence[str]) -> None:
    show_entry(bench, sheet, case)
    (order_id,) = case.orders
    evaluate = case.item("evaluate")
    needs = [case.item("tokenize")]
    sheet.show(evaluate, bench, case.orders, lambda: call_is_answered(bench, order_id, wanted), needs=needs)
    sheet.show(case.item("order_id"), bench, case.orders, looked(bench, order_id, order_id_is_set), needs=[evaluate])
