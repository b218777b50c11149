"""The closing figures of a night, as the books have them: what the last lines on the terminal are printed from."""

from collections.abc import Mapping
from dataclasses import dataclass

from batch.book_entries import Total
from batch.books import Balance
from batch.tally import Tally
from schemas.audit_columns import Section
from schemas.states import NOT_RECOVERED, State

PerCurrency = Mapping[str, Total]
"""Totals by currency; a currency where nothing happened is absent."""

_ANSWERS = (State.COMPLETED, *NOT_RECOVERED)


@dataclass(frozen=True, slots=True)
class NightFigures:
    """One business date in figures, all sites together, each per currency; amounts in minor units.

    `not_sent` is by reason, withdrawn orders among them. `held` are holds confirmed this day that still stand or went on.
    `sent` counts orders in files delivered this day, `delivered_files` those files, and orders that were `called`; `in_doubt`
    is as of the day's end.
    `answers` are orders that ended this day, by state; `recovered` is the money of those completed, signed. `written_back`
    of `answered` say how many of the orders that the provider had and that ended this day show it in their row.
    """

    business_date: str
    candidates: PerCurrency
    not_sent: Mapping[str, PerCurrency]
    claimed: PerCurrency
    held: PerCurrency
    sent: PerCurrency
    delivered_files: int
    in_doubt: PerCurrency
    in_doubt_files: int
    called: int
    called_in_doubt: int
    acknowledged_pending: PerCurrency
    acknowledged_rejected: PerCurrency
    answers: Mapping[str, PerCurrency]
    recovered: PerCurrency
    written_back: int
    answered: int
    review_open: PerCurrency
    balances: Mapping[str, Balance]

    @property
    def balanced(self) -> bool:
        """Whether every currency's equation closes."""
        return all(balance.balanced for balance in self.balances.values())


def figures_of(tally: Tally) -> NightFigures:
    """The figures of a tally that has counted every decision and every standing of its date."""
    intake, held, handover = (tally.per_line(section) for section in (Section.INTAKE, Section.HELD, Section.HANDOVER))
    return NightFigures(
        business_date=tally.business_date,
        candidates=intake.get("candidates", {}),
        not_sent={reason: totals for reason, totals in intake.items() if reason not in {"candidates", "selected"}},
        claimed=held.get("claimed", {}),
        held=tally.placed,
        sent=handover.get("sent", {}),
        delivered_files=len(tally.delivered),
        in_doubt=handover.get("in_doubt", {}),
        in_doubt_files=len(tally.in_doubt),
        called=tally.called,
        called_in_doubt=tally.called_in_doubt,
        acknowledged_pending=handover.get("acknowledged", {}),
        acknowledged_rejected=handover.get("rejected", {}),
        answers={str(state): held[state] for state in _ANSWERS if state in held},
        recovered=tally.per_line(Section.MONEY).get("recovered", {}),
        written_back=tally.written,
        answered=tally.answered,
        review_open=tally.per_line(Section.DIFFERENCES).get("review_open", {}),
        balances=tally.by_currency(),
    )
