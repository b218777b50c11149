"""Bringing the ledger's word to the order rows: written only where our hold still stands, and read back to be sure.

Dying between the row and the ledger: the next run writes the same again, or sees by the provider's id and last word
that the row was released by us before. What the merchant changed meanwhile is never overwritten: an item opens (I1, I5).
"""

from dataclasses import dataclass
from enum import Enum, auto

from batch.action_rules import refund_command
from batch.after_release import show_recovered
from batch.applying import raise_item
from batch.conclusions import meaning_of_word
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.items import close_all
from batch.ledger.moves import Move, move_orders
from batch.ledger.operations import given_back
from batch.ledger.reading import events_of, to_write_back
from batch.pace import utc_text
from batch.provider_words import fit_to_show
from batch.row_statements import AFTER_RECOVERY, OURS
from batch.told_changes import is_told
from batch.writeback import RowResult
from schemas.money import people_text
from schemas.order import RowStatus
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import NOT_RECOVERED, State

AT_A_TIME = 500
SHOWN_NOW = "the row shows it now"

_SHOWN: dict[State, RowStatus] = {
    State.CLAIMED: RowStatus.PENDING,
    State.HELD: RowStatus.PENDING,
    State.SENDING: RowStatus.PENDING,
    State.IN_DOUBT: RowStatus.PENDING,
    State.PENDING: RowStatus.PENDING,
    State.CAPTURE_REQUIRED: RowStatus.PENDING,
    State.COMPLETED: RowStatus.COMPLETED,
    State.REVIEW: RowStatus.REVIEW,
    State.PARTIALLY_REFUNDED: RowStatus.PARTIALLY_REFUNDED,
    State.REFUNDED: RowStatus.REFUNDED,
    State.CHARGEBACK: RowStatus.CHARGEBACK,
    **dict.fromkeys((*NOT_RECOVERED, State.REJECTED), RowStatus.NOT_RECOVERED),
}
_GIVEN_UP = (*NOT_RECOVERED, State.REJECTED)
_MONEY = (Meaning.COMPLETED, Meaning.REFUNDED, Meaning.CHARGEBACK)
_GIVEN_BACK = (State.PARTIALLY_REFUNDED, State.REFUNDED)


class Outcome(Enum):
    """What became of writing one result: the row shows it, the merchant changed the row, or its amount is another now."""

    WRITTEN = auto()
    CONFLICT = auto()
    ANOTHER_AMOUNT = auto()


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """How many results were written, and how many the merchant's own change stood against."""

    written: int
    conflicts: int


def write_back(equipment: Equipment, run: Run) -> WrittenBack:
    """Write every result that its row does not show yet. Raises OrdersUnreachable; what was written stays written."""
    after, written, conflicts, reviewed = "", 0, 0, False
    equipment.progress.stage("write back")
    while True:
        with equipment.ledger.reading() as connection:
            due = to_write_back(connection, equipment.ledger.mid, after=after, limit=AT_A_TIME)
        if not due and after and reviewed:
            after, reviewed = "", False  # once more: those rows show now that a person decides
            continue
        if not due:
            return WrittenBack(written, conflicts)
        with equipment.ledger.writing(run):
            pass  # still our turn: a runner that was paused must not write older news over newer
        outcomes = _write(equipment, due)
        told = [submission for submission in due if submission.hold_reference in outcomes]
        with equipment.ledger.writing(run) as writing:
            for submission in due:
                if submission.hold_reference not in outcomes:
                    words = "the order system refuses to write the result; correct the row, the next poll tries again"
                    raise_item(writing, equipment, ItemKind.WRITE_BACK_CONFLICT, submission, words)
            recorded = move_orders(
                writing, [_written(each, is_written=outcomes[each.hold_reference] is Outcome.WRITTEN) for each in told]
            )
            shown: list[tuple[ItemKind, str]] = []
            for submission in recorded:
                if outcomes[submission.hold_reference] is not Outcome.WRITTEN:
                    close_all(writing, shown, SHOWN_NOW)  # in the order of the rows: a later one may open what an earlier closed
                    shown = []
                    _conflict(writing, equipment, submission, outcomes[submission.hold_reference])
                elif submission.state is not State.WITHDRAWN:
                    shown.append((ItemKind.WRITE_BACK_CONFLICT, f"order:{submission.order_id}"))
            close_all(writing, shown, SHOWN_NOW)
        good = sum(outcome is Outcome.WRITTEN for outcome in outcomes.values())
        written += good
        conflicts += len(outcomes) - good
        reviewed = reviewed or Outcome.ANOTHER_AMOUNT in outcomes.values()
        equipment.progress.advance(len(due))
        if len(due) < AT_A_TIME and not reviewed:
            return WrittenBack(written, conflicts)
        after = due[-1].order_id


def _write(equipment: Equipment, due: list[Submission]) -> dict[str, Outcome]:
    """Write the rows, then read them. By hold reference: whether the row shows the result, or was released by us before.

    An order whose row the database refuses to change is left out: nothing is known to be wrong but the row.
    """
    now = utc_text(equipment.clock.now())
    withdrawn = [(s.order_id, s.hold_reference) for s in due if s.state is State.WITHDRAWN]
    with equipment.ledger.reading() as connection:
        refunds = given_back(connection, equipment.ledger.mid, [s.order_id for s in due if s.state in _GIVEN_BACK])
    results = [row_result(equipment, s, refunds.get(s.order_id, 0)) for s in due if s.state in _SHOWN]
    refused = equipment.writer.lift_holds(withdrawn, now=now) | equipment.writer.write_results(results, now=now)
    rows = equipment.source.written([s.order_id for s in due])
    refused |= equipment.writer.write_results(_decided(equipment, results, rows), now=now)
    refused |= show_recovered(equipment, results, rows, now=now)
    stopped = {s.hold_reference for s in due if s.state is State.CANCELLED}
    freed = [r for r in results if r.hold_reference in stopped and _is_theirs(r, rows.get(r.order_id)) and not r.keeps_hold]
    refused |= equipment.writer.lift_holds([(result.order_id, result.hold_reference) for result in freed], now=now)
    rows = equipment.source.written([s.order_id for s in due])
    shown = {result.hold_reference: _outcome(result, rows.get(result.order_id)) for result in results}
    theirs = [r for r in results if r.hold_reference in stopped and _is_theirs(r, rows.get(r.order_id))]
    shown |= {result.hold_reference: Outcome.WRITTEN for result in theirs}
    return {s.hold_reference: shown.get(s.hold_reference, Outcome.WRITTEN) for s in due if s.order_id not in refused}


def _decided(equipment: Equipment, results: list[RowResult], rows: dict[str, dict[str, str]]) -> list[RowResult]:
    """Orders on which the provider works on by a person's decision while their rows still show the review before it."""
    mid, found = equipment.ledger.mid, []
    for result in results:
        row = rows.get(result.order_id, {})
        shows_review = row.get("status") == RowStatus.REVIEW.value and row.get("hold_reference") == result.hold_reference
        if result.status is not RowStatus.PENDING or not shows_review:
            continue
        with equipment.ledger.reading() as connection:
            steps = [each for each in events_of(connection, mid, f"order:{result.order_id}") if each["kind"] == "transition"]
        last = next((each for each in reversed(steps) if State.REVIEW in (each["from_state"], each["to_state"])), None)
        if last is not None and last["from_state"] == State.REVIEW:
            found.append(result._replace(ends_review=True))
    return found


def _is_theirs(result: RowResult, row: dict[str, str] | None) -> bool:
    """Whether the merchant gave the row another status than any of ours: of an order that was stopped for it, that stays."""
    if row is None or row["hold_reference"] not in ("", result.hold_reference):
        return False
    return row["status"] not in (*OURS, *AFTER_RECOVERY, RowStatus.NOT_RECOVERED.value)


def row_result(equipment: Equipment, submission: Submission, given_back_minor: int = 0) -> RowResult:
    """What the row of an order shall show, by the ledger; of one that was given back as a whole, the whole amount."""
    given_back_minor = given_back_minor or (submission.amount_minor if submission.state is State.REFUNDED else 0)
    gives_up = submission.state in _GIVEN_UP
    return RowResult(
        order_id=submission.order_id,
        hold_reference=submission.hold_reference,
        status=_SHOWN[submission.state],
        keeps_hold=not gives_up or equipment.settings.writeback.on_not_recovered == "keep",
        hold_until=submission.expires_at,
        provider_order_id=submission.provider_order_id,
        provider_status=submission.provider_status,
        amount_minor=submission.amount_minor,
        currency=submission.currency,
        refunded_minor=given_back_minor if submission.state in _GIVEN_BACK else None,
    )


def _outcome(result: RowResult, row: dict[str, str] | None) -> Outcome:
    if row is None:
        return Outcome.CONFLICT
    ours = row["provider_order_id"] == result.provider_order_id and row["provider_status"] == result.provider_status
    ours = ours and (result.refunded_minor is None or row["refunded_minor"] == str(result.refunded_minor))
    holds = row["hold_reference"] == result.hold_reference
    if ours and (row["status"] == result.status.value if holds else not result.keeps_hold):
        return Outcome.WRITTEN
    same = (row["amount_minor"], row["currency"]) == (str(result.amount_minor), result.currency)
    is_completion = result.status is RowStatus.COMPLETED
    return Outcome.ANOTHER_AMOUNT if is_completion and holds and not same else Outcome.CONFLICT


def _written(submission: Submission, *, is_written: bool) -> Move:
    return Move(
        submission,
        None,
        "write_back",
        "written to the order row" if is_written else "the merchant changed the row; nothing was overwritten",
        kind="written_back",
        detail={
            "outcome": "yes" if is_written else "conflict",
            "row_status": _SHOWN.get(submission.state, RowStatus.DECLINED).value,
        },
        changes={"written_version": submission.row_version},
        shows=False,
    )


def _conflict(writing: Writing, equipment: Equipment, submission: Submission, outcome: Outcome) -> None:
    """Tell a person; what the provider recovered although the merchant changed the row is for a person to decide.

    What it has not recovered cannot be given back yet, and the item says so.
    """
    if given_back(writing.connection, writing.mid, [submission.order_id]):
        return  # what was recovered beside the merchant's own charge has gone back: their row is right as it stands
    if submission.state not in (State.COMPLETED, State.REVIEW):
        words = f"{ITEM_TEXTS[ItemKind.WRITE_BACK_CONFLICT]}; the ledger says {submission.state}"
        raise_item(writing, equipment, ItemKind.WRITE_BACK_CONFLICT, submission, words)
        return
    differs = outcome is Outcome.ANOTHER_AMOUNT
    kind = ItemKind.AMOUNT_DIFFERS if differs else ItemKind.DOUBLE_CHARGE
    amount = people_text(submission.amount_minor, submission.currency)
    proposal = refund_command(submission.order_id, submission.amount_minor, submission.currency)
    words = f"recovered {amount}; the row has another amount now" if differs else f"refund it: {proposal}"
    words = f"{ITEM_TEXTS[kind]}: {words}"
    if not _is_recovered(equipment, submission):
        said = fit_to_show(submission.provider_status) or "nothing"
        words = f"the merchant changed the row, and the provider says {said}; should it recover the order, refund it: {proposal}"
    raise_item(writing, equipment, kind, submission, f"{words}; see both sides with: mitbatch explain")
    if not differs and not is_told(writing, submission):  # what stands open is of a cancel: the row is told of beside it
        words = f"{ITEM_TEXTS[ItemKind.WRITE_BACK_CONFLICT]}; the ledger says {submission.state}"
        raise_item(writing, equipment, ItemKind.WRITE_BACK_CONFLICT, submission, words)
    if submission.state is State.COMPLETED:
        reason = "recovered, and the merchant changed the row meanwhile"
        move_orders(writing, [Move(submission, State.REVIEW, "write_back", reason, shows=differs)])


def _is_recovered(equipment: Equipment, submission: Submission) -> bool:
    """Whether the provider has charged the customer: of an order under review its last word tells."""
    word = submission.provider_status
    by_word = submission.state is State.REVIEW and word and meaning_of_word(word, equipment.profile) in _MONEY
    return submission.state is State.COMPLETED or bool(by_word)
