"""The folder that finance opens: each business date's files, written whole, renamed into place, and left alone if unchanged.

A run may stand still in the midst of this, be overtaken, and go on later. So every run writes what differs from what is there
to drafts of its own names, asks whether it is still its turn once all of a date's drafts are there, and only then renames them;
and whoever begins to write a date takes away the drafts of others first. A draft that is gone cannot be renamed, and what was
found unchanged before the question is not touched after it, so nothing older gets over what is newer.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from batch.audit_csv import BYTE_ORDER_MARK, Cell, Marks, RowRenderer, row_renderer
from batch.audit_manifest import FileFigures
from batch.disk import Disk, NewFile
from schemas.audit_columns import ROW_FILES, SIGNED_COLUMNS

MANIFEST = "manifest.json"
IN_MEMORY = 1 << 20
"""So many bytes of a file wait in memory: only what is longer is written before it is known whether it differs."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_OWN_NAME = re.compile(rf"({'|'.join((*ROW_FILES, 'summary'))})(\.[0-9]{{4,}})?\.csv\Z")
_DRAFT = re.compile(r"\.([a-z]+\.[0-9]{4,}\.csv|README\.txt|manifest\.json|report\.html)(\.[0-9A-Za-z-]+)?\.new\Z")


def is_ours(name: str) -> bool:
    """Whether a file of this name counts as one of a day's CSV files."""
    return _OWN_NAME.match(name) is not None


class AuditFolder:
    """The audit folder of one merchant account: one folder per business date. A part is as many rows as a sheet can hold."""

    def __init__(self, root: Path, disk: Disk, *, part_rows: int = 1_000_000) -> None:
        self.root = root
        self.part_rows = part_rows
        self._disk = disk

    def dates(self) -> list[str]:
        """Business dates that have a manifest, oldest first."""
        return [
            name for name in self._disk.names(self.root) if _DATE.match(name) and MANIFEST in self._disk.names(self.root / name)
        ]

    def previous_manifest(self, business_date: str) -> str:
        """SHA-256 of the manifest of the latest earlier date that has one; empty if there is none."""
        earlier = [date for date in self.dates() if date < business_date]
        return (self._disk.sha256_of(self.root / earlier[-1] / MANIFEST) or "") if earlier else ""

    @contextmanager
    def day(self, business_date: str, marks: Marks, writer: str) -> Iterator["DayFolder"]:
        """Lend a date's folder to `writer`, whose drafts bear that name; drafts of others are taken away.

        No file of finance's changes before `publish`; what was not published by the end is dropped.
        """
        folder = DayFolder(self.root / business_date, self._disk, marks, self.part_rows, writer)
        try:
            yield folder
        finally:
            folder.drop()


class DayFolder:
    """One business date's folder while it is being written. Files are written beside the old ones, under names with a dot."""

    def __init__(self, path: Path, disk: Disk, marks: Marks, part_rows: int, writer: str) -> None:
        self.path = path
        self._writer = writer
        self._disk = disk
        self._marks = marks
        self._part_rows = part_rows
        self._drafts: dict[str, _Draft] = {}
        self._tables: list[Table] = []
        disk.make_folder(path, 0o750)
        for name in filter(_DRAFT.match, disk.names(path)):
            disk.remove(path / name)

    def table(self, name: str, columns: Sequence[str]) -> "Table":
        """Begin a CSV file. Rows are added to it in the order in which they shall stand."""
        table = Table(name, row_renderer(tuple(columns), self._marks), self._part_rows, self._draft)
        self._tables.append(table)
        return table

    def text(self, name: str, content: bytes) -> FileFigures:
        """Write a file that is no table."""
        draft = self._draft(name)
        draft.write(content)
        return FileFigures(name, 0, draft.sha256(), {}, {}, 0)

    def tables(self) -> list[FileFigures]:
        """End all tables; what the manifest says of each of their files."""
        return [figures for table in self._tables for figures in table.end()]

    def publish(self, still_ours: Callable[[], None]) -> None:
        """Put every file that differs from what is there in its place, the manifest last; take away parts of an older shape.

        `still_ours` is asked when the drafts of all that differs are there, and raises when another run took over; where
        nothing differs nobody is asked, as nothing is changed. Raises FileNotFoundError when one took over after that and has
        begun to write this date. The folder is synced in any case: who wrote what is there may have died before that.
        """
        for draft in self._drafts.values():
            draft.settle()
        stale = self._stale()
        if stale or any(draft.differs for draft in self._drafts.values()):
            still_ours()
        for draft in sorted(self._drafts.values(), key=lambda draft: draft.final.name == MANIFEST):
            if draft.final.name == MANIFEST:
                for name in stale:
                    self._disk.remove(self.path / name)
            draft.publish()
        self._disk.sync_folder(self.path)

    def lies_as(self, files: Mapping[str, str]) -> bool:
        """Whether the files that lie here are these, by their SHA-256, and no part besides; then their names are synced."""
        needed = {MANIFEST, *filter(is_ours, self._disk.names(self.path))}
        is_so = files.keys() >= needed and all(self._disk.sha256_of(self.path / name) == files[name] for name in files)
        if is_so:
            self._disk.sync_folder(self.path)
        return is_so

    def drop(self) -> None:
        """Remove what was begun and not published."""
        for draft in self._drafts.values():
            draft.drop()

    def _draft(self, name: str) -> "_Draft":
        self._drafts[name] = _Draft(self._disk, self.path / f".{name}.{self._writer}.new", self.path / name)
        return self._drafts[name]

    def _stale(self) -> list[str]:
        kept = {draft.final.name for draft in self._drafts.values()}
        return [name for name in self._disk.names(self.path) if is_ours(name) and name not in kept]


class Table:
    """One CSV file, in parts when it is long. It adds up what the manifest says while rows pass by."""

    def __init__(self, name: str, renderer: RowRenderer, part_rows: int, draft: Callable[[str], "_Draft"]) -> None:
        self.name = name
        self.rows = 0
        self._renderer = renderer
        self._part_rows = part_rows
        self._new_draft = draft
        self._parts: list[_Part] = []
        self._begin_part()

    def add(self, row: Mapping[str, Cell]) -> None:
        """Write one row."""
        if self._parts[-1].rows == self._part_rows:
            self._begin_part()
        rendered = self._renderer.render(row)
        self._parts[-1].add(row, rendered.line.encode(), rendered.guarded_cells)
        self.rows += 1

    def end(self) -> list[FileFigures]:
        """Close the parts; a file of one part loses its number."""
        if len(self._parts) == 1:
            self._parts[0].draft.final = self._parts[0].draft.final.with_name(f"{self.name}.csv")
        return [part.end() for part in self._parts]

    def _begin_part(self) -> None:
        draft = self._new_draft(f"{self.name}.{len(self._parts) + 1:04d}.csv")
        draft.write((BYTE_ORDER_MARK + self._renderer.header()).encode())
        self._parts.append(_Part(draft))


class _Part:
    def __init__(self, draft: "_Draft") -> None:
        self.draft = draft
        self.rows = 0
        self._amounts: dict[str, int] = {}
        self._signed: dict[str, dict[str, int]] = {}
        self._guarded_cells = 0

    def add(self, row: Mapping[str, Cell], line: bytes, guarded_cells: int) -> None:
        self.draft.write(line)
        self.rows += 1
        self._guarded_cells += guarded_cells
        if "section" not in row:  # the summary says the same orders several times
            _add(self._amounts, row, "amount_minor")
        for name in SIGNED_COLUMNS:
            if name in row:
                _add(self._signed.setdefault(name, {}), row, name)

    def end(self) -> FileFigures:
        sha256 = self.draft.sha256()
        return FileFigures(self.draft.final.name, self.rows, sha256, self._amounts, self._signed, self._guarded_cells)


def _add(sums: dict[str, int], row: Mapping[str, Cell], column: str) -> None:
    amount_minor, currency = row[column], str(row["currency"])
    if isinstance(amount_minor, int):
        sums[currency] = sums.get(currency, 0) + amount_minor


class _Draft:
    """A file that shall get a name, beside the one that has it. One that is as it was reaches the disk only if it is long."""

    def __init__(self, disk: Disk, path: Path, final: Path) -> None:
        self.final = final
        self.path = path
        self._disk = disk
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._size = 0
        self._file: NewFile | None = None

    def write(self, content: bytes) -> None:
        self._digest.update(content)
        self._waiting.append(content)
        self._size += len(content)
        if self._size > IN_MEMORY:
            self._let_go()

    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def differs(self) -> bool:
        """Whether it waits, as a file, to take the place of what is there."""
        return self._file is not None

    def settle(self) -> None:
        """Lie on the disk as a whole, synced, or, where the file that has the name is the same, not at all."""
        if self._disk.sha256_of(self.final) == self.sha256():
            self.drop()
        else:
            self._let_go().close()

    def publish(self) -> None:
        if self._file is not None:
            self._disk.replace(self.path, self.final)

    def drop(self) -> None:
        if self._file is not None:
            self._file.abandon()
            self._disk.remove(self.path)
            self._file = None

    def _let_go(self) -> NewFile:
        if self._file is None:
            self._file = self._disk.create(self.path, 0o640)
        self._file.write(b"".join(self._waiting))
        self._waiting, self._size = [], 0
        return self._file
