"""`mitbatch cancel` and `mitbatch capture`: one order, a reason, what it will do, a person's word, and then the provider."""

from collections.abc import Callable
from datetime import timedelta

from batch.cancelling import cancel_order, check_cancel
from batch.capturing import capture_order, check_capture
from batch.equipment import Clock, Equipment
from batch.ledger import Submission
from batch.ledger.captures import authorised_at
from batch.pace import business_date, from_utc_text, utc_text
from jobs.action_lines import show_results
from jobs.actions import Make, Request, run_requests
from jobs.assembly import assemble
from jobs.banner import banner
from jobs.by_hand import ask_for_word, checked_reason, show_dry_run, this_person
from jobs.clock import SystemClock
from jobs.holds import check_order_id
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from schemas.counted import counted
from schemas.errors import ExitCode
from schemas.money import people_text
from schemas.operations import OperationKind
from schemas.settings import Settings


def cancel(
    options: Options,
    order_id: str,
    *,
    reason: str,
    external: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    clock: Clock | None = None,
) -> int:
    """Ask the provider to stop an order. One that we stopped before is left alone, and said so. Returns the exit code."""
    clock, reason = clock or SystemClock(), checked_reason(reason)
    settings = load_settings(options.config)

    def effects(equipment: Equipment) -> list[str]:
        submission, before = check_cancel(equipment, order_id, external=external)
        if before is not None:
            words = f"Order {order_id!r} was cancelled already, at {before.settled_at}; nothing is asked for."
            say(options, [words])
            answer(options, {**_head(settings, "cancel", clock), "order_id": order_id, "result": "repeated", "sentence": words})
            return []
        how = f"by its id {submission.provider_order_id}" if not external else "by our own id (external-cancel)"
        return [
            f"The provider is asked to stop order {order_id!r} ({_amount(submission)}, {submission.state}), {how}.",
            "Then it is read: cancelled releases its hold; completed all the same puts it under review, with a refund proposed.",
        ]

    def make(person: str) -> Make:
        return lambda equipment, run: cancel_order(equipment, run, order_id, reason=reason, asked_by=person, external=external)

    return _act(options, settings, OperationKind.CANCEL, order_id, effects, make, dry_run=dry_run, yes=yes, clock=clock)


def capture(
    options: Options, order_id: str, *, reason: str, dry_run: bool = False, yes: bool = False, clock: Clock | None = None
) -> int:
    """Take the full amount of an authorised order. Returns the exit code."""
    clock, reason = clock or SystemClock(), checked_reason(reason)
    settings = load_settings(options.config)

    def effects(equipment: Equipment) -> list[str]:
        submission = check_capture(equipment, order_id)
        return [
            f"The full amount of order {order_id!r}, {_amount(submission)}, is captured at the provider; then the order is read.",
            capture_window(equipment, submission),
        ]

    def make(person: str) -> Make:
        return lambda equipment, run: capture_order(equipment, run, order_id, reason=reason, asked_by=person)

    return _act(options, settings, OperationKind.CAPTURE, order_id, effects, make, dry_run=dry_run, yes=yes, clock=clock)


def capture_window(equipment: Equipment, submission: Submission) -> str:
    """Until when an authorisation can be captured, as far as we can know: since when we know of it, and the longest window."""
    with equipment.ledger.reading() as connection:
        since = authorised_at(connection, equipment.ledger.mid, submission.order_id)
    hours = equipment.profile.payments.capture_window_hours
    if not since:
        return f"An authorisation is voided after at most {counted(hours, 'hour')}."
    until = utc_text(from_utc_text(since) + timedelta(hours=hours))
    return f"It was first seen authorised at {since}; the provider voids it by {until} at the latest, perhaps much sooner."


def _act(
    options: Options,
    settings: Settings,
    kind: OperationKind,
    order_id: str,
    effects: Callable[[Equipment], list[str]],
    make: Callable[[str], Make],
    *,
    dry_run: bool,
    yes: bool,
    clock: Clock,
) -> int:
    check_order_id(order_id)
    today = business_date(clock.now(), settings.schedule.timezone)
    with assemble(settings, of_this_machine(clock), writes=False) as workshop:
        lines = effects(workshop.equipment)
    if not lines:
        return int(ExitCode.CLEAN)
    if dry_run:
        show_dry_run(options, [banner(kind.value, today, settings), *lines])
        fields = {"dry_run": True, "order_id": order_id, "effects": lines, "exit_code": int(ExitCode.CLEAN)}
        answer(options, {**_head(settings, kind.value, clock), **fields})
        return int(ExitCode.CLEAN)
    ask_for_word([banner(kind.value, today, settings), *lines], yes=yes)
    request = Request(order_id, make(this_person()))
    report, results = run_requests(settings, options, kind, [request], clock=clock)
    return show_results(options, settings, kind, report, results)


def _head(settings: Settings, command: str, clock: Clock) -> dict[str, object]:
    return {
        "schema": f"mitbatch.{command}/1",
        "type": "result",
        "command": command,
        "run_id": "",
        "generated_at": utc_text(clock.now()),
        "environment": settings.environment,
    }


def _amount(submission: Submission) -> str:
    return people_text(submission.amount_minor, submission.currency)
