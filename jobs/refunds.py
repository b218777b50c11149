"""`mitbatch refund`: one order, or a CSV of them; what it will do, a person's word, and then the provider, each once."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from batch.asking import Asked, latest_claim
from batch.card_numbers import has_card_number
from batch.equipment import Clock, Equipment
from batch.pace import business_date, utc_text
from batch.refund_requests import RefundRequest
from batch.refund_rows import RefundRow, read_refund_rows
from batch.refunding import RefundPlan, plan_refund, refund_order
from jobs.action_lines import result_line, show_results, word_of
from jobs.actions import Request, Result, run_requests
from jobs.assembly import assemble
from jobs.banner import banner
from jobs.by_hand import ask_for_word, checked_reason, show_dry_run, this_person
from jobs.clock import SystemClock
from jobs.holds import check_order_id
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode, MitbatchError, UsageRefused
from schemas.money import exponent, minor_of, people_text
from schemas.operations import OperationKind
from schemas.settings import Settings

REFUND = OperationKind.REFUND
_CURRENCY = re.compile(r"[A-Z]{3}")


def refund_one(
    options: Options,
    order_id: str,
    *,
    amount: str,
    reason: str,
    request_id: str = "",
    dry_run: bool = False,
    yes: bool = False,
    clock: Clock | None = None,
) -> int:
    """Give a part or all of one recovered order back. Returns the exit code."""
    clock, reason = clock or SystemClock(), checked_reason(reason)
    check_order_id(order_id)
    if len(request_id) > 128 or not request_id.isprintable() or has_card_number(request_id):
        raise UsageRefused("The request id must be at most 128 printable characters, and no card number.")
    settings = load_settings(options.config)
    with assemble(settings, of_this_machine(clock), writes=False) as workshop:
        currency = latest_claim(workshop.equipment, order_id).currency
        minor = checked_amount(amount, currency)
        request = RefundRequest(order_id, minor, currency, reason, this_person(), request_id)
        plan = plan_refund(workshop.equipment, request)
    if plan.first is not None:
        first = Result(order_id, Asked(plan.first, plan.submission, repeated=True), None)
        return _show_first(options, settings, first, clock)
    today = business_date(clock.now(), settings.schedule.timezone)
    lines = [banner("refund", today, settings), *_effects(request, plan)]
    if dry_run:
        show_dry_run(options, lines)
        answer(options, {**_head(settings, clock), "dry_run": True, "order_id": order_id, "effects": lines[1:], "exit_code": 0})
        return int(ExitCode.CLEAN)
    ask_for_word(lines, yes=yes)
    requests = [Request(order_id, lambda equipment, run: refund_order(equipment, run, request))]
    report, results = run_requests(settings, options, REFUND, requests, clock=clock)
    return show_results(options, settings, REFUND, report, results)


def refund_many(
    options: Options, file: Path, *, confirm: str = "", dry_run: bool = False, yes: bool = False, clock: Clock | None = None
) -> int:
    """Give back what every row of a CSV says; a row that is wrong or refused stops no other. Returns the exit code."""
    clock = clock or SystemClock()
    settings = load_settings(options.config)
    try:
        rows = read_refund_rows(file.read_bytes())
    except OSError as error:
        raise UsageRefused(f"The file {str(file)!r} cannot be read ({error.strerror or error}).") from error
    if not rows:
        raise UsageRefused(f"The file {str(file)!r} has no row; nothing was done.")
    person = this_person()
    today = business_date(clock.now(), settings.schedule.timezone)
    checked = [_checked(row, person) for row in rows]
    lines = [banner("refund", today, settings), *_effects_of_all(checked)]
    total = _total(checked)
    if dry_run:
        return _plan_all(options, settings, checked, lines, clock)
    if settings.environment == "production" and confirm != total:
        raise UsageRefused(
            "Refunds from a file need their total typed, in production.", next_step=f'Add --confirm "{total}" if that is meant.'
        )
    ask_for_word(lines, yes=yes)
    requests = [_request(each) for each in checked]
    report, results = run_requests(settings, options, REFUND, requests, clock=clock)
    return show_results(options, settings, REFUND, report, results)


def checked_amount(text: str, currency: str) -> int:
    """What a person typed as minor units. Raises UsageRefused with the form that is right for the currency."""
    minor = minor_of(text, currency)
    if minor is None:
        example = {0: "12", 2: "12.34", 3: "12.345"}[exponent(currency)]
        typed = "That" if has_card_number(text) else repr(text[:40])
        raise UsageRefused(f"{typed} is not an amount of {currency}.", next_step=f"Write it like {example}, more than nought.")
    return minor


Checked = tuple[RefundRow, RefundRequest | MitbatchError]


def _checked(row: RefundRow, person: str) -> Checked:
    """A row as a request, or what is wrong with it; nobody is asked for that."""
    try:
        if row.problem:
            raise UsageRefused(f"{row.problem}.")
        if not _CURRENCY.fullmatch(row.currency):
            raise UsageRefused(f"{row.currency[:16]!r} is not a currency such as USD.")
        check_order_id(row.order_id)
        minor = checked_amount(row.amount, row.currency)
        return row, RefundRequest(row.order_id, minor, row.currency, checked_reason(row.reason), person, row.request_id)
    except UsageRefused as problem:
        return row, UsageRefused(f"Line {row.number:,}: {problem.what}", next_step=problem.next_step)


def _request(checked: Checked) -> Request:
    row, wanted = checked
    if isinstance(wanted, MitbatchError):
        return Request(row.order_id, None, wanted)
    return Request(row.order_id, lambda equipment, run: refund_order(equipment, run, wanted))


def _plan_all(options: Options, settings: Settings, checked: Sequence[Checked], lines: list[str], clock: Clock) -> int:
    """What a file would do, row by row: each order is read, and nothing is written."""
    objects, said, wrong = [], [*lines], False
    with assemble(settings, of_this_machine(clock), writes=False) as workshop:
        for row, wanted in checked:
            problem = wanted if isinstance(wanted, MitbatchError) else _plan_problem(workshop.equipment, wanted)
            wrong = wrong or problem is not None
            said.append(
                f"line {row.number:,}   order {row.order_id!r}   {row.amount} {row.currency}   {problem or 'would be sent'}"
            )
            objects.append({"line": row.number, "order_id": row.order_id, "sentence": str(problem) if problem else ""})
    code = ExitCode.NEEDS_PERSON if wrong else ExitCode.CLEAN
    show_dry_run(options, said, code)
    answer(options, {**_head(settings, clock), "dry_run": True, "results": objects, "exit_code": int(code)})
    return int(code)


def _plan_problem(equipment: Equipment, wanted: RefundRequest) -> MitbatchError | str | None:
    try:
        plan = plan_refund(equipment, wanted)
    except MitbatchError as problem:
        return problem
    return None if plan.first is None else f"repeated: the first is {plan.first.step}"


def _effects(request: RefundRequest, plan: RefundPlan) -> list[str]:
    amount = people_text(request.amount_minor, request.currency)
    left = people_text(plan.money.left - request.amount_minor, request.currency)
    return [
        f"{amount} of order {request.order_id!r} ({plan.submission.state}) is given back to the customer by the provider.",
        f"Captured {people_text(plan.money.captured, request.currency)}; {left} are left afterwards.",
    ]


def _effects_of_all(checked: Sequence[Checked]) -> list[str]:
    good = sum(not isinstance(wanted, MitbatchError) for _, wanted in checked)
    wrong = [f"WARN  {wanted}" for _, wanted in checked if isinstance(wanted, MitbatchError)]
    asking = f"{good:,} of {counted(len(checked), 'row')} {'asks' if good == 1 else 'ask'} for"
    return [f"{asking} {_total(checked) or 'nothing'} to be given back.", *wrong[:20]]


def _total(checked: Sequence[Checked]) -> str:
    """The sum of the rows that can be read: `12,480.00`, or with their currencies where there are several."""
    sums: dict[str, int] = {}
    for _, wanted in checked:
        if not isinstance(wanted, MitbatchError):
            sums[wanted.currency] = sums.get(wanted.currency, 0) + wanted.amount_minor
    texts = [people_text(minor, currency) for currency, minor in sorted(sums.items())]
    return texts[0].partition(" ")[2] if len(texts) == 1 else " + ".join(texts)


def _show_first(options: Options, settings: Settings, first: Result, clock: Clock) -> int:
    """A request that was made before: it is shown, and nothing is sent."""
    assert first.asked is not None  # noqa: S101 - made with the first
    code = ExitCode.CLEAN if first.asked.problem is None else first.asked.problem.exit_code
    today = business_date(clock.now(), settings.schedule.timezone)
    next_line = f"next            mitbatch explain {shlex.quote(first.order_id)}"
    verdict = f"EXIT {int(code)} {EXIT_MEANINGS[code]}"
    say(options, [banner("refund", today, settings), result_line(REFUND, first), next_line, verdict])
    fields = {"order_id": first.order_id, "result": word_of(first), "step": first.asked.operation.step.value}
    fields |= {"operation_id": first.asked.operation.operation_id, "asked_at": first.asked.operation.asked_at}
    answer(options, {**_head(settings, clock), "results": [fields], "exit_code": int(code)})
    return int(code)


def _head(settings: Settings, clock: Clock) -> dict[str, object]:
    return {
        "schema": "mitbatch.refund/1",
        "type": "result",
        "command": "refund",
        "run_id": "",
        "generated_at": utc_text(clock.now()),
        "environment": settings.environment,
    }
