"""Every step of the SFTP edge against OpenSSH: what the server really does, and what the edge makes of it."""

import os
import shutil
import socket
import threading
from pathlib import Path

import paramiko
import pytest
from pytest_mock import MockerFixture

from batch.sftp import SftpFolder
from batch.sftp_connection import SftpConnections
from schemas.errors import (
    ConfigurationError,
    HostKeyChanged,
    LedgerBusy,
    SftpLoginRefused,
    SftpLost,
    SftpRefused,
    SftpUnreachable,
)
from tests.openssh.server import OpenSshServer, openssh_server, write_key
from tests.ports import kept_port

PART, NAME = "evaluate_3f1c09ab_20261123_0123456789ab.json.part", "evaluate_3f1c09ab_20261123_0123456789ab.json"


def test_a_part_arrives_whole(server: OpenSshServer) -> None:
    """A part of several blocks arrives byte for byte, and its size can be asked for."""
    content = os.urandom(200_001)
    with server.remote() as remote:
        remote.write_part(PART, content)
        assert remote.size_of(PART) == len(content)

    assert (server.inbound / PART).read_bytes() == content


def test_an_empty_part_arrives(server: OpenSshServer) -> None:
    """A part without a byte is a file of size nought."""
    with server.remote() as remote:
        remote.write_part(PART, b"")
        assert remote.size_of(PART) == 0


def test_an_older_part_is_replaced_whole(server: OpenSshServer) -> None:
    """A longer part of an earlier run leaves no byte behind in the new one."""
    (server.inbound / PART).write_bytes(b"old" * 1000)
    with server.remote() as remote:
        remote.write_part(PART, b"new")

    assert (server.inbound / PART).read_bytes() == b"new"


def test_a_link_in_the_parts_place_is_not_followed(server: OpenSshServer, tmp_path: Path) -> None:
    """A link that stands where the part should be is replaced, and what it points to stays as it was."""
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (server.inbound / PART).symlink_to(tmp_path / "elsewhere")
    with server.remote() as remote:
        remote.write_part(PART, b"ours")

    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"
    assert not (server.inbound / PART).is_symlink()


def test_a_part_that_appears_meanwhile_is_not_written_into(server: OpenSshServer, mocker: MockerFixture) -> None:
    """A part that comes into being after the old one was removed is another's: it is refused and keeps its bytes."""
    (server.inbound / PART).write_bytes(b"another's")
    mocker.patch("batch.sftp._remove_if_there")
    with server.remote() as remote, pytest.raises(SftpRefused):
        remote.write_part(PART, b"ours")

    assert (server.inbound / PART).read_bytes() == b"another's"


def test_a_plain_rename_publishes(server: OpenSshServer) -> None:
    """After the rename the final name is there with the part's bytes and the part is gone."""
    with server.remote() as remote:
        remote.write_part(PART, b"rows")
        remote.publish(PART, NAME)
        assert remote.size_of(PART) is None
        assert remote.size_of(NAME) == 4

    assert (server.inbound / NAME).read_bytes() == b"rows"


def test_a_plain_rename_never_replaces_a_file(server: OpenSshServer) -> None:
    """OpenSSH refuses a plain rename onto a name that is taken, and both files stay as they were."""
    (server.inbound / NAME).write_bytes(b"theirs")
    with server.remote() as remote:
        remote.write_part(PART, b"ours")
        with pytest.raises(SftpRefused) as refused:
            remote.publish(PART, NAME)
        assert not refused.value.absent
        assert remote.size_of(PART) == 4

    assert (server.inbound / NAME).read_bytes() == b"theirs"


def test_a_rename_of_a_vanished_part_says_so(server: OpenSshServer) -> None:
    """The rename of a part that is gone is refused as absent, which proves that nothing was renamed now."""
    with server.remote() as remote:
        with pytest.raises(SftpRefused) as refused:
            remote.publish(PART, NAME)
        assert refused.value.absent
        assert remote.size_of(NAME) is None


def test_a_vanished_file_is_none_not_an_error(server: OpenSshServer) -> None:
    """Asking for the size, the hash or the content of a file that is gone gives None each time."""
    with server.remote() as remote:
        assert remote.size_of(NAME) is None
        assert remote.sha256_of(NAME, 100) is None
        assert remote.fetch("gone_response.json", 100) is None


def test_rewriting_needs_the_part(server: OpenSshServer) -> None:
    """A part that is gone is not rewritten: nothing is proven and no file comes into being."""
    proofs: list[str] = []
    with server.remote() as remote:
        with pytest.raises(SftpRefused) as refused:
            remote.rewrite_part(PART, b"rows", lambda: proofs.append("in hand"))
        assert refused.value.absent

    assert proofs == []
    assert list(server.inbound.iterdir()) == []


@pytest.mark.parametrize("content", [b"new", b"a much longer text than before" * 3000])
def test_rewriting_replaces_the_content_after_the_proof(content: bytes, server: OpenSshServer) -> None:
    """A part in hand is proven before a byte of it changes, and then holds exactly the new content."""
    seen: list[bytes] = []
    with server.remote() as remote:
        remote.write_part(PART, b"old content")
        remote.rewrite_part(PART, content, lambda: seen.append((server.inbound / PART).read_bytes()))

    assert seen == [b"old content"]
    assert (server.inbound / PART).read_bytes() == content


def test_a_proof_that_fails_changes_nothing(server: OpenSshServer) -> None:
    """When the proof cannot be recorded the part keeps its old content."""

    def fails() -> None:
        raise LedgerBusy("The ledger is full.")

    with server.remote() as remote:
        remote.write_part(PART, b"old content")
        with pytest.raises(LedgerBusy, match=r"The ledger is full\."):
            remote.rewrite_part(PART, b"new", fails)

    assert (server.inbound / PART).read_bytes() == b"old content"


def test_a_rewritten_part_that_was_renamed_meanwhile_is_another_file(server: OpenSshServer) -> None:
    """A part that is renamed between proof and writing keeps its identity, so that its bytes never mix with another file's."""

    def rename() -> None:
        (server.inbound / PART).rename(server.inbound / NAME)

    with server.remote() as remote:
        remote.write_part(PART, b"old content")
        with pytest.raises(SftpRefused) as refused:
            remote.rewrite_part(PART, b"new", rename)
        assert refused.value.absent

    assert (server.inbound / NAME).read_bytes() == b"new"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere, whatever the folder's mode")
def test_a_folder_without_leave_to_write_is_a_refusal(server: OpenSshServer) -> None:
    """A folder that we may not write into refuses the part in words, and the connection stays usable."""
    server.inbound.chmod(0o500)
    with server.remote() as remote:
        with pytest.raises(SftpRefused, match=r"(?i)permission denied"):
            remote.write_part(PART, b"rows")
        assert remote.answers() == []


def test_a_server_that_only_reads_refuses_each_step(tmp_path: Path) -> None:
    """A server that lets nobody write refuses part, rewriting and rename in words, and can still be read."""
    with openssh_server(
        tmp_path / "read-only", extra="ForceCommand internal-sftp -R -d " + str(tmp_path / "read-only")
    ) as server:
        (server.inbound / PART).write_bytes(b"rows")
        with server.remote() as remote:
            with pytest.raises(SftpRefused, match=r"(?i)permission denied") as refused:
                remote.write_part(PART, b"new")
            assert not refused.value.absent
            with pytest.raises(SftpRefused):
                remote.publish(PART, NAME)
            with pytest.raises(SftpRefused):
                remote.rewrite_part(PART, b"new", lambda: None)
            assert remote.size_of(PART) == 4

        assert (server.inbound / PART).read_bytes() == b"rows"
        assert not (server.inbound / NAME).exists()


def test_a_missing_folder_is_a_refusal(server: OpenSshServer) -> None:
    """A folder that is not there is a clear no, for writing as for listing."""
    with server.connections() as opened:
        remote = SftpFolder(opened, inbound="nowhere", outbound="nowhere/either")
        with pytest.raises(SftpRefused) as refused:
            remote.write_part(PART, b"rows")
        assert refused.value.absent
        with pytest.raises(SftpRefused):
            remote.answers()


def test_a_listing_tells_files_from_everything_else(server: OpenSshServer, tmp_path: Path) -> None:
    """Plain files come with their size; folders, links to files and links to nothing are no files."""
    (server.outbound / "a_response.json").write_bytes(b"{}")
    (server.outbound / "folder").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (server.outbound / "link.json").symlink_to(tmp_path / "secret")
    (server.outbound / "dangling.json").symlink_to(tmp_path / "nothing")
    os.mkfifo(server.outbound / "pipe.json")
    with server.remote() as remote:
        found = {entry.name: (entry.is_file, entry.size if entry.is_file else None) for entry in remote.answers()}

    assert found == {
        "a_response.json": (True, 2),
        "folder": (False, None),
        "link.json": (False, None),
        "dangling.json": (False, None),
        "pipe.json": (False, None),
    }


def test_a_listing_survives_names_that_are_not_utf8(server: OpenSshServer) -> None:
    """A name that is not UTF-8 comes with its bytes escaped and hides no other name."""
    strange = b"outcomes_\xff\xfe_\xe9.json"
    (server.outbound / os.fsdecode(strange)).write_bytes(b"{}")
    (server.outbound / "ok_response.json").write_bytes(b"{}")
    (server.outbound / "naïve ☂.json").write_bytes(b"{}")
    with server.remote() as remote:
        names = {entry.name for entry in remote.answers()}

    assert names == {strange.decode("utf-8", "surrogateescape"), "ok_response.json", "naïve ☂.json"}


def test_a_long_listing_is_complete(server: OpenSshServer) -> None:
    """A listing that the server sends in many pieces is put together whole."""
    names = {f"a_{n:05d}_response.json" for n in range(1500)}
    for name in names:
        (server.outbound / name).touch()
    with server.remote() as remote:
        assert {entry.name for entry in remote.answers()} == names


@pytest.mark.parametrize("name", ["../host_key", "..", ".hidden", "-rf", "a/b", "a\\b", "a\nb", "\udcff.json", "", "a" * 129])
def test_only_plain_names_are_fetched(name: str, server: OpenSshServer) -> None:
    """A name that is not plain is not asked for at all."""
    with server.remote() as remote, pytest.raises(SftpRefused, match="not a plain name"):
        remote.fetch(name, 100)


def test_a_read_is_bounded(server: OpenSshServer) -> None:
    """A file up to the limit is read whole, one byte more is not taken."""
    (server.outbound / "a_response.json").write_bytes(b"x" * 70_000)
    (server.inbound / NAME).write_bytes(b"")
    with server.remote() as remote:
        assert remote.fetch("a_response.json", 70_000) == b"x" * 70_000
        assert remote.fetch("a_response.json", 69_999) is None
        assert remote.sha256_of(NAME, 10) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_another_host_key_ends_before_anything_is_shown(tmp_path: Path) -> None:
    """With another key on file the connection ends before any login is tried, and both fingerprints are named."""
    with openssh_server(tmp_path / "own") as server:
        other = server.folder / "other_known_hosts"
        other.write_text(f"[127.0.0.1]:{server.port} {write_key(server.folder / 'other_host_key')}\n", encoding="ascii")
        real = paramiko.HostKeys(str(server.known_hosts)).lookup(f"[127.0.0.1]:{server.port}")
        assert real is not None
        with server.remote(known_hosts=str(other)) as remote:
            with pytest.raises(HostKeyChanged) as changed:
                remote.answers()
            with pytest.raises(HostKeyChanged):
                remote.write_part(PART, b"rows")

    shown = next(iter(real.values())).fingerprint
    assert f"now {shown}" in str(changed.value)
    assert str(changed.value).count("SHA256:") == 2
    server_saw = "\n".join(server.said)
    assert "Accepted publickey" not in server_saw
    assert server.user not in server_saw.replace(str(tmp_path), "")
    assert server_saw.count("Connection from") == 1


def test_a_second_known_key_is_enough(server: OpenSshServer) -> None:
    """While the provider changes its key, both may stand in known_hosts, and either is believed."""
    both = server.folder / "both_known_hosts"
    other = write_key(server.folder / "next_host_key", "rsa")
    both.write_text(server.known_hosts.read_text() + f"[127.0.0.1]:{server.port} {other}\n", encoding="ascii")
    with server.remote(known_hosts=str(both)) as remote:
        assert remote.answers() == []


def test_two_known_keys_of_one_type_are_both_believed(server: OpenSshServer) -> None:
    """Two keys of the same type may stand in known_hosts, whichever comes first."""
    both = server.folder / "twin_known_hosts"
    other = write_key(server.folder / "twin_host_key")
    both.write_text(f"[127.0.0.1]:{server.port} {other}\n" + server.known_hosts.read_text(), encoding="ascii")
    with server.remote(known_hosts=str(both)) as remote:
        assert remote.answers() == []


def test_a_hashed_known_host_is_found(server: OpenSshServer) -> None:
    """A known_hosts file with hashed names, as ssh-keyscan -H writes it, works."""
    hashed = server.folder / "hashed_known_hosts"
    name, key = server.known_hosts.read_text().split(" ", 1)
    hashed.write_text(f"{paramiko.HostKeys.hash_host(name)} {key}", encoding="ascii")
    with server.remote(known_hosts=str(hashed)) as remote:
        assert remote.answers() == []


def test_a_wrong_key_is_a_login_refused_once(tmp_path: Path) -> None:
    """A key that the server does not know is refused once, and not tried again by the same run."""
    with openssh_server(tmp_path / "own") as server:
        write_key(server.folder / "stranger")
        with server.remote(private_key=str(server.folder / "stranger")) as remote:
            for _ in range(3):
                with pytest.raises(SftpLoginRefused, match=f"refused the login of {server.user}"):
                    remote.answers()

    assert sum(told.startswith("Connection from") for told in server.said) == 1


def test_a_wrong_user_is_a_login_refused(server: OpenSshServer) -> None:
    """A user that the server does not know is a refused login."""
    with server.remote(username="nobody-of-that-name") as remote, pytest.raises(SftpLoginRefused):
        remote.answers()


def test_nobody_listening_is_unreachable(server: OpenSshServer) -> None:
    """A port where nobody listens is unreachable, in words."""
    line = server.known_hosts.read_text().split(" ", 1)[1]
    closed_hosts = server.folder / "closed_hosts"
    with kept_port() as port:
        closed_hosts.write_text(f"[127.0.0.1]:{port} {line}", encoding="ascii")
        with (
            server.remote(port=port, known_hosts=str(closed_hosts)) as remote,
            pytest.raises(SftpUnreachable, match=r"(?i)refused"),
        ):
            remote.answers()


def test_a_host_that_is_not_on_file_is_not_even_called(tmp_path: Path) -> None:
    """A server whose key is not in known_hosts is refused by the settings, whatever key it would show."""
    with openssh_server(tmp_path / "own") as server:
        hosts = server.folder / "no_hosts"
        hosts.write_text(f"other.example {write_key(server.folder / 'their_key')}\n", encoding="ascii")
        with pytest.raises(ConfigurationError, match="has no key for"), server.remote(known_hosts=str(hosts)):
            pass

    assert [told for told in server.said if "Connection" in told] == []


@pytest.mark.parametrize(
    "weak",
    [
        "HostKeyAlgorithms ssh-rsa",
        "HostKeyAlgorithms rsa-sha2-512\nPubkeyAcceptedAlgorithms ssh-rsa",
    ],
)
def test_a_server_with_only_sha1_is_refused(weak: str, tmp_path: Path) -> None:
    """A server that signs only with SHA-1, or takes only such signatures, gets neither a login nor a file."""
    folder = tmp_path / "weak"
    with openssh_server(folder, host_key_kind="rsa", extra=f"{weak}\n") as server:
        write_key(folder / "rsa_key", "rsa")
        shutil.copy(folder / "rsa_key.pub", folder / "authorized_keys")
        rsa_key, refusals = str(folder / "rsa_key"), (SftpUnreachable, SftpLoginRefused)
        with server.remote(private_key=rsa_key) as remote, pytest.raises(refusals):
            remote.write_part(PART, b"rows")

        assert list(server.inbound.iterdir()) == []
        assert not [told for told in server.said if "Accepted publickey" in told]


def test_an_rsa_key_with_sha2_is_accepted(tmp_path: Path) -> None:
    """An RSA host key and an RSA login key work, because SHA-2 signs for both."""
    folder = tmp_path / "rsa"
    with openssh_server(folder, host_key_kind="rsa", extra="HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256") as server:
        write_key(folder / "rsa_key", "rsa")
        shutil.copy(folder / "rsa_key.pub", folder / "authorized_keys")
        with server.remote(private_key=str(folder / "rsa_key")) as remote:
            remote.write_part(PART, b"rows")

        assert (server.inbound / PART).read_bytes() == b"rows"


def send_all(server: OpenSshServer, **access: object) -> list[BaseException]:
    """Send twelve files from as many threads, see that what arrived is whole, and return what failed."""
    contents = {f"evaluate_{n:02d}.json": os.urandom(50_000 + n) for n in range(12)}
    failed: list[BaseException] = []
    with server.remote(**access) as remote:

        def send(name: str, content: bytes) -> None:
            try:
                remote.write_part(f"{name}.part", content)
                remote.publish(f"{name}.part", name)
            except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
                failed.append(error)

        threads = [threading.Thread(target=send, args=each) for each in contents.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

    arrived = {path.name: path.read_bytes() for path in server.inbound.iterdir()}
    assert arrived == {name: content for name, content in contents.items() if name in arrived}
    assert len(arrived) + len(failed) == len(contents)
    return failed


def test_files_travel_side_by_side(server: OpenSshServer) -> None:
    """More files at a time than there are channels all arrive whole, each under its own name."""
    assert send_all(server, transports=2, channels=2) == []


def test_one_after_the_other_needs_one_login(tmp_path: Path) -> None:
    """What is done step by step is done on one connection, however many the settings allow."""
    with openssh_server(tmp_path / "one") as server, server.remote(transports=4, channels=4) as remote:
        remote.write_part(PART, b"rows")
        remote.publish(PART, NAME)
        assert remote.size_of(NAME) == 4

    assert sum(told.startswith("Connection from") for told in server.said) == 1


@pytest.mark.parametrize("most", [1, 3])
def test_a_server_that_gives_fewer_sessions_is_used_with_those(most: int, tmp_path: Path) -> None:
    """A server that opens fewer sessions on a login than the settings ask for still gets every file."""
    with openssh_server(tmp_path / "few", extra=f"MaxSessions {most}") as server:
        assert send_all(server, transports=2, channels=4) == []


def test_a_key_that_is_refused_is_shown_once_by_all_together(tmp_path: Path) -> None:
    """Files that wait for the same login do not try it again one by one: that could lock the account."""
    with openssh_server(tmp_path / "stranger") as server:
        write_key(server.client_key)
        failed = send_all(server, transports=4, channels=4)

    assert [type(error) for error in failed] == [SftpLoginRefused] * 12
    assert sum(told.startswith("Connection from") for told in server.said) == 1


def test_a_session_that_ends_is_a_lost_connection(server: OpenSshServer) -> None:
    """When a connection ends in the middle of a step, the step is lost, and the next step connects anew."""

    def lose(opened: SftpConnections) -> None:
        with opened.step("see the connection end") as channel:
            channel.get_channel().get_transport().sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
            channel.stat(f"inbound/{PART}")

    with server.connections() as opened:
        remote = SftpFolder(opened, inbound="inbound", outbound="outbound")
        remote.write_part(PART, b"rows")
        with pytest.raises(SftpLost):
            lose(opened)
        remote.publish(PART, NAME)

    assert [path.name for path in server.inbound.iterdir()] == [NAME]


def test_a_step_over_its_deadline_is_a_lost_connection(server: OpenSshServer) -> None:
    """A step that takes longer than the deadline is ended and counts as lost, not as refused."""

    def outstay(opened: SftpConnections) -> None:
        with opened.step("wait") as channel:
            transport = channel.get_channel().get_transport()  # type: ignore[union-attr]
            transport.join(timeout=30)
            channel.stat("inbound")

    with server.connections(deadline_seconds=0.5) as opened, pytest.raises(SftpLost, match="took too long, while: wait"):
        outstay(opened)
