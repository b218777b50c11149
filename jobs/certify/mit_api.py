"""The group `mit.api`: declined recurring charges by calls, on a sync account."""

from jobs.certify.bench import Bench
from jobs.certify.looks import call_is_answered, looked, new_case, order_id_is_set, show_entry, status_is_right
from jobs.certify.sheet import Seen, Sheet

PREFIX = "mit.api"


def run_mit_api(bench: Bench, sheet: Sheet) -> None:
    """Send one order and one copy by calls, and judge every item of the group."""
    case = new_case(bench, PREFIX)
    show_entry(bench, sheet, case)
    (order_id,) = case.orders
    evaluate, shown = case.item("evaluate"), case.item("success_shown")
    needs = [case.item("tokenize")]
    sheet.show(evaluate, bench, case.orders, lambda: call_is_answered(bench, order_id, "APPROVED"), needs=needs)
    sheet.show(case.item("order_id"), bench, case.orders, looked(bench, order_id, order_id_is_set), needs=[evaluate])
    sheet.show(shown, bench, case.orders, looked(bench, order_id, success_is_shown), needs=[evaluate])
    sheet.show(case.item("our_status"), bench, case.orders, looked(bench, order_id, status_is_right), needs=[shown])


def success_is_shown(bench: Bench, order_id: str) -> Seen:
    """The order system shows the order as recovered as soon as the provider has approved it."""
    status = bench.orders.row(order_id)["status"]
    sentence = f"The provider approved {order_id}, and the order system shows it as {status}."
    return Seen(status == "completed", sentence, "Let nothing but the pipeline write the status of an order that was sent.")
