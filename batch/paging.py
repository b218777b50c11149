"""Signs of trouble at the source or the provider that no single order shows: each becomes an item, once per cause."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from batch.equipment import Equipment
from batch.ledger import Run
from batch.ledger.items import close_all, ever_told, open_item, open_items
from batch.ledger.paging import candidates_by_night, last_response
from batch.pace import from_utc_text
from schemas.reasons import ITEM_TEXTS, ItemKind

NIGHTS, LEAST_NIGHTS = 28, 7
MANY = 20
"""A night usually has many candidates if the median of the last nights is at least this."""
TIMES = 3
SILENCE = timedelta(hours=36)


def unusual(count: int, before: Sequence[int]) -> str:
    """What is unusual about a night with so many candidates after these nights; empty when nothing is, or too few are known."""
    usual = median(before) if len(before) >= LEAST_NIGHTS else 0
    if usual < MANY:
        return ""
    if count == 0:
        return f"no candidates, the median of {len(before)} nights is {usual:,.0f}"
    return f"{count:,} candidates, the median of {len(before)} nights is {usual:,.0f}" if count > TIMES * usual else ""


def page_for_night(equipment: Equipment, run: Run) -> None:
    """Tell when this date's number of candidates is unusual; a usual one closes what stands of earlier dates."""
    with equipment.ledger.reading() as connection:
        counts = candidates_by_night(connection, equipment.ledger.mid, run.business_date, NIGHTS)
    words = unusual(counts.pop(run.business_date, 0), list(counts.values()))
    _tell(equipment, run, ItemKind.UNUSUAL_NIGHT, f"night:{run.business_date}", words)


def page_for_silence(equipment: Equipment, run: Run) -> None:
    """Tell when outcome files, which have come before, come no more while orders that went by file are pending."""
    with equipment.ledger.reading() as connection:
        last = last_response(connection, equipment.ledger.mid)
    is_silent = bool(last) and equipment.clock.now() - from_utc_text(last) > SILENCE
    _tell(equipment, run, ItemKind.NO_RESPONSE, f"responses:{last}", f"the last came at {last}" if is_silent else "")


def _tell(equipment: Equipment, run: Run, kind: ItemKind, subject: str, words: str) -> None:
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        standing = [item for item in open_items(connection, mid) if item.kind is kind]
        is_told = bool(words) and subject in ever_told(connection, mid, kind)
    if is_told or not (words or standing):
        return
    with equipment.ledger.writing(run) as writing:
        close_all(writing, [(kind, item.subject) for item in standing if item.subject != subject or not words], "it is over")
        if words:
            days = equipment.settings.review.due_business_days
            open_item(writing, kind, subject, f"{ITEM_TEXTS[kind]}: {words}", due_business_days=days)
