"""`mitbatch report`: a business date's page, drawn from the ledger as the run of that date draws it."""

from pathlib import Path

from batch.audit import MANIFEST, AuditFolder
from batch.bookkeeping import REPORT, Bookkeeping, Page, Turn
from batch.digest_disk import DigestDisk
from batch.disk import Disk
from batch.ledger import Ledger
from batch.ledger_history import LedgerHistory
from batch.ledger_seals import LedgerSeals
from batch.pace import utc_text
from jobs.assembly import open_ledger_alone
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.disk import MachineDisk
from jobs.night import checked_date
from jobs.output import Options, answer, say
from jobs.report.drawing import INSTALL, machine_page
from jobs.report.parts import size_text
from jobs.settings_file import load_settings
from schemas.errors import EXIT_MEANINGS, AnotherRunActive, ConfigurationError, ExitCode, FileNotWritten, UsageRefused
from schemas.settings import Settings

MOST_TRIES = 3
_ALONE = Turn("report", lambda: None)


def make_report(options: Options, day: str, out: Path | None) -> int:
    """Draw the page of a date and say where it lies. Raises ConfigurationError without the extra `report`."""
    draw = machine_page()
    if draw is None:
        raise ConfigurationError("The report needs Jinja2, which is not installed.", next_step=f"Install it: {INSTALL}")
    settings, clock, disk = load_settings(options.config), SystemClock(), MachineDisk()
    folder = AuditFolder(settings.data_dir / "audit", disk)
    day = date_with_files(folder, checked_date(day, settings, clock.now()) if day else "")
    with open_ledger_alone(settings, clock=clock) as ledger:
        content = _drawn(ledger, settings, folder, disk, day, draw)
    path = out or folder.root / day / REPORT
    _write(disk, path, content)
    page = f"{'report':<16}{path}   {size_text(len(content))}"
    say(options, [banner("report", day, settings), page, f"EXIT 0 {EXIT_MEANINGS[ExitCode.CLEAN]}"])
    answer(
        options,
        {
            "schema": "mitbatch.report/1",
            "type": "result",
            "command": "report",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "mid": settings.provider.mid,
            "business_date": day,
            "path": str(path),
            "bytes": len(content),
            "exit_code": int(ExitCode.CLEAN),
        },
    )
    return int(ExitCode.CLEAN)


def date_with_files(folder: AuditFolder, day: str) -> str:
    """The date that is meant: the latest one with files if none is named. Raises UsageRefused where there is none."""
    dates = folder.dates()
    if not dates:
        raise UsageRefused("No business date has files yet.", next_step="Run: mitbatch nightly")
    if day and day not in dates:
        raise UsageRefused(f"No run has written {day}; the latest date with files is {dates[-1]}.")
    return day or dates[-1]


def _drawn(ledger: Ledger, settings: Settings, folder: AuditFolder, disk: Disk, day: str, draw: Page) -> bytes:
    """The page as the ledger gives it at one moment: if a run ended meanwhile it is drawn once more."""
    seals, history = LedgerSeals(ledger.reading, ledger.mid), LedgerHistory(ledger.reading, ledger.mid)
    for _ in range(MOST_TRIES):
        with seals.reading() as reader:
            before = reader.stamp()
        again = DigestDisk()
        earlier = [date for date in folder.dates() if date < day]
        if earlier:
            manifest = folder.root / earlier[-1] / MANIFEST
            again.know(manifest, disk.sha256_of(manifest) or "")
        books = Bookkeeping(history=history, folder=AuditFolder(folder.root, again), settings=settings, page=draw)
        made = books.write(day, _ALONE)
        if made.page_error is not None:
            raise made.page_error
        with seals.reading() as reader:
            if reader.stamp() == before:
                return again.read(folder.root / day / REPORT) or b""
    raise AnotherRunActive("Other runs worked while the page was drawn; it was not written.", next_step="Try again later.")


def _write(disk: Disk, path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.command.new")
    try:
        file = disk.create(part, 0o640)
        file.write(content)
        file.close()
        disk.replace(part, path)
    except OSError as error:
        problem = f"The report could not be written to {path} ({error.strerror or error})."
        raise FileNotWritten(problem, next_step="Name another file with --out.") from error
