"""Section 13: what the gate saved by the rules of the card networks."""

from batch.report_figures import ReportFigures
from jobs.report import definitions as means
from jobs.report.parts import Figures, Names, Part, Section, plain
from jobs.report.pictures import bars
from schemas.money import people_text
from schemas.network_fees import NetworkFee, NetworkFees
from schemas.network_rules import NetworkRules

_OWN_LIMIT = "gate.max_attempts_30d"


def network(figures: ReportFigures, names: Names, rules: NetworkRules, fees: NetworkFees) -> Section:
    """13: what did the gate save?"""
    parts = []
    if figures.avoided:
        parts = [_avoided(figures, names), _fees(figures, rules, fees)]
    brands = [
        (
            brand,
            f"{c.candidates:,}",
            f"{c.merchant_attempts:,}",
            f"{c.most_attempts:,}",
            f"{c.at_limit:,}",
            f"{c.handed_over_30d:,}",
        )
        for brand, c in sorted(figures.brands.found.items())
    ]
    if brands:
        head = ("Brand", "Candidates today", "Merchant's attempts in 30 d", "Most on one order", "At a limit", "Ours in 30 d")
        parts.insert(1, Part("Attempts counted, by brand", figures=Figures(head, brands), is_open=True, is_wide=True))
    said = [means.AVOIDED, means.FEES, means.COUNTER]
    empty = "No rule held anything back."
    return Section(13, "network", "Network rules", "What did the gate save?", parts, definitions=said, empty=empty)


def _avoided(figures: ReportFigures, names: Names) -> Part:
    orders: dict[str, int] = {}
    for each in figures.avoided:
        orders[each.rule_id or _OWN_LIMIT] = orders.get(each.rule_id or _OWN_LIMIT, 0) + each.orders
    ordered = sorted(orders.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [(name, count, f"{count:,}") for name, count in ordered]
    said = "; ".join(f"{name} {words}" for name, _, words in shown)
    drawn = bars(names, "Attempts avoided by rule", f"Orders since {figures.lives.start}: {said}.", shown, kind="c2")
    dated = [
        (
            each.date,
            each.rule_id or _OWN_LIMIT,
            each.reason,
            each.currency,
            f"{each.orders:,}",
            plain(each.amount_minor, each.currency) if each.currency else "",
        )
        for each in reversed(figures.avoided)
    ]
    head = ("Date", "Rule", "Reason", "Currency", "Orders", "Amount")
    return Part(f"Attempts avoided by rule, since {figures.lives.start}", drawn, Figures(head, dated, 4))


def _fees(figures: ReportFigures, rules: NetworkRules, fees: NetworkFees) -> Part:
    """What the attempts would have cost, at least and at most, by the figure that was published for their date."""
    notes = {rule.id: rule.note for rule in rules.rule}
    counted: dict[tuple[str, NetworkFee | None], int] = {}
    for each in figures.avoided:
        key = each.rule_id or _OWN_LIMIT, fees.of(each.rule_id, each.date) if each.rule_id else None
        counted[key] = counted.get(key, 0) + each.orders
    rows: list[tuple[str, ...]] = []
    totals: dict[str, tuple[int, int, int]] = {}
    for (name, fee), orders in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0][0], str(pair[0][1]))):
        note = notes.get(name, "your own limit")
        if fee is None:
            rows.append((name, note, "no figure is published", "", f"{orders:,}", ""))
            continue
        before = totals.get(fee.currency, (0, 0, 0))
        low, high = orders * fee.low_minor, orders * fee.high_minor
        totals[fee.currency] = before[0] + orders, before[1] + low, before[2] + high
        words = f"{_range(fee.low_minor, fee.high_minor, fee.currency)} an attempt since {fee.effective_from}. {fee.note}"
        rows.append((name, note, words, fee.source, f"{orders:,}", _range(low, high, fee.currency)))
    rows += [
        ("all with a published fee", "", "", "", f"{n:,}", _range(low, high, of)) for of, (n, low, high) in sorted(totals.items())
    ]
    head = ("Rule", "What it says", "Published fee", "Source", "Orders", "Fees avoided")
    return Part(f"Fees avoided, since {figures.lives.start}", figures=Figures(head, rows, 4), is_open=True, is_wide=True)


def _range(low_minor: int, high_minor: int, currency: str) -> str:
    low, high = people_text(low_minor, currency), people_text(high_minor, currency)
    return low if low == high else f"{low} to {high.partition(' ')[2]}"
