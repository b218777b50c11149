"""The group `mit.sftp`: declined recurring charges by file, on a managed account."""

from jobs.certify.bench import Bench
from jobs.certify.looks import (
    looked,
    new_case,
    outcome_comes,
    pending_is_shown,
    retries_are_stopped,
    show_entry,
    status_is_right,
)
from jobs.certify.sheet import Seen, Sheet

PREFIX = "mit.sftp"


def run_mit_sftp(bench: Bench, sheet: Sheet) -> None:
    """Send one order and one copy by file, and judge every item of the group."""
    case = new_case(bench, PREFIX)
    show_entry(bench, sheet, case)
    (order_id,) = case.orders
    evaluate, outcome = case.item("evaluate"), case.item("outcome")
    sheet.show(evaluate, bench, case.orders, lambda: batch_is_submitted(bench, order_id), needs=[case.item("tokenize")])
    for word, look in (("pending_shown", pending_is_shown), ("rebills_stopped", retries_are_stopped)):
        sheet.show(case.item(word), bench, case.orders, looked(bench, order_id, look), needs=[evaluate])
    sheet.show(outcome, bench, case.orders, looked(bench, order_id, outcome_comes), needs=[evaluate])
    sheet.show(case.item("our_status"), bench, case.orders, looked(bench, order_id, status_is_right), needs=[outcome])


def batch_is_submitted(bench: Bench, order_id: str) -> Seen:
    """The file is acknowledged with SUBMITTED for the order, and the ledger has the provider's id."""
    bench.run("nightly")

    def is_acknowledged() -> bool:
        if not bench.words_from(order_id, "acknowledgement"):
            bench.run("poll", everything=True)
        return bool(bench.words_from(order_id, "acknowledgement"))

    bench.time.wait_for(is_acknowledged)
    words, claim = bench.words_from(order_id, "acknowledgement"), bench.submission(order_id)
    if words and words[0].upper() == "SUBMITTED" and claim is not None and claim.provider_order_id:
        sentence = f"The batch file was acknowledged with SUBMITTED for {order_id}, orderSessionKey {claim.provider_order_id}."
        return Seen(is_right=True, sentence=sentence)
    state = claim.state if claim is not None else "not claimed"
    said = f"the acknowledgement says {words[0]}" if words else f"no acknowledgement came within {bench.time.bound}"
    change = "Look at the files of this item with the provider: their names and channels.evaluate_format are what it must know."
    return Seen(is_right=False, sentence=f"Order {order_id} is {state}: {said}.", change=change)
