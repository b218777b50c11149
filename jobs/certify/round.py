"""One round of a certification: which items are wanted, which groups show them, and what was seen of each."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from csv import DictReader
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jobs.certify.accounts import MODES, Mode, account_of, check_sandbox
from jobs.certify.bench import Bench, open_bench
from jobs.certify.cit import run_advanced, run_standard
from jobs.certify.features import run_features
from jobs.certify.mit_api import run_mit_api
from jobs.certify.mit_sftp import run_mit_sftp
from jobs.certify.provider_time import LeapingClock
from jobs.certify.refund import run_refund
from jobs.certify.scratch_orders import drop_scratch
from jobs.certify.sheet import Sheet
from jobs.certify.unfinished import unfinished
from jobs.surroundings import Surroundings
from schemas.certification import CHECKLIST, ChecklistItem, Proof, Shown, Verdict
from schemas.errors import Stopped, UsageRefused
from schemas.settings import Settings

Show = Callable[[Bench, Sheet], None]


@dataclass(frozen=True, slots=True)
class Group:
    """How a group is shown: the accounts that can, best first, and the run that does it."""

    prefix: str
    modes: tuple[Mode, ...]
    show: Show


GROUPS: tuple[Group, ...] = (
    Group("cit.standard", ("sync", "managed"), run_standard),
    Group("cit.advanced", ("sync", "managed"), run_advanced),
    Group("mit.api", ("sync",), run_mit_api),
    Group("refund", ("sync", "managed"), run_refund),
    Group("feature", ("managed", "sync"), run_features),
    Group("mit.sftp", ("managed",), run_mit_sftp),
)
"""Every group that a run shows; the one that waits longest comes last."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round saw. `run` is in every order id; `orders` says where the marked orders lay, by account.

    `tokens` are the payment tokens that it got; what holds them is gone by now, and they may stand in no pack. `traces` are
    the files about internal errors that it met, None where it met none.
    """

    run: str
    started_at: datetime
    finished_at: datetime
    folder: Path
    orders: dict[str, str]
    shown: tuple[Shown, ...]
    tokens: frozenset[str] = field(default=frozenset(), repr=False)
    traces: tuple[str, ...] | None = None


def chosen(words: Sequence[str]) -> tuple[ChecklistItem, ...]:
    """The items that these ids and groups name, all but the settings' own without any. Raises UsageRefused for another word."""
    can_be_run = [item for item in CHECKLIST if item.proof is not Proof.SETTINGS]
    if not words:
        return tuple(can_be_run)
    names = [*(item.id for item in can_be_run), *_groups_of(can_be_run)]
    for word in words:
        if word not in names:
            near = difflib.get_close_matches(word, names, n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise UsageRefused(
                f"The checklist has no item and no group {word[:60]!r} that a run shows.",
                next_step=f"{meant}Groups: {', '.join(_groups_of(can_be_run))}.",
            )
    return tuple(item for item in can_be_run if any(item.id == word or item.id.startswith(f"{word}.") for word in words))


def _groups_of(items: Iterable[ChecklistItem]) -> list[str]:
    found = {prefix: None for item in items for prefix in (item.group.partition(".")[0], item.group)}
    return list(found)


def go_round(
    settings: Settings, items: Sequence[ChecklistItem], around: Surroundings, clock: LeapingClock, folder: Path
) -> Round:
    """Show these items. Nothing but the scratch ledgers and orders in the folder, and the provider's sandbox, is touched.

    Raises CertifyOnlyInSandbox for settings of production.
    """
    check_sandbox(settings)
    run, started, sheet = around.new_run_id()[:8], clock.now(), Sheet()
    wanted = {item.id for item in items}
    drop = drop_scratch(settings.orders, around.make_engine)
    with around.stop.listening(), unfinished(folder, drop) as work, ExitStack() as stack:
        benches: dict[Mode, Bench] = {}
        for group in GROUPS:
            if not any(each.startswith(f"{group.prefix}.") for each in wanted):
                continue
            mode = next((mode for mode in group.modes if account_of(settings, mode) is not None), None)
            if mode is None:
                continue
            if mode not in benches:
                benches[mode] = stack.enter_context(open_bench(settings, mode, run, folder, around, clock, work))
            _show(group, benches[mode], sheet)
        orders: dict[str, str] = {mode: bench.orders.where for mode, bench in benches.items()}
        tokens = frozenset(token for bench in benches.values() for token in payment_tokens(bench.settings.data_dir))
    shown = tuple(sheet.shown.get(item.id) or _without_run(item, settings) for item in items)
    traces = tuple(each.trace for each in sheet.mistakes if each.trace) if sheet.mistakes else None
    return Round(run, started, clock.now(), folder, orders, shown, tokens, traces)


def _show(group: Group, bench: Bench, sheet: Sheet) -> None:
    """Run one group; what breaks it off between two items fails the items that it has not come to, and no other group's."""
    items = [item.id for item in CHECKLIST if item.proof is Proof.RUN and item.id.startswith(f"{group.prefix}.")]
    try:
        group.show(bench, sheet)
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - the other groups have their verdicts all the same
        sheet.go_on_after(items, bench, error)


def _without_run(item: ChecklistItem, settings: Settings) -> Shown:
    """What an item is that no run has shown: it waits for a person, or its account is missing."""
    if item.proof is Proof.ATTESTATION:
        change = f"mitbatch certify attest {item.id} --evidence FILE --by NAME"
        return Shown(item.id, Verdict.OPEN, "Only a page of yours can show it; a person looks and attests it.", change)
    group = next((group for group in GROUPS if item.id.startswith(f"{group.prefix}.")), None)
    names = " or ".join(f"[certify.{mode}]" for mode in (group.modes if group is not None else MODES))
    sentence = f"The settings have no account for it: {names} is missing, or has no server."
    return Shown(item.id, Verdict.NOT_APPLICABLE, sentence, f"Add {names} with the account's keys and sites.")


def payment_tokens(folder: Path) -> set[str]:
    """The payment tokens of an account's orders, as finance's copies of what was sent have them."""
    found = set()
    for path in folder.glob("export/*/*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            found |= {row.get("paymentMethod.cardNumber") or "" for row in DictReader(lines)}
    return found - {""}
