"""The groups `cit.standard` and `cit.advanced`, as far as calls show them: what only a page shows, a person attests."""

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
from jobs.certify.marked_orders import WIDGET_SENSE_KEY, of_customer_present
from jobs.certify.sheet import Sheet
from schemas.order import Origin

WITHOUT_WIDGET = (
    "SUBMITTED answers orders of a page that carries the widget. Set certify.sense_key to the senseKey of such a page of yours,"
    " just opened; else ask the provider whether this account is set up for the advanced integration."
)
"""What to change where the advanced integration is answered with anything else, CHALLENGE among it: that comes where the
order's page has no widget yet, and is not what the checklist asks for (CONTRACT 7.1)."""


def run_standard(bench: Bench, sheet: Sheet) -> None:
    """A customer's declined charge that is approved at once."""
    case = new_case(bench, "cit.standard", of_customer_present(Origin.WEBSITE))
    _show_evaluate(bench, sheet, case, "APPROVED")
    (order_id,) = case.orders
    needs = [case.item("evaluate")]
    sheet.show(case.item("our_status"), bench, case.orders, looked(bench, order_id, status_is_right), needs=needs)


def run_advanced(bench: Bench, sheet: Sheet) -> None:
    """A customer's declined charge that goes on in the provider's widget, and is completed once the customer has answered."""
    sense_key = bench.settings.certify.sense_key or WIDGET_SENSE_KEY
    case = new_case(bench, "cit.advanced", {**of_customer_present(Origin.WEBSITE), "sense_key": sense_key})
    _show_evaluate(bench, sheet, case, "SUBMITTED", WITHOUT_WIDGET)
    (order_id,) = case.orders
    evaluate, outcome = case.item("evaluate"), case.item("outcome")
    sheet.show(outcome, bench, case.orders, looked(bench, order_id, outcome_comes), needs=[evaluate])
    sheet.show(case.item("our_status"), bench, case.orders, looked(bench, order_id, status_is_right), needs=[outcome])


def _show_evaluate(bench: Bench, sheet: Sheet, case: Case, wanted: str, change: str = "") -> None:
    show_entry(bench, sheet, case)
    (order_id,) = case.orders
    evaluate = case.item("evaluate")
    needs = [case.item("tokenize")]
    sheet.show(evaluate, bench, case.orders, lambda: call_is_answered(bench, order_id, wanted, change), needs=needs)
    sheet.show(case.item("order_id"), bench, case.orders, looked(bench, order_id, order_id_is_set), needs=[evaluate])
