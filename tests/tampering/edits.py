"""One random edit of finance's files or of the ledger, as a person with an editor or a database shell could make it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update
from sqlalchemy.exc import IntegrityError

from batch.bookkeeping import REPORT
from schemas.ledger_tables import event, metadata
from tests.tampering.books import Books

FINANCE = Path(__file__).parents[2] / "schemas" / "FINANCE.md"

_LISTED = re.compile(r"^\| (`[^|]+`) \| ([a-z0-9_ ]+) \| [^|]+ \|$", re.MULTILINE)


def not_sealed() -> dict[str, set[str]]:
    """What `schemas/FINANCE.md` lists as not sealed: the columns of each table, by name."""
    section = FINANCE.read_text(encoding="utf-8").partition("## What is not sealed")[2].partition("\n## ")[0]
    listed: dict[str, set[str]] = {}
    for tables, columns in _LISTED.findall(section):
        for table in tables.replace("`", "").split():
            every = {column.name for column in metadata.tables[table].columns}
            listed[table] = every if columns == "all" else set(columns.split())
    return listed


SEALED: dict[Table, tuple[str, ...]] = {
    table: names
    for table in metadata.sorted_tables
    if (names := tuple(column.name for column in table.columns if column.name not in not_sealed().get(table.name, ())))
}
"""Every cell of the ledger but those that are listed: a new column stands here until it is listed, and must be found edited."""


@dataclass(frozen=True)
class FileEdit:
    """An edit of a file, and how to take it back."""

    words: str
    path: Path
    before: bytes

    def undo(self) -> None:
        """Put the bytes back that were there."""
        self.path.write_bytes(self.before)


def edit_a_file(books: Books, chance: Random) -> list[FileEdit]:
    """Edit, shorten, reorder, exchange or delete something in finance's folder; what was really changed.

    The report is drawn from the same figures and sealed by nothing; verifying does not look at it.
    """
    path = chance.choice(sorted(path for path in books.audit.rglob("*") if path.is_file() and path.name != REPORT))
    content = path.read_bytes()
    way = chance.choice(["byte", "cut", "insert", "lines", "repeat", "drop", "delete", "exchange", "sealed"])
    if way == "delete":
        path.unlink()
        return [FileEdit(f"delete {path}", path, content)]
    if way == "exchange":
        return _exchange(path, chance.choice(sorted(books.audit.glob(f"*/{path.name}"))))
    if way == "sealed":
        return _with_its_seal(path, content, chance)
    changed = _changed(content, way, chance)
    path.write_bytes(changed)
    return [FileEdit(f"{way} {path}", path, content)] if changed != content else []


def _changed(content: bytes, way: str, chance: Random) -> bytes:
    place = chance.randrange(len(content))
    if way == "byte":
        return content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]
    if way == "cut":
        return content[:place]
    if way == "insert":
        return content[:place] + chance.randbytes(chance.randint(1, 4)) + content[place:]
    lines = content.splitlines(keepends=True)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if way == "lines":
        lines[one], lines[other] = lines[other], lines[one]
    elif way == "repeat":
        lines.insert(one, lines[other])
    else:
        lines.pop(one)
    return b"".join(lines)


def _exchange(one: Path, other: Path) -> list[FileEdit]:
    mine, theirs = one.read_bytes(), other.read_bytes()
    if mine == theirs:
        return []
    one.write_bytes(theirs)
    other.write_bytes(mine)
    return [FileEdit(f"exchange {one} and {other}", one, mine), FileEdit("", other, theirs)]


def _with_its_seal(path: Path, content: bytes, chance: Random) -> list[FileEdit]:
    """Someone who knows the format: the file is changed, and its digest in the manifest with it."""
    manifest_path = path.with_name("manifest.json")
    if path == manifest_path:
        return []
    changed, manifest = _changed(content, "drop", chance), manifest_path.read_bytes()
    said = json.loads(manifest)
    for file in said["files"]:
        if file["name"] == path.name:
            file["sha256"] = hashlib.sha256(changed).hexdigest()
    path.write_bytes(changed)
    manifest_path.write_bytes((json.dumps(said, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())
    return [FileEdit(f"sealed {path}", path, content), FileEdit("", manifest_path, manifest)]


def edit_the_ledger(connection: Connection, chance: Random) -> str:
    """Change one sealed cell of one row, delete a row, or exchange two events; says what was done, or nothing."""
    table = chance.choice(list(SEALED))
    rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    if not rows:
        return ""
    row = chance.choice(rows)
    way = chance.choice(["cell", "cell", "cell", "delete", "exchange"])
    if way == "delete":
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.execute(delete(table).where(*_same(table, row)))
        return f"delete {_named(table, row)}"
    if way == "exchange" and table is event:
        return _exchange_events(connection, row, chance.choice(rows))
    return edit_a_cell(connection, table, row, chance.choice(SEALED[table]), chance)


def edit_a_cell(connection: Connection, table: Table, row: dict[str, Any], name: str, chance: Random) -> str:
    """Put something else into one cell; says what was done, or nothing where the database itself refuses that."""
    value = _other(row[name], chance)
    if value == row[name]:
        return ""
    try:
        connection.execute(update(table).where(*_same(table, row)).values({name: value}))
    except IntegrityError:
        return ""
    return f"{_named(table, row)}: {name} = {value!r}, was {row[name]!r}"


def _exchange_events(connection: Connection, one: dict[str, Any], other: dict[str, Any]) -> str:
    if (one["subject"], one["seq"]) == (other["subject"], other["seq"]):
        return ""
    connection.execute(update(event).where(*_same(event, one)).values(seq=10_000))
    connection.execute(update(event).where(*_same(event, other)).values(subject=one["subject"], seq=one["seq"]))
    moved = {**one, "seq": 10_000}
    connection.execute(update(event).where(*_same(event, moved)).values(subject=other["subject"], seq=other["seq"]))
    return f"exchange {_named(event, one)} and {_named(event, other)}"


def _other(value: Any, chance: Random) -> Any:  # noqa: ANN401 - any cell
    if isinstance(value, int):
        return chance.choice([value - 1, value + 1, value + 100, "x", -(1 << 62), None])
    if isinstance(value, bytes):
        return chance.choice([value + b" ", b""])
    if value is None:
        return "x"
    place = chance.randrange(len(value) + 1)
    return value[:place] + chance.choice("x0Z-") + value[place + chance.randint(0, 1) :]


def _same(table: Table, row: dict[str, Any]) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key.columns]


def _named(table: Table, row: dict[str, Any]) -> str:
    return f"{table.name} {[row[column.name] for column in table.primary_key.columns]}"
