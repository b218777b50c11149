"""Every SFTP fault once, as the client sees it."""

import contextlib
import io
import time
from pathlib import Path

import paramiko
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from jobs.sandbox.faults import CATALOGUE
from tests.sandbox.merchant import acknowledgement, batch_name, decline, deliver, evaluate_file, fails, sftp, ssh

CONTENT = b"0123456789" * 10_000
PART = "inbound/a.part"


def put(session: paramiko.SFTPClient, path: str = PART, content: bytes = CONTENT) -> None:
    """Upload without asking for the size afterwards."""
    session.putfo(io.BytesIO(content), path, confirm=False)


def on_disk(sandbox: Sandbox) -> dict[str, int]:
    """The names and sizes in inbound."""
    return {path.name: path.stat().st_size for path in sorted(sandbox.inbound.iterdir())}


def assert_lives_on(sandbox: Sandbox) -> None:
    """A new connection works after the fault."""
    with sftp(sandbox) as session:
        put(session, "inbound/alive.part", b"x")
        assert session.stat("inbound/alive.part").st_size == 1


def test_refuse_connection(sandbox: Sandbox) -> None:
    """The next connection is closed before a word, the one after works."""
    sandbox.faults.switch_on("refuse_connection")
    with pytest.raises((paramiko.SSHException, OSError, EOFError)):
        ssh(sandbox).__enter__()

    assert sandbox.faults.fired("refuse_connection") == 1
    assert_lives_on(sandbox)


def test_refuse_login(sandbox: Sandbox) -> None:
    """The right key is refused as a wrong one is."""
    sandbox.faults.switch_on("refuse_login")
    with pytest.raises(paramiko.AuthenticationException):
        ssh(sandbox).__enter__()

    assert_lives_on(sandbox)


def test_other_host_key(sandbox: Sandbox) -> None:
    """The next connections show another host key, the same one each time, and the one after shows the known key."""
    sandbox.faults.switch_on("other_host_key", times=2)
    seen = []
    for _ in range(2):
        with pytest.raises(paramiko.BadHostKeyException) as caught:
            ssh(sandbox).__enter__()
        seen.append(caught.value.key.get_base64())

    assert len(set(seen)) == 1
    assert_lives_on(sandbox)


def test_refuse_write(sandbox: Sandbox) -> None:
    """A write is denied and leaves no bytes."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("refuse_write")
        with session.open(PART, "w") as file:
            error = fails(lambda: file.write(b"x"))

    assert isinstance(error, PermissionError)
    assert on_disk(sandbox) == {"a.part": 0}


def test_refuse_rename(sandbox: Sandbox) -> None:
    """A rename is denied and does not happen."""
    with sftp(sandbox) as session:
        put(session)
        sandbox.faults.switch_on("refuse_rename")
        error = fails(lambda: session.rename(PART, "inbound/a"))

    assert isinstance(error, PermissionError)
    assert on_disk(sandbox) == {"a.part": len(CONTENT)}


def test_refuse_list(sandbox: Sandbox) -> None:
    """A listing is denied, the next one works."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("refuse_list")
        error = fails(lambda: session.listdir("outbound"))
        found = session.listdir("outbound")

    assert isinstance(error, PermissionError)
    assert found == []


def test_take_file_at_once(tmp_path: Path, clock: MovableClock) -> None:
    """When the rename is answered, the file is gone and its rows are accepted, whatever the options say."""
    options = SandboxOptions(removal="never", pickup_delay_seconds=60)
    with Sandbox(tmp_path, clock, options) as sandbox, sftp(sandbox) as session:
        sandbox.faults.switch_on("take_file_at_once")
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        with pytest.raises(FileNotFoundError):
            session.stat(f"inbound/{batch_name(sandbox)}")
        accepted = len(sandbox.accepted("evaluate"))

    assert accepted == 1


@pytest.mark.parametrize("after", [0, 1, 32768, 50_000, len(CONTENT) - 1, len(CONTENT)])
def test_drop_connection_halfway(sandbox: Sandbox, after: int) -> None:
    """The connection is cut when the file has exactly so many bytes."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("drop_connection_halfway", after=after)
        fails(lambda: session.putfo(io.BytesIO(CONTENT), PART))

    assert on_disk(sandbox) == {"a.part": after}
    assert_lives_on(sandbox)


def test_drop_connection_halfway_of_the_first_write(sandbox: Sandbox) -> None:
    """Without a figure the first write is cut in its middle."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("drop_connection_halfway")
        fails(lambda: session.putfo(io.BytesIO(b"12345678"), PART))

    assert on_disk(sandbox) == {"a.part": 4}


def test_a_cut_closes_every_open_file(sandbox: Sandbox) -> None:
    """Files that were open under final names are closed by the cut, and the provider finds them truncated."""
    names = [batch_name(sandbox, n=n) for n in (1, 2)]
    with sftp(sandbox) as session:
        files = [session.open(f"inbound/{name}", "w") for name in names]
        sandbox.faults.switch_on("drop_connection_halfway")
        fails(lambda: files[0].write(b"{}"))
        for file in files:
            with contextlib.suppress(OSError, EOFError):
                file.close()
    with sftp(sandbox) as session:
        answers = [acknowledgement(session, name)["result"] for name in names]

    assert answers == ["failed", "failed"]


def test_drop_before_rename(sandbox: Sandbox) -> None:
    """The connection is cut, and the part is still there under its own name."""
    with sftp(sandbox) as session:
        put(session)
        sandbox.faults.switch_on("drop_before_rename")
        fails(lambda: session.rename(PART, "inbound/a"))

    assert list(on_disk(sandbox)) == ["a.part"]
    assert_lives_on(sandbox)


def test_drop_after_rename(sandbox: Sandbox) -> None:
    """The connection is cut, and yet the rename happened and the provider has the file."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("drop_after_rename")
        content = evaluate_file(sandbox, [decline(sandbox)])
        fails(lambda: deliver(session, batch_name(sandbox), content))

    assert on_disk(sandbox) == {}
    assert len(sandbox.accepted("evaluate")) == 1
    assert_lives_on(sandbox)


def test_drop_after_close(sandbox: Sandbox) -> None:
    """Every byte is on the disk, and the client does not learn it; files that are only read do not count."""
    with sftp(sandbox) as session:
        put(session, "inbound/b.part")
        sandbox.faults.switch_on("drop_after_close")
        session.open("inbound/b.part").close()
        with session.open(PART, "w") as file:
            file.write(CONTENT)
            fails(file.close)

    assert on_disk(sandbox)["a.part"] == len(CONTENT)
    assert_lives_on(sandbox)


def test_append_instead_of_truncate(sandbox: Sandbox) -> None:
    """A second upload of the same name grows the file."""
    with sftp(sandbox) as session:
        put(session)
        sandbox.faults.switch_on("append_instead_of_truncate")
        put(session)

    assert on_disk(sandbox) == {"a.part": 2 * len(CONTENT)}
    assert (sandbox.inbound / "a.part").read_bytes() == CONTENT * 2


def test_size_missing(sandbox: Sandbox) -> None:
    """The attributes come without a size."""
    with sftp(sandbox) as session:
        put(session)
        sandbox.faults.switch_on("size_missing")
        found = [session.stat(PART).st_size, session.stat(PART).st_size]

    assert found == [None, len(CONTENT)]


def test_wrong_size(sandbox: Sandbox) -> None:
    """The attributes say one byte too many, and a client that compares notices."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("wrong_size")
        with pytest.raises(OSError, match="size mismatch"):
            session.putfo(io.BytesIO(CONTENT), PART)


@pytest.mark.parametrize(("name", "happens"), [("stall", False), ("stall_after", True)])
def test_stalls(sandbox: Sandbox, name: str, happens: bool) -> None:
    """No answer comes within the client's own deadline; the rename has happened or not, as the fault says."""
    with sftp(sandbox) as session:
        put(session)
        sandbox.faults.switch_on(name, where="rename")
        channel = session.get_channel()
        assert channel is not None
        channel.settimeout(0.3)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            session.rename(PART, "inbound/a")
        waited = time.monotonic() - started

    assert waited >= 0.3
    assert list(on_disk(sandbox)) == (["a"] if happens else ["a.part"])
    assert_lives_on(sandbox)


def test_a_fault_lets_the_first_calls_pass(sandbox: Sandbox) -> None:
    """`skip` lets so many calls pass, `times` says how many are struck, and then it is over."""
    with sftp(sandbox) as session:
        sandbox.faults.switch_on("refuse_list", times=2, skip=1)
        found = []
        for _ in range(5):
            try:
                session.listdir("inbound")
                found.append("listed")
            except PermissionError:
                found.append("refused")

    assert found == ["listed", "refused", "refused", "listed", "listed"]
    assert sandbox.faults.fired("refuse_list") == 2


def test_a_fault_can_be_switched_off(sandbox: Sandbox) -> None:
    """A fault that was switched off does not strike."""
    sandbox.faults.switch_on("refuse_list", times=9)
    sandbox.faults.switch_off("refuse_list")
    with sftp(sandbox) as session:
        assert session.listdir("inbound") == []
    assert sandbox.faults.fired("refuse_list") == 0


def test_an_unknown_fault_is_an_error(sandbox: Sandbox) -> None:
    """A misspelt name is refused with the names that there are."""
    with pytest.raises(KeyError, match="refuse_rename"):
        sandbox.faults.switch_on("refuse_renames")


def test_every_fault_says_what_it_does() -> None:
    """Each fault in the catalogue has a sentence."""
    assert [name for name, known in CATALOGUE.items() if not known.sentence.endswith(".")] == []
