"""Whoever is overtaken in the midst of writing finance's files puts nothing older over what the other run wrote."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from batch.audit import AuditFolder, DayFolder
from batch.audit_csv import Marks
from jobs.disk import MachineDisk
from schemas.errors import LeaseLost
from tests.audit.conftest import ALONE

MONDAY = "2026-11-23"
NAMES = ("declines", "holds")


def _no_longer() -> None:
    raise LeaseLost("another run took over")


def _draft(folder: DayFolder, name: str, order_id: str) -> None:
    folder.table(name, ("order_id", "currency", "amount_minor")).add({"order_id": order_id, "currency": "USD", "amount_minor": 1})


def _seal(folder: DayFolder) -> None:
    files = {file.name: file.sha256 for file in folder.tables()}
    folder.text("manifest.json", json.dumps(files).encode())


def _seen(folder: Path) -> dict[str, bytes]:
    """What lies there, which must be what the manifest names."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    sealed: dict[str, str] = json.loads(files.pop("manifest.json"))
    assert {name: sha256(content).hexdigest() for name, content in files.items()} == sealed
    return files


def _write(root: AuditFolder, writer: str, order_id: str) -> dict[str, bytes]:
    with root.day(MONDAY, Marks(), writer) as folder:
        for name in NAMES:
            _draft(folder, name, order_id)
        _seal(folder)
        folder.publish(ALONE.still_ours)
    return _seen(folder.path)


@pytest.mark.parametrize("drafts", [0, 1, 2])
def test_drafts_of_an_overtaken_run_are_gone_or_its_turn_is(tmp_path: Path, drafts: int) -> None:
    """However many drafts were there when the other run came: those are taken away, and with later ones it asks in vain."""
    root = AuditFolder(tmp_path, MachineDisk())

    with root.day(MONDAY, Marks(), "aaaaaaaa") as folder:
        for name in NAMES[:drafts]:
            _draft(folder, name, "old")
        newer = _write(root, "bbbbbbbb", "new")
        for name in NAMES[drafts:]:
            _draft(folder, name, "old")
        _seal(folder)
        with pytest.raises(LeaseLost):
            folder.publish(_no_longer)
    assert _seen(root.root / MONDAY) == newer


def test_who_stood_still_after_asking_finds_its_drafts_gone(tmp_path: Path) -> None:
    """Between the question and the first rename another run may take over: a draft that it took away cannot be renamed."""
    root, newer = AuditFolder(tmp_path, MachineDisk()), dict[str, bytes]()
    with root.day(MONDAY, Marks(), "aaaaaaaa") as folder:
        for name in NAMES:
            _draft(folder, name, "old")
        _seal(folder)
        with pytest.raises(FileNotFoundError):
            folder.publish(lambda: newer.update(_write(root, "bbbbbbbb", "new")))
    assert newer
    assert _seen(root.root / MONDAY) == newer


def test_with_nothing_new_nobody_is_asked_and_nothing_touched(tmp_path: Path) -> None:
    """Where every file would come out as it lies there, whose turn it is does not matter: nothing is renamed, nothing written."""
    root = AuditFolder(tmp_path, MachineDisk())
    _write(root, "99999999", "old")
    before = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (tmp_path / MONDAY).iterdir()}
    with root.day(MONDAY, Marks(), "aaaaaaaa") as folder:
        for name in NAMES:
            _draft(folder, name, "old")
        _seal(folder)
        folder.publish(_no_longer)
    assert {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (tmp_path / MONDAY).iterdir()} == before


def test_a_part_too_many_is_something_new(tmp_path: Path) -> None:
    """A file of an older shape is taken away by whose turn it is, and by nobody else, even if nothing else differs."""
    root = AuditFolder(tmp_path, MachineDisk())
    _write(root, "99999999", "old")
    stale = tmp_path / MONDAY / "holds.0002.csv"
    stale.write_bytes(b"")
    with root.day(MONDAY, Marks(), "aaaaaaaa") as folder:
        for name in NAMES:
            _draft(folder, name, "old")
        _seal(folder)
        with pytest.raises(LeaseLost):
            folder.publish(_no_longer)
        assert stale.exists()
    _write(root, "bbbbbbbb", "old")
    assert not stale.exists()


def test_a_slow_run_that_was_overtaken_disturbs_no_draft_of_the_other(tmp_path: Path) -> None:
    """Both write drafts at the same time: each has names of its own, so what is published is what its writer wrote."""
    root = AuditFolder(tmp_path, MachineDisk())

    with root.day(MONDAY, Marks(), "aaaaaaaa") as slow:
        with root.day(MONDAY, Marks(), "bbbbbbbb") as folder:
            for name in NAMES:
                _draft(folder, name, "new")
            _seal(folder)
            for name in NAMES:
                _draft(slow, name, "old")
            folder.publish(ALONE.still_ours)
        newer = _seen_without_drafts(root.root / MONDAY)
        _seal(slow)
        with pytest.raises(LeaseLost):
            slow.publish(_no_longer)
    assert b'"new"' in newer["declines.csv"]
    assert _seen(root.root / MONDAY) == newer


def _seen_without_drafts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".csv"}


def test_drafts_that_dead_runs_left_are_taken_away(tmp_path: Path) -> None:
    """Drafts of today's names and of former ones go when the date is written again; what is not ours stays."""
    root, folder = AuditFolder(tmp_path, MachineDisk()), tmp_path / MONDAY
    folder.mkdir()
    for name in (".declines.0001.csv.0123abcd.new", ".holds.0002.csv.new", ".README.txt.0123abcd.new", ".manifest.json.new"):
        (folder / name).write_bytes(b"left by a crash")
    (folder / ".notes.new").write_bytes(b"finance's own")
    with root.day(MONDAY, Marks(), "bbbbbbbb"):
        assert [path.name for path in folder.iterdir()] == [".notes.new"]
