"""The group `refund`: an approved order is given back, and every book says so."""

from batch.refund_requests import RefundRequest
from batch.refunding import refund_order
from jobs.actions import Request, run_requests
from jobs.certify.bench import QUIET, Bench
from jobs.certify.looks import RETURNED, call_is_answered, looked, ready_order
from jobs.certify.marked_orders import AMOUNT_MINOR, of_customer_present
from jobs.certify.sheet import Seen, Sheet
from jobs.reconcile import reconcile_with
from schemas.counted import counted
from schemas.operations import OperationKind, OperationStep
from schemas.order import Origin

PREFIX = "refund"


def run_refund(bench: Bench, sheet: Sheet) -> None:
    """Have an order approved, give all of it back, and judge every item of the group."""
    made: list[str] = []
    answer = f"{PREFIX}.answer"
    sheet.show(answer, bench, (), lambda: refund_is_answered(bench, made))
    for word, look in (("our_status", refund_is_ours), ("reconciliation", books_agree), ("shown_at_provider", refund_is_theirs)):
        sheet.show(f"{PREFIX}.{word}", bench, made, looked(bench, made[0] if made else "", look), needs=[answer])


def refund_is_answered(bench: Bench, made: list[str]) -> Seen:
    """The provider answers the refund of an approved order with success. The order is put into `made`."""
    origin = {} if bench.mode == "sync" else of_customer_present(Origin.WEBSITE)
    order_id = ready_order(bench, origin)
    made.append(order_id)
    approved = call_is_answered(bench, order_id, "APPROVED")
    if not approved.is_right:
        return approved
    currency = bench.settings.gate.currencies[0]
    wanted = RefundRequest(order_id, AMOUNT_MINOR, currency, "certification", "mitbatch certify")
    request = Request(order_id, lambda equipment, run: refund_order(equipment, run, wanted))
    kind = OperationKind.REFUND
    report, (result,) = run_requests(bench.settings, QUIET, kind, [request], clock=bench.clock, surroundings=bench.around)
    bench.note(report)
    if result.problem is None and result.asked is not None and result.asked.operation.step is OperationStep.DONE:
        number = result.asked.operation.transaction_id
        return Seen(
            is_right=True, sentence=f"The refund of {order_id} was answered with success, transactionId {number or 'none'}."
        )
    what = result.problem.what if result.problem is not None else "it is not settled"
    change = "Look at the provider's answer; mitbatch help contract 10 says what a refund needs."
    return Seen(is_right=False, sentence=f"The refund of {order_id} was not answered with success: {what}", change=change)


def refund_is_ours(bench: Bench, order_id: str) -> Seen:
    """The row says refunded, and how much."""
    row, claim = bench.orders.row(order_id), bench.submission(order_id)
    right = row["status"] == "refunded" and row["refunded_minor"] == str(AMOUNT_MINOR)
    state = claim.state if claim is not None else "not claimed"
    sentence = (
        f"The row of {order_id} says {row['status']}, refunded_minor {row['refunded_minor'] or 'none'}; the ledger {state}."
    )
    return Seen(right, sentence, "Let nothing but the pipeline write status and refunded_minor of an order that was sent.")


def books_agree(bench: Bench, *orders: str) -> Seen:
    """The reconciliation compares ledger, row, files and the provider's list, and finds no difference in these orders.

    What else the provider's list shows, such as orders of earlier rounds, is not what this is about.
    """
    report, compared = reconcile_with(bench.settings, QUIET, clock=bench.clock, surroundings=bench.around)
    bench.note(report)
    if compared is None or not compared.is_list_had:
        change = "Let GET orders be allowed for this account."
        return Seen(is_right=False, sentence="The provider's list of orders could not be had.", change=change)
    differing = bench.differences(report.run_id, orders)
    if differing:
        order_id, why = next(iter(differing.items()))
        change = "mitbatch help finance says what each difference means."
        return Seen(is_right=False, sentence=f"The reconciliation names {order_id}: {why}.", change=change)
    verb = "is" if len(orders) == 1 else "are"
    sentence = f"Of {counted(compared.orders, 'order')} compared, {', '.join(orders)} {verb} alike in every book."
    return Seen(is_right=True, sentence=sentence)


def refund_is_theirs(bench: Bench, order_id: str) -> Seen:
    """The provider shows the order as refunded."""
    read = bench.read_at_provider(order_id)
    word = read.status.lower() if read is not None else "nothing"
    right = word in RETURNED or (read is not None and read.refunded_minor == AMOUNT_MINOR)
    return Seen(right, f"The provider shows {order_id} as {word}.", "Ask the provider why the refund does not show.")
