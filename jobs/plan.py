"""`--dry-run`: what a nightly would do now, in figures; it writes nothing and takes no lease."""

from collections import Counter

from batch.choosing import verdicts
from batch.equipment import Clock, Equipment
from batch.ledger.batches import unsent_batches
from batch.pace import utc_text
from jobs.assembly import assemble
from jobs.clock import SystemClock
from jobs.night import checked_date
from jobs.output import Options, answer, say
from jobs.report_lines import banner
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from schemas.errors import ExitCode
from schemas.money import people_text


def show_plan(options: Options, day: str, clock: Clock | None = None) -> int:
    """What a nightly would do now: every candidate's fate in figures. Writes nothing, takes no lease, sends nothing."""
    settings = load_settings(options.config)
    clock = clock or SystemClock()
    day = checked_date(day, settings, clock.now())
    with assemble(settings, of_this_machine(clock), writes=False) as workshop:
        equipment = workshop.equipment
        chosen, reasons, amounts = _judge(equipment, day)
        with equipment.ledger.reading() as connection:
            left = [batch.file_name for batch in unsent_batches(connection, equipment.ledger.mid, "evaluate")]
    most = settings.channels.max_rows_per_file
    files = -(-chosen // most)
    money = "   ".join(people_text(minor, currency) for currency, minor in sorted(amounts.items()))
    lines = [
        banner("nightly", day, settings),
        f"candidates      {chosen + sum(reasons.values()):>7,} orders",
        f"not sent        {sum(reasons.values()):>7,} orders   "
        + " · ".join(f"{name} {n:,}" for name, n in reasons.most_common()),
        f"would be sent   {chosen:>7,} orders   {money}   in {files:,} {'file' if files == 1 else 'files'}",
        f"left from before {len(left):>6,} files",
    ]
    say(options, [f"DRY RUN  {line.rstrip()}" for line in lines])
    answer(
        options,
        {
            "schema": "mitbatch.plan/1",
            "type": "result",
            "command": "nightly",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "dry_run": True,
            "business_date": day,
            "not_sent": dict(reasons),
            "would_send": {"orders": chosen, "amount_minor": dict(sorted(amounts.items()))},
            "left_from_before": left,
        },
    )
    return int(ExitCode.CLEAN)


def _judge(equipment: Equipment, day: str) -> tuple[int, Counter[str], Counter[str]]:
    chosen, reasons, amounts = 0, Counter[str](), Counter[str]()
    for page in verdicts(equipment, day):
        for verdict, _ in page:
            if verdict.selected:
                chosen += 1
                amounts[verdict.currency] += verdict.amount_minor or 0
            else:
                reasons[verdict.reason.value] += 1
    return chosen, reasons, amounts
