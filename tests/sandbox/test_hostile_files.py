"""Hostile names, files, control calls and bytes: refused, nothing leaves the folders, and the sandbox lives on."""

import io
import json
import socket
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import acknowledgement, api, batch_name, bearer, decline, deliver, fails, http, sftp

DEEP = b"[" * 100_000 + b"]" * 100_000
BIG = 10 * 1024 * 1024


@pytest.fixture(autouse=True)
def lives_on(sandbox: Sandbox) -> Iterator[None]:
    """After each test both servers still answer."""
    yield
    with api(sandbox) as client, sftp(sandbox) as session:
        assert client.get("orders").status_code == 200
        assert session.listdir("inbound") is not None


def everything(folder: Path) -> set[Path]:
    """Every file and folder around the sandbox."""
    return set(folder.rglob("*"))


@pytest.mark.parametrize(
    "name",
    [
        "../escaped",
        "../../escaped",
        "inbound/../../escaped",
        "inbound/../../../../../../tmp/escaped",
        "/etc/escaped",
        "inbound/a\\..\\b",
        "inbound/a\nb",
        "inbound/a\x00b",
        "inbound/a\x1b[2J",
        "inbound/\u202egpj.exe",
        "inbound/" + "x" * 300,
        "inbound/" + "\u00e9" * 150,
        "inbound/sub/escaped",
        "outbound/escaped",
        "spool/escaped",
        "escaped",
        "",
        ".",
        "/",
    ],
)
def test_path_tricks_stay_outside(sandbox: Sandbox, name: str) -> None:
    """No name writes, renames or removes anything outside the inbound folder, nor reads outside the two."""
    before = everything(sandbox.folder.parent)
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(b"{}"), "inbound/own.part")
        refusals = [
            fails(partial(session.putfo, io.BytesIO(b"{}"), name)),
            fails(partial(session.rename, "inbound/own.part", name)),
            fails(partial(session.posix_rename, "inbound/own.part", name)),
            fails(partial(session.remove, name)),
            fails(partial(session.symlink, "/etc/passwd", name or "inbound/link")),
            fails(partial(session.mkdir, name or "inbound/folder")),
        ]
        session.remove("inbound/own.part")

    assert len(refusals) == 6
    assert everything(sandbox.folder.parent) == before


def test_awkward_names_are_files_like_others(sandbox: Sandbox) -> None:
    """A name that looks like an option, a shell command or a hidden file is only a name."""
    with sftp(sandbox) as session:
        for name in ("-rf", "$(reboot)", ".hidden", "a b", "caf\u00e9", "%2e%2e%2fx"):
            session.putfo(io.BytesIO(b"{}"), f"inbound/{name}")
        found = session.listdir("inbound")

    assert sorted(found) == sorted(["-rf", "$(reboot)", ".hidden", "a b", "caf\u00e9", "%2e%2e%2fx"])
    assert {row["event"] for row in sandbox.journal() if "file" in row} == {"file_ignored"}


@pytest.mark.parametrize("path", ["/_sandbox/clock", "/_sandbox/page/clock"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_big_body_is_413(sandbox: Sandbox, path: str, chunked: bool) -> None:
    """Ten megabytes are refused, whether their length is announced or not."""
    content = iter([b"x" * 65536] * (BIG // 65536)) if chunked else b"x" * BIG
    with api(sandbox) as client:
        url = httpx.URL(sandbox.api_url).copy_with(path=path)
        try:
            found = client.post(url, content=content, headers={"Content-Type": "application/json"}).status_code
        except httpx.TransportError:
            # the connection may be closed while the client still writes
            found = 413

    assert found == 413


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"a":' * 100_000,
        b'{"orderId": ' + b"9" * 1_000_000 + b"}",
        b"\xff\xfe",
        b'{"a":1,"A":2}',
        b"nul",
        b'"\\ud800"',
        b"",
    ],
)
def test_a_hostile_control_call_is_400(sandbox: Sandbox, body: bytes) -> None:
    """JSON that is too deep, has endless digits, doubles, or is none, is refused by the controls."""
    before = sandbox.clock.now()
    with http(sandbox) as client:
        found = client.post(f"{sandbox.control_url}clock", content=body)

    assert found.status_code == 400
    assert sandbox.clock.now() == before


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        b'{"configuration":' + b"{" * 100_000,
        b'{"configuration": {"mid": ' + b"9" * 1_000_000 + b"}}",
        b"",
        b"\x00" * 1000,
        b"\xff\xfe{\x00}\x00",
        b"\x1f\x8b" + b"\x00" * 100,
        b'{"configuration": {}, "transactionRequests": [1]}',
        b"null",
    ],
)
@pytest.mark.parametrize("ending", ["json", "csv"])
def test_a_hostile_batch_file_is_refused(sandbox: Sandbox, content: bytes, ending: str) -> None:
    """The file is answered with a refusal as a whole, and nothing of it is accepted."""
    name = batch_name(sandbox, ending=ending)
    with sftp(sandbox) as session:
        deliver(session, name, content)
        found = acknowledgement(session, name)

    assert (found["result"], bool(found["errors"])) == ("failed", True)
    assert sandbox.accepted("evaluate") == []


def test_a_row_with_hostile_values_is_refused(sandbox: Sandbox) -> None:
    """Values of every wrong kind in every field of a record are refused, and none breaks the sandbox."""
    wrong: list[object] = [None, [], {}, 10**30, -1, 1.5, True, "", "x" * 100_000, "\u0000", "../../x", {"a": {"b": []}}, [[1]]]
    with sftp(sandbox) as session:
        for n, value in enumerate(wrong):
            record = {**dict.fromkeys(decline(sandbox), value), "sequenceNumber": "1"}
            head = {"mid": sandbox.mid, "authorizationToken": bearer(sandbox)}
            name = batch_name(sandbox, n=n)
            deliver(session, name, json.dumps({"configuration": head, "transactionRequests": [record]}).encode())
            answer = acknowledgement(session, name)
            assert answer["result"] == "failed" or answer["responses"][0]["result"] == "Failed", value

    assert sandbox.accepted("evaluate") == []


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 4096, b"GET / HTTP/9.9\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 4096, b"A" * 200_000]
)
def test_garbage_on_the_wire(sandbox: Sandbox, garbage: bytes) -> None:
    """Bytes that are no protocol at all end the connection, and no other one."""
    for port in (sandbox.sftp_port, httpx.URL(sandbox.api_url).port or 0):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            try:
                line.sendall(garbage)
                line.shutdown(socket.SHUT_WR)
                while line.recv(65536):
                    pass
            except OSError:
                pass


def test_the_headers_are_bounded(sandbox: Sandbox) -> None:
    """A header of a megabyte is refused."""
    with http(sandbox) as client:
        found = fails(lambda: client.get("orders", headers={"X": "x" * 1024 * 1024}).raise_for_status())

    assert isinstance(found, httpx.HTTPError)


def test_nothing_of_it_is_open_to_others(sandbox: Sandbox) -> None:
    """The files with secrets are for their owner alone, and both servers listen on loopback only."""
    assert {stat.S_IMODE(path.stat().st_mode) for path in sandbox.secret_paths} == {0o600}
    assert httpx.URL(sandbox.api_url).host == "127.0.0.1"
