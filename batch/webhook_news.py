"""Applying webhooks that were kept: hints that make orders due for a read. They end, complete and release nothing (I23).

A webhook is settled in the transaction that does what follows from it: a run that dies in between leaves it kept, and the
next run applies it as if it had just come.
"""

from collections.abc import Sequence
from datetime import timedelta

from batch.equipment import Equipment
from batch.ledger import Run, Writing
from batch.ledger.evidence import store_evidence
from batch.ledger.items import open_item
from batch.ledger.webhook_inbox import Settled, Waiting, forget_webhooks, has_old_webhooks, settle_webhook, waiting_webhooks
from batch.outcome_news import follow_hints, news_of
from batch.pace import utc_text
from batch.provider_words import fit_to_show
from batch.webhooks import ORDER_EVENTS, PAYOUT_EVENTS, WebhookNews, read_webhook
from schemas.errors import AnswerUnreadable, InternalError
from schemas.reasons import ITEM_TEXTS, ItemKind

AT_A_TIME = 64

FORGOTTEN_AT_A_TIME = 500
"""So many old webhooks are deleted in one transaction, so that none is long."""

TEST_MODE = "webhooks:test_mode"
"""What the one item about test webhooks in production is about."""


def apply_webhooks(equipment: Equipment, run: Run) -> int:
    """Apply every webhook that is kept and was not applied yet, in the order in which they came. Returns how many.

    So many at a time are one transaction; where one of them cannot be applied, each is applied on its own, and that one
    is set aside.
    """
    applied = 0
    while True:
        with equipment.ledger.reading() as connection:
            page = waiting_webhooks(connection, equipment.ledger.mid, limit=AT_A_TIME)
        if not page:
            return applied
        _apply_page(equipment, run, page)
        applied += len(page)


def forget_old_webhooks(equipment: Equipment, run: Run) -> None:
    """Delete webhooks that were applied so long ago that their nonces guard nothing any more (`retention.webhook_days`).

    A replay of one is refused by its signed date alone (W-02, I23). Each page is one transaction: dying in between leaves the
    rest to the next night, and nobody reads what goes.
    """
    before = utc_text(equipment.clock.now() - timedelta(days=equipment.settings.retention.webhook_days))
    while True:
        with equipment.ledger.reading() as connection:
            if not has_old_webhooks(connection, equipment.ledger.mid, before=before):
                return
        with equipment.ledger.writing(run) as writing:
            forget_webhooks(writing, before=before, limit=FORGOTTEN_AT_A_TIME)


def _apply_page(equipment: Equipment, run: Run, page: Sequence[Waiting]) -> None:
    try:
        with equipment.ledger.writing(run) as writing:
            for waiting in page:
                _apply(writing, equipment, waiting)
    except InternalError as error:
        if len(page) > 1:
            for waiting in page:
                _apply_page(equipment, run, [waiting])
            return
        with equipment.ledger.writing(run) as writing:
            _set_aside(writing, equipment, page[0], f"it could not be applied ({error.what})")


def _apply(writing: Writing, equipment: Equipment, waiting: Waiting) -> None:
    try:
        says = read_webhook(waiting.content)
    except AnswerUnreadable as error:
        _set_aside(writing, equipment, waiting, error.what)
        return
    if says.is_test and equipment.settings.environment == "production":
        words = "the provider sent a webhook of its test mode to production; it was ignored"
        evidence_id = _store(writing, waiting)
        _tell(writing, equipment, ItemKind.QUARANTINE, TEST_MODE, words, evidence_id)
        settle_webhook(writing, waiting, "ignored", reason="test mode", evidence_id=evidence_id)
        return
    if says.event in PAYOUT_EVENTS:
        settle_webhook(writing, waiting, "ignored", reason="a settlement", evidence_id=_store(writing, waiting))
        return
    verdict, evidence_id = _follow(writing, equipment, waiting, says)
    settle_webhook(writing, waiting, verdict, reason=says.event, evidence_id=evidence_id)


def _follow(writing: Writing, equipment: Equipment, waiting: Waiting, says: WebhookNews) -> tuple[Settled, str]:
    """Make its order due. An event that nobody knows is told to a person as well, whatever order it is about."""
    evidence_id = _store(writing, waiting)
    if says.event not in ORDER_EVENTS:
        words = f"a webhook named the event {says.event!r}, which is not a known one"
        _tell(writing, equipment, ItemKind.UNKNOWN_STATUS, f"event:{says.event}", words, evidence_id)
    news = news_of(says)
    if news is None and says.event not in ORDER_EVENTS:
        return "set_aside", evidence_id
    if news is None or follow_hints(writing, equipment, [news], evidence_id, "webhook"):
        words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: a webhook ({says.event}) names no order of ours"
        _tell(writing, equipment, ItemKind.QUARANTINE, f"evidence:{evidence_id}", words, evidence_id)
        return "set_aside", evidence_id
    return "applied", evidence_id


def _set_aside(writing: Writing, equipment: Equipment, waiting: Waiting, why: str) -> None:
    evidence_id = _store(writing, waiting)
    words = f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: a signed webhook: {why}"
    _tell(writing, equipment, ItemKind.QUARANTINE, f"evidence:{evidence_id}", words, evidence_id)
    settle_webhook(writing, waiting, "set_aside", reason=why, evidence_id=evidence_id)


def _store(writing: Writing, waiting: Waiting) -> str:
    subject = f"webhook:{waiting.webhook_id}"
    return store_evidence(writing, source="webhook", subject=subject, content=waiting.content).evidence_id


def _tell(writing: Writing, equipment: Equipment, kind: ItemKind, subject: str, words: str, evidence_id: str) -> None:
    days = equipment.settings.review.due_business_days
    open_item(writing, kind, subject, fit_to_show(words), due_business_days=days, evidence_id=evidence_id)
