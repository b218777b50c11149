"""`mitbatch lock`: what the ledger is locked to beside what the settings say, and changing the one into the other."""

from batch.departures import Departures
from batch.equipment import Clock
from batch.ledger import Ledger
from batch.ledger.identity import Identity, locked_identity
from batch.ledger.relocking import OpenNow, check_change, differences, relock
from batch.pace import business_date, utc_text
from jobs.assembly import check_departures, check_environment, identity_of, load_profile, open_ledger_alone
from jobs.banner import banner
from jobs.by_hand import ask_for_word, checked_reason, show_dry_run, this_person
from jobs.clock import SystemClock
from jobs.ledger_run import ledger_run
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.sftp_access import host_keys
from jobs.surroundings import Surroundings, of_this_machine
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode, UsageRefused
from schemas.settings import Settings

NAMES = ("environment", "api_url", "mid", "host_key")


def show_lock(options: Options, *, clock: Clock | None = None) -> int:
    """Print both sides and what differs. Reads only. Exit 0 = the same, or nothing is locked yet; 30 = they differ."""
    settings, around = load_settings(options.config), of_this_machine(clock or SystemClock())
    wanted = _wanted(settings)
    with open_ledger_alone(settings, clock=around.clock) as ledger:
        found = locked_identity(ledger)
    known, since = found or (None, "")
    differs = differences(known, wanted) if known is not None else []
    today = business_date(around.clock.now(), settings.schedule.timezone)
    lines = [
        banner("lock show", today, settings),
        f"locked      {f'since {since}' if known else 'not yet: the first nightly does it'}",
    ]
    for name in NAMES:
        lines += _side_by_side(name, getattr(known, name, ""), getattr(wanted, name), differs=name in differs)
    if differs:
        lines.append('NEED  go back to the old settings, or, where the change is meant: mitbatch lock update --reason "..."')
    code = ExitCode.REFUSED if differs else ExitCode.CLEAN
    say(options, lines)
    answer(
        options,
        {
            **_head(settings, around, "lock show"),
            "locked_since": since,
            "locked": {name: getattr(known, name) for name in NAMES} if known else {},
            "settings": {name: getattr(wanted, name) for name in NAMES},
            "differs": differs,
            "exit_code": int(code),
        },
    )
    return int(code)


def update_lock(options: Options, *, reason: str, dry_run: bool = False, yes: bool = False, clock: Clock | None = None) -> int:
    """Lock the ledger to what the settings say now, with an event that keeps who, why, and how it was.

    Raises UsageRefused where nothing is locked yet, DecisionRefused for what may not change, AnotherRunActive.
    """
    settings, around, reason = load_settings(options.config), of_this_machine(clock or SystemClock()), checked_reason(reason)
    check_environment(settings, load_profile(settings))
    wanted = _wanted(settings)
    today = business_date(around.clock.now(), settings.schedule.timezone)
    log = around.event_log(settings, around.clock)
    with open_ledger_alone(settings, clock=around.clock, log=log) as ledger:
        found = locked_identity(ledger)
        if found is None:
            raise UsageRefused("Nothing is locked yet; the first nightly locks the ledger to these settings.")
        known = found[0]
        differs = differences(known, wanted)
        open_now = check_change(ledger, known, wanted)  # another merchant's ledger knows nothing of what left here
        check_departures(ledger, Departures(settings.data_dir / "sent", around.disk))
        if not differs:
            lines = ["The ledger is locked to these settings already; nothing was changed."]
            lines = [banner("lock update", today, settings), *lines]
            if dry_run:
                show_dry_run(options, lines)
            else:
                say(options, [*lines, f"EXIT 0 {EXIT_MEANINGS[ExitCode.CLEAN]}"])
            answer(options, {**_head(settings, around, "lock update"), "changed": [], "exit_code": 0})
            return int(ExitCode.CLEAN)
        effects = [banner("lock update", today, settings), *_effects(known, wanted, differs, open_now)]
        fields = {"changed": differs, "reason": reason, "by": this_person()}
        if dry_run:
            show_dry_run(options, effects)
            answer(options, {**_head(settings, around, "lock update"), **fields, "dry_run": True, "exit_code": 0})
            return int(ExitCode.CLEAN)
        ask_for_word(effects, yes=yes)
        run_id = _change(ledger, settings, around, known, wanted, reason)
    say(
        options,
        ["The lock was changed. Next: mitbatch doctor, then mitbatch nightly.", f"EXIT 0 {EXIT_MEANINGS[ExitCode.CLEAN]}"],
    )
    answer(options, {**_head(settings, around, "lock update", run_id), **fields, "exit_code": 0})
    return int(ExitCode.CLEAN)


def _wanted(settings: Settings) -> Identity:
    keys = host_keys(settings.sftp) if settings.sftp is not None else ()
    return identity_of(settings, load_profile(settings), keys)


def _side_by_side(name: str, locked: str, wanted: str, *, differs: bool) -> list[str]:
    if not locked:
        return [f"{name:<12}{wanted or 'none'}"]
    if not differs:
        return [f"{name:<12}{locked}"]
    return [f"{name:<12}locked    {locked}", f"{'':<12}settings  {wanted}   DIFFERS"]


def _effects(known: Identity, wanted: Identity, differs: list[str], open_now: OpenNow) -> list[str]:
    lines = [f"{name}: was {getattr(known, name) or 'none'}, becomes {getattr(wanted, name)}" for name in differs]
    if open_now.orders:
        orders = counted(open_now.orders, "order is", "orders are")
        lines.append(f"{orders} open: from now on they are sent to, and asked for at, what the settings name.")
    if open_now.files and "host_key" in differs:
        files = counted(open_now.files, "file has", "files have")
        lines.append(f"{files} perhaps left: whether so is judged by what that server shows. Do this only if it is the same one.")
    return lines


def _change(ledger: Ledger, settings: Settings, around: Surroundings, known: Identity, wanted: Identity, reason: str) -> str:
    with ledger_run(ledger, settings, around, "lock") as run, ledger.writing(run) as writing:
        relock(writing, known, wanted, reason=reason, person=this_person())
    return run.run_id


def _head(settings: Settings, around: Surroundings, command: str, run_id: str = "") -> dict[str, object]:
    return {
        "schema": f"mitbatch.{command.replace(' ', '_')}/1",
        "type": "result",
        "command": command,
        "run_id": run_id,
        "generated_at": utc_text(around.clock.now()),
        "environment": settings.environment,
    }
