"""What a cancel, capture or refund prints: one line for each request and the verdict, or the same as one object."""

import shlex
from collections.abc import Sequence
from typing import Any

from batch.pace import utc_text
from jobs.actions import Result
from jobs.banner import banner
from jobs.output import Options, answer, say
from jobs.running import RunReport
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode
from schemas.money import people_text
from schemas.operations import OperationKind, OperationStep
from schemas.settings import Settings

_SAID = {
    OperationKind.CANCEL: "cancelled",
    OperationKind.CAPTURE: "captured",
    OperationKind.REFUND: "refunded",
}


def show_results(options: Options, settings: Settings, kind: OperationKind, report: RunReport, results: Sequence[Result]) -> int:
    """Print one line for each request and the verdict, or the same as one object. Returns the exit code."""
    if not (options.quiet and report.code is ExitCode.CLEAN):
        say(options, _lines(settings, kind, report, results))
    answer(options, _object(settings, kind, report, results))
    return int(report.code)


def _lines(settings: Settings, kind: OperationKind, report: RunReport, results: Sequence[Result]) -> list[str]:
    lines = [banner(kind.value, report.business_date, settings, report.run_id)]
    lines += [result_line(kind, result) for result in results]
    known = {str(result.problem) for result in results}
    lines += [f"WARN  {problem}" for problem in report.findings.problems if str(problem) not in known]
    new = [item for item in report.items if item.opened_run == report.run_id]
    lines += [f"NEED  {item.subject.partition(':')[2]!r}: {item.explanation}" for item in new]
    if len(results) > 1:
        lines.append(_summary(results))
    if report.audit is not None:
        lines.append(f"audit           {report.audit.folder}")
    lines.append(f"next            {_next(results, has_items=bool(new))}")
    return [*lines, f"EXIT {int(report.code)} {EXIT_MEANINGS[report.code]}"]


def _next(results: Sequence[Result], *, has_items: bool) -> str:
    """The command that shows what became of it: of one order its page, of many where everything stands."""
    if has_items:
        return "mitbatch review list"
    return f"mitbatch explain {shlex.quote(results[0].order_id)}" if len(results) == 1 else "mitbatch status"


def result_line(kind: OperationKind, result: Result) -> str:
    """One request in one line: what was done, or why not."""
    asked = result.asked
    if asked is None:
        return f"WARN  {result.problem}"
    amount = people_text(asked.operation.amount_minor, asked.operation.currency)
    if asked.repeated:
        standing = f"{asked.operation.step.value}, asked for at {asked.operation.asked_at} by {asked.operation.asked_by}"
        return f"repeated        order {result.order_id!r}   {amount}   nothing was sent: the first is {standing}"
    if result.problem is not None:
        return f"WARN  {result.problem}"
    return f"{_SAID[kind]:<16}order {result.order_id!r}   {amount}   the order is {asked.submission.state} now"


def _summary(results: Sequence[Result]) -> str:
    words: dict[str, int] = {}
    for result in results:
        words[word_of(result)] = words.get(word_of(result), 0) + 1
    done: dict[str, int] = {}
    for result in results:
        if result.asked is not None and not result.asked.repeated and result.asked.operation.step is OperationStep.DONE:
            operation = result.asked.operation
            done[operation.currency] = done.get(operation.currency, 0) + operation.amount_minor
    money = "   ".join(people_text(minor, currency) for currency, minor in sorted(done.items()))
    counts = " · ".join(f"{word} {count:,}" for word, count in sorted(words.items()))
    return f"summary         {counted(len(results), 'request')}   {counts}" + (f"   {money}" if money else "")


def word_of(result: Result) -> str:
    """How a request ended, in one word of a fixed few."""
    if result.asked is None:
        return {ExitCode.USAGE: "malformed", ExitCode.REFUSED: "not_possible"}.get(result.code, "not_asked")
    return "repeated" if result.asked.repeated else result.asked.operation.step.value


def _object(settings: Settings, kind: OperationKind, report: RunReport, results: Sequence[Result]) -> dict[str, Any]:
    return {
        "schema": f"mitbatch.{kind}/1",
        "type": "result",
        "command": kind.value,
        "run_id": report.run_id,
        "generated_at": utc_text(report.finished_at),
        "environment": settings.environment,
        "mid": settings.provider.mid,
        "business_date": report.business_date,
        "results": [_result_object(result) for result in results],
        "problems": [{"code": problem.code, "sentence": str(problem)} for problem in report.findings.problems],
        "items": {"new": report.new_items},
        "audit": str(report.audit.folder) if report.audit else None,
        "exit_code": int(report.code),
    }


def _result_object(result: Result) -> dict[str, Any]:
    fields: dict[str, Any] = {"order_id": result.order_id, "result": word_of(result), "exit_code": int(result.code)}
    if result.problem is not None:
        fields |= {"code": result.problem.code, "sentence": str(result.problem)}
    if result.asked is not None:
        operation = result.asked.operation
        fields |= {
            "operation_id": operation.operation_id,
            "request_id": operation.request_id,
            "step": operation.step.value,
            "amount_minor": operation.amount_minor,
            "currency": operation.currency,
            "asked_by": operation.asked_by,
            "asked_at": operation.asked_at,
            "answer": operation.answer,
            "state": result.asked.submission.state.value,
        }
    return fields
