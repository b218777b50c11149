"""Claim and hold: an order is fixed in the ledger first, then blocked in the order system, and only then may it be sent.

Invariants: no order at the provider without a hold (I1), no send without a claim that survives a power cut (I4).
Dying after the claim: the row is free or bears our hold; the next run places the hold again, and a row that bears our
reference already is held. Dying after the hold: the ledger says claimed, the row is blocked; the same step settles it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from batch.books import FIRST_HASH
from batch.build import evaluate_record, file_name, idempotency_key
from batch.equipment import Equipment
from batch.gate import Verdict
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.claim import Claim, NewBatch, claim_batch
from batch.ledger.decisions import record_decisions
from batch.ledger.items import HOLD_REFUSED, close_items, open_item
from batch.ledger.moves import Move, move_orders
from batch.ledger.past import Past
from batch.ledger.reading import submissions_of_batch
from batch.ledger.steps import move_batch
from batch.modes import mode_and_days
from batch.pace import utc_text
from batch.row_statements import OURS
from batch.writeback import HoldWanted
from schemas.order import RowStatus
from schemas.reasons import ItemKind, Reason
from schemas.settings import SiteSettings
from schemas.states import API_FORMAT, BatchStep, State


def claim(equipment: Equipment, run: Run, selected: Sequence[tuple[Verdict, Past | None]], *, is_cit: bool) -> Batch:
    """Claim these orders as one batch, in one transaction with their decisions. At most `max_rows_per_file` of them.

    Channel and mode are those of this moment, and stay: what is set later moves no order that was claimed before. They are
    all MIT, or all CIT: these go by calls whatever the channel is, because files take no CIT, and no expiry is sent for them.
    """
    settings, mid = equipment.settings, equipment.ledger.mid
    sites = {site.name: site for site in settings.sites}
    batch_id = equipment.new_batch_id()
    with equipment.ledger.writing(run) as writing:
        mode, days = mode_and_days(settings, is_cit=is_cit)
        expires_at = utc_text(equipment.clock.now() + timedelta(days=days))
        sent_expiry = "" if mode else expires_at  # a sync account has agreed on its period beforehand (CONTRACT 7.6)
        claims = [_claim(equipment, verdict, past, sites, sent_expiry) for verdict, past in selected]
        file_format = API_FORMAT if is_cit or settings.channels.evaluate == "api" else settings.channels.evaluate_format
        name = file_name(
            "evaluate",
            mid=mid,
            business_date=run.business_date,
            batch_id=batch_id,
            extension=file_format,
            profile=equipment.profile,
        )
        new = NewBatch(batch_id, "evaluate", name, file_format, expires_at, mit_mode=mode)
        batch = claim_batch(writing, new, claims)
        record_decisions(writing, [verdict for verdict, _ in selected], batch_id=batch_id)
        for verdict, past in selected:
            if past is not None:
                close_items(
                    writing, ItemKind.ROW_REFUSED, f"order:{verdict.order_id}", "the order was mended and is claimed again"
                )
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
    with equipment.ledger.writing(run):
        pass  # still our turn: a runner that was paused must not touch rows that another has settled since
    refused = equipment.writer.place_holds(wanted, now=utc_text(equipment.clock.now()))
    rows = equipment.source.written([s.order_id for s in claimed])
    with equipment.ledger.writing(run) as writing:
        moves = []
        for submission in claimed:
            obstacle = obstacle_of(submission, rows.get(submission.order_id))
            if obstacle is not None and submission.order_id in refused:
                obstacle = Obstacle(f"{HOLD_REFUSED} ({refused[submission.order_id]})")
                _tell(writing, equipment, submission, obstacle)
            if obstacle is None:
                moves.append(Move(submission, State.HELD, "hold", "the order system confirms the hold", shows=False))
            else:
                moves.append(withdrawal(submission, "hold", obstacle, shows=True))
        move_orders(writing, moves)
        if all(move.to is State.WITHDRAWN for move in moves):
            batch = move_batch(writing, batch, BatchStep.EMPTY, reason="no hold could be placed")
    return batch


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an order cannot be held or sent: a sentence, and the gate's code where one fits."""

    sentence: str
    code: str = ""


def obstacle_of(submission: Submission, row: dict[str, str] | None) -> Obstacle | None:
    """Why the order's row does not bear our hold as it should; None when it does."""
    if row is None:
        return Obstacle("the order is no longer in the order system")
    if row["hold_reference"] == submission.hold_reference:
        if row["status"] not in OURS:
            return Obstacle(f"its status is {row['status']!r}")
        same = (row["amount_minor"], row["currency"]) == (str(submission.amount_minor), submission.currency)
        return None if same else Obstacle("its amount or currency changed after it was selected")
    if row["hold_reference"]:
        return Obstacle("somebody else holds it", Reason.ALREADY_ACTIVE)
    if row["retry_state"]:
        words = f"the merchant's own retry is charging it (retry_state {row['retry_state']!r})"
        return Obstacle(words, Reason.IN_HOUSE_RETRY)
    if row["status"] != RowStatus.DECLINED.value:
        return Obstacle(f"its status is {row['status']!r}")
    return Obstacle("its amount or currency changed after it was selected")


def _tell(writing: Writing, equipment: Equipment, submission: Submission, obstacle: Obstacle) -> None:
    days = equipment.settings.review.due_business_days
    subject = f"order:{submission.order_id}"
    open_item(writing, ItemKind.WRITE_BACK_CONFLICT, subject, obstacle.sentence, due_business_days=days)


def withdrawal(submission: Submission, source: str, obstacle: Obstacle, *, shows: bool) -> Move:
    """The move that takes an order back before anything of it was sent; `shows`: its hold must be lifted in the row."""
    detail = {"close_reason": str(obstacle.code)} if obstacle.code else {}
    changes = {"sequence_number": 0}  # it has no line in the file any more
    return Move(submission, State.WITHDRAWN, source, obstacle.sentence, detail=detail, changes=changes, shows=shows)
