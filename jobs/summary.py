"""`mitbatch summary`: a business date's figures by currency and site, with the month to date."""

from collections.abc import Mapping
from typing import Any

from batch.audit import AuditFolder
from batch.audit_rows import Day
from batch.book_entries import Total
from batch.books import stand
from batch.ledger import Ledger
from batch.ledger_history import HistoryReader
from batch.pace import business_date, utc_text
from batch.report_lives import LivesTally, Money
from batch.tally import Tally
from jobs.assembly import open_ledger_alone
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.disk import MachineDisk
from jobs.night import checked_date
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.summary_figures import SiteSummary, summarised, whole_of
from schemas.errors import ExitCode
from schemas.money import people_text

_NEVER = "9999-12-31"


def show_summary(options: Options, day: str) -> int:
    """Print the figures of a date: a line for each currency and site, then all sites. Reads only; exit 0."""
    settings, clock = load_settings(options.config), SystemClock()
    today = business_date(clock.now(), settings.schedule.timezone)
    dates = AuditFolder(settings.data_dir / "audit", MachineDisk()).dates()
    day = checked_date(day, settings, clock.now()) if day else (dates or [today])[-1]
    with open_ledger_alone(settings, clock=clock) as ledger:
        sites, waiting = _read(ledger, day, settings.schedule.timezone)
    say(options, [banner("summary", day, settings), *_lines(sites, day), _waiting_line(waiting)])
    answer(
        options,
        {
            "schema": "mitbatch.summary/1",
            "type": "result",
            "command": "summary",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "mid": settings.provider.mid,
            "business_date": day,
            "sites": [_site_object(site) for site in sites],
            "needs_person": waiting,
            "exit_code": int(ExitCode.CLEAN),
        },
    )
    return int(ExitCode.CLEAN)


def _read(ledger: Ledger, day: str, timezone: str) -> tuple[list[SiteSummary], int]:
    from zoneinfo import ZoneInfo

    tally, lives = Tally(day), LivesTally(day, f"{day[:7]}-01")
    with ledger.reading() as connection:
        reader = HistoryReader(connection, ledger.mid)
        for decision in reader.decisions(day):
            tally.count_decision(decision)
        for attempt in reader.attempts(day):
            if standing := stand(attempt, day):
                tally.count_standing(standing)
        for life in reader.report().lives(day, lives.start, _NEVER):
            lives.count(life)
        start = Day(day, ledger.mid, ZoneInfo(timezone)).interval()[0]
        waiting = sum(not matter.closed_date or matter.closed_date > day for matter in reader.matters(day, start))
    return summarised(tally, lives), waiting


_HEAD = (
    "currency",
    "site",
    "candidates",
    "not sent",
    "accepted",
    "open",
    "recovered",
    "given back",
    "net",
    "net of month",
    "balance",
)


def _lines(sites: list[SiteSummary], day: str) -> list[str]:
    if not sites:
        return [f"nothing happened on {day}, and nothing was open"]
    rows: list[tuple[str, ...]] = [_HEAD]
    for currency in dict.fromkeys(site.currency for site in sites):
        of_it = [site for site in sites if site.currency == currency]
        rows += [_row(site) for site in of_it]
        rows += [_row(whole_of(of_it))] if len(of_it) > 1 else []
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _row(site: SiteSummary) -> tuple[str, ...]:
    def amount(minor: int) -> str:
        return people_text(minor, site.currency).partition(" ")[2] if site.currency else ""

    return (
        site.currency or "-",
        site.site or "-",
        f"{site.candidates.orders:,}",
        f"{site.not_sent.orders:,}",
        f"{site.accepted.orders:,}",
        f"{site.balance.closing.orders:,}",
        amount(site.today.recovered),
        amount(site.today.refunded + site.today.chargeback),
        amount(site.today.net),
        amount(site.month.net),
        "ok" if site.balance.balanced else "DOES NOT CLOSE",
    )


def _waiting_line(waiting: int) -> str:
    if not waiting:
        return "nothing needs a person"
    return f"NEED  {waiting:,} {'item needs' if waiting == 1 else 'items need'} a person: mitbatch review list"


def _site_object(site: SiteSummary) -> dict[str, Any]:
    names = ("opening", "claimed", "reopened", "released", "completed", "closing")
    return {
        "currency": site.currency,
        "site": site.site,
        "candidates": _total_object(site.candidates),
        "not_sent": _total_object(site.not_sent),
        "accepted": _total_object(site.accepted),
        "balance": {**{name: _total_object(getattr(site.balance, name)) for name in names}, "ok": site.balance.balanced},
        "today_minor": _money_object(site.today),
        "month_to_date_minor": _money_object(site.month),
    }


def _total_object(total: Total) -> Mapping[str, int]:
    return {"orders": total.orders, "amount_minor": total.amount_minor}


def _money_object(money: Money) -> Mapping[str, int]:
    return {"recovered": money.recovered, "refunded": money.refunded, "chargeback": money.chargeback, "net": money.net}
