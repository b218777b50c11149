"""Sending each batch exactly once over SFTP, wherever an earlier run stopped.

The steps, and what is true when the process dies after each (I2, I4, I12):

1. SENDING is committed: rows, name and digest are fixed. The final name cannot exist. Again: write the part anew.
2. The part is written and whole: still SENDING. Again: the part is removed and written anew.
3. PART_VERIFIED is committed, then the departure is marked outside the ledger. From here on a rename may have been asked
   for. Again: look. The part is there: no rename happened, rename it. The part is gone: the rename happened, whoever took
   the file since. A part that is not byte for byte the one that was verified proves nothing: an overtaken run wrote it late.
4. The token's age is looked at, last of all before each rename is asked for: time may have passed unnoticed since it was
   minted (a slow server, a machine that slept). An old one is renewed first, as below.
5. The rename is asked for and no clear answer comes: look, as above. Nobody can look: IN_DOUBT, held, asked about.
6. DELIVERED is committed. The acknowledgement moves the orders.

A part that was verified once is never created again, because a rename that was asked for may still be carried out late.
When its token has grown old, its content is renewed in place: it is opened without leave to create it, so it is in hand
and no rename has happened; that proof is recorded, and its digest forgotten, before a byte changes. Dying in between
leaves PART_VERIFIED without a digest: the next run renews the content again before it renames.

A run that stood still may have been overtaken. If it finds its token old, it stops at the record of the proof, a write of
its own (I11), before it has touched the part that another run answers for. If not, it asks for the rename of the very part
that the other run would rename as it is: one of them succeeds, and the other finds the part gone. Before it asks a second
time, or opens that part, it must have its turn. Left is a run that
stands still after its look at the age, before its packet leaves: the file goes once, under its own name, with an old token
or amid a renewal, and a provider that minds refuses it as a whole. No order is sent twice; a person is told.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from batch.build import canonical_csv, render, rows_digest
from batch.equipment import Equipment
from batch.findings import Findings
from batch.holding import hold
from batch.intent import current, intend
from batch.ledger import Batch, Run
from batch.ledger.moves import Move, move_orders
from batch.ledger.past import refused_before
from batch.ledger.reading import rows_of_batch, submissions_of_batch
from batch.ledger.steps import move_batch
from batch.left_over_copies import intend_copies, those_that_may_leave
from batch.pace import from_utc_text, utc_text
from batch.permission import must_wait, must_wait_now
from schemas.errors import (
    AnswerUnreadable,
    ApiLoginRefused,
    ApiUnreachable,
    EvidenceChanged,
    FileNotWritten,
    MitbatchError,
    NothingSent,
    OrdersUnreachable,
    SafetyRefusal,
    SftpLoginRefused,
    SftpLost,
    SftpRefused,
    SftpUnreachable,
)
from schemas.states import BatchStep, State

TOKEN_KEEPS = timedelta(seconds=480)
TRIES = 3
MOST_LOST = 3
"""So many files lost one after the other, and the rest waits for the next run: a server that stalls must not keep the lease."""
MOST_FILE_BYTES = 64 << 20
_EVERY_BATCH = (
    SafetyRefusal,
    SftpUnreachable,
    SftpLoginRefused,
    ApiUnreachable,
    ApiLoginRefused,
    OrdersUnreachable,
    FileNotWritten,
)


class Delivery:
    """The delivery of some batches by one run. What stops one batch is found; what stops all is found once."""

    def __init__(self, equipment: Equipment, run: Run, findings: Findings) -> None:
        self._equipment = equipment
        self._run = run
        self._findings = findings
        self._stopped = False
        self._lost_in_a_row = 0

    def deliver(self, batches: Sequence[Batch]) -> None:
        """Bring every batch as far as it will go. Several travel at once; the ledger has one writer at a time."""
        leaving = those_that_may_leave(self._equipment, self._run, batches)
        self._equipment.progress.stage("deliver", len(leaving))
        self._equipment.side_by_side(self._deliver_one, leaving)

    def _deliver_one(self, batch: Batch) -> None:
        if self._stopped:
            self._findings.undelivered.append(batch.file_name)
            self._in_doubt(batch)
            return
        try:
            step = self._advance(batch).step
        except (NothingSent, SafetyRefusal, EvidenceChanged, AnswerUnreadable) as problem:
            self._findings.add(problem)
            self._findings.undelivered.append(batch.file_name)
            self._lost_in_a_row += isinstance(problem, SftpLost)
            self._stopped = self._stopped or isinstance(problem, _EVERY_BATCH) or self._lost_in_a_row >= MOST_LOST
            return
        self._lost_in_a_row = 0
        if step is BatchStep.DELIVERED:
            self._findings.delivered.append(batch.file_name)
        if step is BatchStep.PART_VERIFIED:
            self._findings.withheld.add(batch.batch_id)
        self._equipment.progress.advance()

    def _advance(self, batch: Batch) -> Batch:
        if batch.step is BatchStep.CLAIMED:  # of copies it finds none to be held
            batch = hold(self._equipment, self._run, batch)
        if batch.step in (BatchStep.CLAIMED, BatchStep.SENDING):
            batch = self._intend(batch)
        if batch.step is BatchStep.SENDING:
            batch = self._write_part(batch)
            return self._publish(batch) if batch.step is BatchStep.PART_VERIFIED else batch
        if batch.step in (BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT):
            return self._resume(batch)
        return batch

    def _intend(self, batch: Batch) -> Batch:
        intends = intend if batch.kind == "evaluate" else intend_copies
        return intends(self._equipment, self._run, batch)

    def _write_part(self, batch: Batch) -> Batch:
        """Write the part. What is switched off by now is judged again: the orders of it are withdrawn, copies wait."""
        for last_try in (False, True):
            content, minted_at = self._content(batch)
            with self._equipment.ledger.writing(self._run) as writing:
                # still our turn: a runner that was paused must not put a part where another has sent one
                is_off = must_wait(writing.connection, self._equipment, batch)
            if is_off:
                judged = self._intend(batch) if batch.kind == "evaluate" else batch
                return self._write_part(judged) if judged is not batch and judged.step is BatchStep.SENDING else judged
            try:
                self._equipment.folder.write_part(self._part(batch), content)
                break
            except SftpLost:
                if last_try:
                    raise
        return self._verified(batch, content, minted_at)

    def _content(self, batch: Batch) -> tuple[bytes, str]:
        """The file's bytes with a token minted now. Raises EvidenceChanged when the rows are not what was intended."""
        equipment, mid = self._equipment, self._equipment.ledger.mid
        with equipment.ledger.reading() as connection:
            rows = rows_of_batch(connection, mid, batch)
        canonical = canonical_csv(batch.kind, rows, mid=mid, expires_at=batch.expires_at, profile=equipment.profile)  # type: ignore[arg-type]
        if rows_digest(canonical) != batch.rows_digest:
            raise EvidenceChanged(
                f"The rows of {batch.file_name} are no longer those that it was recorded with; it was not sent."
            )
        equipment.export.write(batch.business_date, batch.batch_id, batch.kind, canonical)
        minted_at = utc_text(equipment.clock.now())
        content = render(
            batch.kind,  # type: ignore[arg-type]
            batch.format,  # type: ignore[arg-type]
            rows,
            mid=mid,
            token=equipment.api.fresh_token(),
            expires_at=batch.expires_at,
            profile=equipment.profile,
        )
        return content, minted_at

    def _publish(self, batch: Batch) -> Batch:
        """Ask for the rename until it is clear whether it happened. Returns the delivered batch, or raises.

        A batch of which something is switched off comes back as it is: no rename of it is asked for.
        """
        if must_wait_now(self._equipment, batch):
            return batch
        folder, part = self._equipment.folder, self._part(batch)
        self._equipment.departures.mark(batch.kind, batch.batch_id, batch.file_name)
        problem: MitbatchError = SftpLost(f"{part} was never renamed.")
        for again in range(TRIES):
            if again:
                with self._equipment.ledger.writing(self._run):
                    pass  # still our turn: who stood still before the last rename leaves the part alone
                self._need_our_part(batch)
            batch = self._with_fresh_token(batch)
            if batch.step is BatchStep.DELIVERED or must_wait_now(self._equipment, batch):
                return batch
            self._findings.asked.append(batch.file_name)
            self._findings.perhaps_sent.add(batch.file_name)
            try:
                folder.publish(part, batch.file_name)
                return self._delivered(batch, "the server confirms the rename")
            except (SftpLost, SftpRefused) as error:
                problem = error
            if self._look(batch) is None:
                return self._delivered(batch, "the part is gone: the rename happened")
            self._findings.perhaps_sent.discard(batch.file_name)
            if isinstance(problem, SftpRefused):
                if self._stands_under_its_name(batch):
                    self._findings.perhaps_sent.add(batch.file_name)
                    return self._delivered(batch, "the server copied the part instead of renaming it")
                raise problem
        raise problem

    def _resume(self, batch: Batch) -> Batch:
        """Go on after an earlier run: the provider's own answers first, then the part tells whether a rename happened.

        An order that it may have by an earlier file is no such answer, and keeps the part from being renamed (I2).
        """
        with self._equipment.ledger.reading() as connection:
            orders = submissions_of_batch(connection, self._equipment.ledger.mid, batch.batch_id)
            lines = [order for order in orders if order.sequence_number > 0]
            known = [order for order in lines if order.provider_order_id]
            earlier = refused_before(connection, self._equipment.ledger.mid, known)
        if any(order.order_id not in earlier for order in known):
            return self._delivered(batch, "the provider has orders of it")
        if any(order.state is State.REVIEW for order in lines):
            self._in_doubt(batch)
            raise SftpRefused(f"{batch.file_name} is not renamed: an order of it is under review; the others stay held.")
        if self._look(batch) is None:
            return self._delivered(batch, "the part is gone: the rename happened")
        if any(order.state is State.REJECTED for order in lines):
            self._in_doubt(batch)
            raise SftpRefused(f"{batch.file_name} is not renamed: an order of it was released; the others stay held.")
        if known:
            self._in_doubt(batch)
            there = f"the provider has {known[0].order_id!r} of it already, perhaps by an earlier file"
            raise SftpRefused(f"{batch.file_name} is not renamed: {there}; the others stay held.")
        if batch.part_sha256:
            self._need_our_part(batch)
        if batch.step is BatchStep.IN_DOUBT:
            batch = self._out_of_doubt(batch)
        return self._publish(batch)

    def _with_fresh_token(self, batch: Batch) -> Batch:
        """The batch with a part whose token may be shown; delivered, if a rename turns out to have happened."""
        if not self._must_be_renewed(batch):
            return batch
        batch = self._renew(batch)
        if batch.step is not BatchStep.DELIVERED and self._must_be_renewed(batch):
            raise SftpLost(f"{self._part(batch)} took so long to be written that its token grew old; it was not renamed.")
        return batch

    def _must_be_renewed(self, batch: Batch) -> bool:
        """Whether the part's token is too old to be shown to the provider, or a renewal of its content was cut off."""
        age = self._equipment.clock.now() - from_utc_text(batch.token_minted_at)
        return age > TOKEN_KEEPS or not batch.part_sha256

    def _need_our_part(self, batch: Batch) -> None:
        """The part that is there must be the one that was verified, byte for byte: only that proves that no rename happened.

        A run that was overtaken may write one of the same name late, with a token of its own, after ours was renamed and
        the answer lost; renaming that one would send the file twice (I2). Raises SftpRefused, the batch in doubt.
        """
        try:
            ours = self._equipment.folder.sha256_of(self._part(batch), MOST_FILE_BYTES) == batch.part_sha256
        except (NothingSent, SafetyRefusal):
            self._in_doubt(batch)
            raise
        if not ours:
            self._in_doubt(batch)
            raise SftpRefused(f"The part of {batch.file_name} is not the one that was verified; its orders stay held.")

    def _renew(self, batch: Batch) -> Batch:
        """Put a fresh token into a part that is still there: the batch comes back verified anew.

        If the part goes away meanwhile, a rename was carried out late, and the batch comes back delivered.
        """
        content, minted_at = self._content(batch)
        proven = [batch]

        def on_proof() -> None:
            with self._equipment.ledger.writing(self._run) as writing:
                reason = "the part is in hand: no rename happened; its content is renewed"
                proven.append(move_batch(writing, batch, BatchStep.PART_VERIFIED, reason=reason, part_sha256=None))

        try:
            self._equipment.folder.rewrite_part(self._part(batch), content, on_proof)
        except SftpRefused as error:
            if error.absent:
                return self._delivered(proven[-1], "the part is gone: the rename happened")
            raise
        return self._verified(proven[-1], content, minted_at)

    def _look(self, batch: Batch) -> int | None:
        """The part's size, None when it is gone. When nobody can look, the batch is in doubt, and the reason is raised."""
        try:
            return self._equipment.folder.size_of(self._part(batch))
        except (NothingSent, SafetyRefusal):
            self._in_doubt(current(self._equipment, batch))
            raise

    def _stands_under_its_name(self, batch: Batch) -> bool:
        """The rename was refused and the part is there. A file of the final name with our bytes was sent; others' is doubt."""
        folder = self._equipment.folder
        try:
            if folder.size_of(batch.file_name) is None:
                return False
            same = folder.sha256_of(batch.file_name, MOST_FILE_BYTES) == batch.part_sha256
        except (NothingSent, SafetyRefusal):
            self._in_doubt(batch)
            raise
        if not same:
            self._in_doubt(batch)
        return same

    def _verified(self, batch: Batch, content: bytes, minted_at: str) -> Batch:
        with self._equipment.ledger.writing(self._run) as writing:
            return move_batch(
                writing,
                batch,
                BatchStep.PART_VERIFIED,
                len(content),
                reason="the part is whole on the server",
                token_minted_at=minted_at,
                part_sha256=hashlib.sha256(content).hexdigest(),
            )

    def _delivered(self, batch: Batch, reason: str) -> Batch:
        with self._equipment.ledger.writing(self._run) as writing:
            doubted = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, [State.IN_DOUBT])
            move_orders(writing, [Move(each, State.SENDING, "send", reason, shows=False) for each in doubted])
            return move_batch(
                writing,
                batch,
                BatchStep.DELIVERED,
                reason=reason,
                delivered_at=writing.now,
            )

    def _in_doubt(self, batch: Batch) -> None:
        if batch.step is not BatchStep.PART_VERIFIED:
            return
        with self._equipment.ledger.writing(self._run) as writing:
            reason = "a rename may have been asked for, and the server gives no clear answer"
            sending = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, [State.SENDING])
            move_orders(writing, [Move(each, State.IN_DOUBT, "send", reason, shows=False) for each in sending])
            move_batch(writing, batch, BatchStep.IN_DOUBT, reason=reason)

    def _out_of_doubt(self, batch: Batch) -> Batch:
        with self._equipment.ledger.writing(self._run) as writing:
            reason = "the part is still there: no rename happened"
            doubted = submissions_of_batch(writing.connection, writing.mid, batch.batch_id, [State.IN_DOUBT])
            move_orders(writing, [Move(each, State.SENDING, "send", reason, shows=False) for each in doubted])
            return move_batch(writing, batch, BatchStep.PART_VERIFIED, reason=reason)

    def _part(self, batch: Batch) -> str:
        return batch.file_name + self._equipment.profile.files.part_suffix
