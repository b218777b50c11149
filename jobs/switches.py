"""`mitbatch switch`, `pause` and `resume`: written at once, whoever is at work; finance's files follow when nobody is.

They need the ledger and nothing else: no key, no server, no order system, for who stops sending may have lost any of these.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from batch.findings import gravest
from batch.ledger import Ledger
from batch.ledger.identity import Identity, check_account, is_tied
from batch.ledger.switches import SwitchRun, SwitchWanted, turn
from batch.pace import business_date, utc_text
from batch.switching import SENDING, SITE, switch_names
from jobs.assembly import api_url, assemble, load_profile, open_ledger_alone
from jobs.banner import banner
from jobs.by_hand import ask_for_word, checked_reason, show_dry_run, this_person
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.running import run_job
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from jobs.switch_lines import called, is_on_in_file
from schemas.errors import (
    EXIT_MEANINGS,
    AnotherRunActive,
    ExitCode,
    InternalError,
    MitbatchError,
    ReportNotDrawn,
    UsageRefused,
)
from schemas.settings import Settings

_ON_OFF = {"on": True, "off": False}


def turn_switch(
    options: Options,
    name: str,
    to: str,
    *,
    reason: str,
    confirm: str = "",
    dry_run: bool = False,
    yes: bool = False,
    around: Surroundings | None = None,
) -> int:
    """Turn one switch. Returns the exit code. Raises UsageRefused for a name that is none, and where a word is missing."""
    if to not in _ON_OFF:
        raise UsageRefused(f"A switch is on or off, not {to[:20]!r}.", next_step="See: mitbatch switch --help")
    settings = load_settings(options.config)
    _check_name(settings, name)
    is_severe = name == "mit" and to == "off" and settings.environment == "production"
    if is_severe and not dry_run and confirm.lower() != settings.provider.mid:
        raise UsageRefused(
            "This stops every recurring order in production, so the whole merchant id must be typed.",
            next_step=f"Add --confirm {settings.provider.mid} if that is meant.",
        )
    effects = _effects_of_switch(settings, name, on=_ON_OFF[to])
    return _act(options, settings, "switch", name, _ON_OFF[to], effects, reason, dry_run, yes, around)


def turn_sending(
    options: Options,
    *,
    on: bool,
    reason: str,
    dry_run: bool = False,
    yes: bool = False,
    around: Surroundings | None = None,
) -> int:
    """Pause sending, or let it go on. Returns the exit code."""
    effects = (
        ["Sending goes on: the next nightly hands over what is due, and files that waited go on their way."]
        if on
        else [
            "Nothing new is sent from the next order on, by no run: no order, no copy; what is claimed and not sent is freed.",
            "Outcomes are still collected and written back; cancels, captures and refunds still work.",
        ]
    )
    settings = load_settings(options.config)
    return _act(options, settings, "resume" if on else "pause", SENDING, on, effects, reason, dry_run, yes, around)


@dataclass(frozen=True, slots=True)
class Turned:
    """What came of it: whether anything changed, the run that stands for it, and what kept finance's files from showing it."""

    changed: bool
    run_id: str
    problems: tuple[MitbatchError, ...] = ()

    @property
    def code(self) -> ExitCode:
        """Another run at work is nothing amiss: the switch stands, and finance's files follow by themselves."""
        amiss = [problem.exit_code for problem in self.problems if not isinstance(problem, AnotherRunActive)]
        return gravest([ExitCode.CLEAN, *amiss])


def carry_out(settings: Settings, around: Surroundings, command: str, wanted: SwitchWanted) -> Turned:
    """Write it down, outside the lease; then finance's files, if no other run is at work: else that one's next does.

    Raises UsageRefused before the first run. Once the switch stands nothing is raised any more: what goes wrong is told.
    """
    run_id, today = around.new_run_id(), business_date(around.clock.now(), settings.schedule.timezone)
    with open_ledger_alone(settings, clock=around.clock, make_engine=around.make_engine) as ledger:
        _check_ledger(settings, ledger)
        changed = turn(ledger, SwitchRun(run_id, command, today), wanted)
    if not changed:
        return Turned(changed, run_id)
    try:
        with assemble(settings, around) as workshop:
            report = run_job(workshop, "switch", today, lambda _equipment, _run, _findings: None)
    except MitbatchError as problem:
        return Turned(changed, run_id, (_as_waiting(problem, today),))
    return Turned(changed, run_id, tuple(_as_waiting(problem, today) for problem in report.findings.problems))


def _as_waiting(problem: MitbatchError, today: str) -> MitbatchError:
    """The switch stands whatever the problem was: what waits is finance's files, and there is a command for those."""
    if isinstance(problem, ReportNotDrawn | InternalError):
        return problem  # the files are written
    waits_for_run = isinstance(problem, AnotherRunActive)
    first = "" if waits_for_run else problem.next_step or f"See: mitbatch explain {problem.code}."
    then = "Nothing has to be done; sooner, once it has ended" if waits_for_run else "Then"
    problem.now = f"The switch stands; finance's files of {today} do not show it yet, the next run writes them."
    problem.next_step = f"{first} {then}: mitbatch audit export --from {today}".strip()
    return problem


def _act(
    options: Options,
    settings: Settings,
    command: str,
    name: str,
    on: bool,  # noqa: FBT001 - the word of the command line
    effects: list[str],
    reason: str,
    dry_run: bool,  # noqa: FBT001 - as above
    yes: bool,  # noqa: FBT001 - as above
    around: Surroundings | None,
) -> int:
    around, why = around or of_this_machine(SystemClock()), checked_reason(reason)
    first = banner(command, business_date(around.clock.now(), settings.schedule.timezone), settings)
    fields = {"switch": name, "on": on, "reason": why, "by": this_person(), "effects": effects}
    if dry_run:
        show_dry_run(options, [first, *effects])
        answer(options, {**_head(settings, command, around), **fields, "problems": [], "dry_run": True, "exit_code": 0})
        return int(ExitCode.CLEAN)
    ask_for_word([first, *effects], yes=yes)
    turned = carry_out(settings, around, command, SwitchWanted(name, on, why, this_person()))
    code, warnings = turned.code, [f"WARN  {problem}" for problem in turned.problems]
    is_now = "paused" if name == SENDING and not on else "on" if on else "off"
    words = f"{called(name)} is {is_now} from now on." if turned.changed else f"{called(name)} was {is_now} before."
    say(options, [words, *warnings, "next  mitbatch status", f"EXIT {int(code)} {EXIT_MEANINGS[code]}"])
    ended = {"run_id": turned.run_id, "changed": turned.changed, "exit_code": int(code)}
    answer(options, {**_head(settings, command, around), **fields, "problems": _objects(turned.problems), **ended})
    return int(code)


def _objects(problems: Iterable[MitbatchError]) -> list[dict[str, str]]:
    return [{"code": problem.code, "sentence": str(problem)} for problem in problems]


def _check_name(settings: Settings, name: str) -> None:
    names = [each for each in switch_names(settings) if each != SENDING]
    if name in names:
        return
    near = difflib.get_close_matches(name, [*names, *(site.name for site in settings.sites)], n=1)
    meant = f"Did you mean {near[0] if near[0] in names else SITE + near[0]}? " if near else ""
    raise UsageRefused(f"There is no switch {name[:60]!r}.", next_step=f"{meant}There are: {', '.join(names)}.")


def _effects_of_switch(settings: Settings, name: str, *, on: bool) -> list[str]:
    if not on:
        return [
            f"{called(name)} goes off: no order of it is sent any more, from the next order on, by no run at work either;"
            " what is claimed and not sent is freed.",
            "Outcomes are still collected and written back.",
        ]
    file = [] if is_on_in_file(settings, name) else ["The settings file says off, so it stays off until the file says on."]
    return [f"{called(name)} goes on: the next nightly hands over what is due.", *file]


def _check_ledger(settings: Settings, ledger: Ledger) -> None:
    url = api_url(settings, load_profile(settings))
    check_account(ledger, Identity(settings.environment, url, settings.provider.mid, ""))
    if not is_tied(ledger):
        raise UsageRefused(
            "There is no ledger yet, because no run has been made with these settings; nothing was switched.",
            next_step="Before the first nightly, set switches, or a site's enabled, in the settings file.",
        )


def _head(settings: Settings, command: str, around: Surroundings) -> dict[str, object]:
    return {
        "schema": f"mitbatch.{command}/1",
        "type": "result",
        "command": command,
        "run_id": "",
        "generated_at": utc_text(around.clock.now()),
        "environment": settings.environment,
    }
