"""The summary of a run: one fact a line, every line greppable, the last one the whole verdict; or the same as one object."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from batch.book_entries import Total
from batch.books import Balance
from batch.pace import utc_text
from jobs.alert_lines import alert_lines
from jobs.banner import banner
from jobs.report.drawing import INSTALL
from jobs.running import RunReport
from jobs.switch_lines import switch_lines
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode
from schemas.money import people_text
from schemas.plain_text import one_line
from schemas.settings import Settings

LABEL = 16
MOST_ALIKE = 3
"""So many of one kind are named; how many more there are is told."""


def people_lines(report: RunReport, settings: Settings) -> list[str]:
    """The summary for people and cron mails: no customer's ids, in this order always, ending with `EXIT`."""
    figures = report.figures
    lines = [
        banner(report.job, report.business_date, settings, report.run_id),
        _line("started", f"{utc_text(report.started_at)}   finished {utc_text(report.finished_at)}   {_took(report)}"),
    ]
    if report.job in {"nightly", "rerun"}:
        reasons = sorted(figures.not_sent.items(), key=lambda pair: (-orders_of(pair[1]), pair[0]))
        lines += [
            _line("candidates", _amounts(figures.candidates)),
            _line("not sent", _amounts(_sum(figures.not_sent.values())), _counts((n, orders_of(t)) for n, t in reasons)),
            _line("held", _amounts(figures.held)),
            _line(
                "sent",
                f"{_amounts(figures.sent)}   {_ways(report)}",
                of_this_run(report),
            ),
            *_calls(report),
            _line(
                "acknowledged",
                f"{orders_of(figures.acknowledged_pending):,} pending, {orders_of(figures.acknowledged_rejected):,} rejected",
            ),
        ]
    lines += [
        _line("answers", f"{figures.answered:,}", _answers(report)),
        _line("written back", f"{figures.written_back:,} of {figures.answered:,}"),
        *(_balance_line(currency, balance) for currency, balance in figures.balances.items()),
        *_overdue(report),
        *_repeated(report),
        *_rejected(report),
        *switch_lines(report.switches),
        *alert_lines(report.items, report.run_id),
        *problem_lines(report),
        *([f"WARN  {report.metrics_problem}"] if report.metrics_problem else []),
        *_needs(report),
    ]
    if report.audit is not None:
        head = f"{report.audit.head[:4]}…{report.audit.head[-2:]}"
        page = f"report {report.audit.page}" if report.audit.page else f"no report: {INSTALL}"
        lines.append(_line("audit", f"{report.audit.folder}   head {head}", page))
    return [*lines, f"EXIT {int(report.code)} {verdict(report)}"]


def _ways(report: RunReport) -> str:
    figures = report.figures
    ways = [f"in {_files(figures.delivered_files)}"] if figures.delivered_files or not figures.called else []
    return " and ".join([*ways, *([f"{figures.called:,} over the API"] if figures.called else [])])


def _calls(report: RunReport) -> list[str]:
    """What became of the calls: shown as soon as there were any."""
    figures, findings = report.figures, report.findings
    if not (figures.called or figures.called_in_doubt or findings.doubtful or findings.uncalled):
        return []
    facts = f"{figures.called:,} answered ({findings.called:,} by this run), in doubt {figures.called_in_doubt:,}"
    return [_line("calls", facts, f"not called yet {findings.uncalled:,}" if findings.uncalled else "")]


def problem_lines(report: RunReport) -> list[str]:
    """The problems of a run, one line each; of many with one code the first three, and how many more there are."""
    seen: dict[str, int] = {}
    lines = []
    for problem in report.findings.problems:
        seen[problem.code] = seen.get(problem.code, 0) + 1
        if seen[problem.code] <= MOST_ALIKE:
            lines.append(f"WARN  {problem}")
    more = ((code, count - MOST_ALIKE) for code, count in seen.items() if count > MOST_ALIKE)
    return [*lines, *(f"WARN  {count:,} more of {code}; --json has all" for code, count in more)]


def of_this_run(report: RunReport) -> str:
    """The files of the date, and how many of them this very run delivered."""
    figures, now = report.figures, len(report.findings.delivered)
    return f"delivered {figures.delivered_files} ({now} by this run), in doubt {figures.in_doubt_files}"


def verdict(report: RunReport) -> str:
    """The exit code in words."""
    if report.code is ExitCode.NEEDS_PERSON:
        return f"done, {counted(len(report.items), 'item needs', 'items need')} a person"
    if report.code is ExitCode.CLEAN and report.items:
        return f"clean; {counted(len(report.items), 'item waits', 'items wait')} for a person, none new or overdue"
    return EXIT_MEANINGS[report.code]


def _line(label: str, *facts: str) -> str:
    return (label.ljust(LABEL) + "   ".join(fact for fact in facts if fact)).rstrip()


def _amounts(totals: Mapping[str, Total]) -> str:
    orders = counted(orders_of(totals), "order", width=7)
    named = ((currency, total) for currency, total in sorted(totals.items()) if currency)
    return "   ".join([orders, *(people_text(total.amount_minor, currency) for currency, total in named)])


def orders_of(totals: Mapping[str, Total]) -> int:
    """How many orders, over all currencies: orders may be added, amounts never."""
    return sum(total.orders for total in totals.values())


def _sum(many: Iterable[Mapping[str, Total]]) -> dict[str, Total]:
    summed: dict[str, Total] = {}
    for totals in many:
        for currency, total in totals.items():
            summed[currency] = summed[currency] + total if currency in summed else total
    return summed


def _counts(pairs: Iterable[tuple[str, int]]) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in pairs)


def _files(count: int) -> str:
    return counted(count, "file")


def _answers(report: RunReport) -> str:
    words = []
    for state, totals in report.figures.answers.items():
        amounts = ", ".join(people_text(t.amount_minor, currency) for currency, t in sorted(totals.items()))
        words.append(f"{state} {orders_of(totals):,}" + (f" ({amounts})" if state == "completed" and amounts else ""))
    return " · ".join(words)


def _balance_line(currency: str, balance: Balance) -> str:
    names = (("opening", ""), ("claimed", "+ "), ("reopened", "+ "), ("released", "- "), ("completed", "- "), ("closing", "= "))
    words = [
        f"{sign}{name} {getattr(balance, name).orders:,}" for name, sign in names if name != "reopened" or balance.reopened.orders
    ]
    return _line(
        f"balance {currency}", " ".join(words), f"{people_text(balance.closing.amount_minor, currency)} open", _mark(balance)
    )


def _mark(balance: Balance) -> str:
    return "ok" if balance.balanced else "DOES NOT CLOSE"


def _overdue(report: RunReport) -> list[str]:
    late = report.overdue
    if not late.totals:
        return []
    days, hours = late.oldest.days, late.oldest.seconds // 3600
    return [_line("overdue", _amounts(late.totals), f"oldest {days}d {hours}h past its expiry")]


def _rejected(report: RunReport) -> list[str]:
    rejected = orders_of(report.figures.acknowledged_rejected)
    if not rejected or report.audit is None:
        return []
    words = counted(rejected, "row was", "rows were")
    return [f"WARN  {words} rejected by the provider: MB-ROW-REJECTED   {report.audit.folder / 'submissions.csv'}"]


def first_ids(subjects: Sequence[str]) -> str:
    """The first three of many, as in ` (000471, 000472, 000473, ...)`; empty for none."""
    ids = [one_line(subject.partition(":")[2] or subject) for subject in subjects[:MOST_ALIKE]]
    return f" ({', '.join([*ids, *(['...'] if len(subjects) > MOST_ALIKE else [])])})" if ids else ""


def _repeated(report: RunReport) -> list[str]:
    files = report.findings.not_repeated
    return (
        [_line("not repeated", f"{_files(len(files))} of this date left before: {', '.join(files[:3])}")]
        if files and report.job == "rerun"
        else []
    )


def _needs(report: RunReport) -> list[str]:
    if not report.items:
        return []
    kinds: dict[str, list[str]] = {}
    for item in report.items:
        kinds.setdefault(item.kind.value, []).append(item.subject)
    counts = " · ".join(f"{kind} {len(subjects):,}{first_ids(subjects)}" for kind, subjects in sorted(kinds.items()))
    needed = counted(len(report.items), "item needs", "items need")
    overdue = f", {report.overdue_items:,} overdue" if report.overdue_items else ""
    return [f"NEED  {needed} a person ({report.new_items:,} new{overdue}): {counts}: mitbatch review list"]


def _took(report: RunReport) -> str:
    seconds = int(timedelta.total_seconds(report.finished_at - report.started_at))
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes}m{seconds:02d}s"
