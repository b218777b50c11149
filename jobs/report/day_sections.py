"""Sections 2 to 4: what needs a person, the balance, and the money of the date."""

from batch.book_entries import Total
from batch.books import Balance
from batch.report_figures import ReportFigures
from batch.report_lives import Money
from jobs.report import definitions as means
from jobs.report.parts import Figures, Names, Part, Section, plain, short_total, signed
from jobs.report.pictures import bridge
from schemas.money import people_text
from schemas.reasons import ITEM_TEXTS, ItemKind

MOST_ITEMS = 20
_STEPS = ("opening", "claimed", "reopened", "released", "completed", "closing")


def needs_person(figures: ReportFigures, _names: Names) -> Section:
    """2: what must I do?"""
    kinds: dict[tuple[str, str], list[int]] = {}
    for item in figures.items:
        found = kinds.setdefault((str(item["kind"]), str(item["currency"] or "")), [0, 0, 0])
        found[0] += 1
        found[1] += int(item["at_risk_minor"] or 0)
        found[2] = max(found[2], int(item["age_days"] or 0))
    summed = [
        (kind, ITEM_TEXTS[ItemKind(kind)], f"{found[0]:,}", people_text(found[1], currency) if currency else "", f"{found[2]} d")
        for (kind, currency), found in sorted(kinds.items(), key=lambda pair: (-pair[1][0], pair[0]))
    ]
    single = [
        (
            str(item["kind"]),
            str(item["order_id"] or item["provider_says"] or item["ledger_says"] or ""),
            str(item["command"] or "mitbatch review list"),
            people_text(int(item["at_risk_minor"] or 0), str(item["currency"])) if item["currency"] else "",
            str(item["due_date"]),
        )
        for item in sorted(figures.items, key=lambda item: (str(item["due_date"]), str(item["review_id"])))[:MOST_ITEMS]
    ]
    others = [
        (name, people_text(total.amount_minor, currency), f"{total.orders:,}")
        for name, totals in (("in doubt", figures.waiting.in_doubt), ("overdue", figures.waiting.overdue))
        for currency, total in sorted(totals.items())
    ]
    parts = []
    if summed:
        heads: tuple[str, ...] = ("Kind", "What it means", "Open", "At risk", "Oldest")
        parts.append(Part("By kind", figures=Figures(heads, summed, 2), is_open=True, is_wide=True))
        more = len(figures.items) - len(single)
        note = f"{more:,} more are in review.csv." if more > 0 else "All of them are in review.csv as well."
        heads = ("Kind", "Order", "Command", "At risk", "Due")
        parts.append(
            Part("What to decide, by due date", figures=Figures(heads, single, 3), note=note, is_open=True, is_wide=True)
        )
    if others:
        heads = ("Standing", "Amount", "Orders")
        parts.append(Part("In doubt and overdue", figures=Figures(heads, others), is_open=True))
    return Section(
        2,
        "needs",
        "Needs a person",
        "What must I do?",
        parts,
        definitions=[means.OVERDUE],
        empty="Nothing: nobody has to do anything.",
    )


def balance(figures: ReportFigures, names: Names) -> Section:
    """3: does it close to the cent?"""
    by_site = figures.tally.balances()
    parts = []
    for currency in figures.currencies:
        whole = figures.tally.by_currency().get(currency, Balance())
        mark = "closes" if whole.balanced else "DOES NOT CLOSE"
        rows = [_balance_row(site or "(no site)", each) for (site, of), each in sorted(by_site.items()) if of == currency]
        total = _balance_row("all sites", whole)
        steps = [
            ("=opening", whole.opening.amount_minor, short_total(whole.opening, currency)),
            ("claimed", whole.claimed.amount_minor, short_total(whole.claimed, currency)),
            *(
                [("reopened", whole.reopened.amount_minor, short_total(whole.reopened, currency))]
                if whole.reopened.orders
                else []
            ),
            ("released", -whole.released.amount_minor, short_total(whole.released, currency)),
            ("completed", -whole.completed.amount_minor, short_total(whole.completed, currency)),
            ("=closing", whole.closing.amount_minor, short_total(whole.closing, currency)),
        ]
        said = "; ".join(f"{name.removeprefix('=')} {words}" for name, _, words in steps)
        drawn = bridge(
            names, f"How the open amount in {currency} moved", f"In {currency}, orders and amount: {said}. It {mark}.", steps
        )
        head = ("Site", *(f"{step} {what}" for step in _STEPS for what in ("orders", currency)), "Check")
        table = Figures(head, [_with_amounts(row, currency) for row in (*rows, total)])
        parts.append(Part(f"{currency}: {mark} {'✓' if whole.balanced else '✗'}", drawn, table))
    return Section(
        3,
        "balance",
        "The balance",
        "Does it close to the cent?",
        parts,
        definitions=[means.BALANCE],
        empty="Nothing was open this date.",
    )


def _balance_row(site: str, each: Balance) -> tuple[str, Balance]:
    return site, each


def _with_amounts(row: tuple[str, Balance], currency: str) -> list[str]:
    site, each = row
    cells = [site]
    for step in _STEPS:
        total: Total = getattr(each, step)
        cells += [f"{total.orders:,}", plain(total.amount_minor, currency)]
    return [*cells, "closes" if each.balanced else "DOES NOT CLOSE"]


def month_to_date(figures: ReportFigures, currency: str, until: str) -> Money:
    """What was booked in the month of a date, up to it."""
    whole = Money()
    for (of, day), money in figures.lives.booked.items():
        if of == currency and until[:7] == day[:7] and day <= until:
            whole.add(money.recovered, money.refunded, money.chargeback)
    return whole


def money(figures: ReportFigures, names: Names) -> Section:
    """4: what came in, what went out?"""
    today, parts = figures.day.business_date, []
    for currency in figures.currencies:
        day, month = figures.lives.booked.get((currency, today), Money()), month_to_date(figures, currency, today)
        steps = [
            ("recovered", month.recovered, signed(month.recovered, currency)),
            ("refunded", month.refunded, signed(month.refunded, currency)),
            ("chargeback", month.chargeback, signed(month.chargeback, currency)),
            ("=net", month.net, signed(month.net, currency)),
        ]
        said = ", ".join(f"{name.removeprefix('=')} {words}" for name, _, words in steps)
        drawn = bridge(
            names, f"Money of the month to date in {currency}", f"{today[:7]} up to {today}, in {currency}: {said}.", steps
        )
        rows = [
            (name, signed(getattr(day, name), currency), signed(getattr(month, name), currency))
            for name in ("recovered", "refunded", "chargeback", "net")
        ]
        table = Figures(("By booking date", f"{today} ({currency})", f"month to date ({currency})"), rows)
        parts.append(Part(f"{currency}, {today[:7]} to date", drawn, table, is_open=True))
    return Section(
        4,
        "money",
        "Money",
        "What came in, what went out?",
        parts,
        definitions=[means.BOOKED, means.BOOKED_LATER, means.NET],
        empty="No money moved.",
    )
