"""Who is told how a night went: `alerts.ping_url` of each nightly and rerun, `alerts.attention_url` of what needs a person.

A reconcile tells the first as well when it ends otherwise than cleanly; but only a night says there that it began or went
well, as nothing else may hide a night that did not. What is sent names no order and no person: the summary without its
warnings, of those the codes alone, and the whole audit head, which anchors it outside.
"""

import sys
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from jobs.alert_lines import alert_lines
from jobs.ping import Ping
from jobs.report_lines import people_lines
from jobs.running import RunReport
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode, MitbatchError, NightDone
from schemas.settings import Settings

NIGHTS = ("nightly", "rerun")
TROUBLES = ("reconcile",)
"""Jobs of which the dead man's switch of the nights hears only that they did not end cleanly."""
_BY_HAND = (ExitCode.USAGE, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
"""How a run of those ends by what a person did there: a word that was mistyped, or a stop. That wakes nobody."""
Made = TypeVar("Made")


class Pings:
    """The pings of one run. What goes wrong with them stands in `problems`, one sentence each, and touches nothing else."""

    def __init__(self, settings: Settings, job: str, sleep: Callable[[float], None]) -> None:
        alerts = settings.alerts
        self._night = Ping(alerts.ping_url if job in (*NIGHTS, *TROUBLES) else "", sleep)
        self._is_night = job in NIGHTS
        self._items = Ping(alerts.attention_url, sleep)
        self._settings = settings
        self.problems: list[str] = []

    def around(self, work: Callable[[], Made]) -> Made:
        """Do the work between the start and, where it is refused at the door, the end."""
        if self._is_night:
            self._note(self._night.start())
        try:
            return work()
        except NightDone:
            self._note(self._night.end(ExitCode.ANOTHER_RUN, "the night of this date is done"))
            raise
        except MitbatchError as problem:
            code = problem.exit_code
            if self._is_night or code not in _BY_HAND:
                self._note(self._night.end(code, f"{problem.code}\nEXIT {int(code)} {EXIT_MEANINGS[code]}"))
            raise
        except Exception:
            self._note(self._night.end(ExitCode.INTERNAL, f"EXIT 70 {EXIT_MEANINGS[ExitCode.INTERNAL]}"))
            raise

    def tell(self, report: RunReport) -> None:
        """Tell how the run ended, and whether anything needs a person."""
        if self._is_night or report.code not in (ExitCode.CLEAN, *_BY_HAND):
            self._note(self._night.end(report.code, body_of(report, self._settings)))
        needs = [line for line in body_of(report, self._settings).splitlines() if line.startswith(("NEED", "mitbatch"))]
        self._note(self._items.end(ExitCode.NEEDS_PERSON if report.items else ExitCode.CLEAN, "\n".join(needs)))

    def _note(self, problem: str) -> None:
        if problem and problem not in self.problems:
            self.problems.append(problem)


def pinged(
    settings: Settings, job: str, sleep: Callable[[float], None], work: Callable[[], tuple[RunReport, Made]]
) -> tuple[RunReport, Made]:
    """Do the work of one run and tell who is to be told; a ping that fails is a line on stderr."""
    pings = Pings(settings, job, sleep)
    try:
        report, made = pings.around(work)
        pings.tell(report)
    finally:
        for problem in pings.problems:
            sys.stderr.write(f"WARN  {problem}\n")
    return report, made


def body_of(report: RunReport, settings: Settings) -> str:
    """The summary as it may leave the house."""
    left_out = ("WARN", "NEED", "not repeated", "audit ")
    *shown, last = [line for line in people_lines(report, settings) if not line.startswith(left_out)]
    kinds = Counter(item.kind.value for item in report.items)
    needs = [f"NEED  {counted(len(report.items), 'item')}: {' · '.join(f'{k} {n:,}' for k, n in sorted(kinds.items()))}"] * bool(
        kinds
    )
    codes = Counter(problem.code for problem in report.findings.problems)
    warned = [f"WARN  {code} {count:,}" for code, count in sorted(codes.items())]
    warned += [f"WARN  switched off by hand: {name}" for name in report.switches.by_hand]
    head = [f"audit head      {report.audit.head}"] if report.audit is not None else []
    return "\n".join([*shown, *alert_lines(report.items, report.run_id), *warned, *needs, *head, last])
