"""A business date in counts for metrics: only what happened on it, so that a count never falls, however often it is made."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import lru_cache

from batch.book_entries import Decision, Event, Transmission
from batch.books import Standing
from batch.pace import from_utc_text
from schemas.metrics import RECOVERY_BUCKETS
from schemas.order import Origin
from schemas.states import NEVER_AGAIN, NOT_RECOVERED, State

Figures = Counter[tuple[str, str]]
"""Counts by metric name and labels (a JSON list of texts, in the order of the metric's labels)."""

OTHER = "other"
"""Stands for what the settings do not know: labels must not grow with what comes from outside."""

_ENDS = (*NEVER_AGAIN, *NOT_RECOVERED)
_ORIGINS = frozenset(Origin)
_LATE = timedelta(hours=24)


@lru_cache(maxsize=1024)
def labelled(*labels: str) -> str:
    """Labels as they are kept; there are few of them, and each is asked for with every order."""
    return json.dumps(labels, ensure_ascii=False, separators=(",", ":"))


def observe(figures: Figures, name: str, labels: Sequence[str], bounds: Sequence[int], value: int) -> None:
    """Count one observation of a histogram: its bucket by its upper bound, and what all add up to."""
    at = bisect_left(bounds, value)
    bound = str(bounds[at]) if at < len(bounds) else "+Inf"
    figures[f"{name}_bucket", labelled(*labels, bound)] += 1
    figures[f"{name}_sum", labelled(*labels)] += value


class DayCounts:
    """Counts one business date. Feed it every decision, every standing and every copy of the date once."""

    def __init__(self, business_date: str, sites: Collection[str]) -> None:
        self.figures: Figures = Counter()
        self._date = business_date
        self._sites = frozenset(sites)

    def count_decision(self, decision: Decision) -> None:
        """Count one candidate, and why it was not sent."""
        site, origin = self._site(decision.site), str(decision.cells.get("origin") or "")
        self._add("candidates", site, origin if origin in _ORIGINS else OTHER)
        if decision.decision != "selected":
            self._add("skipped", site, decision.reason)

    def count_transmission(self, copy: Transmission) -> None:
        """Count a copy that left too late to be of much use."""
        if copy.delivered_at and from_utc_text(copy.delivered_at) - from_utc_text(copy.charged_at) > _LATE:
            self._add("transmissions_late", self._site(copy.site))

    def count_standing(self, standing: Standing) -> None:
        """Count what became of one claim on the date."""
        if not standing.moves:
            return
        site, attempt = self._site(standing.attempt.site), standing.attempt
        if standing.handed_over in standing.moves:
            self._add("handed_over", site, attempt.currency, attempt.channel)
            self._add("handed_over_minor_units", site, attempt.currency, attempt.channel, value=attempt.amount_minor)
        for move in standing.moves:
            if move.to_state == State.REJECTED:
                self._add("rejected", site, "row" if move.text("error_code") == "MB-ROW-REJECTED" else "file")
            if move.to_state in _ENDS and move.from_state != move.to_state:
                ended = (site, attempt.currency, move.to_state, move.source)
                self._add("outcomes", *ended)
                self._add("outcomes_minor_units", *ended, value=attempt.amount_minor)
        self._count_money(site, standing)
        self._count_recovery(site, standing)

    def _count_money(self, site: str, standing: Standing) -> None:
        """Count by how much each sum rose above the most that it ever was: what is taken back and booked again counts once."""
        moved = [money for money in standing.money if not money.is_nothing]
        if not moved:
            return
        now, most = Counter[str](), Counter[str]()
        for money in moved:
            now.update(recovered=money.recovered, refunded=-money.refunded, chargeback=-money.chargeback)
            for name, sum_of_it in now.items():
                risen = sum_of_it - most[name]
                if risen > 0:
                    most[name] = sum_of_it
                    if money.move.business_date == self._date:
                        self._add(f"{name}_minor_units", site, standing.attempt.currency, value=risen)

    def _count_recovery(self, site: str, standing: Standing) -> None:
        began, ended = standing.handed_over, standing.first(State.COMPLETED)
        if began is not None and ended is not None and ended in standing.moves:
            observe(self.figures, "mitbatch_time_to_recovery_seconds", (site,), RECOVERY_BUCKETS, _seconds(began, ended))

    def _site(self, name: str) -> str:
        return name if name in self._sites else OTHER

    def _add(self, name: str, *labels: str, value: int = 1) -> None:
        self.figures[f"mitbatch_{name}", labelled(*labels)] += value


def _seconds(began: Event, ended: Event) -> int:
    return max(0, int((from_utc_text(ended.at) - from_utc_text(began.at)).total_seconds()))
