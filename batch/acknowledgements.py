"""Collecting what lies in the provider's outbound folder: acknowledgements of our files, and news of outcomes.

A file is known by its name and content. It is stored raw before anything follows from it; a file that is not whole yet
is read again later, and set aside when it is still the same then. Nothing is deleted or renamed there, and nothing is
concluded from a name that is missing (I12, I14, I15).
"""

import hashlib
from datetime import timedelta

from batch.acknowledged_copies import apply_transmit_rows
from batch.acknowledged_rows import apply_rows, refuse_all
from batch.card_numbers import has_card_number
from batch.contradictions import accept_after_refusal
from batch.equipment import Equipment
from batch.files_in_use import files_are_in_use
from batch.ledger import Batch, Run, Writing
from batch.ledger.batches import batch_named, unanswered_batches, unfinished_batches
from batch.ledger.evidence import KnownFile, known_files, note_read_again, record_file, store_evidence
from batch.ledger.items import close_items
from batch.ledger.steps import move_batch
from batch.outcome_news import apply_news
from batch.pace import from_utc_text
from batch.provider_words import fit_to_show
from batch.reading_again import is_due, worth_reading
from batch.responses import MOST_FILE_BYTES, Acknowledgement, is_json, may_still_grow, read_acknowledgement, read_outcomes
from batch.set_aside import set_aside, set_aside_name, tell
from batch.sftp import PLAIN_NAME
from batch.sftp_channel import RemoteName
from schemas.errors import AnswerUnreadable, InternalError, SftpRefused
from schemas.reasons import ItemKind
from schemas.states import BatchStep

STABLE_AFTER = timedelta(seconds=60)
"""A file that cannot be read and has not changed for so long is not being written any more."""

_UNFINISHED = "It may still be being written: CSV has no mark at its end."

ANSWERABLE = (BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT, BatchStep.DELIVERED)


def collect(equipment: Equipment, run: Run) -> int:
    """Read what is new in the outbound folder and apply it. Returns how many delivered files still wait for an answer.

    Raises SftpLost, SftpRefused and their kin when the folder cannot be read; what was read before that stays applied.
    """
    mid = equipment.ledger.mid
    if not files_are_in_use(equipment):
        return 0
    with equipment.ledger.reading() as connection:
        known = known_files(connection, mid)
        waiting = unfinished_batches(connection, mid)
    awaited = {name for batch in waiting if not batch.is_of_calls for name in _acknowledgement_names(equipment, batch)}
    ours = []
    for entry in equipment.folder.answers():
        if not PLAIN_NAME.fullmatch(entry.name) or not entry.is_file or has_card_number(entry.name):
            set_aside_name(equipment, run, entry, known)
        elif _is_ours(equipment, entry.name):
            ours.append(entry)
    for entry in worth_reading(ours, known, awaited, equipment.clock.now()):
        try:
            _read(equipment, run, entry, known.get(entry.name, []))
        except SftpRefused as error:
            tell(equipment, run, entry.name, f"it cannot be read: {error.what}", "")
    with equipment.ledger.reading() as connection:
        return len(unanswered_batches(connection, mid))


def _acknowledgement_names(equipment: Equipment, batch: Batch) -> list[str]:
    files, request = equipment.profile.files, batch.file_name.rpartition(".")[0]
    return [request + files.acknowledgement_suffix, request + files.acknowledgement_csv_suffix]


def _is_ours(equipment: Equipment, name: str) -> bool:
    files = equipment.profile.files
    return name.endswith((files.acknowledgement_suffix, files.acknowledgement_csv_suffix)) or name.startswith(
        files.outcomes_prefix
    )


def _read(equipment: Equipment, run: Run, entry: RemoteName, known: list[KnownFile]) -> None:
    if (entry.size or 0) > MOST_FILE_BYTES:
        set_aside(equipment, run, entry.name, b"", f"it has {entry.size:,} bytes; at most {MOST_FILE_BYTES:,} are read")
        return
    content = equipment.folder.fetch(entry.name, MOST_FILE_BYTES)
    if content is None:
        return
    content_hash = hashlib.sha256(content).hexdigest()
    before = next((file for file in known if file.content_hash == content_hash), None)
    if before is not None and before.verdict in {"applied", "set_aside"}:
        now = equipment.clock.now()
        if before is not known[-1] or before.modified != entry.modified or is_due(before, now):
            with equipment.ledger.writing(run) as writing:
                note_read_again(writing, before, entry.modified)
        return
    is_settled = before is not None and equipment.clock.now() - from_utc_text(before.seen_at) >= STABLE_AFTER
    try:
        _apply(equipment, run, entry, content, is_settled=is_settled)
    except InternalError as error:
        words = f"it could not be applied ({error.what})"
        set_aside(equipment, run, entry.name, content, words, modified=entry.modified)
    except AnswerUnreadable as error:
        if is_settled:
            set_aside(equipment, run, entry.name, content, error.what, modified=entry.modified)
        elif before is None:
            with equipment.ledger.writing(run) as writing:
                record_file(writing, name=entry.name, content=content, verdict="unstable", reason=error.what)


def _apply(equipment: Equipment, run: Run, entry: RemoteName, content: bytes, *, is_settled: bool) -> None:
    """Apply one content whole, in one transaction. CSV shows no end: unless `is_settled`, it may be a beginning."""
    name, is_whole = entry.name, is_settled or is_json(content)
    if name.startswith(equipment.profile.files.outcomes_prefix):
        mid, news, odd = read_outcomes(content, equipment.profile)
        if mid.lower() != equipment.ledger.mid:
            raise AnswerUnreadable(f"It is for merchant {fit_to_show(mid)!r}, not for us.")
        if not is_whole:
            raise AnswerUnreadable(_UNFINISHED)
        with equipment.ledger.writing(run) as writing:
            stored = store_evidence(writing, source="file", subject=f"file:{name}", content=content)
            apply_news(writing, equipment, news, odd, stored.evidence_id)
            _applied(writing, entry, content, stored.evidence_id)
        return
    acknowledgement = read_acknowledgement(content, equipment.profile)
    if acknowledgement.mid.lower() != equipment.ledger.mid:
        raise AnswerUnreadable(f"It is for merchant {fit_to_show(acknowledgement.mid)!r}, not for us.")
    with equipment.ledger.reading() as connection:
        batch = batch_named(connection, equipment.ledger.mid, acknowledgement.file)
    if batch is None or batch.is_of_calls or name not in _acknowledgement_names(equipment, batch):
        raise AnswerUnreadable(f"It answers {fit_to_show(acknowledgement.file)!r}, which is no file of ours of that name.")
    if batch.step in (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.EMPTY):
        raise AnswerUnreadable(f"It answers {batch.file_name}, which was not sent (its step is {batch.step}).")
    if not is_whole and may_still_grow(content, acknowledgement, batch.row_count):
        raise AnswerUnreadable(_UNFINISHED)
    with equipment.ledger.writing(run) as writing:
        stored = store_evidence(writing, source="acknowledgement", subject=f"batch:{batch.batch_id}", content=content)
        _acknowledge(writing, equipment, batch, acknowledgement, stored.evidence_id)
        _applied(writing, entry, content, stored.evidence_id)


def _applied(writing: Writing, entry: RemoteName, content: bytes, evidence_id: str) -> None:
    name, modified = entry.name, entry.modified
    record_file(writing, name=name, content=content, verdict="applied", evidence_id=evidence_id, modified=modified)
    close_items(writing, ItemKind.QUARANTINE, f"file:{name}", "a later content of that name could be read")


def _acknowledge(
    writing: Writing, equipment: Equipment, batch: Batch, acknowledgement: Acknowledgement, evidence_id: str
) -> None:
    """Move the orders of one file, and the file itself; dying inside leaves all of it to be read again."""
    if not acknowledgement.accepted:
        refuse_all(writing, equipment, batch, acknowledgement.error_text or "the provider refused the file", evidence_id)
    elif batch.kind == "transmit":
        apply_transmit_rows(writing, equipment, batch, acknowledgement, evidence_id)
    else:
        apply_rows(writing, equipment, batch, acknowledgement, evidence_id)
    taken_back = acknowledgement.accepted and batch.step is BatchStep.REFUSED
    if taken_back:
        accept_after_refusal(writing, equipment, batch, evidence_id)
    if batch.step in ANSWERABLE or taken_back:
        delivered = {} if batch.delivered_at else {"delivered_at": writing.now}
        to = BatchStep.ACKNOWLEDGED if acknowledgement.accepted else BatchStep.REFUSED
        move_batch(
            writing,
            batch,
            to,
            reason=acknowledgement.error_text or "the provider answered",
            evidence_id=evidence_id,
            acknowledged_at=writing.now,
            **delivered,
        )
    close_items(writing, ItemKind.MISSING_ACKNOWLEDGEMENT, f"batch:{batch.batch_id}", "the acknowledgement came")
