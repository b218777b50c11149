"""What the report needs of the ledger besides the day's own files: orders' lives, held-back attempts, files, nights."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Connection

from batch import report_statements as statements
from batch.book_entries import Event
from batch.history_rows import delivery_of
from batch.history_statements import deliveries, in_pages
from batch.report_lives import Life
from batch.report_operation import Avoided, Called, Comparing, Differing, Leaving, Night
from schemas.network_rules import brand_name
from schemas.states import API_FORMAT, BatchStep

_UNKNOWN = "unknown"
_ORDER_ID = itemgetter(0)


class ReportHistory:
    """Reads one merchant account's history for the report, over one connection in one read transaction."""

    def __init__(self, connection: Connection, mid: str) -> None:
        self._connection = connection
        self._mid = mid

    def lives(self, business_date: str, start: str, claimed_from: str) -> Iterator[Life]:
        """Every order claimed from a date on, and every one whose money moved between `start` and the business date.

        With all of their moves: later ones too, which are for the reader to leave out.
        """
        asked = {"mid": self._mid, "business_date": business_date, "start": start, "claimed_from": claimed_from}
        moves = in_pages(self._connection.execute(statements.lives(), asked))
        for _, rows in groupby(moves, key=_ORDER_ID):
            yield _life(list(rows))

    def avoided(self, business_date: str, start: str) -> list[Avoided]:
        """Orders that a network's rule held back, by the first date on which it did, sorted."""
        asked = {"mid": self._mid, "business_date": business_date, "start": start}
        rows = self._connection.execute(statements.avoided(), asked)
        return sorted(Avoided(row.first, row.rule_id, row.reason, row.currency, row.orders, int(row.amount)) for row in rows)

    def leaving(self, business_date: str) -> list[Leaving]:
        """Every file and group of calls that left or was answered on a date, as far as it had got by its end, by name."""
        asked = {"mid": self._mid, "business_date": business_date}
        found: list[Leaving] = []
        for row in self._connection.execute(statements.batches(), asked).all():
            steps = self._connection.execute(deliveries(), {**asked, "subject": f"batch:{row.batch_id}"}).all()
            delivery = delivery_of(steps)
            answers = [step.at for step in steps if step.to_state in (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED)]
            claimed = steps[0].at if steps else ""
            name = "by calls" if row.format == API_FORMAT else row.file_name
            last = steps[-1].to_state if steps else ""
            sizes = [size for step in steps if (size := orjson.loads(step.detail).get("size")) is not None]
            answered, size = answers[0] if answers else "", sizes[-1] if sizes else None
            found.append(Leaving(name, row.kind, row.row_count, claimed, delivery.at, answered, last, size))
        return sorted(found)

    def nights(self, business_date: str, start: str) -> list[Night]:
        """The last nightly run of each date before this one, oldest first."""
        asked = {"mid": self._mid, "business_date": business_date, "start": start}
        latest: dict[str, Night] = {}
        for row in self._connection.execute(statements.nights(), asked):
            latest[row.business_date] = Night(row.business_date, row.exit_code, row.started_at, row.finished_at or "")
        return [latest[day] for day in sorted(latest)]

    def calls(self, business_date: str, start: str) -> list[Called]:
        """The calls of the API of each date before this one, sorted; a run's calls are counted when it has ended."""
        asked = {"mid": self._mid, "business_date": business_date, "start": start}
        rows = self._connection.execute(statements.calls(), asked)
        found = [(row.business_date, orjson.loads(row.labels), row.value) for row in rows]
        return sorted(Called(day, operation, answer, calls) for day, (operation, answer), calls in found)

    def comparisons(self, business_date: str, start: str) -> tuple[list[Comparing], list[Differing]]:
        """The last comparison of each date up to this one, oldest first, and what differs in the last of all."""
        asked = {"mid": self._mid, "business_date": business_date, "start": start}
        latest = {row.business_date: row for row in self._connection.execute(statements.comparisons(), asked).all()}
        found = [
            Comparing(day, row.compared_at, bool(row.is_whole), bool(row.is_settled), row.orders, row.differing)
            for day, row in sorted(latest.items())
        ]
        if not found:
            return [], []
        last = {"mid": self._mid, "comparison_id": latest[found[-1].business_date].comparison_id}
        return found, sorted(_differing_entry(row) for row in self._connection.execute(statements.differing(), last))

    def last_chooser(self, business_date: str) -> str:
        """The id of the last run by the end of a date that may have judged candidates; empty where none did."""
        asked = {"mid": self._mid, "business_date": business_date}
        return str(self._connection.execute(statements.last_chooser(), asked).scalar() or "")

    def run_of(self, business_date: str) -> str:
        """The id of the first nightly run of a date, else of its first run: a repetition that changes nothing changes no page."""
        rows = self._connection.execute(statements.runs_of(), {"mid": self._mid, "business_date": business_date}).all()
        nightly = [row.run_id for row in rows if row.job in {"nightly", "rerun"}]
        return str((nightly or [row.run_id for row in rows] or [""])[0])


def _differing_entry(row: Any) -> Differing:  # noqa: ANN401 - rows of a database driver
    match, currency, since, orders, amount, difference = row
    return Differing(match, currency, since, orders, int(amount), int(difference))


def _life(rows: list[Any]) -> Life:
    """An order by the rows of its moves, each of which begins with what never changes of it (`report_statements.lives`)."""
    _, site, currency, amount_minor, channel, origin, *_, cells_json = rows[0]
    cells: Mapping[str, Any] = orjson.loads(cells_json) if cells_json else {}
    source, code = str(cells.get("response_code_source") or ""), str(cells.get("response_code") or "")
    traits = (
        str(cells.get("decline_group") or "") or _UNKNOWN,
        f"{source} {code}".strip() or _UNKNOWN,
        site,
        brand_name(str(cells.get("card_brand") or "")) or _UNKNOWN,
        origin,
        channel,
    )
    booked, moves = "", []
    for *_, seq, business_date, from_state, to_state, detail, _ in rows:
        booked = max(booked, business_date)
        told = orjson.loads(detail) if detail else {}
        moves.append(Event(seq, "", booked, "", "transition", from_state or "", to_state, "", "", "", told))
    return Life(currency, amount_minor, traits, tuple(moves))
