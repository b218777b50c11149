"""The intent to send: the rows, their order and their digest are fixed, and every order of the file is `sending`.

Judged once more right before: what the merchant changed since the hold, what was switched off, and what is nearly
expired is withdrawn. That may also happen to a file whose part was never verified, because its final name cannot have
existed (I2, I12, I25). A file whose part was verified once keeps its rows for ever.
"""

from collections.abc import Sequence
from datetime import timedelta

from batch.build import canonical_csv, rows_digest
from batch.equipment import Equipment
from batch.holding import Obstacle, obstacle_of, withdrawal
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.batches import batch_by_id
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import rows_of_batch, submissions_of_batch
from batch.ledger.steps import move_batch
from batch.pace import from_utc_text
from batch.permission import switches_in
from batch.switching import Switches
from schemas.order import CIT_MODE, Origin
from schemas.reasons import Reason
from schemas.states import BatchStep, State

_GOING = (State.HELD, State.SENDING)
_GONE_ON = tuple(state for state in State if state not in _GOING)
LEAST_TIME_LEFT = timedelta(hours=24)
"""An order whose expiry is nearer than this is not sent: the provider could not work on it."""


def intend(equipment: Equipment, run: Run, batch: Batch) -> Batch:
    """Record the intent to send a file of orders, or judge it again while nothing can have been seen. Orders are numbered from
    1 (CONTRACT 6.1).

    The batch comes back SENDING, or EMPTY when every order of it had to be withdrawn.
    """
    with equipment.ledger.reading() as connection:
        going = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _GOING)
        switches = switches_in(connection, equipment)
    rows = equipment.source.written([submission.order_id for submission in going])
    known = _known_at_provider(equipment, batch)
    if batch.step is BatchStep.SENDING and not known and not _parted(equipment, going, rows, switches)[1]:
        return batch
    with equipment.ledger.writing(run) as writing:
        leaving, staying = _parted(equipment, going, rows, switches_in(writing.connection, equipment))
        move_orders(writing, [withdrawal(submission, "send", obstacle, shows=True) for submission, obstacle in staying])
        _leave_out(writing, known)
        if not leaving:
            return move_batch(writing, batch, BatchStep.EMPTY, reason="every order was withdrawn")
        _number(writing, leaving)
        return fix_rows(writing, equipment, batch)


def _parted(
    equipment: Equipment, going: Sequence[Submission], rows: dict[str, dict[str, str]], switches: Switches
) -> tuple[list[Submission], list[tuple[Submission, Obstacle]]]:
    """Those that leave, and those that stay with the reason."""
    leaving: list[Submission] = []
    staying: list[tuple[Submission, Obstacle]] = []
    for submission in going:
        obstacle = obstacle_of(submission, rows.get(submission.order_id)) or second_thought(equipment, submission, switches)
        if obstacle is None:
            leaving.append(submission)
        else:
            staying.append((submission, obstacle))
    return leaving, staying


def _known_at_provider(equipment: Equipment, batch: Batch) -> list[Submission]:
    """Orders with a line in the file that have gone on in another way: the provider has them, or a person looks at them."""
    with equipment.ledger.reading() as connection:
        orders = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, _GONE_ON)
    return [each for each in orders if each.sequence_number > 0]


def _leave_out(writing: Writing, known: Sequence[Submission]) -> None:
    changes = {"sequence_number": 0}
    reason = "it is left out of the file: it went on in another way"
    move_orders(writing, [Move(each, None, "send", reason, "", "numbered", changes, changes, shows=False) for each in known])


def _number(writing: Writing, leaving: Sequence[Submission]) -> None:
    moves = []
    for number, submission in enumerate(leaving, start=1):
        changes = {"sequence_number": number}
        if submission.state is State.HELD:
            moves.append(Move(submission, State.SENDING, "send", "intent", detail=changes, changes=changes, shows=False))
        elif submission.sequence_number != number:
            reason = f"its line in the file is now {number}"
            moves.append(Move(submission, None, "send", reason, "", "numbered", changes, changes, shows=False))
    move_orders(writing, moves)


def fix_rows(writing: Writing, equipment: Equipment, batch: Batch) -> Batch:
    """Record that the file is about to leave with exactly the rows that it has now, by their digest."""
    records = rows_of_batch(writing.connection, writing.mid, batch)
    canonical = canonical_csv(batch.kind, records, mid=writing.mid, expires_at=batch.expires_at, profile=equipment.profile)  # type: ignore[arg-type]
    return move_batch(
        writing,
        batch,
        BatchStep.SENDING,
        reason="intent to send",
        rows_digest=rows_digest(canonical),
        row_count=len(records),
    )


def second_thought(equipment: Equipment, submission: Submission, switches: Switches) -> Obstacle | None:
    """What has come up on our side since the claim: a switch or site turned off, or an expiry too near for a rescue.

    In sync mode no expiry is sent, and the agreed period is the provider's affair.
    """
    settings = equipment.settings
    off = switches.refusal(submission.site, Origin(submission.origin))
    if off is not None:
        return Obstacle(off.sentence, off.reason)
    held = equipment.clock.now() - from_utc_text(submission.claimed_at)
    if submission.mit_mode == CIT_MODE and held > timedelta(hours=settings.gate.max_decline_age_hours):
        return Obstacle("its customer was present when it was declined, and is not any more", Reason.TOO_OLD)
    is_near = from_utc_text(submission.expires_at) - equipment.clock.now() <= LEAST_TIME_LEFT
    if is_near and submission.mit_mode != "sync":
        return Obstacle(f"its expiry {submission.expires_at} is too near for a rescue")
    return None


def current(equipment: Equipment, batch: Batch) -> Batch:
    """The batch as the ledger has it now."""
    with equipment.ledger.reading() as connection:
        found = batch_by_id(connection, equipment.ledger.mid, batch.batch_id)
    assert found is not None  # noqa: S101 - batches are never deleted
    return found
