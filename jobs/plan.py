"""`--dry-run`: what a nightly would do now, in figures; it writes nothing and takes no lease."""

from collections import Counter
from dataclasses import dataclass, field

from batch.choosing import is_of_cit, verdicts
from batch.equipment import Clock, Equipment
from batch.gate import Verdict
from batch.ledger import Batch
from batch.ledger.batches import unsent_batches
from batch.ledger.items import open_items
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
from schemas.reasons import ItemKind, Reason
from schemas.settings import Settings


@dataclass(slots=True)
class _Going:
    """What would leave by one way, or stay: how many orders, and their amounts by currency (minor units)."""

    orders: int = 0
    amounts: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """One more order goes this way. A row that says no amount counts without one."""
        self.orders += 1
        if verdict.currency:
            self.amounts[verdict.currency] += verdict.amount_minor or 0

    def words(self) -> str:
        """The orders and their amounts, as a line has them."""
        money = [people_text(minor, currency) for currency, minor in sorted(self.amounts.items())]
        return "   ".join([counted(self.orders, "order", width=7), *money])


@dataclass(slots=True)
class _Plan:
    """Every candidate's fate: what would go as files and what by calls, and why the others would not."""

    by_file: _Going = field(default_factory=_Going)
    by_call: _Going = field(default_factory=_Going)
    staying: _Going = field(default_factory=_Going)
    reasons: Counter[str] = field(default_factory=Counter)
    bearing: set[str] = field(default_factory=set)
    """Orders in whose row a card number stands, which is told of already or not."""

    @property
    def going(self) -> _Going:
        """What would go by either way."""
        return _sum(self.by_file, self.by_call)

    @property
    def candidates(self) -> _Going:
        """All that was looked at."""
        return _sum(self.going, self.staying)


def _sum(one: _Going, other: _Going) -> _Going:
    amounts = Counter(one.amounts)
    amounts.update(other.amounts)
    return _Going(one.orders + other.orders, amounts)


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
            open_now = open_items(connection, equipment.ledger.mid)
        left = [batch for batch in unsent if has_any_to_send(equipment, batch)]
        off = switch_lines(switches_now(equipment))
    new = len(plan.bearing - {each.subject for each in open_now if each.kind is ItemKind.PAN_FOUND})
    show_dry_run(options, [*_lines(command, plan, left, day, settings), *off, *_needs(command, new)])
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
            "candidates": _object(plan.candidates),
            "not_sent": dict(plan.reasons),
            "not_sent_amount_minor": _object(plan.staying)["amount_minor"],
            "would_send": _object(plan.going),
            "would_need_a_person": {ItemKind.PAN_FOUND.value: new} if new else {},
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
                plan.staying.add(verdict)
                plan.reasons[verdict.reason.value] += 1
                if verdict.reason is Reason.PAN_FOUND:
                    plan.bearing.add(f"order:{verdict.order_id}")
    return plan


def _lines(command: str, plan: _Plan, left: list[Batch], day: str, settings: Settings) -> list[str]:
    why = " · ".join(f"{name} {n:,}" for name, n in sorted(plan.reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    return [
        banner(command, day, settings),
        f"candidates      {plan.candidates.words()}",
        f"not sent        {plan.staying.words()}   {why}",
        f"would be sent   {plan.going.words()}   {_ways(plan, settings)}",
        f"left from before {_left(left)}",
    ]


def _needs(command: str, new: int) -> list[str]:
    """What the run would lay before a person, as far as rows alone tell it, and with what it would then end."""
    if not new:
        return []
    items = counted(new, "item would need", "items would need")
    code = ExitCode.NEEDS_PERSON
    return [f"NEED  {items} a person: {ItemKind.PAN_FOUND} {new:,}; {command} itself would end with EXIT {int(code)}, or worse"]


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
