"""The report's figures are what finance's CSV files say, added up by another program: Python's csv and nothing of ours."""

import csv
import re
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.report_figures import ReportFigures, window_start
from jobs.report.operation_section import operation
from jobs.report.parts import Names
from tests.report.conftest import Drawn, drawn_of
from tests.report.months import Months

ENDED = {"declined", "expired", "cancelled", "completed", "partially_refunded", "refunded", "chargeback"}
WON = {"completed", "partially_refunded", "refunded", "chargeback"}


def rows_of(root: Path, name: str) -> list[dict[str, str]]:
    """Every row of a file over all dates, oldest date first."""
    found = []
    for path in sorted(root.glob(f"*/{name}.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += list(csv.DictReader(file))
    return found


def cohorts_from_csv(root: Path) -> dict[tuple[str, str], list[int]]:
    """By currency and date of hand-over: orders, amount, open orders, recovered orders, recovered amount."""
    state: dict[str, tuple[tuple[str, str], int, str]] = {}
    recovered: dict[str, int] = defaultdict(int)
    for row in rows_of(root, "outcomes"):
        order = row["order_id"]
        if row["state_to"] == "pending":
            state[order] = ((row["currency"], row["business_date"]), int(row["amount_minor"]), "pending")
        elif order in state:
            state[order] = (*state[order][:2], row["state_to"])
        recovered[order] += int(row["recovered_minor"] or 0)
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for order, (key, amount, last) in state.items():
        sums = found[key]
        sums[0] += 1
        sums[1] += amount
        sums[2] += last not in ENDED
        sums[3] += last in WON
        sums[4] += recovered[order] if last in WON else 0
    return found


def money_from_csv(root: Path) -> dict[tuple[str, str], list[int]]:
    """By currency and booking date: recovered, refunded, chargeback."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows_of(root, "summary"):
        if row["section"] == "money" and row["line"] != "net":
            place = ("recovered", "refunded", "chargeback").index(row["line"])
            found[row["currency"], row["business_date"]][place] += int(row["amount_minor"])
    return {key: sums for key, sums in found.items() if any(sums)}


def figures_from_all_files(months: Months, root: Path) -> ReportFigures:
    """Write every date's files, and give the last one's figures."""
    days = [(months.first + timedelta(days=each)).isoformat() for each in range(months.nights)]
    return [drawn_of(months, root, day, lambda _: b"-").figures for day in days][-1]


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), nights=st.integers(1, 45), orders=st.integers(0, 5))
def test_figures_are_those_of_the_csv_files(seed: int, nights: int, orders: int) -> None:
    """Cohorts and booked money are, for any history, what an independent reading of the CSV files adds up to."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "audit"
        months = Months(Path(folder) / "ledger.db", seed=seed, first=date(2026, 9, 5), nights=nights, orders=orders)
        lives = figures_from_all_files(months, root).lives
        ours = {
            key: [
                fate.handed.orders,
                fate.handed.amount_minor,
                fate.is_open.orders,
                fate.recovered_by().orders,
                fate.recovered_by().amount_minor,
            ]
            for key, fate in lives.cohorts.items()
        }
        booked = {key: [money.recovered, money.refunded, money.chargeback] for key, money in lives.booked.items()}
        months.engine.dispose()

        assert ours == dict(cohorts_from_csv(root))
        assert booked == money_from_csv(root)


def test_kinds_add_up_to_their_cohorts(drawn: Drawn) -> None:
    """Each dimension splits every cohort without loss, and every order of the window is watched once."""
    lives = drawn.figures.lives
    for dimension in ("group", "code", "site", "brand", "origin", "channel"):
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for (currency, kind, _, day), fate in lives.kinds.items():
            sums[currency, day] += fate.handed.orders if kind == dimension else 0
        assert sums == {key: fate.handed.orders for key, fate in lives.cohorts.items()}
    for currency, waits in lives.waits.items():
        watched = sum(sum(counts.values()) for counts in (waits.recovered, waits.ended, waits.watched))
        assert watched == sum(fate.handed.orders for (of, _), fate in lives.cohorts.items() if of == currency)


def test_pending_is_what_holds_csv_leaves_open(drawn: Drawn) -> None:
    """Ages and days to expiry count the rows of holds.csv that are not closed, with their amounts."""
    open_rows = [row for row in rows_of(drawn.report.folder.parent, "holds") if not row["closed_at"]]
    for found in (drawn.figures.waiting.ages, drawn.figures.waiting.dues):
        assert sum(total.orders for total in found.values()) == len(open_rows)
        for currency in drawn.figures.currencies:
            amount = sum(total.amount_minor for (of, _, _), total in found.items() if of == currency)
            assert amount == sum(int(row["amount_minor"]) for row in open_rows if row["currency"] == currency)


def test_avoided_attempts_are_those_of_declines_csv(months: Months, tmp_path: Path) -> None:
    """Attempts avoided on a date are the rows of its declines.csv that a network rule held back."""
    drawn = drawn_of(months, tmp_path)
    ours = {
        (each.rule_id, each.currency): (each.orders, each.amount_minor)
        for each in drawn.figures.avoided
        if each.date == months.last
    }
    theirs: dict[tuple[str, str], tuple[int, int]] = {}
    for row in rows_of(tmp_path, "declines"):
        if row["reason"].startswith("network_"):
            before = theirs.get((row["rule_id"], row["currency"]), (0, 0))
            theirs[row["rule_id"], row["currency"]] = before[0] + 1, before[1] + int(row["amount_minor"])

    assert ours == theirs


def test_differences_are_those_of_the_last_comparison(months: Months, drawn: Drawn) -> None:
    """The reconciliation section has the last comparison up to the date, its differences by kind, and no order that agrees."""
    nights = [night for night in range(months.nights) if night % 3 == 0]
    last = nights[-1]
    day = (months.first + timedelta(days=last)).isoformat()
    comparing = drawn.figures.comparisons[-1]

    assert (comparing.business_date, comparing.orders, comparing.differing) == (day, 50, last % 4)
    assert sum(each.orders for each in drawn.figures.differing) == last % 4
    assert "equal" not in {each.match for each in drawn.figures.differing}
    assert f"Last compared on {day}" in drawn.page.decode()


def test_a_files_size_is_what_was_written(drawn: Drawn) -> None:
    """The size that a file's step noted stands in its line; a file without one has a dash."""
    (file,) = drawn.figures.leaving
    without = operation(replace(drawn.figures, leaving=[replace(file, size=None)]), Names())

    assert file.size == 80_000
    assert "80.0 kB" in drawn.page.decode()
    assert [
        row[4] for part in without.parts if part.heading == "Files of this date" and part.figures for row in part.figures.rows
    ] == ["–"]


def test_failed_calls_are_those_of_the_dates_before(months: Months, drawn: Drawn) -> None:
    """Every date before the page's is counted with its own calls, the page's own is not, and what failed is told by kind."""
    nights = range(months.nights - 30, months.nights - 1)
    failed = sum(night % 5 for night in nights)
    every = sum(41 + night for night in nights) + failed

    assert {each.date for each in drawn.figures.calls} == {(months.first + timedelta(days=night)).isoformat() for night in nights}
    assert f"{every:,} calls, of which {failed:,} failed" in drawn.page.decode()
    assert f">5xx</td><td>{failed}</td>" in re.sub(r"<td[^>]*>", "<td>", drawn.page.decode())


def test_what_is_booked_later_changes_no_earlier_page(months: Months, drawn: Drawn, tmp_path: Path) -> None:
    """The page of a date in the past is a function of the history up to it: cutting the future off leaves its bytes."""
    day = "2026-10-10"
    with_future = drawn_of(months, tmp_path / "with", day)
    nights = (date.fromisoformat(day) - months.first).days + 1
    alone = Months(tmp_path / "ledger.db", orders=12, nights=months.nights, until=nights)
    cut_off = drawn_of(alone, tmp_path / "without", day)

    assert cut_off.page == with_future.page
    assert with_future.page != drawn.page


@pytest.mark.parametrize(
    ("day", "start"), [("2026-11-23", "2026-09-01"), ("2026-01-31", "2025-11-01"), ("2026-03-01", "2026-01-01")]
)
def test_the_window_is_three_months(day: str, start: str) -> None:
    """The report looks back over the month of its date and the two before it."""
    assert window_start(day) == start
