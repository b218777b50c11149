"""The samples of every metric, from what the ledger says: name, labels and value, nothing of Prometheus's own yet."""

import functools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

from batch.ledger.gauges import Gauges, Row
from batch.pace import business_date, from_utc_text, utc_text
from batch.switching import KINDS, SENDING, Switches
from schemas.metrics import METRICS
from schemas.reasons import ItemKind
from schemas.settings import Settings
from schemas.states import State

AGES = ((1, "0-1d"), (3, "1-3d"), (7, "3-7d"), (14, "7-14d"))
OLDEST_AGE, OVERDUE = "14-21d", "overdue"
AGE_LABELS = (*(label for _, label in AGES), OLDEST_AGE, OVERDUE)
"""Ages of pending orders in whole business days since the hand-over, and what is past its expiry and the grace."""

FILE_KINDS = ("evaluate", "transmit")
UNREAD = "unread"
"""Stands for the event of a webhook that was turned away before anybody read it."""

WITH_AGE = (State.SENDING, State.IN_DOUBT, State.PENDING, State.REVIEW, State.CAPTURE_REQUIRED)

Sample = tuple[str, tuple[str, ...], float]
"""Metric, values of its labels in their order, value. Of a histogram: its buckets, then `+Inf`, then `sum`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read at one moment: how things stand, counts, switches, differences of the last comparison, the audit."""

    settings: Settings
    now: datetime
    gauges: Gauges
    totals: Mapping[tuple[str, str], int]
    switches: Switches
    differences: Mapping[tuple[str, str], tuple[int, int]]
    audit_ok: bool | None = None


def overdue_before(settings: Settings, now: datetime) -> str:
    """What expired before this moment (UTC text) is overdue now."""
    return utc_text(now - timedelta(seconds=settings.outcomes.expiry_grace_seconds))


def samples(seen: Seen) -> Iterator[Sample]:
    """Everything but histograms."""
    build = (_version(), seen.settings.environment, seen.settings.provider.profile)
    yield "mitbatch_build_info", build, 1
    yield from _runs(seen)
    yield from _orders(seen)
    yield from _open_things(seen)
    yield from _switches(seen)
    yield from _differences(seen)
    if seen.audit_ok is not None:
        yield "mitbatch_audit_chain_ok", (), seen.audit_ok
    kept = {(name, tuple(json.loads(labels))): value for (name, labels), value in seen.totals.items() if name in METRICS}
    for key, value in sorted((dict.fromkeys(_from_the_start(seen), 0) | kept).items()):
        yield *key, value


@functools.cache
def _version() -> str:
    """Looked up once: it does not change while the program runs."""
    return version("mitbatch")


def _from_the_start(seen: Seen) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Counters that are shown as nought before the first time: Prometheus sees no increase of what was not there before."""
    for site in seen.settings.sites:
        for name in ("write_back_conflicts", "house_charge_during_hold", "transmissions_late"):
            yield f"mitbatch_{name}", (site.name,)
    for result in ("bad_signature", "stale"):
        yield "mitbatch_webhooks", (UNREAD, result)


def histograms(seen: Seen) -> dict[str, dict[tuple[str, ...], dict[str, int]]]:
    """By metric and labels: what fell into each bucket (by its upper bound, not added up) and `sum`."""
    found: dict[str, dict[tuple[str, ...], dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for (name, kept), value in seen.totals.items():
        base, _, part = name.rpartition("_")
        if base not in METRICS or METRICS[base].kind != "histogram":
            continue
        labels = tuple(json.loads(kept))
        if part == "sum":
            found[base][labels]["sum"] = value
        elif part == "bucket":
            found[base][labels[:-1]][labels[-1]] = value
    return found


def _runs(seen: Seen) -> Iterator[Sample]:
    newest = max((row["token"] for row in seen.gauges.runs), default=0)
    ended: dict[str, Row] = {}
    begun: dict[str, Row] = {}
    for row in seen.gauges.runs:
        job, code, latest = row["job"], row["exit_code"], seen.gauges.latest[row["token"]]
        begun[job] = max(begun.get(job, latest), latest, key=lambda each: int(each["fencing_token"]))
        if code is None:
            cut_off = row["runs"] - (row["token"] == newest)  # the newest may be at work
            if cut_off:
                yield "mitbatch_runs", (job, "cut_off"), cut_off
            continue
        yield "mitbatch_runs", (job, str(code)), row["runs"]
        if latest["finished_at"] is not None:
            ended[job] = max(ended.get(job, latest), latest, key=lambda each: int(each["fencing_token"]))
            if code == 0:
                yield "mitbatch_run_last_success_timestamp_seconds", (job,), _seconds(latest["finished_at"])
    for job, latest in begun.items():
        yield "mitbatch_run_last_start_timestamp_seconds", (job,), _seconds(latest["started_at"])
    for job, latest in ended.items():
        finished = _seconds(latest["finished_at"])
        yield "mitbatch_run_last_completion_timestamp_seconds", (job,), finished
        yield "mitbatch_run_last_duration_seconds", (job,), finished - _seconds(latest["started_at"])
        yield "mitbatch_run_last_exit_code", (job,), latest["exit_code"]
    if seen.gauges.closed:
        closed = datetime.combine(date.fromisoformat(seen.gauges.closed), datetime.min.time(), UTC)
        yield "mitbatch_business_date_timestamp_seconds", (), closed.timestamp()


def _orders(seen: Seen) -> Iterator[Sample]:
    totals: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in seen.gauges.standing:
        total = totals[row["site"], row["currency"], row["state"]]
        total[0] += row["orders"]
        total[1] += int(row["minor"])
    for labels, (orders, minor) in sorted(totals.items()):
        yield "mitbatch_orders", labels, orders
        yield "mitbatch_orders_minor_units", labels, minor
    for (site, age), orders in sorted(pending_by_age(seen).items()):
        yield "mitbatch_pending_orders", (site, age), orders
    of_state = seen.gauges.of_state
    for state in WITH_AGE:
        oldest = min((row["oldest"] for row in of_state[state]), default="")
        yield "mitbatch_oldest_order_age_seconds", (state,), _age(seen, oldest)
    expiries = [row["expiry"] for row in seen.gauges.pending if row["expiry"]]
    if expiries:
        yield "mitbatch_next_expiry_timestamp_seconds", (), _seconds(min(expiries))


def pending_by_age(seen: Seen) -> dict[tuple[str, str], int]:
    """Pending orders by site and age, every age of every site that has any."""
    today = date.fromisoformat(business_date(seen.now, seen.settings.schedule.timezone))
    counted: dict[tuple[str, str], int] = {}
    for row in seen.gauges.pending:
        for label in AGE_LABELS:
            counted.setdefault((row["site"], label), 0)
        counted[row["site"], _age_label(row, today)] += row["orders"]
    return counted


def _age_label(row: Row, today: date) -> str:
    if row["is_overdue"] and row["expiry"]:
        return OVERDUE
    days = (today - date.fromisoformat(row["handed_over_date"] or today.isoformat())).days
    return next((label for bound, label in AGES if days < bound), OLDEST_AGE)


def _open_things(seen: Seen) -> Iterator[Sample]:
    unwritten = dict.fromkeys((site.name for site in seen.settings.sites), 0)
    for site, orders in (unwritten | {row["site"]: row["orders"] for row in seen.gauges.unwritten}).items():
        yield "mitbatch_write_back_pending_orders", (site,), orders
    items = {row["kind"]: row for row in seen.gauges.items}
    for kind in ItemKind:
        yield "mitbatch_review_open_orders", (kind,), items[kind]["items"] if kind in items else 0
        yield "mitbatch_review_oldest_age_seconds", (kind,), _age(seen, items[kind]["oldest"]) if kind in items else 0
    files = {row["kind"]: row for row in seen.gauges.unanswered}
    for name in FILE_KINDS:
        yield "mitbatch_unacknowledged_files", (name,), files[name]["files"] if name in files else 0
        yield "mitbatch_unacknowledged_oldest_age_seconds", (name,), _age(seen, files[name]["oldest"]) if name in files else 0


def _switches(seen: Seen) -> Iterator[Sample]:
    for origin, name in KINDS.items():
        yield "mitbatch_switch_enabled", (name, ""), seen.switches.of_kind(origin) is None
    for site in seen.settings.sites:
        yield "mitbatch_switch_enabled", ("site", site.name), seen.switches.of_site(site.name) is None
    yield "mitbatch_switch_enabled", (SENDING, ""), not seen.switches.is_paused


def _differences(seen: Seen) -> Iterator[Sample]:
    for labels, (orders, minor) in seen.differences.items():
        yield "mitbatch_reconciliation_differences", labels, orders
        yield "mitbatch_reconciliation_differences_minor_units", labels, minor


def _age(seen: Seen, since: str | None) -> float:
    return max(0.0, seen.now.timestamp() - _seconds(since)) if since else 0.0


def _seconds(text: str) -> float:
    return from_utc_text(text).timestamp()
