"""News from an outcomes file or a webhook: hints that make orders due for a read. They end nothing (CONTRACT 6.4, 12, 14)."""

import hashlib
from collections.abc import Sequence

from batch.conclusions import meaning_of_word
from batch.equipment import Equipment
from batch.ledger import Writing
from batch.ledger.hints import (
    is_unproven,
    keep_early_news,
    make_due,
)
from batch.ledger.items import open_item
from batch.ledger.mentions import note_mentions
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import attempts_of, bearers_of
from batch.odd_rows import told_of_rows
from batch.provider_words import fit_to_show
from batch.responses import OutcomeNews
from batch.webhooks import EXPIRED_EVENT, WebhookNews
from schemas.profile import Meaning
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import State


def apply_news(writing: Writing, equipment: Equipment, news: Sequence[OutcomeNews], odd: Sequence[str], evidence_id: str) -> None:
    """Make every order that an outcomes file names due at once, and set aside the rows that name none of ours, and the `odd`
    ones, of which each says which it is and why.
    """
    strangers = follow_hints(writing, equipment, news, evidence_id, "file")
    if strangers or odd:
        set_aside_rows(writing, equipment, odd, strangers, evidence_id)


def set_aside_rows(
    writing: Writing, equipment: Equipment, odd: Sequence[str], strangers: Sequence[OutcomeNews], evidence_id: str
) -> None:
    """Tell a person which rows of a piece of evidence cannot be read, and which name no order of ours."""
    words = told_of_rows([*odd, *(_named(row) for row in strangers)], "the provider's news")
    open_item(
        writing,
        ItemKind.QUARANTINE,
        f"evidence:{evidence_id}",
        f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: {words}",
        due_business_days=equipment.settings.review.due_business_days,
        evidence_id=evidence_id,
    )


def _named(row: OutcomeNews) -> str:
    ours, theirs = fit_to_show(row.order_id), fit_to_show(row.provider_order_id)
    name = f"order {ours!r}" if row.order_id else f"the provider's id {theirs!r}"
    return f"the row for {name} names no order of ours"


def follow_hints(
    writing: Writing, equipment: Equipment, news: Sequence[OutcomeNews], evidence_id: str, source: str
) -> list[OutcomeNews]:
    """Make every order that is named due at once. Returns what names none of ours.

    Of that, what has an id of the provider's that we do not know is applied once more when it is learnt. Rows that are
    to be believed (`outcomes.trust_files`) are all kept to be found by their order.
    """
    unknown, unproven = _make_due(writing, equipment, news, evidence_id, source)
    believed = news if equipment.settings.outcomes.trust_files and source == "file" else ()
    early = [row.provider_order_id for row in (*unknown, *unproven, *believed) if row.provider_order_id]
    ours = [*unproven, *(row for row in believed if not row.provider_order_id)]
    keep_early_news(writing, [*early, *(name_of_ours(row.order_id) for row in ours)], evidence_id)
    return unknown


def name_of_ours(order_id: str) -> str:
    """How a row that names an order by our id alone is found again."""
    return f"ours:{hashlib.sha256(order_id.encode()).hexdigest()}"


def news_of(says: WebhookNews) -> OutcomeNews | None:
    """The hint that a webhook is; None for one that names no order."""
    if not (says.order_id or says.provider_order_id):
        return None
    return OutcomeNews(says.provider_order_id, says.order_id, "", says.event == EXPIRED_EVENT)


def _make_due(
    writing: Writing, equipment: Equipment, news: Sequence[OutcomeNews], evidence_id: str, source: str
) -> tuple[list[OutcomeNews], list[OutcomeNews]]:
    """Make the orders due that this news names; returns what names none of ours, and what cannot be proven to be right yet."""
    unknown, unproven, named = [], [], []
    for row in news:
        order_id, is_proven = follow(writing, equipment, row, evidence_id, source)
        if not order_id:
            unknown.append(row)
            continue
        named.append(order_id)
        if not is_proven:
            unproven.append(row)
    note_mentions(writing, {evidence_id: named})
    return unknown, unproven


def follow(writing: Writing, equipment: Equipment, row: OutcomeNews, evidence_id: str, source: str) -> tuple[str, bool]:
    """Make one order due that is named; returns our id of it (empty: it is none of ours), and whether that is proven."""
    ids = {"provider_order_id": row.provider_order_id, "order_id": row.order_id}
    is_proven = not is_unproven(writing, **ids)
    order_id = make_due(writing, **ids, called_expired=row.called_expired and is_proven)
    if order_id and is_proven and row.called_expired:
        _call_expired(writing, equipment, row, evidence_id, source)
    return order_id, is_proven


def _call_expired(writing: Writing, equipment: Equipment, row: OutcomeNews, evidence_id: str, source: str) -> None:
    """An order that a read ended with the code for cancelled is called expired by whatever source says so, before or after.

    It was released by that read and stays so: only the name of its end changes.
    """
    order_id = bearers_of(writing.connection, writing.mid, [row.provider_order_id]).get(row.provider_order_id, row.order_id)
    latest = attempts_of(writing.connection, writing.mid, order_id)[-1]
    meaning = meaning_of_word(latest.provider_status, equipment.profile)
    if latest.state is State.DECLINED and meaning is Meaning.NOT_RECOVERED:
        words = "the provider calls it expired"
        move_orders(writing, [Move(latest, State.EXPIRED, source, words, evidence_id, shows=False)])
