"""What shows that finance's files or the ledger were changed by another hand than this program's. Nothing here does I/O."""

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from batch.audit_csv import BYTE_ORDER_MARK, row_check, unguard
from batch.books import FIRST_HASH, canonical_detail, event_hash
from batch.strict_json import parse
from schemas.audit_columns import ROW_CHECK
from schemas.counted import counted
from schemas.errors import AnswerUnreadable
from schemas.settings import AuditSettings, ScheduleSettings, Settings, WritebackSettings

MOST_NAMED = 3
_MOST_MANIFEST_BYTES = 1 << 20


class TamperingKind(StrEnum):
    """What was touched; public, for scripts that read `audit verify --json`."""

    EVENT_CHANGED = "event_changed"
    EVENT_MISSING = "event_missing"
    ROW_CHANGED = "row_changed"
    EVIDENCE_CHANGED = "evidence_changed"
    DAY_MISSING = "day_missing"
    FILE_MISSING = "file_missing"
    FILE_CHANGED = "file_changed"
    FILE_UNKNOWN = "file_unknown"
    BOOKS_DIFFER = "books_differ"


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that is not as this program wrote it: its kind, what it is about (`order:000471`, a file), and a sentence."""

    kind: TamperingKind
    subject: str
    sentence: str


def broken_chains(events: Iterable[Mapping[Any, Any]]) -> Iterator[Tampering]:
    """What is wrong with event chains; rows come sorted by subject and number, and each chain is told of once.

    A chain begins at 1 after `FIRST_HASH`; each event names the hash before it, and its own hash is over its cells.
    """
    for subject, chain in groupby(events, key=lambda row: str(row["subject"])):
        before = FIRST_HASH
        for number, row in enumerate(chain, start=1):
            if row["seq"] != number:
                yield Tampering(TamperingKind.EVENT_MISSING, subject, f"event {number:,} of {subject} is missing.")
                break
            if row["previous_hash"] != before or _seal_of(row) != row["hash"]:
                yield Tampering(TamperingKind.EVENT_CHANGED, subject, f"event {number:,} of {subject} does not fit its seal.")
                break
            before = row["hash"]


def _seal_of(row: Mapping[Any, Any]) -> str:
    """What the hash of an event ought to be; empty for cells that no event was ever written with."""
    try:
        return event_hash(str(row["previous_hash"]), row)
    except (TypeError, ValueError):
        return ""


def are_cells_as_written(text: str, columns: Collection[str]) -> bool:
    """Whether a verdict's cells are the one text that these columns are stored as: all of them, words alone, in their order."""
    try:
        cells = json.loads(text)
    except (TypeError, ValueError):
        return False
    return (
        isinstance(cells, dict)
        and cells.keys() == set(columns)
        and all(isinstance(cell, str) for cell in cells.values())
        and canonical_detail(cells) == text
    )


def detail_of(text: object) -> dict[str, Any] | None:
    """What an event's detail says; None where it is nothing that an event was ever written with."""
    try:
        said = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def settings_as_written(manifest: Mapping[str, Any], settings: Settings) -> Settings:
    """The settings that a day's files were written with, as its manifest says; what it does not say is as now.

    A manifest that somebody edited may name anything; what no setting can be stays as it is now, and the files differ.
    """
    said = manifest.get("written_with")
    said = said if isinstance(said, dict) else {}
    try:
        sections = {
            "audit": AuditSettings.model_validate({name: said[name] for name in ("delimiter", "decimal") if name in said}),
            "writeback": WritebackSettings.model_validate({name: said[name] for name in ("on_not_recovered",) if name in said}),
            "schedule": ScheduleSettings.model_validate({"timezone": manifest.get("timezone")}),
        }
    except ValueError:
        return settings
    return settings.model_copy(update=sections)


def part_rows_as_written(manifest: Mapping[str, Any], now: int) -> int:
    """How many rows a part of a day's files holds, as its manifest says."""
    said = manifest.get("written_with")
    rows = said.get("part_rows") if isinstance(said, dict) else None
    return rows if isinstance(rows, int) and not isinstance(rows, bool) and rows > 0 else now


def read_manifest(content: bytes) -> dict[str, Any]:
    """A manifest as an object; empty where it is none any more."""
    try:
        found = parse(content, max_bytes=_MOST_MANIFEST_BYTES)
    except AnswerUnreadable:
        return {}
    return found if isinstance(found, dict) else {}


def sealed(manifest: Mapping[str, Any], name: str) -> tuple[str, int]:
    """What a manifest says that a file's SHA-256 and its number of rows are; nothing where it names no such file."""
    files = manifest.get("files")
    for file in files if isinstance(files, list) else ():
        if isinstance(file, dict) and file.get("name") == name:
            rows = file.get("rows")
            return str(file.get("sha256")), rows if isinstance(rows, int) else 0
    return "", 0


def changed_rows(content: bytes, delimiter: str) -> list[str]:
    """Which rows of a CSV file do not fit their `row_check`: `line 12 (order '000471')`. The summary has no such checks."""
    text = content.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK)
    rows = csv.reader(text.split("\n"), delimiter=delimiter, strict=True)
    found: list[str] = []
    try:
        header = next(rows, [])
        if ROW_CHECK in header:
            found += [_place(rows.line_num, header, row) for row in rows if row and not _fits(header, row)]
    except csv.Error:
        found.append(f"line {rows.line_num:,}")
    return found


def _fits(header: list[str], row: list[str]) -> bool:
    cells = list(map(unguard, row))
    return len(row) == len(header) and row_check(cells[:-1]) == cells[-1]


def _place(line: int, header: list[str], row: list[str]) -> str:
    order_id = dict(zip(header, row, strict=False)).get("order_id")
    return f"line {line:,}" if order_id is None else f"line {line:,} (order {unguard(order_id)!r})"


def how_changed(content: bytes, delimiter: str, rows_sealed: int) -> str:
    """In words, as the end of a sentence: which rows were edited, or how many are gone or too many."""
    rows = changed_rows(content, delimiter)
    if rows:
        return f": {named(rows)} {'does' if len(rows) == 1 else 'do'} not fit the row_check"
    count = max(0, content.count(b"\n") - 1)
    return f": it has {counted(count, 'row')} instead of {rows_sealed:,}" if count != rows_sealed else ""


def named(rows: list[str]) -> str:
    """The first few of these, and how many more there are."""
    more = f" and {len(rows) - MOST_NAMED:,} more" if len(rows) > MOST_NAMED else ""
    return ", ".join(rows[:MOST_NAMED]) + more


def manifest_differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Which entries of a manifest are not what the ledger gives."""
    if not found:
        return "it cannot be read"
    words = [name for name in sorted(expected.keys() | found.keys()) if found.get(name) != expected.get(name)]
    return f"{', '.join(words)} differ" if words else "its form differs"


def manifest_of(content: bytes) -> Mapping[str, Any]:
    """A manifest that this program has just made."""
    made: Mapping[str, Any] = json.loads(content)
    return made
