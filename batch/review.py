"""What would follow from a person's decision about an item, an order under review, or a file without an answer.

The provider is asked first; nothing is changed here. `batch.deciding` carries out what was judged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from batch.applying import facts_of, with_cancels
from batch.call_decisions import Repeat, judge_repeat
from batch.equipment import Equipment
from batch.file_rulings import WAITING, FileFacts, FileRuling, rule_on_file, rule_on_item
from batch.hinted_refusals import HINT
from batch.ledger import Batch, Submission
from batch.ledger.batches import batch_by_id
from batch.ledger.items import Item, open_items
from batch.ledger.operations import operations_of
from batch.ledger.past import refused_before
from batch.ledger.reading import attempts_of, bearers_of, submissions_of_batch
from batch.order_rulings import OrderRuling, Said, rule_on_order
from batch.provider_reads import Answer
from batch.request_decisions import RequestRuling, judge_request
from schemas.errors import DecisionRefused, UsageRefused
from schemas.resolutions import OF_CALLS, OF_FILES, OF_ORDERS, OF_REQUESTS, Resolution
from schemas.states import BatchStep, State

SEARCHED = 20
"""So many orders of a file are looked for at the provider before a person's word about the file is taken."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person wants: about what, how it is decided, why, and who they are."""

    about: str
    resolution: Resolution
    reason: str
    person: str

    @property
    def words(self) -> str:
        """How the ledger puts it."""
        return f"{self.resolution}: {self.reason} ({self.person})"


@dataclass(frozen=True, slots=True)
class Case:
    """What a decision is about: the open items, and the order or the file that they are about, if any."""

    items: tuple[Item, ...]
    order: Submission | None = None
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision that fits: what follows, in one sentence, and what the provider said when it was asked."""

    case: Case
    sentence: str
    order: OrderRuling | None = None
    file: FileRuling | None = None
    request: RequestRuling | None = None
    repeat: Repeat | None = None
    answer: Answer | None = None


def judge(equipment: Equipment, decision: Decision) -> Judged:
    """Ask the provider and say what would follow. Changes nothing. Raises DecisionRefused, UsageRefused, ApiUnreachable."""
    case = _case(equipment, decision.about)
    if decision.resolution in OF_ORDERS:
        return _judge_order(equipment, decision.resolution, case)
    if decision.resolution in OF_FILES:
        return _judge_file(equipment, decision.resolution, case)
    if decision.resolution in OF_CALLS:
        repeat = judge_repeat(equipment, case.order, case.batch)
        return Judged(case, repeat.sentence, repeat=repeat)
    if decision.resolution in OF_REQUESTS:
        kind, _, operation_id = case.items[0].subject.partition(":") if case.items else ("", "", "")
        if kind != "operation":
            raise UsageRefused(f"{decision.resolution} is a decision about a request.", next_step="See: mitbatch review list")
        ruling = judge_request(equipment, decision.resolution, operation_id)
        return Judged(case, ruling.sentence, request=ruling)
    if not case.items:
        raise UsageRefused(f"Nothing stands open about {decision.about!r}.", next_step="See: mitbatch review list")
    order = facts_of(equipment.ledger.now(), case.order) if case.order else None
    for each in case.items:
        rule_on_item(each.kind, order, _facts_of_file(case.batch, [], set()) if case.batch else None)
    kinds, subject = ", ".join(each.kind for each in case.items), case.items[0].subject
    if subject.startswith(f"{HINT}:"):
        return Judged(
            case, f"{kinds} about {subject} is closed; the news that there was of the order keeps it from nothing more."
        )
    return Judged(case, f"{kinds} about {subject} is closed; nothing else changes.")


def _case(equipment: Equipment, about: str) -> Case:
    """What is meant: an item by its id or the beginning of it, or all that stands open about `order:ID` or `batch:ID`."""
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        items = open_items(connection, mid)
        meant = [each for each in items if about in (each.item_id, each.subject)]
        meant = meant or [each for each in items if len(about) >= 4 and each.item_id.startswith(about)]
        if len({each.subject for each in meant}) > 1:
            raise UsageRefused(f"{about!r} stands for more than one item.", next_step="See: mitbatch review list")
        subject = meant[0].subject if meant else about
        kind, _, name = subject.partition(":")
        attempts = attempts_of(connection, mid, name) if kind in ("order", "overdue", HINT) else []
        batch = batch_by_id(connection, mid, name) if kind == "batch" else None
    if not meant and not attempts and batch is None:
        raise UsageRefused(f"There is no open item {about!r}.", next_step="See: mitbatch review list")
    return Case(tuple(meant), attempts[-1] if attempts else None, batch)


def _judge_order(equipment: Equipment, resolution: Resolution, case: Case) -> Judged:
    order = case.order
    if order is None:
        raise UsageRefused(f"{resolution} is a decision about an order.", next_step="See: mitbatch review list")
    if resolution is Resolution.NO_RESCUE:
        _must_not_leave(equipment, order)
    if order.provider_order_id:
        answer = next(iter(equipment.api.read_orders([order.provider_order_id])))
    else:
        answer = equipment.api.find_order(order.order_id)
    found_id = answer.read.provider_order_id if answer.read is not None else ""
    with equipment.ledger.reading() as connection:
        bearer = bearers_of(connection, equipment.ledger.mid, [found_id]).get(found_id, "")
        asked = operations_of(connection, equipment.ledger.mid, order.order_id)
    said = Said(answer.read, answer.problem, is_absent=answer.is_absent)
    facts = with_cancels(facts_of(equipment.ledger.now(), order), order, asked)
    ruling = rule_on_order(resolution, facts, said, bearer, equipment.profile)
    return Judged(case, ruling.sentence, order=ruling, answer=answer)


def _must_not_leave(equipment: Equipment, order: Submission) -> None:
    """Raise DecisionRefused while the file that the order is in may still reach the provider (I1, I2)."""
    with equipment.ledger.reading() as connection:
        batch = batch_by_id(connection, equipment.ledger.mid, order.batch_id)
    if batch is None or batch.is_of_calls or batch.step not in (BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT, BatchStep.DELIVERED):
        return
    names = (batch.file_name, batch.file_name + equipment.profile.files.part_suffix)
    if lies := next((name for name in names if equipment.folder.size_of(name) is not None), ""):
        raise DecisionRefused(
            f"{lies}, in which order {order.order_id!r} stands, lies in the provider's inbound folder; it may still be taken.",
            next_step="Let the next nightly look at it, or ask the provider's support to remove it first.",
        )


def _judge_file(equipment: Equipment, resolution: Resolution, case: Case) -> Judged:
    batch = case.batch
    if batch is None:
        raise UsageRefused(f"{resolution} is a decision about a file.", next_step="See: mitbatch review list")
    with equipment.ledger.reading() as connection:
        orders = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id)
        earlier = refused_before(connection, equipment.ledger.mid, orders)
    file = _facts_of_file(batch, orders, earlier)
    if resolution is not Resolution.UPLOADED_BY_HAND and not file.known:
        found = _found_at_provider(equipment, [each.order_id for each in orders if each.state in WAITING][:SEARCHED])
        names = (batch.file_name, batch.file_name + equipment.profile.files.part_suffix)
        lies_there = next((name for name in names if equipment.folder.size_of(name) is not None), "")
        file = replace(file, known=found, lies_there=lies_there)
    ruling = rule_on_file(resolution, file)
    return Judged(case, ruling.sentence, file=ruling)


def _facts_of_file(batch: Batch, orders: Sequence[Submission], earlier: Collection[str]) -> FileFacts:
    """The facts; `earlier` are orders that were refused at an earlier claim, which the provider may have by that one."""
    settled = (*WAITING, State.WITHDRAWN, State.REJECTED)
    there = [each.order_id for each in orders if each.state not in settled or each.provider_order_id]
    known = [order_id for order_id in there if order_id not in earlier]
    released = [each.order_id for each in orders if each.state is State.REJECTED]
    waiting = sum(each.state in WAITING for each in orders)
    return FileFacts(batch.file_name, batch.kind, batch.step, waiting, known, released, stays=len(known) < len(there))


def _found_at_provider(equipment: Equipment, order_ids: Sequence[str]) -> list[str]:
    found = []
    for order_id in order_ids:
        answer = equipment.api.find_order(order_id)
        if answer.read is None and not answer.is_absent and not answer.is_double:
            raise DecisionRefused(
                f"The provider cannot be asked about order {order_id!r} now: {answer.problem.rstrip('.')}.",
                next_step="Decide again when it answers; until then everything stays held.",
            )
        if not answer.is_absent:
            found.append(order_id)
    return found
