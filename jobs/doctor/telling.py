"""What a round of the doctor prints: a line for each finding as it is there, what to do, all counts, and the code."""

from typing import Any

from batch.pace import business_date, utc_text
from jobs.banner import banner
from jobs.doctor.finding import Finding, Group, Mark
from jobs.output import Options, answer, say
from jobs.surroundings import Surroundings
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode, MitbatchError
from schemas.settings import Settings

_INDENT = " " * 16


class Told:
    """What was found and printed so far."""

    def __init__(self, options: Options, around: Surroundings) -> None:
        self._options, self._around = options, around
        self._found: list[tuple[Group, Finding]] = []
        self._environment = ""
        self.shown_keys: list[str] = []

    def begin(self, settings: Settings | None) -> None:
        """The line that says where the doctor looks."""
        if settings is None:
            say(self._options, ["mitbatch doctor"])
            return
        self._environment = settings.environment
        today = business_date(self._around.clock.now(), settings.schedule.timezone)
        say(self._options, [banner("doctor", today, settings)])

    def tell(self, group: Group, finding: Finding) -> None:
        """Print one finding, as soon as it is there."""
        self._found.append((group, finding))
        lines = [f"{finding.mark.value:<6}{group.value:<10}{finding.look:<18}{finding.measured}".rstrip()]
        if finding.problem is not None:
            lines += [f"{_INDENT}{finding.problem.what}", f"{_INDENT}{_remedy(finding.problem)}"]
        say(self._options, lines)
        answer(self._options, {**self._head("finding"), "group": group.value, **_object(finding)})

    def end(self, *, strict: bool, is_part: bool = False) -> int:
        """Print what to do, the counts and the code; `is_part` says that the command goes on after this."""
        counts = {mark: sum(finding.mark is mark for _, finding in self._found) for mark in Mark}
        code = self._code(counts, strict=strict)
        say(self._options, self._to_do())
        numbers = [
            f"{counts[Mark.OK]} ok",
            counted(counts[Mark.WARN], "warning"),
            counted(counts[Mark.FAIL], "failure"),
            f"{counts[Mark.SKIP]} skipped",
        ]
        total = counted(len(self._found), "check")
        say(self._options, [f"{total}: {', '.join(numbers)}", f"EXIT {int(code)} {_verdict(code, counts)}"])
        fields = {f"{mark.value}_count": count for mark, count in counts.items()}
        head = self._head("summary" if is_part else "result")
        answer(self._options, {**head, **fields, "known_hosts": self.shown_keys, "exit_code": int(code)})
        return int(code)

    def _code(self, counts: dict[Mark, int], *, strict: bool) -> ExitCode:
        failures = [finding for _, finding in self._found if finding.mark is Mark.FAIL]
        if any(not finding.is_about_identity for finding in failures):
            return ExitCode.CONFIGURATION
        if failures:
            return ExitCode.REFUSED
        return ExitCode.CONFIGURATION if strict and counts[Mark.WARN] else ExitCode.CLEAN

    def _to_do(self) -> list[str]:
        """Every warning and failure once more, shortly, so that nobody has to scroll."""
        marks = {Mark.WARN: "WARN", Mark.FAIL: "FAIL"}
        lines = [
            f"{marks[finding.mark]}  {group.value} {finding.look}: {_remedy(finding.problem)}"
            for group, finding in self._found
            if finding.problem is not None
        ]
        for line in self.shown_keys:
            lines += ["The line for known_hosts, once the provider has confirmed the fingerprint over another channel:", line]
        return lines

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "schema": "mitbatch.doctor/1",
            "type": kind,
            "command": self._options.command,
            "run_id": "",
            "generated_at": utc_text(self._around.clock.now()),
            "environment": self._environment,
        }


def _remedy(problem: MitbatchError) -> str:
    return f"{problem.next_step or f'See: mitbatch explain {problem.code}'} [{problem.code}]"


def _object(finding: Finding) -> dict[str, str]:
    problem = finding.problem
    return {
        "look": finding.look,
        "mark": finding.mark.value,
        "measured": finding.measured,
        "cause": problem.what if problem else "",
        "next_step": problem.next_step if problem else "",
        "code": problem.code if problem else "",
    }


def _verdict(code: ExitCode, counts: dict[Mark, int]) -> str:
    if code is ExitCode.CLEAN:
        return "everything is fit" if not counts[Mark.WARN] else "fit, with warnings"
    return EXIT_MEANINGS[code]
