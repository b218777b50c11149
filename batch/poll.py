"""Asking for outcomes: every order that is due, one read each, and a search for orders whose acknowledgement never came."""

from datetime import timedelta

from batch.applying import Heard, hear, raise_item
from batch.equipment import Equipment
from batch.ledger import Run, Submission
from batch.ledger.evidence import store_evidence
from batch.ledger.items import open_item
from batch.ledger.moves import note_reads
from batch.ledger.reading import due_for_read, overdue_submissions
from batch.listing import ask_by_listing
from batch.pace import utc_text
from batch.provider_reads import Answer
from batch.trusted_files import believe_files
from schemas.errors import ApiLoginRefused, ApiUnreachable, InternalError
from schemas.reasons import ITEM_TEXTS, ItemKind

AT_A_TIME = 64


def poll(equipment: Equipment, run: Run, *, everything: bool = False) -> int:
    """Read every order that is due (or all that the provider has) and apply the answers. Returns how many were read.

    Where many are due, a listing says first which of them are as they were; with `everything` each is read all the same.
    Each page is one transaction, so a poll that is cut off goes on where it stopped. Raises ApiUnreachable when a whole
    page got no answer.
    """
    mid, after, asked, way = equipment.ledger.mid, "", 0, equipment.settings.outcomes.ask
    if equipment.settings.outcomes.trust_files:
        believe_files(equipment, run)
    if way == "off":
        return 0
    if way == "orders" and not everything:
        ask_by_listing(equipment, run)
    now = utc_text(equipment.clock.now())
    equipment.progress.stage("poll")
    while True:
        with equipment.ledger.reading() as connection:
            due = due_for_read(connection, mid, now=now, everything=everything, after=after, limit=AT_A_TIME)
        if not due:
            return asked
        answers = list(equipment.api.read_orders([submission.provider_order_id for submission in due]))
        if all(answer.is_unreachable for answer in answers):
            raise ApiUnreachable(answers[0].problem)
        if all(answer.is_forbidden for answer in answers):
            raise ApiLoginRefused(
                "The provider's API forbids our merchant id to read its orders (HTTP 403).",
                next_step='Ask the provider for that right; until then outcomes.ask = "outcome" asks by the older call.',
            )
        _apply(equipment, run, list(zip(due, answers, strict=True)))
        asked += len(due)
        after = due[-1].order_id
        equipment.progress.advance(len(due))


def _apply(equipment: Equipment, run: Run, page: list[tuple[Submission, Answer]]) -> None:
    """Apply a page of answers in one transaction; where one cannot be applied, each on its own, and that one set aside."""
    try:
        with equipment.ledger.writing(run) as writing:
            for submission, answer in page:
                problem = "" if answer.is_unreachable or answer.is_absent else answer.problem
                hear(writing, equipment, submission, Heard(answer.source, answer.content, answer.read, problem))
    except InternalError as error:
        if len(page) > 1:
            for one in page:
                _apply(equipment, run, [one])
            return
        ((submission, answer),) = page
        with equipment.ledger.writing(run) as writing:
            evidence_id = ""
            if answer.content:
                subject = f"order:{submission.order_id}"
                evidence_id = store_evidence(writing, source=answer.source, subject=subject, content=answer.content).evidence_id
            words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: its answer could not be applied ({error.what})"
            raise_item(writing, equipment, ItemKind.QUARANTINE, submission, words, evidence_id)
            later = equipment.clock.now() + timedelta(seconds=equipment.settings.outcomes.min_poll_interval_seconds)
            note_reads(writing, [(submission, utc_text(later))])


def flag_overdue(equipment: Equipment, run: Run) -> None:
    """Open an item for every order that has had no final answer since its expiry and the grace; its hold stays (I13)."""
    grace = timedelta(seconds=equipment.settings.outcomes.expiry_grace_seconds)
    before = utc_text(equipment.clock.now() - grace)
    with equipment.ledger.reading() as connection:
        overdue = overdue_submissions(connection, equipment.ledger.mid, before=before)
    if not overdue:
        return
    with equipment.ledger.writing(run) as writing:
        for submission in overdue:
            words = (
                f"the provider gives no final answer although it expired at {submission.expires_at}; ask the provider's support"
            )
            days = equipment.settings.review.due_business_days
            subject = f"overdue:{submission.order_id}"
            open_item(writing, ItemKind.UNKNOWN_STATUS, subject, words, due_business_days=days)
