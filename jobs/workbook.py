"""`mitbatch audit export --xlsx`: finance's files as one workbook, in which nothing is lost or taken for a formula."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from batch.audit import AuditFolder
from batch.pace import utc_text
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.disk import MachineDisk
from jobs.night import checked_date
from jobs.output import Options, answer, say
from jobs.report.drawing import INSTALL
from jobs.settings_file import load_settings
from jobs.workbook_cells import CellWriter, rows_of
from schemas.audit_columns import ROW_FILES, SUMMARY_COLUMNS
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ConfigurationError, ExitCode, FileNotWritten, UsageRefused

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

SHEETS: Mapping[str, Sequence[str]] = {"summary": SUMMARY_COLUMNS, **ROW_FILES}
"""One sheet for each file, the summary first."""
MOST_ROWS = 200_000
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's times have no zone; the same for all, so that its bytes are the same
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


@dataclass(slots=True)
class SheetCount:
    """How many rows a sheet was given, and how many it has."""

    found: int = 0
    written: int = 0


@dataclass(slots=True)
class Exported:
    """What was put into a workbook."""

    path: Path
    dates: list[str]
    sheets: dict[str, SheetCount] = field(default_factory=dict)


def export_workbook(options: Options, first: str, last: str, out: Path | None, *, most_rows: int = MOST_ROWS) -> int:
    """Write the workbook and say where it lies. Raises AuditBroken for a file with an edited row, UsageRefused for no dates."""
    if find_spec("xlsxwriter") is None:
        raise ConfigurationError("A workbook needs XlsxWriter, which is not installed.", next_step=f"Install it: {INSTALL}")
    settings, clock = load_settings(options.config), SystemClock()
    for day in filter(None, (first, last)):
        checked_date(day, settings, clock.now())
    folder = AuditFolder(settings.data_dir / "audit", MachineDisk())
    dates = [day for day in folder.dates() if (first or day) <= day <= (last or day)]
    if not dates:
        raise UsageRefused("No business date in that span has files.", next_step="See the folders in data_dir/audit.")
    path = out or folder.root / f"audit_{dates[0]}_{dates[-1]}.xlsx"
    try:
        made = write_workbook(folder.root, dates, path, most_rows=most_rows)
    except OSError as error:
        problem = f"The workbook could not be written to {path} ({error.strerror or error})."
        raise FileNotWritten(problem, next_step="Name another file with --out.") from error
    verdict = f"EXIT {int(ExitCode.CLEAN)} {EXIT_MEANINGS[ExitCode.CLEAN]}"
    say(options, [banner("audit export", dates[-1], settings), *_lines(made), verdict])
    answer(
        options,
        {
            "schema": "mitbatch.audit_export/1",
            "type": "result",
            "command": "audit export",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "mid": settings.provider.mid,
            "path": str(path),
            "dates": dates,
            "sheets": {name: {"rows": count.found, "written": count.written} for name, count in made.sheets.items()},
            "exit_code": int(ExitCode.CLEAN),
        },
    )
    return int(ExitCode.CLEAN)


def _lines(made: Exported) -> list[str]:
    span = made.dates[0] if len(made.dates) == 1 else f"{made.dates[0]} to {made.dates[-1]}"
    lines = [f"{'workbook':<16}{made.path}", f"{'dates':<16}{span}"]
    lines += [f"{name:<16}{count.written:>9,} {'row' if count.written == 1 else 'rows'}" for name, count in made.sheets.items()]
    return lines + [
        f"WARN  {name}: the first {count.written:,} of {counted(count.found, 'row')} are in the workbook; all are in the CSV"
        " files"
        for name, count in made.sheets.items()
        if count.found > count.written
    ]


def write_workbook(root: Path, dates: Sequence[str], path: Path, *, most_rows: int = MOST_ROWS) -> Exported:
    """Write the files of these dates as one workbook: beside its place, then renamed. The same files give the same bytes."""
    from xlsxwriter import Workbook

    made, part = Exported(path, list(dates)), path.with_name(f".{path.name}.new")
    with tempfile.TemporaryDirectory(prefix="mitbatch-") as aside:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640))
        try:
            with closing(Workbook(str(part), {**_OPTIONS, "tmpdir": aside})) as book:
                book.set_properties({"title": f"Audit {dates[0]} to {dates[-1]}", "created": _EPOCH})
                cells = CellWriter(book)
                for name, columns in SHEETS.items():
                    made.sheets[name] = _fill(book.add_worksheet(name), cells, columns, root, name, dates, most_rows)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return made


def _fill(
    sheet: "Worksheet", cells: "CellWriter", columns: Sequence[str], root: Path, name: str, dates: Sequence[str], most_rows: int
) -> SheetCount:
    count = SheetCount()
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, 42 if column in {"definition", "reason_text"} else max(12, len(column) + 3))
    sheet.write_row(0, 0, columns, cells.head)
    for day in dates:
        for row in rows_of(root / day, name, columns):
            count.found += 1
            if count.written < most_rows:
                count.written += 1
                for place, column in enumerate(columns):
                    cells.write(sheet, count.written, place, column, row)
    sheet.autofilter(0, 0, count.written, len(columns) - 1)
    return count
