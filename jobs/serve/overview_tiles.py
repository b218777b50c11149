"""The tiles of the dashboard: the figures that are looked at first, each with a line of thirty nights."""

from collections.abc import Sequence

from batch.ledger.items import Item
from jobs.metrics.samples import Seen
from jobs.serve.recent_days import RecentDays, View, amounts, first_amount, minor_of_rows, other_amounts

_NET = ("recovered_minor_units", "refunded_minor_units", "chargeback_minor_units")


def tiles(seen: Seen, items: Sequence[Item], days: RecentDays) -> list[View]:
    """Five tiles: handed over, recovered, net of the month, pending, needs a person."""
    latest, month = days.latest(), days.today.replace(day=1).isoformat()
    pending = sum(row["orders"] for row in seen.gauges.pending)
    overdue = sum(item.due_date < days.today.isoformat() for item in items)
    today = days.per_currency("recovered_minor_units", days.today.isoformat())
    found: list[View] = [
        {
            "name": "Handed over",
            "figure": f"{days.on('handed_over', latest):,}" if latest else "0",
            "facts": amounts(days.per_currency("handed_over_minor_units", latest, latest)) if latest else [],
            "when": f"on {latest}" if latest else "",
            "line": days.line("handed_over"),
        },
        {
            "name": "Recovered today",
            "figure": first_amount(today),
            "facts": other_amounts(today),
            "when": f"on {days.today.isoformat()}",
            "line": days.line("recovered_minor_units", currency=min(today, default="")),
        },
        {
            "name": "Net this month",
            "figure": first_amount(_net(days, month)),
            "facts": other_amounts(_net(days, month)),
            "when": "recovered, less refunds and chargebacks",
            "line": days.line(*_NET, signs=(1, -1, -1), currency=min(_net(days, month), default="")),
        },
        {
            "name": "Pending",
            "figure": f"{pending:,}",
            "facts": amounts(minor_of_rows(seen.gauges.pending)),
            "when": "at the provider now",
            "line": "",
        },
        {
            "name": "Needs a person",
            "figure": f"{len(items):,}",
            "facts": [f"{overdue:,} overdue"] if overdue else [],
            "when": "nothing to do" if not items else "open items",
            "line": "",
            "tone": "bad" if overdue else "wait" if items else "good",
        },
    ]
    return [{"tone": "", **tile} for tile in found]


def _net(days: RecentDays, since: str) -> dict[str, int]:
    net = dict(days.per_currency("recovered_minor_units", since))
    for name in _NET[1:]:
        for currency, minor in days.per_currency(name, since).items():
            net[currency] = net.get(currency, 0) - minor
    return net
