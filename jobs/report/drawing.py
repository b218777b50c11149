"""Whether pages can be drawn here, found out without loading what draws them."""

import hashlib
import sys
import zoneinfo
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch.bookkeeping import Page
    from batch.report_figures import ReportFigures

_DRAWS = frozenset({".py", ".html", ".css", ".toml"})
INSTALL = "pip install 'mitbatch[report]'"
"""What brings the libraries that draw pages and workbooks."""


def machine_page() -> "Page | None":
    """How pages are drawn on this machine; None where the extra `report` is not installed."""
    return _page if find_spec("jinja2") is not None else None


@cache
def page_program() -> str:
    """A digest of what draws pages: of every file that it consists of, and of the version of the library that it draws with."""
    top = Path(__file__).resolve().parent.parent.parent
    folders = ("jobs/report", "jobs/report/templates", "batch", "batch/ledger", "schemas")
    parts = [path for folder in folders for path in sorted((top / folder).iterdir()) if path.suffix in _DRAWS]
    digest = hashlib.sha256()
    for path in parts:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(top)} {len(content)}\n".encode() + content)
    return f"{digest.hexdigest()} {_version('jinja2')}"


def forget_program() -> None:
    """Find out anew what lies there now when the next one asks."""
    page_program.cache_clear()


def written_program(timezone: str) -> str:
    """A digest of what makes finance's files and the page: of the program, of Python, and of the rules of the time zone."""
    facts = f"{page_program()} {sys.version} {_version('orjson')} {_version('markupsafe')} {timezone}\n".encode()
    return hashlib.sha256(facts + _rules_of(timezone)).hexdigest()


def _rules_of(timezone: str) -> bytes:
    """The rules as `zoneinfo` finds them."""
    for folder in zoneinfo.TZPATH:
        if (path := Path(folder, timezone)).is_file():
            return path.read_bytes()
    return files("tzdata").joinpath("zoneinfo", timezone).read_bytes()


def _version(library: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _page(figures: "ReportFigures") -> bytes:
    from jobs.report.page import page

    return page(figures)
