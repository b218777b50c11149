"""The figures of a date by currency and site, with the month to date: what `mitbatch summary` prints."""

from dataclasses import dataclass, field, replace

from batch.book_entries import Total
from batch.books import Balance
from batch.report_lives import LivesTally, Money
from batch.tally import Tally
from schemas.audit_columns import Section

_NOTHING = Total()


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """One site in one currency on one date: orders with amounts, signed money of the date and of its month so far."""

    currency: str
    site: str
    candidates: Total = _NOTHING
    not_sent: Total = _NOTHING
    accepted: Total = _NOTHING
    balance: Balance = field(default_factory=Balance)
    today: Money = field(default_factory=Money)
    month: Money = field(default_factory=Money)


def summarised(tally: Tally, lives: LivesTally) -> list[SiteSummary]:
    """A summary for each currency and site where anything stood or moved, sorted."""
    day, found = tally.business_date, dict[tuple[str, str], SiteSummary]()
    balances = tally.balances()
    for site, currency, line, total in tally.lines():
        key = currency, site
        one = found.setdefault(key, SiteSummary(currency, site, balance=balances.get((site, currency), Balance())))
        if line.section == Section.INTAKE and line.name == "candidates":
            found[key] = replace(one, candidates=total)
        elif line.section == Section.INTAKE and line.name != "selected":
            found[key] = replace(one, not_sent=one.not_sent + total)
        elif (line.section, line.name) == (Section.HANDOVER, "acknowledged"):
            found[key] = replace(one, accepted=total)
    for (currency, site, booked), money in lives.booked_by_site.items():
        one = found.setdefault((currency, site), SiteSummary(currency, site))
        month = _added(one.month, money)
        found[currency, site] = replace(one, month=month, today=_added(one.today, money) if booked == day else one.today)
    return [found[key] for key in sorted(found)]


def _added(first: Money, second: Money) -> Money:
    return Money(first.recovered + second.recovered, first.refunded + second.refunded, first.chargeback + second.chargeback)


def whole_of(sites: list[SiteSummary]) -> SiteSummary:
    """All sites of one currency."""
    whole = SiteSummary(sites[0].currency, "all sites")
    for site in sites:
        names = ("opening", "claimed", "reopened", "released", "completed", "closing")
        balance = Balance(**{name: getattr(whole.balance, name) + getattr(site.balance, name) for name in names})
        whole = replace(
            whole,
            candidates=whole.candidates + site.candidates,
            not_sent=whole.not_sent + site.not_sent,
            accepted=whole.accepted + site.accepted,
            balance=balance,
            today=_added(whole.today, site.today),
            month=_added(whole.month, site.month),
        )
    return whole
