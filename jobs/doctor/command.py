"""`mitbatch doctor`: every look in turn, each line as it is there, then what to do, then one line with all counts."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from batch.equipment import Clock
from batch.pace import business_date, utc_text
from jobs.clock import SystemClock
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, Mark, failed
from jobs.output import Options, answer, say
from jobs.report_lines import banner
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode, MitbatchError, UsageRefused
from schemas.settings import Settings

_INDENT = " " * 16


def run_doctor(
    options: Options,
    names: Sequence[str],
    *,
    offline: bool = False,
    strict: bool = False,
    probe: bool = False,
    show_key: bool = False,
    clock: Clock | None = None,
) -> int:
    """Look at everything, or at the groups that are named. Sends no order, takes no lease, makes no ledger.

    Returns 0 without a failure, 30 when an identity failed (host key, environment, ledger), 78 for any other failure, or,
    with `strict`, for a warning. Raises UsageRefused for a group that does not exist.
    """
    groups = _groups(names, show_key=show_key)
    around = of_this_machine(clock or SystemClock())
    told = _Told(options, around)
    try:
        settings = load_settings(options.config)
    except MitbatchError as problem:
        told.begin(None)
        told.tell(Group.CONFIG, failed("settings", str(options.config), problem))
        return told.end(strict=strict)
    round_ = Examination(options.config, settings, around, groups, is_offline=offline, may_probe=probe, shows_key=show_key)
    told.begin(settings)
    for group in groups:
        for finding in _looks()[group](round_):
            told.tell(group, finding)
    told.shown_keys = round_.shown_keys
    return told.end(strict=strict)


def _groups(names: Sequence[str], *, show_key: bool) -> tuple[Group, ...]:
    for name in names:
        if name not in set(Group):
            near = difflib.get_close_matches(name, list(Group), n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise UsageRefused(f"There is no group {name!r}.{meant}", next_step=f"There are: {', '.join(Group)}.")
    chosen = tuple(group for group in Group if group.value in names) or tuple(Group)
    if show_key and Group.SFTP not in chosen:
        raise UsageRefused("--show-key is about the SFTP server.", next_step="Run: mitbatch doctor sftp --show-key")
    return chosen


def _looks() -> dict[Group, Callable[[Examination], Iterator[Finding]]]:
    from jobs.doctor.api_checks import look_at_api
    from jobs.doctor.database_checks import look_at_databases
    from jobs.doctor.ledger_checks import look_at_ledger_group
    from jobs.doctor.machine_checks import look_at_clock, look_at_disk, look_at_ping, look_at_schedule
    from jobs.doctor.settings_checks import look_at_config, look_at_secrets
    from jobs.doctor.sftp_checks import look_at_sftp
    from jobs.doctor.webhook_checks import look_at_webhook

    return {
        Group.CONFIG: look_at_config,
        Group.SECRETS: look_at_secrets,
        Group.DATABASE: look_at_databases,
        Group.LEDGER: look_at_ledger_group,
        Group.SFTP: look_at_sftp,
        Group.API: look_at_api,
        Group.WEBHOOK: look_at_webhook,
        Group.DISK: look_at_disk,
        Group.CLOCK: look_at_clock,
        Group.SCHEDULE: look_at_schedule,
        Group.PING: look_at_ping,
    }


class _Told:
    """What was found and printed so far."""

    def __init__(self, options: Options, around: Surroundings) -> None:
        self._options, self._around = options, around
        self._found: list[tuple[Group, Finding]] = []
        self._environment = ""
        self._held_back: list[str] = []
        self.shown_keys: list[str] = []

    def begin(self, settings: Settings | None) -> None:
        """The line that says where the doctor looks."""
        if settings is None:
            self._say(["mitbatch doctor"])
            return
        self._environment = settings.environment
        today = business_date(self._around.clock.now(), settings.schedule.timezone)
        self._say([banner("doctor", today, settings)])

    def tell(self, group: Group, finding: Finding) -> None:
        """Print one finding, as soon as it is there."""
        self._found.append((group, finding))
        lines = [f"{finding.mark.value:<6}{group.value:<10}{finding.look:<17}{finding.measured}".rstrip()]
        if finding.problem is not None:
            lines += [f"{_INDENT}{finding.problem.what}", f"{_INDENT}{_remedy(finding.problem)}"]
        self._say(lines)
        answer(self._options, {**self._head("finding"), "group": group.value, **_object(finding)})

    def end(self, *, strict: bool) -> int:
        """Print what to do, the counts and the code."""
        counts = {mark: sum(finding.mark is mark for _, finding in self._found) for mark in Mark}
        code = self._code(counts, strict=strict)
        self._say(self._to_do())
        numbers = [
            f"{counts[Mark.OK]} ok",
            counted(counts[Mark.WARN], "warning"),
            counted(counts[Mark.FAIL], "failure"),
            f"{counts[Mark.SKIP]} skipped",
        ]
        self._say([f"{counted(len(self._found), 'check')}: {', '.join(numbers)}", f"EXIT {int(code)} {_verdict(code, counts)}"])
        if self._options.quiet and code is not ExitCode.CLEAN:
            say(self._options, self._held_back)
        fields = {f"{mark.value}_count": count for mark, count in counts.items()}
        answer(self._options, {**self._head("result"), **fields, "known_hosts": self.shown_keys, "exit_code": int(code)})
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

    def _say(self, lines: list[str]) -> None:
        if self._options.quiet:
            self._held_back += lines
        else:
            say(self._options, lines)

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "schema": "mitbatch.doctor/1",
            "type": kind,
            "command": "doctor",
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
