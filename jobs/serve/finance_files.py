"""Finance's files for the dashboard: only names that a date's manifest has, never a path that somebody asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from batch.audit import MANIFEST, AuditFolder
from batch.disk import Disk

REPORT = "report.html"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_KINDS = {".csv": "text/csv; charset=utf-8", ".json": "application/json", ".txt": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class FileOfDay:
    """One file of a date; `rows` is None where the manifest counts none."""

    name: str
    rows: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may be served, and as what."""

    path: Path
    media_type: str


class FinanceFiles:
    """Reads finance's folder and nothing outside it."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root, self._disk = root, disk
        self._folder = AuditFolder(root, disk)

    def dates(self) -> list[str]:
        """Business dates that have files, the newest first."""
        return self._folder.dates()[::-1]

    def has_report(self, date: str) -> bool:
        """Whether a date has a report for people."""
        path = self._root / date / REPORT
        return bool(_DATE.fullmatch(date)) and path.is_file() and not path.is_symlink()

    def files_of(self, date: str) -> Sequence[FileOfDay]:
        """The files that a date's manifest names, and the manifest; none where there is no such date."""
        content = self._disk.read(self._root / date / MANIFEST) if _DATE.fullmatch(date) else None
        if content is None:
            return ()
        try:
            listed = orjson.loads(content)["files"]
            found = [FileOfDay(str(each["name"]), each.get("rows"), str(each["sha256"])) for each in listed]
        except (ValueError, KeyError, TypeError, AttributeError):
            found = []  # somebody changed it; `mitbatch audit verify` says so
        return [*(each for each in found if _NAME.fullmatch(each.name)), FileOfDay(MANIFEST, None, "")]

    def download(self, date: str, name: str) -> Download | None:
        """A file of a date, if its manifest names it and it is there."""
        if name not in {each.name for each in self.files_of(date)}:
            return None
        path = self._root / date / name
        if path.is_symlink() or not path.is_file():
            return None  # a link may lead anywhere
        return Download(path, _KINDS.get(Path(name).suffix, "application/octet-stream"))

    def report(self, date: str) -> bytes | None:
        """A date's report, if it has one."""
        return self._disk.read(self._root / date / REPORT) if self.has_report(date) else None
