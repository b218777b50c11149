"""`mitbatch doctor`: every look in turn, each line as it is there, then what to do, then one line with all counts."""

import difflib
from collections.abc import Callable, Iterator, Sequence

from batch.equipment import Clock
from jobs.clock import SystemClock
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, failed
from jobs.doctor.telling import Told
from jobs.output import Options
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from schemas.errors import InternalError, MitbatchError, UsageRefused


def run_doctor(
    options: Options,
    names: Sequence[str],
    *,
    offline: bool = False,
    strict: bool = False,
    probe: bool = False,
    show_key: bool = False,
    is_part: bool = False,
    clock: Clock | None = None,
) -> int:
    """Look at everything, or at the groups that are named. Sends no order, takes no lease, makes no ledger.

    Returns 0 without a failure, 30 when an identity failed (host key, environment, ledger), 78 for any other failure, or,
    with `strict`, for a warning. `is_part` says that the command goes on after it.
    Raises UsageRefused for a group that does not exist.
    """
    groups = _groups(names, show_key=show_key)
    around = of_this_machine(clock or SystemClock())
    told = Told(options, around)
    try:
        settings = load_settings(options.config)
    except MitbatchError as problem:
        told.begin(None)
        told.tell(Group.CONFIG, failed("settings", str(options.config), problem))
        return told.end(strict=strict, is_part=is_part)
    round_ = Examination(options.config, settings, around, groups, is_offline=offline, may_probe=probe, shows_key=show_key)
    told.begin(settings)
    for group in groups:
        for finding in _looked(_looks()[group], round_):
            told.tell(group, finding)
    told.shown_keys = round_.shown_keys
    return told.end(strict=strict, is_part=is_part)


def _looked(look: Callable[[Examination], Iterator[Finding]], round_: Examination) -> Iterator[Finding]:
    """A group's findings; a mistake of our own in one group is a failure of it, and the others are looked at all the same."""
    try:
        yield from look(round_)
    except MitbatchError as problem:
        yield failed("look", "broke off", problem)
    except Exception as error:  # noqa: BLE001 - told with its kind alone, whose text may hold anything
        yield failed(
            "look", "broke off", InternalError(f"A mistake in the doctor ({type(error).__name__}).", next_step="Report it.")
        )


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
    from jobs.doctor.machine_checks import look_at_clock, look_at_disk
    from jobs.doctor.schedule_checks import look_at_ping, look_at_schedule
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
