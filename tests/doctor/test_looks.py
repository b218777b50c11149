"""Each look by itself: one thing is broken, and just that line says so."""

import io
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from batch.sftp_connection import SftpConnections
from batch.webhooks import Door
from jobs.clock import ShiftedClock, SystemClock
from jobs.doctor import api_checks, libraries, machine_checks, sftp_checks, webhook_checks
from jobs.doctor.mounts import kind_in
from jobs.serve.server import Server
from tests.commands.merchant_folder import MerchantFolder
from tests.doctor.conftest import Examine
from tests.ports import kept_port
from tests.settings.settings_folder import key_pair, private_file

OtherLedger = Callable[[str], Path]

SETTINGS = {
    "profile": ({"PROVIDER__PROFILE": "no-such"}, "", [("config", "profile", "fail")], 78),
    "environment": ({"PROVIDER__API_URL": "https://api.flexfactor.io/v1/"}, "config", [("config", "environment", "fail")], 30),
    "switches": ({"SWITCHES__MIT": "false"}, "", [("config", "switches", "warn")], 0),
    "strict": ({"SWITCHES__MIT": "false"}, "--strict", [("config", "switches", "warn")], 78),
    "secret missing": ({"PROVIDER__APP_SECRET_FILE": "none"}, "", [("secrets", "app_secret", "fail")], 78),
    "secret missing alone": ({"PROVIDER__APP_SECRET_FILE": "none"}, "api", [("api", "token", "fail")], 78),
    "orders": ({"ORDERS__URL": "sqlite:///none.db", "ORDERS__ADMIN_URL": ""}, "", [("database", "orders", "fail")], 78),
    "table": ({"ORDERS__TABLE": "none", "ORDERS__ADMIN_URL": ""}, "", [("database", "orders", "fail")], 78),
    "columns": (
        {"ORDERS__COLUMNS": '{"email": "mail"}', "ORDERS__ADMIN_URL": ""},
        "",
        [("database", "orders", "fail")],
        78,
    ),
    "admin": ({"ORDERS__ADMIN_URL": "sqlite:///none.db"}, "", [("database", "admin", "fail")], 78),
    "identity": ({"PROVIDER__API_URL": "http://127.0.0.1:9/v1/"}, "ledger", [("ledger", "identity", "fail")], 30),
    "ledger url": ({"LEDGER__URL": "nonsense"}, "", [("ledger", "ledger", "fail")], 78),
    "ledger driver": ({"LEDGER__URL": "oracle://h/d"}, "", [("ledger", "ledger", "fail")], 78),
    "orders url": ({"ORDERS__URL": "nonsense", "ORDERS__ADMIN_URL": ""}, "", [("database", "orders", "fail")], 78),
    "merchant": (
        {"PROVIDER__MID": "3f1c09ab-0000-4000-8000-000000000002"},
        "ledger",
        [("ledger", "identity", "fail")],
        30,
    ),
    "known_hosts": ({"SFTP__KNOWN_HOSTS": "none"}, "", [("sftp", "known_hosts", "fail")], 78),
    "login": ({"SFTP__USERNAME": "nobody"}, "", [("sftp", "login", "fail")], 78),
    "inbound": ({"SFTP__INBOUND": "none"}, "", [("sftp", "inbound", "fail")], 78),
    "outbound": ({"SFTP__OUTBOUND": "none"}, "", [("sftp", "outbound", "fail")], 78),
    "api": ({"PROVIDER__API_URL": "http://127.0.0.1:9/v1/"}, "api", [("api", "token", "fail")], 78),
    "webhook": ({"WEBHOOK__PUBLIC_HOST": "hooks.invalid"}, "", [("webhook", "answer", "warn")], 0),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_wrong_setting_is_one_line(case: str, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One setting that does not fit makes just its own line a failure or a warning, with the code for its kind."""
    variables, words, troubles, code = SETTINGS[case]
    for name, value in variables.items():
        monkeypatch.setenv(f"MITBATCH_{name}", value)
    found = examine(words)

    assert found.troubles == troubles
    assert found.code == code
    said = found.look(*troubles[0][:2])
    assert said["cause"]
    assert said["code"].startswith("MB-")


def test_settings_that_cannot_be_read_are_the_only_line(merchant: MerchantFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """With a key that nothing knows there is one line about it, with the nearest name, and exit 78."""
    text = merchant.config.read_text()
    merchant.config.write_text(text.replace("data_dir =", "data_dri ="))
    try:
        assert merchant.run("doctor") == 78
    finally:
        merchant.config.write_text(text)
    out = capsys.readouterr().out
    assert "did you mean data_dir?" in out
    assert "1 check: 0 ok, 0 warnings, 1 failure, 0 skipped" in out


@contextmanager
def mode(path: Path, wanted: int) -> Iterator[None]:
    """Another mode for as long as the block lasts."""
    before = path.stat().st_mode & 0o777
    path.chmod(wanted)
    yield
    path.chmod(before)


OPEN_FILES = {
    "mitbatch.toml": (0o666, ("config", "rights")),
    "provider/app_key": (0o644, ("secrets", "app_key")),
    "provider/app_secret": (0o640, ("secrets", "app_secret")),
    "provider/tokenization_key": (0o604, ("secrets", "tokenization_key")),
    "provider/subscriber_key": (0o644, ("secrets", "subscriber_key")),
    "provider/client_key": (0o644, ("secrets", "private_key")),
    "var/ledger.db": (0o640, ("ledger", "file")),
    "var": (0o777, ("disk", "data_dir")),
}


@pytest.mark.parametrize("name", OPEN_FILES)
def test_a_file_that_is_open_to_others_is_one_line(name: str, examine: Examine, merchant: MerchantFolder) -> None:
    """A mode that lets others in is one failure, which names the mode and the command that mends it."""
    bad, look = OPEN_FILES[name]
    with mode(merchant.folder / name, bad):
        found = examine()

    assert found.troubles == [(*look, "fail")]
    assert found.code == 78
    said = found.look(*look)
    assert f"{bad:04o}" in said["measured"]
    assert said["next_step"].startswith("Run: chmod ")


@pytest.mark.parametrize(("content", "is_fit"), [(b"", False), (b"\xff\xfe", False), (b"another-key", True)])
def test_a_secret_of_no_use_is_one_line(content: bytes, *, is_fit: bool, examine: Examine, merchant: MerchantFolder) -> None:
    """An empty secret or one that is no text fails where it lies; one that the provider does not know, where it is asked."""
    key = merchant.folder / "provider" / "app_key"
    before = key.read_bytes()
    key.write_bytes(content)
    try:
        found = examine()
    finally:
        key.write_bytes(before)

    assert found.troubles == ([("api", "token", "fail")] if is_fit else [("secrets", "app_key", "fail")])
    assert found.code == 78


def test_a_weak_key_is_one_line(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An RSA key under 3072 bits is refused by its own line."""
    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    monkeypatch.setenv("MITBATCH_SFTP__PRIVATE_KEY", str(private_file(tmp_path / "rsa", text)))
    found = examine("secrets")

    assert found.troubles == [("secrets", "private_key", "fail")]
    assert found.look("secrets", "private_key")["code"] == "MB-KEY-WEAK"


@pytest.mark.parametrize(("installed", "is_fit"), [("3.4.9", False), ("4.0", True), ("10.0.0", True), ("4.0.0rc1", True)])
def test_an_old_library_is_one_line(installed: str, *, is_fit: bool, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library below the version that pyproject.toml names fails by its name; a newer one of any length does not."""
    known = metadata.version
    monkeypatch.setattr(libraries, "version", lambda name: installed if name == "paramiko" else known(name))
    found = examine("config")

    assert found.troubles == ([] if is_fit else [("config", "libraries", "fail")])
    assert is_fit or f"paramiko {installed} is older than 4.0" in found.look("config", "libraries")["cause"]


@pytest.mark.parametrize(
    "guard",
    [
        "CREATE TABLE x AS SELECT * FROM orders; DROP TABLE orders; ALTER TABLE x RENAME TO orders;"
        "CREATE TRIGGER t BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'only by the front office'); END",
        "CREATE TRIGGER t BEFORE UPDATE ON orders WHEN NEW.status = 'review' BEGIN SELECT RAISE(ABORT, 'no such status'); END",
    ],
)
def test_a_row_that_cannot_be_written_is_one_line(
    guard: str, examine: Examine, merchant: MerchantFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order system that refuses our columns, or one of our statuses, fails; what was tried is undone."""
    path = tmp_path / "orders.db"
    shutil.copyfile(merchant.folder / "orders.db", path)
    with closing(sqlite3.connect(path)) as orders:
        orders.executescript(guard)
    before = path.read_bytes()
    monkeypatch.setenv("MITBATCH_ORDERS__URL", f"sqlite:///{path}")
    found = examine("database")

    assert found.troubles == [("database", "orders rights", "fail")]
    assert path.read_bytes() == before


LEDGERS = {
    "older": ("UPDATE alembic_version SET version_num = '0001'", ("version", "warn"), 0),
    "newer": ("UPDATE alembic_version SET version_num = '9999'", ("version", "fail"), 30),
    "log off": ("PRAGMA journal_mode = DELETE", ("durability", "warn"), 0),
    "no guard": ("DROP TRIGGER event_no_update", ("append-only", "fail"), 30),
    "event changed": (
        "DROP TRIGGER event_no_update; UPDATE event SET reason = 'x' WHERE rowid = (SELECT max(rowid) FROM event);"
        "CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END",
        ("chain", "fail"),
        30,
    ),
    "behind": ("UPDATE batch SET step = 'claimed'", ("marks", "fail"), 30),
}


@pytest.mark.parametrize("case", LEDGERS)
def test_a_ledger_that_is_not_as_it_was_is_one_line(case: str, examine: Examine, other_ledger: OtherLedger) -> None:
    """A ledger of another version, without its log or guards, changed, or older than what was sent: one line, and its code."""
    statements, (look, mark), code = LEDGERS[case]
    path = other_ledger(statements)
    before = path.read_bytes()
    found = examine("ledger")

    assert found.troubles == [("ledger", look, mark)]
    assert found.code == code
    assert path.read_bytes() == before, "a look migrates nothing and switches nothing"


def test_a_file_that_is_no_ledger_is_one_line(examine: Examine, other_ledger: OtherLedger) -> None:
    """A file of something else in the ledger's place fails with 30."""
    other_ledger("").write_bytes(b"no database at all, " * 500)
    found = examine("ledger")

    assert (found.troubles, found.code) == ([("ledger", "ledger", "fail")], 30)


def test_a_link_in_the_ledgers_place_is_one_line(
    examine: Examine, other_ledger: OtherLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A symbolic link where the ledger should lie fails, as a run would refuse it."""
    (tmp_path / "link.db").symlink_to(other_ledger(""))
    monkeypatch.setenv("MITBATCH_LEDGER__URL", f"sqlite:///{tmp_path}/link.db")

    assert examine("ledger").troubles == [("ledger", "file", "fail")]


def test_a_network_folder_is_one_line(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger in a folder of another machine fails, because SQLite's log does not hold there."""
    monkeypatch.setattr("jobs.doctor.ledger_storage.kind_of_file_system", lambda _path: "nfs4")
    found = examine("ledger")

    assert (found.troubles, found.code) == ([("ledger", "file system", "fail")], 78)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/srv/a", "nfs4"), ("/srv2", "ext4"), ("/srv/my disk/x", "xfs"), ("/srv", "nfs4"), ("/", "ext4"), ("/twice/x", "tmpfs")],
)
def test_the_innermost_mount_counts(path: str, kind: str) -> None:
    """A path belongs to the longest mount point above it, blanks in the kernel's spelling, and to the later of two."""
    mounts = (
        "/dev/a / ext4 rw 0 0\nhost:/x /srv nfs4 rw 0 0\n/dev/b /srv/my\\040disk xfs rw 0 0\n"
        "/dev/c /twice btrfs rw 0 0\nnone /twice tmpfs rw 0 0\n"
    )
    assert kind_in(mounts, path) == kind


def test_another_host_key_is_one_line_and_30(
    examine: Examine, merchant: MerchantFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that shows another key than the one on file fails alone, ends with 30, and says how to go on."""
    sftp = merchant.settings.sftp
    assert sftp is not None
    (tmp_path / "hosts").write_text(f"[127.0.0.1]:{sftp.port} {key_pair()[1]}\n")
    monkeypatch.setenv("MITBATCH_SFTP__KNOWN_HOSTS", str(tmp_path / "hosts"))
    found = examine("sftp --show-key")

    assert (found.troubles, found.code) == ([("sftp", "host key", "fail")], 30)
    said = found.look("sftp", "host key")
    assert said["code"] == "MB-SFTP-HOSTKEY"
    assert "mitbatch doctor sftp --show-key" in said["next_step"]
    assert found.objects[-1]["known_hosts"] == [sftp.known_hosts.read_text().strip()]


@pytest.mark.parametrize(("fault", "look"), [("refuse_rename", "rename"), ("failure_after_rename", "rename")])
def test_a_server_that_renames_badly_is_one_line(fault: str, look: str, examine: Examine, merchant: MerchantFolder) -> None:
    """A refused rename fails, and nothing of the probe is left in the provider's folder."""
    merchant.sandbox.faults.switch_on(fault)
    found = examine("sftp")

    assert (found.troubles, found.code) == ([("sftp", look, "fail")], 78)
    assert list(merchant.sandbox.inbound.iterdir()) == []


def test_a_server_without_strict_key_exchange_is_a_warning(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the strict key exchange of CVE-2023-48795 the login is a warning."""
    made = paramiko.Transport.__init__

    def without(self: paramiko.Transport, *line: object, **more: object) -> None:
        made(self, *line, **{**more, "strict_kex": False})  # type: ignore[arg-type]

    monkeypatch.setattr(paramiko.Transport, "__init__", without)
    found = examine("sftp")

    assert (found.troubles, found.code) == ([("sftp", "login", "warn")], 0)


def test_production_is_probed_only_when_asked(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In production nothing is written on the server unless --probe says so."""
    monkeypatch.setenv("MITBATCH_ENVIRONMENT", "production")
    monkeypatch.setenv("MITBATCH_PROVIDER__API_URL", "")
    monkeypatch.setenv("MITBATCH_WEBHOOK__PUBLIC_HOST", "")

    assert examine("sftp").look("sftp", "rename")["mark"] == "skip"
    assert examine("sftp --probe").look("sftp", "rename")["mark"] == "ok"


def test_orders_that_may_not_be_read_are_one_line(examine: Examine, merchant: MerchantFolder) -> None:
    """A token without the right to read orders fails where orders are read."""
    merchant.sandbox.faults.switch_on("forbidden", times=9, where="orders")
    found = examine("api")

    assert (found.troubles, found.code) == ([("api", "orders", "fail")], 78)


@pytest.mark.parametrize(("ahead", "mark", "code"), [(20, "ok", 0), (120, "warn", 0), (600, "fail", 78)])
def test_a_wrong_clock_is_one_line(ahead: int, mark: str, code: int, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's own time shows a clock that is wrong: half a minute warns, four minutes fail."""
    clock = ShiftedClock()
    clock.advance(timedelta(seconds=ahead))
    monkeypatch.setattr("jobs.doctor.command.SystemClock", lambda: clock)
    found = examine("api clock")

    assert found.look("api", "clock difference")["mark"] == mark
    assert found.code == code
    assert {look for _, look, _ in found.troubles} <= {"clock difference"}


def test_an_answer_without_a_date_says_nothing_of_the_clock() -> None:
    """A date that cannot be read, or none, is no difference."""
    assert [api_checks.moment_of(date) for date in ("", "yesterday", "Mon, 99 Nov 2026 06:30:00 GMT")] == [None, None, None]


def test_a_webhook_key_of_no_use_is_one_line(examine: Examine, merchant: MerchantFolder) -> None:
    """A subscriber key that is no base64 fails among the webhooks."""
    key = merchant.folder / "provider" / "subscriber_key"
    before = key.read_bytes()
    key.write_bytes(b"not base64!")
    try:
        found = examine()
    finally:
        key.write_bytes(before)

    assert (found.troubles, found.code) == ([("webhook", "key", "fail")], 78)


@pytest.mark.parametrize("is_fooled", [True, False])
def test_a_wrong_reckoning_of_signatures_is_one_line(
    *, is_fooled: bool, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that lets a changed webhook pass, or the known one not, fails."""
    judge = Door.judge
    passes = lambda door, body, headers, now: judge(door, webhook_checks.VECTOR_BODY, headers, now)  # noqa: E731
    refuses = lambda door, body, headers, now: judge(door, b"", headers, now)  # noqa: E731
    monkeypatch.setattr(Door, "judge", passes if is_fooled else refuses)

    assert examine("webhook").troubles == [("webhook", "signature", "fail")]


@pytest.mark.parametrize(("free", "mark", "code"), [(10 << 30, "ok", 0), (500 << 20, "warn", 0), (1 << 20, "fail", 78)])
def test_a_full_disk_is_one_line(free: int, mark: str, code: int, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a gigabyte of room warns, under 256 megabytes fail."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(free, 0, free))
    found = examine("disk")

    assert (found.look("disk", "room")["mark"], found.code) == (mark, code)
    assert [look for _, look, _ in found.troubles] == ([] if mark == "ok" else ["room"])


def test_a_disk_that_does_not_sync_is_one_line(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses to sync fails; one that takes over a second warns."""

    def refuse(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        assert examine("disk").troubles == [("disk", "sync", "fail")]
    monkeypatch.setattr(machine_checks, "SLOW_SECONDS", -1)
    assert examine("disk").troubles == [("disk", "sync", "warn")]


def test_a_clock_that_was_set_back_is_one_line(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that shows a time before the ledger's last run fails."""
    clock = ShiftedClock()
    clock.advance(timedelta(hours=-5))
    monkeypatch.setattr("jobs.doctor.command.SystemClock", lambda: clock)
    found = examine("clock")

    assert (found.troubles, found.code) == ([("clock", "ledger time", "fail")], 78)


def test_a_night_that_was_missed_is_a_warning(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No nightly for over a day is a warning that says for how long."""
    clock = ShiftedClock()
    clock.advance(timedelta(days=2, hours=3))
    monkeypatch.setattr("jobs.doctor.command.SystemClock", lambda: clock)
    found = examine("schedule")

    assert (found.troubles, found.code) == ([("schedule", "nightly", "warn")], 0)
    assert "2d 3h" in found.look("schedule", "nightly")["cause"]


RUNS = """
INSERT INTO run (mid, run_id, fencing_token, job, business_date, started_at, finished_at, exit_code)
  SELECT mid, '{job}-x', 1000 + {hours}, '{job}', business_date, strftime('%Y-%m-%dT%H:%M:%SZ', started_at, '-{hours} hours'),
  finished_at, 0 FROM run WHERE job = 'nightly' ORDER BY fencing_token LIMIT 1
"""


@pytest.mark.parametrize(
    ("job", "expression", "hours", "is_missed"),
    [
        ("transmit", "0 * * * *", 4, True),
        ("transmit", "0 * * * *", 1, False),
        ("transmit", "0 0 1 1 *", 4, False),
        ("transmit", "", 400, False),
        ("reconcile", "0 */6 * * *", 10, True),
        ("reconcile", "0 */6 * * *", 2, False),
        ("poll", "*/15 * * * *", 4, False),
    ],
)
def test_a_job_is_missed_by_its_own_times(
    job: str,
    expression: str,
    hours: int,
    *,
    is_missed: bool,
    examine: Examine,
    other_ledger: OtherLedger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is configured decides when a job should have run, two hours of grace included; a night polls as well."""
    monkeypatch.setenv(f"MITBATCH_SCHEDULE__{job.upper()}", expression)
    other_ledger(RUNS.format(job=job, hours=hours))
    found = examine("schedule")

    assert found.troubles == ([("schedule", job, "warn")] if is_missed else [])
    assert (f'schedule.{job} = "{expression}" it was due at ' in found.look("schedule", job)["cause"]) is is_missed


@pytest.mark.parametrize(("expression", "is_missed"), [("30 1 * * *", True), ("0 0 1 1 *", False), ("", False)])
def test_a_night_is_missed_by_its_own_times(
    expression: str, *, is_missed: bool, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days without a night are too long where one is due every night, and not where one is due once a year or never."""
    clock = ShiftedClock()
    clock.advance(timedelta(days=2, hours=3))
    monkeypatch.setattr("jobs.doctor.command.SystemClock", lambda: clock)
    monkeypatch.setenv("MITBATCH_SCHEDULE__NIGHTLY", expression)

    assert examine("schedule").troubles == ([("schedule", "nightly", "warn")] if is_missed else [])


def test_times_that_are_none_are_a_failure(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expression that no timer can keep is told before anybody starts the schedule."""
    monkeypatch.setenv("MITBATCH_SCHEDULE__POLL", "61 * * * *")
    found = examine("schedule")

    assert (found.troubles, found.code) == ([("schedule", "poll", "fail")], 78)
    assert "schedule.poll = '61 * * * *' is no cron expression" in found.look("schedule", "poll")["cause"]


def test_a_pause_is_a_warning(examine: Examine, other_ledger: OtherLedger, merchant: MerchantFolder) -> None:
    """While sending is paused by hand that is a warning with who and why; a switch that is off by hand is told, and fits."""
    other_ledger("")
    assert merchant.run("switch cit_website off --reason 'not yet' --yes") == 0
    assert examine("schedule").troubles == []
    assert "cit_website since" in examine("schedule").look("schedule", "sending")["measured"]
    assert merchant.run("pause --reason 'a wrong descriptor' --yes") == 0
    found = examine("schedule")

    assert (found.troubles, found.code) == ([("schedule", "sending", "warn")], 0)
    assert "a wrong descriptor" in found.look("schedule", "sending")["cause"]


def test_a_server_that_takes_webhooks_is_found(
    examine: Examine, merchant: MerchantFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where serve answers at the address that the provider was given, an unsigned call is turned away, which is as it must be."""
    with kept_port() as port:
        monkeypatch.setenv("MITBATCH_WEBHOOK__LISTEN", f"127.0.0.1:{port}")
        monkeypatch.setenv("MITBATCH_WEBHOOK__PUBLIC_HOST", f"127.0.0.1:{port}")
        assert examine("webhook").look("webhook", "answer")["mark"] == "skip"
        with Server(merchant.settings, SystemClock(), io.StringIO()):
            found = examine("webhook")

    assert (found.troubles, found.look("webhook", "answer")["mark"]) == ([], "ok")


def test_a_run_that_ended_badly_is_a_warning(examine: Examine, other_ledger: OtherLedger) -> None:
    """A last nightly that ended with 30 is a warning."""
    other_ledger("UPDATE run SET exit_code = 30")

    assert examine("schedule").troubles == [("schedule", "nightly", "warn")]


def test_no_setting_is_needed_of_who_has_no_server(examine: Examine, merchant: MerchantFolder) -> None:
    """Who sends by calls alone has no section [sftp], and nothing about it is missed."""
    text = merchant.config.read_text()
    start = text.index("[sftp]")
    without = text[:start] + '[channels]\nevaluate = "api"\ntransmit = "api"\n\n' + text[text.index("[orders]") :]
    merchant.config.write_text(without)
    try:
        found = examine()
    finally:
        merchant.config.write_text(text)

    assert (found.troubles, found.code) == ([], 0)
    assert found.look("sftp", "server")["mark"] == "skip"


def test_the_probe_looks_like_no_file_of_ours(
    examine: Examine, merchant: MerchantFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both names of the probe end as a file does that is being written, and bear no kind that the provider picks up."""
    seen: list[str] = []
    remove = sftp_checks._remove

    def noting(connections: SftpConnections, path: str) -> None:
        seen.extend(each.name for each in merchant.sandbox.inbound.iterdir())
        remove(connections, path)

    monkeypatch.setattr(sftp_checks, "_remove", noting)
    examine("sftp")

    assert len(seen) == 1
    assert seen[0].startswith("mitbatch-doctor-")
    assert seen[0].endswith(".part")
    assert "evaluate" not in seen[0]
    assert "transmit" not in seen[0]


def test_a_mistake_in_one_group_stops_no_other(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that breaks off with an error of ours fails by itself; its text, which may hold anything, is not shown."""

    def broken(_folder: Path) -> None:
        raise ZeroDivisionError("with something secret")

    monkeypatch.setattr(machine_checks, "_room", broken)
    found = examine("disk schedule")

    assert (found.troubles, found.code) == ([("disk", "look", "fail")], 78)
    assert "secret" not in str(found.objects)
    assert found.look("schedule", "nightly")["mark"] == "ok"


def test_a_server_that_says_nothing_is_not_waited_for_long(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes the connection and says nothing fails after the doctor's own patience, not the night's."""
    monkeypatch.setattr(sftp_checks, "MOST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sftp_port = silent.getsockname()[1]
        monkeypatch.setenv("MITBATCH_SFTP__PORT", str(sftp_port))
        (tmp_path / "hosts").write_text(f"[127.0.0.1]:{sftp_port} {key_pair()[1]}\n")
        monkeypatch.setenv("MITBATCH_SFTP__KNOWN_HOSTS", str(tmp_path / "hosts"))
        found = examine("sftp")

    assert (found.troubles, found.code) == ([("sftp", "login", "fail")], 78)


def test_the_path_of_a_ping_is_not_shown(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that hears of each run is shown without its path, which is as good as a password, and is not called."""
    monkeypatch.setenv("MITBATCH_ALERTS__PING_URL", "https://user@hc.example/3f1c09ab-secret")
    found = examine("ping")

    assert found.look("ping", "ping_url")["measured"] == "https://hc.example/..., not called now"
    assert "secret" not in str(found.objects)
