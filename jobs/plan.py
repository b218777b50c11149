"""`--dry-run`: what a nightly would do now, in figures; it writes nothing and takes no lease."""

from collections import Counter
from dataclasses import dataclass, field

from batch.choosing import is_of_cit, verdicts
from batch.equipment import Clock, Equipment
from batch.gate import Verdict
from batch.ledger import Batch
from batch.ledger.batches import unsent_batches
from batch.left_over_copies import has_any_to_send
from batch.modes import refuse_changed_mode
from batch.pace import utc_text
from batch.permission import switches_now
from jobs.assembly import assemble
from jobs.banner import banner
from jobs.by_hand import show_dry_run
from jobs.clock import SystemClock
from jobs.night import checked_date
from jobs.output import Options, answer
from jobs.settings_file import load_settings
from jobs.surroundings import of_this_machine
from jobs.switch_lines import switch_lines
from schemas.counted import counted
from schemas.errors import ExitCode
from schemas.money import people_text
from schemas.settings import Settings


@dataclass(slots=True)
class _Going:
    """What would leave by one way: how many orders, and their amounts by currency (minor units)."""

    orders: int = 0
    amounts: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """One more order goes this way."""
        self.orders += 1
        self.amounts[verdict.currency] += verdict.amount_minor or 0


@dataclass(slots=True)
class _Plan:
    """Every candidate's fate: what would go as files and what by calls, and why the others would not."""

    by_file: _Going = field(default_factory=_Going)
    by_call: _Going = field(default_factory=_Going)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def orders(self) -> int:
        """How many orders would go."""
        return self.by_file.orders + self.by_call.orders

    @property
    def amounts(self) -> Counter[str]:
        """Their amounts by currency."""
        return self.by_file.amounts + self.by_call.amounts


def show_plan(options: Options, day: str, clock: Clock | None = None, *, command: str = "nightly") -> int:
    """What a nightly or rerun would do now: every candidate's fate in figures. Writes nothing, takes no lease, sends nothing."""
    settings = load_settings(options.config)
    clock = clock or SystemClock()
    day = checked_date(day, settings, clock.now())
    with assemble(settings, of_this_machine(clock), writes=False) as workshop:
        equipment = workshop.equipment
        refuse_changed_mode(equipment)
        plan = _judge(equipment, day)
        with equipment.ledger.reading() as connection:
            unsent = unsent_batches(connection, equipment.ledger.mid)
        left = [batch for batch in unsent if has_any_to_send(equipment, batch)]
        off = switch_lines(switches_now(equipment))
    show_dry_run(options, [*_lines(command, plan, left, day, settings), *off])
    files = _files(plan, settings)
    answer(
        options,
        {
            "schema": "mitbatch.plan/1",
            "type": "result",
            "command": command,
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "dry_run": True,
            "business_date": day,
            "not_sent": dict(plan.reasons),
            "would_send": {"orders": plan.orders, "amount_minor": dict(sorted(plan.amounts.items()))},
            "channels": {"sftp": {**_object(plan.by_file), "files": files}, "api": _object(plan.by_call)},
            "left_from_before": [batch.file_name for batch in left],
            "exit_code": int(ExitCode.CLEAN),
        },
    )
    return int(ExitCode.CLEAN)


def _judge(equipment: Equipment, day: str) -> _Plan:
    """MIT go by their channel, CIT by calls always (CONTRACT 6.1)."""
    plan, by_call = _Plan(), equipment.settings.channels.evaluate == "api"
    for page in verdicts(equipment, day):
        for verdict, _ in page:
            if verdict.selected:
                (plan.by_call if by_call or is_of_cit(verdict) else plan.by_file).add(verdict)
            else:
                plan.reasons[verdict.reason.value] += 1
    return plan


def _lines(command: str, plan: _Plan, left: list[Batch], day: str, settings: Settings) -> list[str]:
    skipped = sum(plan.reasons.values())
    money = "   ".join(people_text(minor, currency) for currency, minor in sorted(plan.amounts.items()))
    why = " · ".join(f"{name} {n:,}" for name, n in sorted(plan.reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    return [
        banner(command, day, settings),
        f"candidates      {counted(plan.orders + skipped, 'order', width=7)}",
        f"not sent        {counted(skipped, 'order', width=7)}   {why}",
        f"would be sent   {counted(plan.orders, 'order', width=7)}   {money}   {_ways(plan, settings)}",
        f"left from before {_left(left)}",
    ]


def _files(plan: _Plan, settings: Settings) -> int:
    return -(-plan.by_file.orders // settings.channels.max_rows_per_file)


def _ways(plan: _Plan, settings: Settings) -> str:
    ways = [f"{plan.by_file.orders:,} in {counted(_files(plan, settings), 'file')}"] if plan.by_file.orders else []
    return " and ".join([*ways, *([f"{plan.by_call.orders:,} over the API"] if plan.by_call.orders else [])])


def _left(left: list[Batch]) -> str:
    """What an earlier run left over and this one would bring on its way; copies of good charges are named as such."""
    counts = Counter((batch.kind, batch.is_of_calls) for batch in left)
    words: list[str] = []
    for (kind, is_of_calls), count in sorted(counts.items()):
        what = ("group of calls", "groups of calls") if is_of_calls else ("file", "files")
        words.append(counted(count, *what, width=0 if words else 6) + (" of copies" if kind == "transmit" else ""))
    return " and ".join(words) or f"{0:>6} files"


def _object(going: _Going) -> dict[str, object]:
    return {"orders": going.orders, "amount_minor": dict(sorted(going.amounts.items()))}
