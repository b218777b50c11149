"""Claim and hold: an order is fixed in the ledger first, then blocked in the order system, and only then may it be sent.

Invariants: no order at the provider without a hold (I1), no send without a claim that survives a power cut (I4).
Dying after the claim: the row is free or bears our hold; the next run places the hold again, and a row that bears our
reference already is held. Dying after the hold: the ledger says claimed, the row is blocked; the same step settles it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from batch.books import FIRST_HASH
from batch.build import canonical_csv, evaluate_record, file_name, idempotency_key, rows_digest
from batch.equipment import Equipment
from batch.gate import Verdict
from batch.ledger import Batch, Run, Submission
from batch.ledger.claim import Claim, NewBatch, Past, claim_batch
from batch.ledger.decisions import record_decisions
from batch.ledger.moves import Move, move_batch, move_orders
from batch.ledger.reading import batch_by_id, rows_of_batch, submissions_of_batch
from batch.pace import from_utc_text, utc_text
from batch.writeback import OURS, HoldWanted
from schemas.order import RowStatus
from schemas.reasons import Reason
from schemas.settings import SiteSettings
from schemas.states import BatchStep, State

LEAST_TIME_LEFT = timedelta(hours=24)
"""An order whose expiry is nearer than this is not sent: the provider could not work on it."""


def claim(equipment: Equipment, run: Run, selected: Sequence[tuple[Verdict, Past | None]]) -> Batch:
    """Claim these orders as one batch, in one transaction with their decisions. At most `max_rows_per_file` of them."""
    settings, mid = equipment.settings, equipment.ledger.mid
    sites = {site.name: site for site in settings.sites}
    batch_id = equipment.new_batch_id()
    with equipment.ledger.writing(run) as writing:
        expires_at = utc_text(equipment.clock.now() + timedelta(days=settings.provider.expiry_days))
        claims = [_claim(equipment, verdict, past, sites, expires_at) for verdict, past in selected]
        name = file_name(
            "evaluate",
            mid=mid,
            business_date=run.business_date,
            batch_id=batch_id,
            extension=settings.channels.evaluate_format,
            profile=equipment.profile,
        )
        new = NewBatch(batch_id, "evaluate", name, settings.channels.evaluate_format, expires_at)
        batch = claim_batch(writing, new, claims)
        record_decisions(writing, [verdict for verdict, _ in selected], batch_id=batch_id)
    return batch


def _claim(equipment: Equipment, verdict: Verdict, past: Past | None, sites: dict[str, SiteSettings], expires_at: str) -> Claim:
    order, mid = verdict.order, equipment.ledger.mid
    assert order is not None  # noqa: S101 - the gate selects only rows that it could read
    attempt = 1 if past is None else past.attempt + 1
    key = idempotency_key(mid, order.order_id, attempt)
    record = evaluate_record(
        order, mid=mid, site=sites[order.site], profile=equipment.profile, idempotency_key=key, expires_at=expires_at
    )
    return Claim(
        order=order,
        attempt=attempt,
        idempotency_key=key,
        hold_reference=f"mitbatch:{key}",
        record=record,
        previous_seq=past.event_seq if past else 0,
        previous_hash=past.event_hash if past else FIRST_HASH,
        previous_date=past.event_date if past else "",
    )


def hold(equipment: Equipment, run: Run, batch: Batch) -> Batch:
    """Place the holds of a batch's claimed orders; what the order system does not confirm is withdrawn, with the reason."""
    with equipment.ledger.reading() as connection:
        claimed = submissions_of_batch(connection, equipment.ledger.mid, batch.batch_id, [State.CLAIMED])
    if not claimed:
        return batch
    wanted = [HoldWanted(s.order_id, s.hold_reference, s.amount_minor, s.currency, s.expires_at) for s in claimed]
    equipment.writer.place_holds(wanted, now=utc_text(equipment.clock.now()))
    rows = equipment.source.written([s.order_id for s in claimed])
    with equipment.ledger.writing(run) as writing:
        moves = []
        for submission in claimed:
            row = rows.get(submission.order_id)
            obstacle = _obstacle(submission, row)
            if obstacle is None:
                moves.append(Move(submission, State.HELD, "hold", "the order system confirms the hold", shows=False))
            else:
                bears_ours = row is not None and row["hold_reference"] == submission.hold_reference
                moves.append(_withdrawal(submission, "hold", obstacle, shows=bears_ours))
        move_orders(writing, moves)
        if batch.step is BatchStep.CLAIMED and all(move.to is State.WITHDRAWN for move in moves):
            batch = move_batch(writing, batch, BatchStep.EMPTY, reason="no hold could be placed")
    return batch


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an order cannot be held or sent: a sentence, and the gate's code where one fits."""

    sentence: str
    code: str = ""


def _obstacle(submission: Submission, row: dict[str, str] | None) -> Obstacle | None:
    if row is None:
        return Obstacle("the order is no longer in the order system")
    if row["hold_reference"] == submission.hold_reference:
        return None if row["status"] in OURS else Obstacle(f"its status is {row['status']!r}")
    if row["hold_reference"]:
        return Obstacle("somebody else holds it", Reason.ALREADY_ACTIVE)
    if row["retry_state"]:
        words = f"the merchant's own retry is charging it (retry_state {row['retry_state']!r})"
        return Obstacle(words, Reason.IN_HOUSE_RETRY)
    if row["status"] != RowStatus.DECLINED.value:
        return Obstacle(f"its status is {row['status']!r}")
    return Obstacle("its amount or currency changed after it was selected")


def _withdrawal(submission: Submission, source: str, obstacle: Obstacle, *, shows: bool) -> Move:
    detail = {"close_reason": str(obstacle.code)} if obstacle.code else {}
    return Move(submission, State.WITHDRAWN, source, obstacle.sentence, detail=detail, shows=shows)


def intend(equipment: Equipment, run: Run, batch: Batch) -> Batch:
    """Record the intent to send: rows, order and digest are fixed, and every order of the file is `sending`.

    Orders whose row the merchant changed since the hold, or whose switch or site was turned off, are withdrawn first;
    the rest are numbered anew from 1, because a sequence number is a position (CONTRACT 6.1). Nothing has left yet.
    """
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        held = submissions_of_batch(connection, mid, batch.batch_id, [State.HELD])
    rows = equipment.source.written([submission.order_id for submission in held])
    leaving: list[Submission] = []
    staying: list[tuple[Submission, Obstacle]] = []
    for submission in held:
        obstacle = _obstacle(submission, rows.get(submission.order_id)) or _second_thought(equipment, submission)
        if obstacle is None:
            leaving.append(submission)
        else:
            staying.append((submission, obstacle))
    with equipment.ledger.writing(run) as writing:
        move_orders(writing, [_withdrawal(submission, "send", obstacle, shows=True) for submission, obstacle in staying])
        if batch.kind == "evaluate" and not leaving:
            return move_batch(writing, batch, BatchStep.EMPTY, reason="every order was withdrawn")
        move_orders(
            writing,
            [
                Move(submission, State.SENDING, "send", "intent", changes={"sequence_number": number}, shows=False)
                for number, submission in enumerate(leaving, start=1)
            ],
        )
        records = rows_of_batch(writing.connection, mid, batch)
        digest = rows_digest(
            canonical_csv(batch.kind, records, mid=mid, expires_at=batch.expires_at, profile=equipment.profile)  # type: ignore[arg-type]
        )
        return move_batch(writing, batch, BatchStep.SENDING, reason="intent to send", rows_digest=digest, row_count=len(records))


def _second_thought(equipment: Equipment, submission: Submission) -> Obstacle | None:
    """What has come up on our side since the claim: a switch or site turned off, or an expiry too near for a rescue."""
    settings = equipment.settings
    site = next((site for site in settings.sites if site.name == submission.site), None)
    if site is None or not site.enabled:
        return Obstacle(f"its site {submission.site!r} is disabled", Reason.SITE_DISABLED)
    if not settings.switches.mit:
        return Obstacle("recurring orders are switched off", Reason.SWITCHED_OFF)
    if from_utc_text(submission.expires_at) - equipment.clock.now() <= LEAST_TIME_LEFT:
        return Obstacle(f"its expiry {submission.expires_at} is too near for a rescue")
    return None


def current(equipment: Equipment, batch: Batch) -> Batch:
    """The batch as the ledger has it now."""
    with equipment.ledger.reading() as connection:
        found = batch_by_id(connection, equipment.ledger.mid, batch.batch_id)
    assert found is not None  # noqa: S101 - batches are never deleted
    return found
