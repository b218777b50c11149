"""Whether finance's files and the ledger are as this program wrote them: everything is read again, and nothing is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batch import tampering
from batch.audit import MANIFEST, AuditFolder, is_ours
from batch.bookkeeping import Bookkeeping, Turn
from batch.digest_disk import DigestDisk
from batch.disk import Disk
from batch.ledger_history import LedgerHistory
from batch.ledger_seals import LedgerSeals, SealReader
from batch.tampering import Tampering, TamperingKind
from schemas.settings import Settings

_ALONE = Turn("verify", lambda: None)
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What folding a history raises that was never written so."""


@dataclass(slots=True)
class Verified:
    """What was looked at, and what is not as it was written.

    `waiting` are dates whose files are still to be written by the next run, because their own was cut off or is at work;
    they and later ones were not compared. `is_disturbed` says that a run worked meanwhile: what is found then proves nothing.
    """

    events: int = 0
    days: list[str] = field(default_factory=list)
    files: int = 0
    waiting: list[str] = field(default_factory=list)
    tampering: list[Tampering] = field(default_factory=list)
    is_disturbed: bool = False


class Verification:
    """Looks at one merchant account's ledger and its audit folder. Reads only."""

    def __init__(
        self, *, seals: LedgerSeals, history: LedgerHistory, folder: AuditFolder, disk: Disk, settings: Settings
    ) -> None:
        self._seals = seals
        self._history = history
        self._folder = folder
        self._disk = disk
        self._settings = settings

    def verify(self, first: str = "", last: str = "9999-12-31") -> Verified:
        """Look at the whole ledger, and at the files of these business dates, both ends among them."""
        found = Verified()
        with self._seals.reading() as reader:
            before = reader.stamp()
            found.tampering += tampering.broken_chains(self._counted(reader, found))
            found.tampering += reader.rows_off_their_chains()
            found.tampering += reader.changed_rows()
            found.tampering += reader.changed_comparisons()
            found.tampering += reader.changed_evidence()
            found.tampering += reader.changed_verdicts()
            booked = reader.booked_dates()
            found.waiting = [date for date in reader.waiting_dates() if first <= date <= last]
        until = min(found.waiting, default="9999-12-32")
        for date in sorted({*booked, *self._folder.dates()}):
            if first <= date <= last and date < until:
                found.days.append(date)
                found.tampering += self._day(date, found, is_booked=date in booked)
        with self._seals.reading() as reader:
            found.is_disturbed = reader.stamp() != before
        return found

    @staticmethod
    def _counted(reader: SealReader, found: Verified) -> Iterator[Mapping[Any, Any]]:
        for row in reader.events():
            found.events += 1
            yield row

    def _day(self, date: str, found: Verified, *, is_booked: bool) -> Iterator[Tampering]:
        """Make a day's files again, as their manifest says that they were made, and compare."""
        path = self._folder.root / date
        if MANIFEST not in self._disk.names(path):
            yield Tampering(TamperingKind.DAY_MISSING, date, f"{date} was written, and its files or their manifest are gone.")
            return
        if not is_booked:
            yield Tampering(TamperingKind.FILE_UNKNOWN, date, f"{date} has files, but no run of this ledger wrote that date.")
            return
        content = self._disk.read(path / MANIFEST) or b""
        manifest = tampering.read_manifest(content)
        settings = tampering.settings_as_written(manifest, self._settings)
        try:
            again = self._made_again(date, settings, tampering.part_rows_as_written(manifest, self._folder.part_rows))
        except _UNREADABLE as error:
            words = f"{date} cannot be made again: the ledger's history of it makes no sense ({type(error).__name__})."
            yield Tampering(TamperingKind.BOOKS_DIFFER, date, words)
            return
        names = again.names(path)
        for name in sorted(names, key=lambda name: name != MANIFEST):
            found.files += 1
            if self._disk.sha256_of(path / name) != again.sha256_of(path / name):
                yield self._difference(path / name, again, manifest, settings.audit.delimiter)
        for name in self._disk.names(path):
            if name not in names and is_ours(name):
                yield Tampering(TamperingKind.FILE_UNKNOWN, f"{date}/{name}", f"{name} of {date} was not written by any run.")

    def _made_again(self, date: str, settings: Settings, part_rows: int) -> DigestDisk:
        """A day's files as the ledger gives them now, after the day before as it stands on the disk."""
        again = DigestDisk()
        earlier = [day for day in self._folder.dates() if day < date]
        if earlier:
            again.know(
                self._folder.root / earlier[-1] / MANIFEST, self._disk.sha256_of(self._folder.root / earlier[-1] / MANIFEST) or ""
            )
        Bookkeeping(
            history=self._history, folder=AuditFolder(self._folder.root, again, part_rows=part_rows), settings=settings
        ).write(date, _ALONE)
        return again

    def _difference(self, path: Path, again: DigestDisk, manifest: Mapping[str, Any], delimiter: str) -> Tampering:
        """In words: the file is gone, was edited, or is as it was while the ledger now gives another."""
        place, words = f"{path.parent.name}/{path.name}", f"{path.name} of {path.parent.name}"
        digest = self._disk.sha256_of(path)
        if digest is None:
            return Tampering(TamperingKind.FILE_MISSING, place, f"{words} is gone.")
        if path.name == MANIFEST:
            expected = tampering.manifest_of(again.read(path) or b"{}")
            differs = tampering.manifest_differences(manifest, expected)
            return Tampering(TamperingKind.BOOKS_DIFFER, place, f"{words} is not what the ledger gives: {differs}.")
        sealed, rows = tampering.sealed(manifest, path.name)
        if digest == sealed:
            return Tampering(
                TamperingKind.BOOKS_DIFFER, place, f"{words} is as it was written, but the ledger gives another now."
            )
        how = tampering.how_changed(self._disk.read(path) or b"", delimiter, rows) if is_ours(path.name) else ""
        return Tampering(TamperingKind.FILE_CHANGED, place, f"{words} was changed after it was written{how}.")
