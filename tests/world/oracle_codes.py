"""Whether each run said how it ended: the exit code against what was the case at its end, and the report against the ledger."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from batch.pace import utc_text
from jobs.running import RunReport
from tests.world.oracle_evidence import OPEN, Evidence
from tests.world.witness import RunMark
from tests.world.world import Ended

KNOWN = (0, 2, 10, 11, 20, 21, 30, 70, 78, 130, 143)
BY_HAND = ("cancel", "capture", "refund")
GRAVER_THAN_DOUBT = (143, 130, 70, 78, 30, 2, 21)


def i20_honest_codes(seen: Evidence) -> Iterator[str]:
    """Each run ends with the code that the table gives for how things stood at its end."""
    for mark, (job, ended) in zip(seen.marks, seen.runs, strict=True):
        if ended.killed:
            continue
        if ended.code not in KNOWN or ended.code == 70:
            problems = [str(problem) for problem in ended.report.findings.problems] if ended.report else [ended.refusal]
            yield f"I20: {job} ended with {ended.code}: {problems}"
        elif ended.report is not None:
            stood = _as_it_stood(seen, mark, ended.report)
            yield from (f"I20: {job} ended with {ended.code} although {words}" for words in _wrong(seen, stood, ended))


def _wrong(seen: Evidence, mark: RunMark, ended: Ended) -> Iterator[str]:
    """What was the case at the end of a run and does not fit its code."""
    assert ended.report is not None
    if mark.job in BY_HAND:  # its code is about its own request; what else is open is the next run's to say
        return
    yield from _wrong_about_items(seen, mark, ended)
    yield from _wrong_about_sends(seen, mark, ended)
    code, in_doubt = ended.code, _in_doubt(seen, mark)
    if in_doubt and code not in (*GRAVER_THAN_DOUBT, 11):
        yield f"{in_doubt} were in doubt"
    if code == 11 and not in_doubt:
        yield "nothing was in doubt"
    if code in (130, 143) and not any(process == mark.process for process, _ in seen.stops):
        yield "nobody asked it to stop"
    if code == 0 and ended.report.findings.problems:
        yield f"it met problems: {[str(problem) for problem in ended.report.findings.problems]}"
    if code == 20 and not ended.report.findings.problems:
        yield "it met no problem"


def _wrong_about_items(seen: Evidence, mark: RunMark, ended: Ended) -> Iterator[str]:
    assert ended.report is not None
    code = ended.code
    today = mark.times[1].astimezone(ZoneInfo(mark.zone)).date()
    new = [item for item in mark.items if item["opened_run"] == ended.report.run_id]
    overdue = [item for item in mark.items if date.fromisoformat(item["due_date"]) < today]
    left = [send.name for send in seen.sends if send.process == mark.process and send.kind == "rename" and send.content]
    left += _found_gone(seen, mark)
    arrived = _arrived(seen, mark) or left  # what lies there under its name is on its way, whenever the provider takes it
    if (new or overdue) and code in (0, 20):
        yield f"{len(new)} items were new and {len(overdue)} overdue"
    if code == 10 and not (new or overdue or (ended.report.findings.problems and (arrived or mark.unwritten))):
        yield "no item was new or overdue"


def _wrong_about_sends(seen: Evidence, mark: RunMark, ended: Ended) -> Iterator[str]:
    code = ended.code
    arrived = _arrived(seen, mark)
    if code == 0 and mark.job == "nightly" and _unsent(seen, mark):
        yield f"{_unsent(seen, mark)} waited to be sent"
    if code == 0 and mark.job not in ("transmit", "reconcile") and _untold(mark):  # a comparison names it, and writes no row
        yield f"the rows of {_untold(mark)} did not show where they stand"
    if code == 20 and arrived:
        yield f"{arrived} arrived at the provider"


def _arrived(seen: Evidence, mark: RunMark) -> list[str]:
    """The files, and the orders that were called, which the provider received in this run, and by its doing."""
    sent = {send.name for send in seen.sends if send.process == mark.process and send.kind == "rename"}
    rows = seen.journal[slice(*mark.journal)]
    received = (row["file"] for row in rows if row["event"] == "file_received")
    called = {send.name for send in seen.sends if send.process == mark.process and send.kind == "call"}
    taken = (row["order_id"] for row in rows if row["event"] == "accepted" and row["channel"] == "api")
    return [*(name for name in received if name in sent), *(order_id for order_id in taken if order_id in called)]


def _found_gone(seen: Evidence, mark: RunMark) -> list[str]:
    """The files that count as delivered since this run, because a part that an earlier run asked to be renamed lay there no more.

    Where somebody took it away it never arrived, which no run can see.
    """
    asked = {send.name for send in seen.sends if send.kind == "rename" and send.process < mark.process}
    began = utc_text(mark.times[0])
    return [
        row["file_name"]
        for row in mark.batches
        if row["step"] == "delivered" and row["delivered_at"] >= began and row["file_name"] in asked
    ]


def _in_doubt(seen: Evidence, mark: RunMark) -> list[str]:
    orders = [row["order_id"] for row in mark.underway if row["state"] == "in_doubt"]
    late = [
        row["file_name"]
        for row in mark.batches
        if row["step"] == "delivered"
        and (mark.times[1] - datetime.fromisoformat(row["delivered_at"])).total_seconds() > seen.window
    ]
    files = [row["file_name"] for row in mark.batches if row["step"] == "in_doubt"]
    return [*orders, *late, *files, *mark.unsettled]


def _unsent(seen: Evidence, mark: RunMark) -> list[str]:
    """Files that waited for no reason. A half-sent one may wait for a switch: a person is told of orders, of copies nobody is."""
    withheld = {item["subject"] for item in mark.items if item["kind"] == "switched_off"}
    if _is_something_off(seen, mark):
        withheld |= {f"batch:{row['batch_id']}" for row in mark.batches if row["kind"] == "transmit"}
    unsent = [row for row in mark.batches if row["step"] in ("claimed", "sending", "calling", "part_verified")]
    return [row["file_name"] for row in unsent if not (row["step"] == "part_verified" and f"batch:{row['batch_id']}" in withheld)]


def _is_something_off(seen: Evidence, mark: RunMark) -> bool:
    """Whether something was off at any moment before a run closed its record: by hand, or a site by the run's own settings."""
    began, closed = mark.points[0], mark.wrote[1] if mark.wrote else mark.points[1]
    last = {turned.name: turned.on for turned in seen.turned if turned.point <= began}
    meanwhile = [turned.on for turned in seen.turned if began < turned.point <= closed]
    return any(name.startswith("site:") for name in mark.switched_off) or not all([*last.values(), *meanwhile])


def _untold(mark: RunMark) -> list[str]:
    told = {item["subject"].partition(":")[2] for item in mark.items}
    return [order_id for order_id in mark.unwritten if order_id not in told]


def _is_overtaken(seen: Evidence, run_id: str, mark: RunMark) -> bool:
    """Whether another run took the lease before this one ended; it may write nothing more, not even how it ended."""
    tokens = {row["run_id"]: row["fencing_token"] for row in seen.ledger_runs}
    mine = tokens.get(run_id, 0)
    return any(
        row["fencing_token"] > mine and datetime.fromisoformat(row["started_at"]) <= mark.times[1] for row in seen.ledger_runs
    )


def _as_it_stood(seen: Evidence, mark: RunMark, report: RunReport) -> RunMark:
    """How things stood when a run closed its own record: before others worked after that, and time passed, while its process
    lived on.

    It looks right before that, its last commit. One that could not close it has looked after those that overtook it.
    """
    is_closed = any(row["run_id"] == report.run_id and row["exit_code"] is not None for row in seen.ledger_runs)
    if not is_closed or mark.wrote is None:
        return mark
    looked, closed = mark.wrote
    later = next((standing for point, standing in mark.meanwhile if point > closed), {})
    return replace(mark, times=(mark.times[0], looked), **later)


def i20_counts(seen: Evidence) -> Iterator[str]:
    """What a report counts is what the ledger held at its end, and the ledger kept the code that the shell was given."""
    codes = {row["run_id"]: row["exit_code"] for row in seen.ledger_runs}
    for mark, (job, ended) in zip(seen.marks, seen.runs, strict=True):
        report = ended.report
        if report is None:
            continue
        stood = _as_it_stood(seen, mark, report)
        yield from (f"I20: {job} {words}" for words in _miscounted(seen, stood, report))
        is_overtaken = ended.code == 21 or (ended.code in (2, 30, 130, 143) and _is_overtaken(seen, report.run_id, mark))
        if codes.get(report.run_id) != ended.code and not is_overtaken:
            yield f"I20: {job} ended with {ended.code}, the ledger says {codes.get(report.run_id)}"


def _miscounted(seen: Evidence, mark: RunMark, report: RunReport) -> Iterator[str]:
    """What a report counts otherwise than the ledger had it."""
    states = {(state, currency): total for state, by_currency in report.states.items() for currency, total in by_currency.items()}
    if states != mark.states:
        yield f"reports {states}, the ledger held {mark.states}"
    new = sum(item["opened_run"] == report.run_id for item in mark.items)
    if (len(report.items), report.new_items) != (len(mark.items), new):
        yield f"reports {len(report.items)} items, {report.new_items} new; {len(mark.items)} were open, {new} new"
    if report.business_date < max((row["business_date"] for row in seen.events), default=""):
        return
    held: dict[str, list[int]] = {}
    for (state, currency), (orders, amount) in mark.states.items():
        if state in OPEN:
            held[currency] = [held.get(currency, [0, 0])[0] + orders, held.get(currency, [0, 0])[1] + amount]
    closing = {name: [line.closing.orders, line.closing.amount_minor] for name, line in report.figures.balances.items()}
    if {name: total for name, total in closing.items() if total != [0, 0]} != held:
        yield f"reports the closing {closing}, the ledger held {held}"
