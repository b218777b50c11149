"""Believing outcomes files: for merchants who may not read orders, a file's row ends an order (`outcomes.trust_files`).

What then takes the place of a read is bound as closely as one. A row counts for an order whose id at the provider an
acknowledgement has taught us, and must name it by that id, by ours, or by both; the stored amount counts, for a row has
none (I3). Every stored row about an order is heard, oldest first, through the door that reads go through, but for files
that moved it before: two that disagree bring the order to review in whatever order they came (I6, I8), an unknown word
moves nothing (I16), and each move cites its file (I7). Where orders may be read as well, the order stays due: the read
that follows is the proof, and one that disagrees, or shows it as still being worked on, brings it to review.

All rows about a page of orders are one transaction; dying inside leaves them due, to be heard again.
"""

from collections.abc import Iterator, Sequence

from batch.applying import Heard, hear, next_read
from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.hints import early_evidence
from batch.ledger.moves import note_asked
from batch.ledger.reading import attempts_of, due_for_read, events_of
from batch.outcome_news import name_of_ours
from batch.pace import utc_text
from batch.provider_words import status_word
from batch.responses import OrderRead, OutcomeNews, read_outcomes

AT_A_TIME = 64

Parsed = dict[str, Sequence[OutcomeNews]]
"""The rows of each stored file by its evidence id: parsed once in a run, however many orders it names."""


def believe_files(equipment: Equipment, run: Run) -> None:
    """Hear every stored row about the orders that are due now."""
    after, now = "", utc_text(equipment.clock.now())
    parsed: Parsed = {}
    while True:
        with equipment.ledger.reading() as connection:
            due = due_for_read(connection, equipment.ledger.mid, now=now, everything=False, after=after, limit=AT_A_TIME)
        if not due:
            return
        with equipment.ledger.writing(run) as writing:
            for submission in due:
                _believe(writing, equipment, submission, parsed)
        after = due[-1].order_id


def _believe(writing: Writing, equipment: Equipment, asked: Submission, parsed: Parsed) -> None:
    is_last_word = equipment.settings.outcomes.ask == "off"
    heard = {each["evidence_id"] for each in events_of(writing.connection, writing.mid, f"order:{asked.order_id}")}
    for evidence_id, read in _rows_about(writing, equipment, asked, parsed):
        if evidence_id in heard:
            continue
        latest = attempts_of(writing.connection, writing.mid, asked.order_id)[-1]
        if latest.provider_order_id == asked.provider_order_id:
            hear(writing, equipment, latest, Heard("file", b"", read, evidence_id=evidence_id, is_last_word=False))
    if is_last_word:
        latest = attempts_of(writing.connection, writing.mid, asked.order_id)[-1]
        note_asked(writing, [(asked, next_read(writing, equipment, latest))])


def _rows_about(writing: Writing, equipment: Equipment, asked: Submission, parsed: Parsed) -> Iterator[tuple[str, OrderRead]]:
    """Every stored row that names this order, by id at the provider, by ours, or by both, with the file that it stands in."""
    names = [asked.provider_order_id, name_of_ours(asked.order_id)]
    for evidence_id, _, content in early_evidence(writing, names, source="file"):
        if evidence_id not in parsed:
            rows = read_outcomes(content, equipment.profile)[1]
            parsed[evidence_id] = rows if _is_ended(content) else rows[:-1]  # its last cell may be half of one
        for row in parsed[evidence_id]:
            is_its = row.provider_order_id in {"", asked.provider_order_id} and row.order_id in {"", asked.order_id}
            names_this_claim = bool(row.provider_order_id) or asked.attempt == 1
            if is_its and row.status and names_this_claim and (row.provider_order_id or row.order_id):
                word = status_word(row.status)
                yield evidence_id, OrderRead(asked.provider_order_id, asked.order_id, None, word, None, "")


def _is_ended(content: bytes) -> bool:
    """Whether nothing can be missing at the end: JSON was whole, or it could not be read; a CSV must have ended its line."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") or content.endswith((b"\n", b"\r"))
