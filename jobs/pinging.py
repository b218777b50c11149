"""Who is told how a night went: `alerts.ping_url` of each nightly and rerun, `alerts.attention_url` of what needs a person.

Only nights ping the first: a poll that goes well must not hide a night that did not. What is sent names no order and no
person: the summary without its warnings, of those the codes alone, and the whole audit head, which anchors it outside.
"""

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
Made = TypeVar("Made")


class Pings:
    """The pings of one run. What goes wrong with them stands in `problems`, one sentence each, and touches nothing else."""

    def __init__(self, settings: Settings, job: str, sleep: Callable[[float], None]) -> None:
        alerts = settings.alerts
        self._night = Ping(alerts.ping_url if job in NIGHTS else "", sleep)
        self._items = Ping(alerts.attention_url, sleep)
        self._settings = settings
        self.problems: list[str] = []

    def around(self, work: Callable[[], Made]) -> Made:
        """Do the work between the start and, where it is refused at the door, the end."""
        self._note(self._night.start())
        try:
            return work()
        except NightDone:
            self._note(self._night.end(ExitCode.ANOTHER_RUN, "the night of this date is done"))
            raise
        except MitbatchError as problem:
            code = problem.exit_code
            self._note(self._night.end(code, f"{problem.code}\nEXIT {int(code)} {EXIT_MEANINGS[code]}"))
            raise
        except Exception:
            self._note(self._night.end(ExitCode.INTERNAL, f"EXIT 70 {EXIT_MEANINGS[ExitCode.INTERNAL]}"))
            raise

    def tell(self, report: RunReport) -> None:
        """Tell how the run ended, and whether anything needs a person."""
        self._note(self._night.end(report.code, body_of(report, self._settings)))
        needs = [line for line in body_of(report, self._settings).splitlines() if line.startswith(("NEED", "mitbatch"))]
        self._note(self._items.end(ExitCode.NEEDS_PERSON if report.items else ExitCode.CLEAN, "\n".join(needs)))

    def _note(self, problem: str) -> None:
        if problem and problem not in self.problems:
            self.problems.append(problem)


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
