"""The SFTP server as a client of another make sees it: who gets in, what renames do, and that the two folders hold."""

import io
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import batch_name, decline, deliver, evaluate_file, fails, sftp, ssh


def connect(sandbox: Sandbox, username: str, key: paramiko.PKey | None, password: str | None = None) -> None:
    """Try to log in, and close again."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(sandbox.known_hosts_path))
        client.connect(
            "127.0.0.1",
            sandbox.sftp_port,
            username,
            pkey=key,
            password=password,
            look_for_keys=False,
            allow_agent=False,
            timeout=20,
        )


def client_key(sandbox: Sandbox) -> paramiko.PKey:
    """The merchant's private key, read from its file."""
    return paramiko.Ed25519Key.from_private_key_file(str(sandbox.client_key_path))


def test_the_account_has_two_folders(sandbox: Sandbox) -> None:
    """The root holds inbound and outbound and nothing else (CONTRACT 6.1)."""
    with sftp(sandbox) as session:
        assert session.listdir(".") == ["inbound", "outbound"]
        assert session.normalize(".") == "/"


def test_only_the_right_key_gets_in(sandbox: Sandbox) -> None:
    """Another key, another user name and a password are refused."""
    right = client_key(sandbox)
    other = paramiko.RSAKey.generate(2048)
    connect(sandbox, sandbox.sftp_username, right)
    for username, key, password in (
        (sandbox.sftp_username, other, None),
        ("root", right, None),
        (sandbox.sftp_username, None, "secret"),
    ):
        with pytest.raises(paramiko.SSHException):
            connect(sandbox, username, key, password)


def test_there_is_no_shell(sandbox: Sandbox) -> None:
    """The account does SFTP only: a command is refused or ends in failure with no output."""
    with ssh(sandbox) as client:
        channel = client.get_transport()
        assert channel is not None
        session = channel.open_session()
        session.settimeout(20)
        fails(lambda: session.exec_command("id"))
        session.close()


def test_files_can_be_written_read_and_removed_in_inbound(sandbox: Sandbox) -> None:
    """What was written is read back byte for byte, with its size, and can be removed."""
    content = bytes(range(256)) * 1024
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(content), "inbound/a.part")
        with session.open("inbound/a.part") as file:
            found = file.read()
        size = session.stat("inbound/a.part").st_size
        session.remove("inbound/a.part")
        left = session.listdir("inbound")

    assert (found, size, left) == (content, len(content), [])


def test_a_plain_rename_never_overwrites(sandbox: Sandbox) -> None:
    """SFTP version 3: a rename onto an existing name fails and changes neither file."""
    with sftp(sandbox) as session:
        for name in ("a.part", "b.part"):
            session.putfo(io.BytesIO(name.encode()), f"inbound/{name}")
        with pytest.raises(OSError, match="exists"):
            session.rename("inbound/a.part", "inbound/b.part")
        found = {name: (sandbox.inbound / name).read_text() for name in session.listdir("inbound")}

    assert found == {"a.part": "a.part", "b.part": "b.part"}


def test_the_posix_rename_overwrites(sandbox: Sandbox) -> None:
    """The OpenSSH extension replaces the file, as OpenSSH does."""
    with sftp(sandbox) as session:
        for name in ("a.part", "b.part"):
            session.putfo(io.BytesIO(name.encode()), f"inbound/{name}")
        session.posix_rename("inbound/a.part", "inbound/b.part")
        found = {name: (sandbox.inbound / name).read_text() for name in session.listdir("inbound")}

    assert found == {"b.part": "a.part"}


def test_a_part_is_ignored_until_it_is_renamed(sandbox: Sandbox) -> None:
    """CONTRACT 6.4: `*.part` is not picked up; the final name is, inside the rename."""
    name, content = batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)])
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(content), f"inbound/{name}.part")
        before = len(sandbox.accepted("evaluate"))
        unnoticed = "file_ignored" not in [row["event"] for row in sandbox.journal()]
        session.rename(f"inbound/{name}.part", f"inbound/{name}")
        after = len(sandbox.accepted("evaluate"))

    assert (before, after) == (0, 1)
    assert unnoticed


def test_a_file_written_under_its_final_name_is_taken_when_closed(sandbox: Sandbox) -> None:
    """A client that does not rename is noticed too."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(evaluate_file(sandbox, [decline(sandbox)])), f"inbound/{batch_name(sandbox)}", confirm=False)

    assert len(sandbox.accepted("evaluate")) == 1


ATTEMPTS: dict[str, Callable[[paramiko.SFTPClient], object]] = {
    "read above the root": lambda session: session.open("../journal.jsonl").close(),
    "read an absolute path": lambda session: session.open("/etc/passwd").close(),
    "list above the root": lambda session: session.listdir("../.."),
    "list the parent of a folder": lambda session: session.listdir("inbound/.."),
    "list a path with a step upwards": lambda session: session.listdir("inbound/../outbound"),
    "stat above the root": lambda session: session.stat("/../app_secret"),
    "write into the root": lambda session: session.putfo(io.BytesIO(b"x"), "x"),
    "write into outbound": lambda session: session.putfo(io.BytesIO(b"x"), "outbound/x"),
    "rename into outbound": lambda session: session.rename("inbound/a.part", "outbound/a"),
    "rename out of the root": lambda session: session.rename("inbound/a.part", "../a"),
    "rename over a folder": lambda session: session.posix_rename("inbound/a.part", "outbound"),
    "remove a folder's file by a step": lambda session: session.remove("outbound/../inbound/a.part"),
    "write with a backslash": lambda session: session.putfo(io.BytesIO(b"x"), "inbound/..\\x"),
    "write with a newline": lambda session: session.putfo(io.BytesIO(b"x"), "inbound/a\nb"),
    "write with a NUL": lambda session: session.putfo(io.BytesIO(b"x"), "inbound/a\0b"),
    "write with a direction mark": lambda session: session.putfo(io.BytesIO(b"x"), "inbound/a\u202eb"),
    "write a long name": lambda session: session.putfo(io.BytesIO(b"x"), "inbound/" + "a" * 300),
    "write deeper": lambda session: session.putfo(io.BytesIO(b"x"), "inbound/b/c"),
    "make a folder": lambda session: session.mkdir("inbound/b"),
    "remove a folder": lambda session: session.rmdir("inbound"),
    "make a link": lambda session: session.symlink("/etc/passwd", "inbound/link"),
    "read a link": lambda session: session.readlink("inbound/a.part"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_two_folders_hold(sandbox: Sandbox, attempt: str) -> None:
    """Whatever leaves the two folders, or writes outside inbound, is refused, and the session lives on."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(b"x"), "inbound/a.part")
        with pytest.raises(OSError, match=r"."):
            ATTEMPTS[attempt](session)
        left = (session.listdir("."), session.listdir("inbound"), session.listdir("outbound"))

    assert left == (["inbound", "outbound"], ["a.part"], [])


@pytest.mark.parametrize("name", ["-rf", "$(id).part", "a b;c.part", "caf\u00e9.part", "=1+1.csv"])
def test_a_strange_but_plain_name_is_only_a_name(sandbox: Sandbox, name: str) -> None:
    """A name with blanks, signs or accents is stored as it is and picked up by nobody."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(b"x"), f"inbound/{name}")
        found = session.listdir("inbound")

    assert found == [name]
    assert sandbox.accepted("evaluate") == []


def test_a_changed_host_key_is_seen_by_the_client(tmp_path: Path, clock: MovableClock) -> None:
    """After the change the known_hosts file no longer fits, and the client stops before it logs in."""
    with Sandbox(tmp_path, clock) as sandbox:
        original = sandbox.known_hosts_path.read_bytes()
        connect(sandbox, sandbox.sftp_username, client_key(sandbox))
        sandbox.change_host_key()
        with pytest.raises(paramiko.BadHostKeyException):
            connect(sandbox, sandbox.sftp_username, client_key(sandbox))
        found = sandbox.known_hosts_path.read_bytes()

    assert found == original


def test_a_time_and_mode_wish_is_taken(sandbox: Sandbox) -> None:
    """A client that sets times or modes, as `sftp -p` does, is not turned away."""
    with sftp(sandbox) as session:
        session.putfo(io.BytesIO(b"x"), "inbound/a.part")
        session.chmod("inbound/a.part", 0o600)
        session.utime("inbound/a.part", (1, 1))
        assert session.stat("inbound/a.part").st_size == 1


def test_eight_sessions_deliver_at_once(sandbox: Sandbox) -> None:
    """Several channels on one connection deliver their files side by side."""
    with ssh(sandbox) as client:
        sessions = [client.open_sftp() for _ in range(8)]
        for n, session in enumerate(sessions):
            deliver(session, batch_name(sandbox, n=n), evaluate_file(sandbox, [decline(sandbox, f"o-{n}")]))
        for session in sessions:
            session.close()

    assert {row["order_id"] for row in sandbox.accepted("evaluate")} == {f"o-{n}" for n in range(8)}


def test_options_refuse_a_misspelt_choice() -> None:
    """An unknown choice is an error at once that names the choices."""
    with pytest.raises(ValueError, match="at_pickup, later, never"):
        SandboxOptions(removal="sometimes")  # type: ignore[arg-type]
