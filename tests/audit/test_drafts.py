"""What a run writes of finance's files: what differs from what is there, and nothing else."""

from pathlib import Path

import pytest

from batch.audit import MANIFEST, AuditFolder
from batch.audit_csv import Marks
from jobs.disk import MachineDisk, SyncedFile
from tests.audit.conftest import ALONE

MONDAY = "2026-11-23"


class Watched(MachineDisk):
    """A disk that remembers which files were begun, and which were synced to their end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.synced: list[str] = []

    def create(self, path: Path, mode: int) -> SyncedFile:
        """Begin a file."""
        self.begun.append(path.name)
        made, close, synced = super().create(path, mode), SyncedFile.close, self.synced

        class File(SyncedFile):
            def close(self) -> None:
                synced.append(path.name)
                close(made)

        return File(made._file)


def _write(root: Path, *, rows: int = 3, amount: int = 1) -> Watched:
    """A date with two tables, of which one has so many rows, by a disk that is watched."""
    disk = Watched()
    with AuditFolder(root, disk).day(MONDAY, Marks(), "aaaaaaaa") as folder:
        folder.table("holds", ("order_id", "currency", "amount_minor"))
        declines = folder.table("declines", ("order_id", "currency", "amount_minor"))
        for number in range(rows):
            declines.add({"order_id": f"o-{number}", "currency": "USD", "amount_minor": amount})
        tables = folder.tables()
        folder.text(MANIFEST, " ".join(table.sha256 for table in tables).encode())
        folder.publish(ALONE.still_ours)
    return disk


@pytest.fixture(params=[1 << 20, 10], ids=["short", "long"])
def files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the files are too long to wait in memory."""
    monkeypatch.setattr("batch.audit.IN_MEMORY", request.param)
    return bool(request.param == 10)


def _seen(root: Path) -> dict[str, tuple[int, bytes]]:
    """What lies there, each file by its number on the disk and its bytes."""
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in (root / MONDAY).iterdir()}


def test_what_is_as_it_was_is_not_written(tmp_path: Path, *, files: bool) -> None:
    """Written again from the same ledger, no file is synced, and only what is long was begun; nothing is left beside."""
    assert len(_write(tmp_path).synced) == 3
    before = _seen(tmp_path)
    again = _write(tmp_path)

    assert again.synced == []
    assert bool(again.begun) is files
    assert _seen(tmp_path) == before
    assert sorted(before) == ["declines.csv", "holds.csv", MANIFEST]


def test_only_what_differs_is_written(tmp_path: Path, *, files: bool) -> None:
    """One amount has changed: its table and the manifest are written and synced, the other table stays the file that it was."""
    _write(tmp_path)
    before = _seen(tmp_path)
    changed = _write(tmp_path, amount=2)
    after = _seen(tmp_path)

    assert changed.synced == [".declines.0001.csv.aaaaaaaa.new", f".{MANIFEST}.aaaaaaaa.new"]
    assert after["holds.csv"] == before["holds.csv"]
    assert after["declines.csv"][1] == before["declines.csv"][1].replace(b",1\n", b",2\n")
    assert files or changed.begun == changed.synced


@pytest.mark.parametrize("spoilt", ["declines.csv", "holds.csv", MANIFEST])
@pytest.mark.parametrize("content", [b"edited", None], ids=["edited", "removed"])
def test_what_was_edited_or_removed_is_written_again(tmp_path: Path, spoilt: str, content: bytes | None, *, files: bool) -> None:
    """The file on the disk is what is compared, whatever an earlier run wrote."""
    _write(tmp_path)
    before = {name: content for name, (_, content) in _seen(tmp_path).items()}
    path = tmp_path / MONDAY / spoilt
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    assert len(_write(tmp_path).synced) == 1
    assert {name: content for name, (_, content) in _seen(tmp_path).items()} == before


def test_a_long_table_is_whole(tmp_path: Path, *, files: bool) -> None:
    """A table that is written in pieces has every row once."""
    _write(tmp_path, rows=500)
    lines = (tmp_path / MONDAY / "declines.csv").read_text(encoding="utf-8-sig").splitlines()

    assert [line.partition(",")[0] for line in lines[1:]] == [f'"o-{number}"' for number in range(500)]
    assert files or len(lines) == 501
