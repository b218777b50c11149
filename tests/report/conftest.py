"""Months of an invented merchant, their files, and the figures and page of the last date."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from batch.audit import AuditFolder
from batch.bookkeeping import AuditReport, Bookkeeping, Page, Turn
from batch.ledger_history import LedgerHistory
from batch.report_figures import ReportFigures
from jobs.disk import MachineDisk
from jobs.report.page import page
from tests.audit.ledger_builder import MID, settings
from tests.report.months import Months

HOSTILE = "<script>alert('x')</script>&\"'{{ 7*7 }}"
"""What no page must ever run."""


@dataclass
class Drawn:
    """The figures of one date, its page, and its folder."""

    figures: ReportFigures
    page: bytes
    report: AuditReport


def drawn_of(months: Months, root: Path, day: str = "", draw: Page = page) -> Drawn:
    """Write one date's files and page as a run does."""
    seen: list[ReportFigures] = []

    def looked_at(figures: ReportFigures) -> bytes:
        seen.append(figures)
        return draw(figures)

    books = Bookkeeping(
        history=LedgerHistory(months.connect, MID),
        folder=AuditFolder(root, MachineDisk()),
        settings=settings(),
        page=looked_at,
    )
    report = books.write(day or months.last, Turn("a1b2c3d4e5f6", lambda: None))
    if report.page_error is not None:
        raise report.page_error
    assert report.page is not None
    return Drawn(seen[0], report.page.read_bytes(), report)


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> Months:
    """Eighty nights of three currencies."""
    return Months(tmp_path_factory.mktemp("months") / "ledger.db", orders=12)


@pytest.fixture(scope="session")
def drawn(months: Months, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Their last date."""
    return drawn_of(months, tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Nights whose sites, reasons and explanations are markup."""
    folder = tmp_path_factory.mktemp("hostile")
    return drawn_of(Months(folder / "ledger.db", nights=20, orders=10, hostile=HOSTILE), folder / "audit")
