"""Where runs know what finance's files were made from, whatever is not made again is what would be made."""

from dataclasses import replace
from typing import Any

import pytest

from batch import bookkeeping
from batch.audit import MANIFEST, AuditFolder
from batch.bookkeeping import AuditReport, Bookkeeping, Turn
from batch.digest_disk import DigestDisk
from tests.world.schedule import schedule_of
from tests.world.shrink import violations_of

SEEDS = range(7_000, 7_060)


def made_anew(books: Bookkeeping, date: str, folder: AuditFolder) -> AuditReport:
    """What a making of a date's files would give, whatever is known of them."""
    again = DigestDisk()
    for earlier in (each for each in folder.dates() if each < date):
        again.know(folder.root / earlier / MANIFEST, folder._disk.sha256_of(folder.root / earlier / MANIFEST) or "")
    other = object.__new__(Bookkeeping)
    other.__dict__.update(books.__dict__ | {"_written": None, "_folder": AuditFolder(folder.root, again)})
    report = other.write(date, Turn("anew", lambda: None))
    for name in again.names(folder.root / date):
        assert again.sha256_of(folder.root / date / name) == folder._disk.sha256_of(folder.root / date / name)
    return report


def test_what_is_known_is_what_would_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed anywhere, overtaken, and with every trouble: the oracle finds nothing, and no file is other than made anew."""
    write, as_noted = Bookkeeping.write, bookkeeping._as_noted
    known: list[str] = []

    def noted(day: Any, *more: Any) -> AuditReport:  # noqa: ANN401 - handed on
        known.append(day.business_date)
        return as_noted(day, *more)

    def compared(books: Bookkeeping, date: str, turn: Turn, *, anew: bool = False) -> AuditReport:
        before = len(known)
        report = write(books, date, turn, anew=anew)
        if len(known) > before:
            assert replace(made_anew(books, date, books._folder), folder=report.folder) == report
        return report

    monkeypatch.setattr(bookkeeping, "_as_noted", noted)
    monkeypatch.setattr(Bookkeeping, "write", compared)
    assert {seed: found for seed in SEEDS if (found := violations_of(schedule_of(seed)))} == {}
    assert len(known) > len(SEEDS) / 2
