"""The summary of a run for machines: the same facts as one object, amounts in minor units."""

from collections.abc import Mapping
from typing import Any

from batch.book_entries import Total
from batch.books import Balance
from batch.pace import utc_text
from jobs.alert_lines import alert_objects
from jobs.report_lines import orders_of
from jobs.running import RunReport
from jobs.switch_lines import switch_object
from schemas.settings import Settings


def machine_object(report: RunReport, settings: Settings) -> dict[str, Any]:
    """The same facts for machines; amounts are integer minor units by currency. Fields are only ever added."""
    figures = report.figures
    return {
        "schema": f"mitbatch.{report.job}/1",
        "type": "result",
        "command": report.job,
        "run_id": report.run_id,
        "generated_at": utc_text(report.finished_at),
        "environment": settings.environment,
        "mid": settings.provider.mid,
        "business_date": report.business_date,
        "started_at": utc_text(report.started_at),
        "candidates": totals_object(figures.candidates),
        "not_sent": {reason: totals_object(totals) for reason, totals in sorted(figures.not_sent.items())},
        "held": totals_object(figures.held),
        "sent": totals_object(figures.sent),
        "files": {"delivered": report.findings.delivered, "undelivered": report.findings.undelivered},
        "calls": {
            "answered": report.findings.called,
            "without_clear_answer": report.findings.doubtful,
            "not_made": report.findings.uncalled,
        },
        "acknowledged": {
            "pending": totals_object(figures.acknowledged_pending),
            "rejected": totals_object(figures.acknowledged_rejected),
        },
        "answers": {state: totals_object(totals) for state, totals in sorted(figures.answers.items())},
        "written_back": figures.written_back,
        "balance": {currency: _balance_object(balance) for currency, balance in sorted(figures.balances.items())},
        "overdue": {**totals_object(report.overdue.totals), "oldest_seconds": int(report.overdue.oldest.total_seconds())},
        "problems": [{"code": problem.code, "sentence": str(problem)} for problem in report.findings.problems],
        "metrics_problem": report.metrics_problem,
        "items": {"open": len(report.items), "new": report.new_items, "overdue": report.overdue_items},
        "alerts": alert_objects(report.items),
        "switches": switch_object(report.switches),
        "audit": str(report.audit.folder) if report.audit else None,
        "audit_head": report.audit.head if report.audit else None,
        "report": str(report.audit.page) if report.audit and report.audit.page else None,
        "exit_code": int(report.code),
    }


def totals_object(totals: Mapping[str, Total]) -> dict[str, Any]:
    """Orders, and their amounts by currency in minor units."""
    return {
        "orders": orders_of(totals),
        "amount_minor": {currency: total.amount_minor for currency, total in sorted(totals.items())},
    }


def _balance_object(balance: Balance) -> dict[str, Any]:
    names = ("opening", "claimed", "reopened", "released", "completed", "closing")
    lines = {
        name: {"orders": getattr(balance, name).orders, "amount_minor": getattr(balance, name).amount_minor} for name in names
    }
    return {**lines, "ok": balance.balanced}
