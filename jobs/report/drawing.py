"""Whether pages can be drawn here, found out without loading what draws them."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch.bookkeeping import Page
    from batch.report_figures import ReportFigures

INSTALL = "pip install 'mitbatch[report]'"
"""What brings the libraries that draw pages and workbooks."""


def machine_page() -> "Page | None":
    """How pages are drawn on this machine; None where the extra `report` is not installed."""
    return _page if find_spec("jinja2") is not None else None


def _page(figures: "ReportFigures") -> bytes:
    from jobs.report.page import page

    return page(figures)
