"""The dashboard's first page: is everything all right, what must a person do, what came of tonight, and is the machine well?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from batch.ledger.gauges import Row
from batch.ledger.items import Item
from batch.ledger.webhook_inbox import Backlog
from batch.pace import from_utc_text
from batch.switching import SENDING
from jobs.metrics.samples import AGE_LABELS, OVERDUE, Seen, pending_by_age
from jobs.serve.overview_operation import NIGHTLY, TONES, last_runs, nights
from jobs.serve.overview_tiles import tiles
from jobs.serve.pictures import share
from jobs.serve.recent_days import NIGHTS, RecentDays, View, amounts, minor_of_rows, today_of
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode
from schemas.states import OPEN, State

LATE = timedelta(hours=26)
"""A night that has not succeeded for so long is missed: one run, and two hours for it."""

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Recent:
    """The last weeks as the ledger has them: counts by date, name and labels, runs, open items, and what the door still holds."""

    figures: Sequence[tuple[str, str, str, int]]
    runs: Sequence[Row]
    items: Sequence[Item]
    backlog: Backlog


def first_day(seen: Seen) -> str:
    """The first date that the page looks at: the beginning of the month, or thirty nights ago."""
    today = today_of(seen)
    return min(today.replace(day=1), today - timedelta(days=NIGHTS - 1)).isoformat()


def overview(seen: Seen, recent: Recent) -> View:
    """Everything that the first page shows."""
    days = RecentDays(recent.figures, today_of(seen))
    tone, words = verdict(seen, recent)
    return {
        "tone": tone,
        "verdict": words,
        "tiles": tiles(seen, recent.items, days),
        "matters": _matters(recent.items, today_of(seen).isoformat()),
        "tonight": _tonight(seen, days),
        "pending": _pending(seen),
        "states": _states(seen),
        "nights": nights(recent.runs, today_of(seen)),
        "jobs": last_runs(seen),
        "files": seen.gauges.unanswered,
        "backlog": recent.backlog,
        "api_errors": days.sum_of("api_requests", lambda labels: labels[1] != "2xx"),
        "api_calls": days.sum_of("api_requests"),
    }


def verdict(seen: Seen, recent: Recent) -> tuple[str, str]:
    """How it looks, in one word and one sentence; the gravest thing decides."""
    nights = [row for row in recent.runs if row["job"] in NIGHTLY]
    ended = [row for row in nights if row["exit_code"] is not None]
    if not ended:
        return "wait", "No nightly has ended yet." if nights else "No nightly has run yet."
    last, code = ended[-1], ExitCode(ended[-1]["exit_code"])
    night = f"The night of {last['business_date']}"
    if seen.now - from_utc_text(last["started_at"]) > LATE:
        hours = int((seen.now - from_utc_text(last["started_at"])).total_seconds() // 3600)
        return "bad", f"The last nightly began {hours:,} hours ago: a night was missed."
    if code not in TONES:
        return "bad", f"{night} ended with exit {int(code)}: {EXIT_MEANINGS[code]}."
    overdue = sum(orders for (_, age), orders in pending_by_age(seen).items() if age == OVERDUE)
    if overdue:
        return "bad", f"{counted(overdue, 'order is', 'orders are')} past the expiry and without an answer."
    off = seen.switches.by_hand.get(SENDING)
    if off is not None:
        return "wait", f"Sending is paused since {off.at} by {off.by}: {off.reason}"
    if recent.items:
        return "wait", f"{night} is done; {counted(len(recent.items), 'item needs', 'items need')} a person."
    return "good", f"{night} ended clean, and nothing needs a person."


def _matters(items: Sequence[Item], today: str) -> list[View]:
    """Open items by kind, one line each: how many, by when, and the first three. What is overdue comes first."""
    kinds: dict[str, list[Item]] = {}
    for item in items:
        kinds.setdefault(item.kind.value, []).append(item)
    found = [
        {
            "kind": kind,
            "count": len(of_kind),
            "overdue": sum(item.due_date < today for item in of_kind),
            "due": min(item.due_date for item in of_kind),
            "first": sorted(of_kind, key=lambda item: item.due_date)[:MOST_NAMED],
            "more": max(0, len(of_kind) - MOST_NAMED),
            "words": min(of_kind, key=lambda item: item.due_date).explanation,
        }
        for kind, of_kind in kinds.items()
    ]
    return sorted(found, key=lambda each: (not each["overdue"], each["due"], each["kind"]))


def _tonight(seen: Seen, days: RecentDays) -> View:
    """From candidates to accepted orders, of the last date that had any."""
    day = days.latest()
    candidates, handed_over = days.on("candidates", day), days.on("handed_over", day)
    reasons = sorted(days.by_label("skipped", day, 1).items(), key=lambda each: (-each[1], each[0]))
    not_sent = sum(count for _, count in reasons)
    rejected = days.on("rejected", day)
    in_doubt = sum(row["orders"] for row in seen.gauges.of_state[State.IN_DOUBT])
    rows = [
        ("Candidates", candidates, "declined charges that the gate judged", ""),
        ("Not sent", not_sent, "by the gate, or withdrawn before sending", "faint"),
        ("Handed over", handed_over, "accepted by the provider", "good"),
        ("Rejected", rejected, "refused by the provider; no rescue started", "bad"),
        ("In doubt", in_doubt, "may or may not have been sent; held, and asked about", "bad"),
    ]
    most = max((count for _, count, _, _ in rows), default=0)
    worst = reasons[0][1] if reasons else 0
    return {
        "day": day,
        "rows": [
            {"name": name, "count": count, "words": words, "tone": tone, "share": share(count, most)}
            for name, count, words, tone in rows
        ],
        "reasons": [{"reason": reason, "count": count, "share": share(count, worst)} for reason, count in reasons],
    }


def _pending(seen: Seen) -> View:
    ages = pending_by_age(seen)
    sites = sorted({site for site, _ in ages})
    most = max((sum(ages[site, age] for site in sites) for age in AGE_LABELS), default=0) if sites else 0
    expiries = [row["expiry"] for row in seen.gauges.pending if row["expiry"]]
    return {
        "sites": sites,
        "rows": [
            {
                "age": age,
                "counts": [ages[site, age] for site in sites],
                "total": sum(ages[site, age] for site in sites),
                "share": share(sum(ages[site, age] for site in sites), most),
            }
            for age in AGE_LABELS
        ],
        "next_expiry": min(expiries, default=""),
    }


def _states(seen: Seen) -> list[View]:
    found = []
    for state in OPEN:
        rows = seen.gauges.of_state[state]
        orders, minor = sum(row["orders"] for row in rows), minor_of_rows(rows)
        if rows:
            found.append({"state": state.value, "orders": orders, "amounts": amounts(minor)})
    return found
