"""The marks of what left, step by step: whole and private before anything leaves, and read back as they were meant."""

from pathlib import Path
from typing import Any, cast

import pytest

from batch.departures import Departures
from schemas.errors import FileNotWritten

ONE, TWO = "b00000000001", "b00000000002"
MARK = f"evaluate_{ONE}"


class MarkDisk:
    """A folder in memory that tells what is done to it, and refuses one step."""

    def __init__(self, refuses: str = "") -> None:
        self.files: dict[str, bytes] = {}
        self.told: list[tuple[object, ...]] = []
        self._refuses = refuses
        self._written = ""

    def _tell(self, *step: object) -> None:
        self.told.append(step)
        if step[0] == self._refuses:
            raise OSError(28, "no space")

    def names(self, _root: Path) -> list[str]:
        """What is there."""
        return sorted(self.files)

    def read(self, path: Path) -> bytes | None:
        """A mark, or that it is not there."""
        return self.files.get(path.name)

    def make_folder(self, _root: Path, mode: int) -> None:
        """Make the folder."""
        self._tell("folder", oct(mode))

    def create(self, path: Path, mode: int) -> "MarkDisk":
        """Begin a mark; its writer is the disk itself."""
        self._tell("create", path.name, oct(mode))
        self._written, self.files[path.name] = path.name, b""
        return self

    def write(self, content: bytes) -> None:
        """Write into it."""
        self._tell("write", content)
        self.files[self._written] += content

    def close(self) -> None:
        """It is whole."""
        self._tell("close")

    def abandon(self) -> None:
        """It is let go."""
        self._tell("abandon")

    def remove(self, path: Path) -> None:
        """Take a mark away."""
        self._tell("remove", path.name)
        self.files.pop(path.name, None)

    def sync_folder(self, _root: Path) -> None:
        """Names survive from now on."""
        self._tell("sync")


def departures(disk: MarkDisk) -> Departures:
    """The marks on this disk."""
    return Departures(Path("/marks"), cast("Any", disk))


def test_a_mark_is_whole_and_private_before_its_name_survives() -> None:
    """Written, synced, let go, and then the folder; one that is there is not written again, but its name is made to survive."""
    disk = MarkDisk()
    departures(disk).mark("evaluate", ONE, "f.json")
    assert disk.told == [
        ("folder", "0o700"),
        ("create", MARK, "0o600"),
        ("write", b"f.json\n"),
        ("close",),
        ("abandon",),
        ("sync",),
    ]
    disk.told.clear()
    departures(disk).mark("evaluate", ONE, "f.json")
    assert disk.told == [("sync",)]


@pytest.mark.parametrize("step", ["write", "close"])
def test_a_mark_that_breaks_off_is_let_go_and_told(step: str) -> None:
    """Its file is not left open, and whoever asked for it does not go on."""
    disk = MarkDisk(step)
    with pytest.raises(FileNotWritten, match=r"The mark that f.json leaves could not be written \(no space\)"):
        departures(disk).mark("evaluate", ONE, "f.json")
    assert disk.told[-1] == ("abandon",)


def test_the_mark_of_an_intent_takes_the_place_of_the_one_before() -> None:
    """The new one is there before the old one goes, and each is known by its event's number and hash."""
    disk = MarkDisk()
    departures(disk).mark_calls(ONE, (7, "aa"), "g", after=(5, "99"))
    departures(disk).mark_calls(ONE, (9, "bb"), "g", after=(7, "aa"))
    assert disk.files == {f"calls_{ONE}_9_bb": b"g\n"}
    assert disk.told[-2:] == [("sync",), ("remove", f"calls_{ONE}_7_aa")]
    assert departures(disk).marked_calls() == {(ONE, 9, "bb")}


def test_two_marks_of_a_group_say_no_less_than_one() -> None:
    """Where the old one cannot be taken away the calls go on: both are held to the ledger."""
    disk = MarkDisk("remove")
    departures(disk).mark_calls(ONE, (7, "aa"), "g", after=(5, "99"))
    departures(disk).mark_calls(ONE, (9, "bb"), "g", after=(7, "aa"))
    assert departures(disk).marked_calls() == {(ONE, 7, "aa"), (ONE, 9, "bb")}


def test_marks_of_files_and_of_calls_are_told_apart() -> None:
    """Whatever their ids look like; a mark of calls from before hashes were noted has none, and a strange name is none."""
    disk = MarkDisk()
    disk.files = dict.fromkeys([f"calls_{ONE}_7_aa", f"calls_{TWO}_5", "calls_x_y", MARK, "transmit_7"], b"")
    assert departures(disk).marked() == {ONE, "7"}
    assert departures(disk).marked_calls() == {(ONE, 7, "aa"), (TWO, 5, "")}


def test_a_mark_that_is_forgotten_stays_forgotten() -> None:
    """That it is gone survives a power cut as well."""
    disk = MarkDisk()
    disk.files = {MARK: b"f.json\n"}
    departures(disk).unmark("evaluate", ONE)
    assert (disk.files, disk.told) == ({}, [("remove", MARK), ("sync",)])
