"""The rows of `reconciliation.csv`: what a day's comparisons found of each order, from the ledger alone."""

from dataclasses import dataclass
from datetime import date

from batch.audit_rows import Day, Row
from batch.book_entries import Total
from batch.card_numbers import has_card_number
from batch.provider_words import WITHHELD
from schemas.matches import Match


@dataclass(frozen=True, slots=True)
class ComparedOrder:
    """One order of a comparison; amounts are minor units, None where a book has none, and empty texts are not known."""

    order_id: str
    site: str
    currency: str
    amount_minor: int | None
    match: str
    ledger_state: str
    ledger_minor: int | None
    provider_status: str
    provider_minor: int | None
    orders_status: str
    orders_minor: int | None
    file_minor: int | None
    difference_minor: int | None
    explanation: str
    first_seen_date: str
    compared_at: str

    @property
    def differs(self) -> bool:
        """Whether the books differ."""
        return self.match != Match.EQUAL

    @property
    def total(self) -> Total:
        """This order, counted; an amount that is not known counts as nought."""
        return Total(1, self.amount_minor or 0)


def reconciliation_row(day: Day, compared: ComparedOrder) -> Row:
    """One order as the day's last comparison has it; `age_days` counts from the date since which it has differed so."""
    return {
        **day.key(compared.site, compared.order_id, compared.currency, compared.amount_minor),
        "match": compared.match,
        "ledger_state": compared.ledger_state,
        "ledger_minor": compared.ledger_minor,
        "provider_status": compared.provider_status,
        "provider_minor": compared.provider_minor,
        "orders_status": compared.orders_status,
        "orders_minor": compared.orders_minor,
        "file_minor": compared.file_minor,
        "difference_minor": compared.difference_minor,
        "explanation": WITHHELD if has_card_number(compared.explanation) else compared.explanation,
        "first_seen_date": compared.first_seen_date,
        "age_days": (date.fromisoformat(day.business_date) - date.fromisoformat(compared.first_seen_date)).days,
        "compared_at": compared.compared_at,
    }
