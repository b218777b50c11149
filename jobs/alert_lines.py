"""The paging list in words: in the run that opened the items all at once, in `status` as long as they stand."""

from collections import Counter
from collections.abc import Iterable

from batch.ledger.items import Item
from schemas.alerts import ALERT_TEXTS, alert_of


def alert_lines(items: Iterable[Item], run_id: str = "") -> list[str]:
    """One line for each code with open items; with a run, of those that it opened. Names no order."""
    opened = [item for item in items if not run_id or item.opened_run == run_id]
    counts = Counter(code for item in opened if (code := alert_of(item.kind, item.subject)) is not None)
    return [f"WARN  {ALERT_TEXTS[code]} ({count:,}): {code}   mitbatch review list" for code, count in sorted(counts.items())]


def alert_objects(items: Iterable[Item]) -> list[dict[str, object]]:
    """For machines: each code with how many open items it has, and since when."""
    since: dict[str, list[str]] = {}
    for item in items:
        code = alert_of(item.kind, item.subject)
        if code is not None:
            since.setdefault(code.value, []).append(item.opened_at)
    return [{"code": code, "items": len(at), "since": min(at)} for code, at in sorted(since.items())]
