"""A reader that goes away, a device that is full, a descriptor that was never open: what a command ends with then."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from jobs.outlet import Outlet
from tests.commands.merchant_folder import MerchantFolder, merchant_folder

FULL = Path("/dev/full")
UNPRINTED = "The answer could not be printed: the device behind standard output refused it (No space left on device)."
COMMANDS = [("status", 0), ("holds list", 0), ("nightly", 0), ("nightly --json", 0), ("explain nothing-of-this-name", 2)]


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after a first night; every later one is clean."""
    with merchant_folder(tmp_path_factory.mktemp("outlets")) as folder:
        assert folder.run("--quiet nightly") == 10
        yield folder


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def ended(merchant: MerchantFolder, words: str, *, out: int, err: int = subprocess.PIPE) -> tuple[int, str]:
    """Run a command line in a process of its own, as a shell does. Returns its code and what it said on stderr."""
    line = [sys.executable, "-m", "jobs", "--config", str(merchant.config), *words.split()]
    done = subprocess.run(line, stdout=out, stderr=err, text=True, check=False, timeout=60)
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize(("words", "code"), COMMANDS)
def test_a_closed_pipe_changes_no_exit_code(merchant: MerchantFolder, unread: int, words: str, code: int) -> None:
    """`| head -1`: whoever reads no further does not change how the command ends, and sees nothing of it."""
    found, said = ended(merchant, words, out=unread)

    assert found == code
    assert ("Traceback" in said, "BrokenPipe" in said, "Report it" in said) == (False, False, False)
    assert bool(said) is (code == 2)


def test_a_night_that_fails_says_so_through_a_closed_pipe(merchant: MerchantFolder, unread: int) -> None:
    """The code of a night that fails is the night's own."""
    merchant.sql("ALTER TABLE orders RENAME TO away")
    try:
        assert ended(merchant, "nightly", out=unread)[0] == 78
    finally:
        merchant.sql("ALTER TABLE away RENAME TO orders")


def test_the_first_line_of_a_list_is_whole(merchant: MerchantFolder) -> None:
    """The lines that are read before the pipe closes are all there."""
    line = f"{sys.executable} -m jobs --config {merchant.config} holds list | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


@pytest.mark.parametrize(("words", "code"), COMMANDS)
def test_a_full_device_is_told_and_has_a_code(merchant: MerchantFolder, words: str, code: int) -> None:
    """The answer is lost: a clean end becomes 10 and says so; a graver one stays what it is."""
    with FULL.open("wb") as full:
        found, said = ended(merchant, words, out=full.fileno())

    assert found == (10 if code == 0 else code)
    assert "Report it" not in said
    if code == 0:
        assert (said.startswith(UNPRINTED), said.endswith("[MB-UNPRINTED]\n"), said.count("\n")) == (True, True, 1)


def test_a_full_device_behind_stderr_fails_nothing(merchant: MerchantFolder) -> None:
    """Words for people are lost; the run and its code are not."""
    with FULL.open("wb") as full:
        assert ended(merchant, "nightly --verbose", out=subprocess.DEVNULL, err=full.fileno())[0] == 0


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_what_was_never_open_fails_nothing(merchant: MerchantFolder, closed: str) -> None:
    """A scheduler that closes stdout gets the run's own code."""
    line = f"{sys.executable} -m jobs --config {merchant.config} nightly {closed}"
    assert subprocess.run(["bash", "-c", line], check=False, timeout=60).returncode == 0


def test_a_connection_that_breaks_is_not_exit_1(merchant: MerchantFolder, mocker: MockerFixture) -> None:
    """A broken connection of our own, which no command expected, is an internal error: nothing ends with 1."""
    mocker.patch("jobs.status.count_by_state", side_effect=BrokenPipeError(32, "Broken pipe"))
    assert merchant.run("status") == 70


def test_a_slow_reader_gets_all_of_it() -> None:
    """A pipe that is only full for the moment, and would not wait by itself, is waited for."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    found = bytearray()

    def read() -> None:
        while block := os.read(reader, 4096):
            found.extend(block)

    thread = threading.Thread(target=read)
    outlet, content = Outlet(writer), b"x" * 1_000_000
    thread.start()
    with io.BufferedWriter(outlet) as stream:
        stream.write(content)
    os.close(writer)
    thread.join()
    os.close(reader)

    assert (bytes(found) == content, outlet.refusal) == (True, "")


def test_a_device_that_has_room_again_gets_what_comes_then(mocker: MockerFixture) -> None:
    """A process that runs for weeks is not silent for ever, because its disk was once full."""
    write = mocker.patch("os.write", side_effect=[OSError(28, "No space left on device"), 3])
    outlet = Outlet(1)

    assert (outlet.write(b"one"), outlet.write(b"two"), write.call_count) == (3, 3, 2)
    assert outlet.refusal == "No space left on device"
