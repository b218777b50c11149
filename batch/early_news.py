"""News that named an id of the provider's before we knew it: applied again in the very step that learns the id (I8).

What it costs follows what is learnt, not how often it was told, nor how much else stands in the same evidence.
"""

from collections.abc import Sequence

from batch.equipment import Equipment
from batch.ledger import Writing
from batch.ledger.hints import early_evidence, is_ours
from batch.ledger.items import close_items, is_open, open_among
from batch.ledger.mentions import note_mentions
from batch.ledger.reading import bearers_of
from batch.outcome_news import follow, name_of_ours, news_of, set_aside_rows
from batch.responses import OutcomeNews, read_outcomes
from batch.webhooks import read_webhook
from schemas.reasons import ItemKind

_Told = tuple[str, Sequence[OutcomeNews]]
"""A piece of evidence by its id, with rows of it."""
_Doubted = tuple[str, Sequence[OutcomeNews], Sequence[str]]
"""The same, and what is said of the rows that could not be read."""


def apply_early_news(writing: Writing, equipment: Equipment, provider_order_ids: Sequence[str]) -> None:
    """These ids of the provider's are known now: stored news that named them before is applied as if it came after.

    It belongs into the very transaction that learns the ids; dying inside leaves ids and news to be read again together.
    Of each piece of evidence only what names these ids, or the orders that bear them, is applied; what was said many times
    is applied once (CONTRACT 12), however many webhooks said it.
    """
    learnt = set(provider_order_ids) - {""}
    if not learnt:
        return
    ours = set(bearers_of(writing.connection, writing.mid, sorted(learnt)).values())
    named = [*sorted(learnt), *(name_of_ours(order_id) for order_id in sorted(ours))]
    followed: dict[tuple[str, OutcomeNews], str] = {}
    mentions: dict[str, set[str]] = {}
    known, doubted = list[_Told](), list[_Doubted]()
    for evidence_id, source, content in early_evidence(writing, named):
        news, odd = _news_in(source, content, equipment)
        about = [row for row in news if row.provider_order_id in learnt or row.order_id in ours]
        for row in about:
            if (source, row) not in followed:
                followed[source, row], _ = follow(writing, equipment, row, evidence_id, source)
        mentions[evidence_id] = {followed[source, row] for row in about}
        is_known = "" not in mentions[evidence_id]
        if not is_known:
            doubted.append((evidence_id, news, odd))
        elif not odd:
            known.append((evidence_id, news if len(news) > len(about) else ()))
        mentions[evidence_id].discard("")
    note_mentions(writing, mentions)
    _settle_told(writing, equipment, known, doubted)


_TOLD_AT_A_TIME = 500


def _settle_told(writing: Writing, equipment: Equipment, known: Sequence[_Told], doubted: Sequence[_Doubted]) -> None:
    """Close what stands open about evidence all of whose orders are known now; tell of what names none of ours after all.

    With each piece of evidence come its rows, where there are any besides those that were just applied and are known.
    """
    for start in range(0, len(known), _TOLD_AT_A_TIME):
        some = dict(known[start : start + _TOLD_AT_A_TIME])
        standing = open_among(writing, ItemKind.QUARANTINE, [f"evidence:{evidence_id}" for evidence_id in some])
        for evidence_id, news in some.items():
            if f"evidence:{evidence_id}" in standing and not _strangers(writing, news, most=1):
                close_items(writing, ItemKind.QUARANTINE, f"evidence:{evidence_id}", "every order that it names is known now")
    for evidence_id, news, odd in doubted:
        if not is_open(writing, ItemKind.QUARANTINE, f"evidence:{evidence_id}"):
            set_aside_rows(writing, equipment, odd, _strangers(writing, news, most=len(news)), evidence_id)


def _strangers(writing: Writing, news: Sequence[OutcomeNews], *, most: int) -> list[OutcomeNews]:
    """Those of these rows that name no order of ours, up to `most`. Rows without our id are looked at many at a time."""
    found, open_rows = list[OutcomeNews](), list[OutcomeNews]()
    for start in range(0, len(news), _TOLD_AT_A_TIME):
        some = news[start : start + _TOLD_AT_A_TIME]
        named = [row for row in some if row.provider_order_id and not row.order_id]
        known = bearers_of(writing.connection, writing.mid, sorted({row.provider_order_id for row in named})) if named else {}
        open_rows += [row for row in some if row.order_id or not row.provider_order_id]
        found += [row for row in named if row.provider_order_id not in known]
        if len(found) >= most:
            return found
    for row in open_rows:
        if len(found) >= most:
            break
        if not is_ours(writing, provider_order_id=row.provider_order_id, order_id=row.order_id):
            found.append(row)
    return found


def _news_in(source: str, content: bytes, equipment: Equipment) -> tuple[Sequence[OutcomeNews], Sequence[str]]:
    """What a stored piece of evidence says, by where it came from, and of each row that could not be read which and why."""
    if source == "webhook":
        news = news_of(read_webhook(content))
        return ([news] if news else [], ())
    _, rows, odd = read_outcomes(content, equipment.profile)
    return rows, odd
