"""Faults of listings, renames and slow or broken lines, as the client sees them. The other SFTP faults: test_sftp_faults."""

import io
import socket
import time
from functools import partial

import paramiko
import pytest

from jobs.sandbox import Sandbox
from jobs.sandbox.sftp_listing_faults import HOSTILE_NAMES
from tests.sandbox.merchant import batch_name, decline, deliver, evaluate_file, fails, sftp, ssh

CONTENT = b"0123456789" * 20
PART = "inbound/a.part"


def on_disk(sandbox: Sandbox) -> dict[str, bytes]:
    """The inbound folder as it really is."""
    return {path.name: path.read_bytes() for path in sandbox.inbound.iterdir()}


def test_listings_lie(sandbox: Sandbox) -> None:
    """A listing leaves out the newest or every second file, is in no order, is crowded, or is that of another host."""
    found = {}
    with sftp(sandbox) as session:
        for name in "dcba":
            session.putfo(io.BytesIO(CONTENT), f"inbound/{name}.part", confirm=False)
        for fault in ("stale_list", "partial_list", "unordered_list", "crowded_list", "other_host_view"):
            sandbox.faults.switch_on(fault)
            found[fault] = [name.removesuffix(".part") for name in session.listdir("inbound")]
        truth = session.listdir("inbound")

    assert truth == ["a.part", "b.part", "c.part", "d.part"]
    assert found["stale_list"] == ["b", "c", "d"]
    assert found["partial_list"] == ["b", "d"]
    assert sorted(found["unordered_list"]) == ["a", "b", "c", "d"] != found["unordered_list"]
    assert len(found["crowded_list"]) == 10_005
    assert found["other_host_view"] == []


def test_hostile_names_in_a_listing(sandbox: Sandbox) -> None:
    """The names arrive byte for byte, and none of them opens anything outside the account's folders."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(CONTENT), PART)
        sandbox.faults.switch_on("hostile_names")
        names = session.listdir("inbound")
        refusals = [fails(partial(session.open, f"inbound/{name}")) for name in names if name != "a.part"]

    assert {name.encode() for name in names} == {*HOSTILE_NAMES, b"a.part"}
    assert len(refusals) == len(HOSTILE_NAMES)
    assert all(isinstance(refusal, OSError) for refusal in refusals)


def test_a_file_vanishes_between_listing_and_reading(sandbox: Sandbox) -> None:
    """A listed file is gone when it is opened."""
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        (name,) = session.listdir("outbound")
        sandbox.faults.switch_on("vanished_file")
        with pytest.raises(FileNotFoundError):
            session.open(f"outbound/{name}")
        session.open(f"outbound/{name}").close()


def test_refused_and_lossy_writes(sandbox: Sandbox) -> None:
    """No space, a refused removal, and a write of which half is lost although the answer is good."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("disk_full", after=100)
        full = fails(lambda: session.putfo(io.BytesIO(CONTENT), PART))
        sandbox.faults.switch_on("short_write")
        session.putfo(io.BytesIO(CONTENT), PART, confirm=False)
        lost = on_disk(sandbox)["a.part"]
        sandbox.faults.switch_on("refuse_remove")
        with pytest.raises(PermissionError):
            session.remove(PART)

    assert isinstance(full, OSError)
    assert lost == CONTENT[: len(CONTENT) // 2]
    assert list(on_disk(sandbox)) == ["a.part"]


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("name_taken", {"a": b"somebody else's file", "a.part": CONTENT}),
        ("failure_after_rename", {"a": CONTENT}),
        ("rename_unsupported", {"a.part": CONTENT}),
        ("copied_rename", {"a": CONTENT[:100], "a.part": CONTENT}),
    ],
)
def test_renames_that_fail(sandbox: Sandbox, name: str, left: dict[str, bytes]) -> None:
    """The client sees a failed rename; what lies in the folder differs."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(CONTENT), PART)
        sandbox.faults.switch_on(name)
        fails(lambda: session.rename(PART, "inbound/a"))

    assert on_disk(sandbox) == left


def test_one_byte_a_second(sandbox: Sandbox) -> None:
    """A read brings one byte and takes a second, so two bytes take two."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(CONTENT), PART)
        sandbox.faults.switch_on("one_byte_a_second", times=2)
        with session.open(PART) as file:
            began = time.monotonic()
            found = file.read(2)
            lasted = time.monotonic() - began

    assert found == b"01"
    assert lasted >= 1.9


def test_a_slow_write(sandbox: Sandbox) -> None:
    """A write is answered so many milliseconds later, and is whole."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("slow_write", after=200)
        began = time.monotonic()
        session.putfo(io.BytesIO(CONTENT), PART)
        lasted = time.monotonic() - began

    assert lasted >= 0.2
    assert on_disk(sandbox) == {"a.part": CONTENT}


@pytest.mark.parametrize("name", ["half_closed", "reset_line"])
def test_broken_lines(sandbox: Sandbox, name: str) -> None:
    """The line ends while the client waits, nothing is listed, and the next connection works."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on(name, where="list")
        fails(lambda: session.listdir("inbound"))
    with sftp(sandbox) as session:
        assert session.listdir("inbound") == []


def test_too_many_sessions(sandbox: Sandbox) -> None:
    """The login ends with a disconnection, and the next one works."""
    sandbox.faults.switch_on("too_many_sessions")
    with pytest.raises(paramiko.SSHException), ssh(sandbox):
        pass
    with sftp(sandbox) as session:
        assert session.listdir("inbound") == []


def test_weak_algorithms(sandbox: Sandbox) -> None:
    """The server's offer holds only what a careful client refuses."""
    sandbox.faults.switch_on("weak_algorithms")
    with socket.create_connection(("127.0.0.1", sandbox.sftp_port), timeout=20) as line, line.makefile("rb") as stream:
        line.sendall(b"SSH-2.0-looking\r\n")
        stream.readline()
        size = int.from_bytes(stream.read(4), "big")
        offer = stream.read(size)

    assert b"diffie-hellman-group1-sha1" in offer
    assert b"aes128-cbc" in offer
    assert b"curve25519" not in offer
    assert b"gcm" not in offer
