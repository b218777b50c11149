"""How finance reads the files: through the standard csv reader, undoing guards and escapes."""

import csv
from pathlib import Path

from batch.audit_csv import unguard


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file by column, as the texts that were stored."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=delimiter)
    return [dict(zip(header, map(unguard, row), strict=True)) for row in rows]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
