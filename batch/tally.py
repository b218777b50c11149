"""The day in totals: every order and every decision is counted once, and the summary's lines come out."""

from collections.abc import Iterator

from batch.book_entries import Decision, Sum, Total
from batch.books import Balance, MoneyMove, Standing, balance, movement
from batch.comparison_rows import ComparedOrder
from schemas.audit_columns import SUMMARY_LINES, Line, Section
from schemas.reasons import REASON_TEXTS, Reason
from schemas.states import CLAIMABLE_AGAIN, NEVER_AGAIN, OPEN, State

_NOTHING = Total()
_REASON_TEXTS = {str(reason): text for reason, text in REASON_TEXTS.items()}
_Key = tuple[str, str]


class Tally:
    """Counts one business date. Feed it every standing and every decision once; memory grows with sites and files only.

    `placed` are the holds confirmed on the day (per currency), `delivered` and `in_doubt` the batch ids of files,
    `answered` the orders that were closed on the day, `written` those of them whose row has been seen to. `called` are orders
    handed over by calls on the day, `called_in_doubt` those whose call nobody can tell the end of.
    """

    def __init__(self, business_date: str) -> None:
        self.business_date = business_date
        self.placed: dict[str, Total] = {}
        self.delivered: set[str] = set()
        self.in_doubt: set[str] = set()
        self.called = 0
        self.called_in_doubt = 0
        self.answered = 0
        self.written = 0
        self._sums: dict[tuple[str, str, Section, str], Sum] = {}
        self._files: set[tuple[str, str, str]] = set()

    def count_decision(self, decision: Decision) -> None:
        """Count one candidate. An amount that could not be read counts as nought."""
        key, amount_minor = (decision.site, decision.currency), decision.amount_minor or 0
        self._add(key, Section.INTAKE, "candidates", amount_minor)
        self._add(key, Section.INTAKE, "selected" if decision.decision == "selected" else decision.reason, amount_minor)

    def count_standing(self, standing: Standing) -> None:
        """Count one claim as it stood at the end of the day."""
        key = (standing.attempt.site, standing.attempt.currency)
        self._count_held(key, standing)
        self._count_delivery(key, standing)
        self._count_hand_over(key, standing)
        self._count_closing(key, standing)
        for money in standing.money:
            if money.move.business_date == self.business_date:
                self._count_money(key, money)

    def count_compared(self, compared: ComparedOrder) -> None:
        """Count one order of the day's comparison, if it differs."""
        if compared.differs:
            self._add((compared.site, compared.currency), Section.DIFFERENCES, "reconciliation_rows", compared.total.amount_minor)

    def lines(self) -> Iterator[tuple[str, str, Line, Total]]:
        """The summary, line by line, sorted by site and currency: (site, currency, line, total)."""
        for site, currency in sorted({key[:2] for key in self._sums}):
            for line in SUMMARY_LINES:
                yield site, currency, line, self._total(site, currency, line)
                if (line.section, line.name) == (Section.INTAKE, "selected"):
                    yield from self._reasons(site, currency)

    def balances(self) -> dict[_Key, Balance]:
        """The equation per (site, currency)."""
        return balance((site, currency, line, total) for site, currency, line, total in self._section(Section.HELD))

    def by_currency(self) -> dict[str, Balance]:
        """The equation per currency, all sites together."""
        held = (("", currency, line, total) for _, currency, line, total in self._section(Section.HELD))
        return {currency: found for (_, currency), found in balance(held).items()}

    def per_line(self, section: Section) -> dict[str, dict[str, Total]]:
        """A section's totals per line and currency, all sites together; lines where nothing happened are absent."""
        found: dict[str, dict[str, Total]] = {}
        for _, currency, line, total in self._section(section):
            per_currency = found.setdefault(line, {})
            per_currency[currency] = per_currency.get(currency, _NOTHING) + total
        return found

    def _section(self, section: Section) -> Iterator[tuple[str, str, str, Total]]:
        for entry in sorted(self._sums):
            site, currency, of_section, line = entry
            if of_section == section:
                yield site, currency, line, self._sums[entry].total()

    def _add(self, key: _Key, section: Section, line: str, amount_minor: int) -> None:
        """Count one order (or file) on a line."""
        entry = (*key, section, line)
        if entry not in self._sums:
            self._sums[entry] = Sum()
        self._sums[entry].add(amount_minor)

    def _total(self, site: str, currency: str, line: Line) -> Total:
        if line.name == "final":
            return Total(0 if (site, currency, Section.COHORT, "still_open") in self._sums else 1)
        found = self._sums.get((site, currency, line.section, line.name))
        return found.total() if found else _NOTHING

    def _reasons(self, site: str, currency: str) -> Iterator[tuple[str, str, Line, Total]]:
        for found_site, found_currency, reason, total in self._section(Section.INTAKE):
            if (found_site, found_currency) == (site, currency) and reason not in {"candidates", Reason.SELECTED}:
                text = _REASON_TEXTS.get(reason, "it was selected, and withdrawn before anything was sent")
                yield site, currency, Line(Section.INTAKE, reason, f"not sent: {text}"), total

    def _count_held(self, key: _Key, standing: Standing) -> None:
        if standing.opening in OPEN:
            self._add(key, Section.HELD, "opening", standing.attempt.amount_minor)
        for line in filter(None, map(movement, standing.moves)):
            self._add(key, Section.HELD, line, standing.attempt.amount_minor)
        if standing.closing in OPEN:
            self._add(key, Section.HELD, "closing", standing.attempt.amount_minor)
            self._add(key, Section.CLOSING_BY_STATE, str(standing.closing), standing.attempt.amount_minor)

    def _count_delivery(self, key: _Key, standing: Standing) -> None:
        batch_id, by_call = standing.attempt.batch_id, standing.attempt.channel == "api"
        if standing.sent_date == self.business_date:
            self._add(key, Section.HANDOVER, "sent", standing.attempt.amount_minor)
            self.called += by_call
            if not by_call:
                self._count_file(key, batch_id)
        if standing.closing == State.IN_DOUBT:
            self._add(key, Section.HANDOVER, "in_doubt", standing.attempt.amount_minor)
            self.called_in_doubt += by_call
            if not by_call:
                self.in_doubt.add(batch_id)

    def _count_file(self, key: _Key, batch_id: str) -> None:
        self.delivered.add(batch_id)
        if (*key, batch_id) not in self._files:
            self._files.add((*key, batch_id))
            self._add(key, Section.HANDOVER, "files", 0)

    def _count_hand_over(self, key: _Key, standing: Standing) -> None:
        if standing.first(State.HELD) in standing.moves and standing.closing != State.WITHDRAWN:
            self.placed[key[1]] = self.placed.get(key[1], _NOTHING) + standing.total
        if any(move.to_state == State.REJECTED for move in standing.moves):
            self._add(key, Section.HANDOVER, "rejected", standing.attempt.amount_minor)
        if standing.handed_over not in standing.moves:
            return
        self._add(key, Section.HANDOVER, "acknowledged", standing.attempt.amount_minor)
        self._add(key, Section.COHORT, "handed_over", standing.attempt.amount_minor)
        if standing.closing in OPEN:
            self._add(key, Section.COHORT, "still_open", standing.attempt.amount_minor)
        elif standing.closing in NEVER_AGAIN:
            self._add(key, Section.COHORT, "recovered_to_date", sum(money.recovered for money in standing.money))

    def _count_closing(self, key: _Key, standing: Standing) -> None:
        closed = standing.closed
        if closed is not None and closed in standing.moves and closed.to_state not in CLAIMABLE_AGAIN:
            self.answered += 1
            self.written += standing.written_back(closed) is not None
        if any(event.text("outcome") == "conflict" for event in standing.today("written_back")):
            self._add(key, Section.DIFFERENCES, "write_back_conflicts", standing.attempt.amount_minor)
        if standing.closing == State.REVIEW:
            self._add(key, Section.DIFFERENCES, "review_open", standing.attempt.amount_minor)

    def _count_money(self, key: _Key, money: MoneyMove) -> None:
        if money.is_nothing:
            return
        changes = {"recovered": money.recovered, "refunded": money.refunded, "chargeback": money.chargeback}
        for line, change in changes.items():
            if change:
                self._add(key, Section.MONEY, line, change)
        self._add(key, Section.MONEY, "net", sum(changes.values()))
