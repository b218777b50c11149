"""The sandbox as a whole: start, stop, reset, credentials, the settings text, and what it may import."""

import ast
import io
import json
import stat
import threading
import time
import tomllib
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

import jobs.sandbox
from jobs.clock import MovableClock, ShiftedClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, batch_name, decline, deliver, evaluate_file, http, login, sftp


def test_it_imports_nothing_of_the_merchants_side() -> None:
    """The sandbox shares no code with batch and schemas, or one mistake would be right at both ends."""
    folder = Path(jobs.sandbox.__file__).parent
    imported = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}

    assert "jobs" in imported
    assert imported & {"batch", "schemas", "tests"} == set()


def test_credentials_follow_from_the_seed(tmp_path: Path) -> None:
    """Ids and API keys are the same for the same seed and differ for another; SSH keys are always fresh."""
    found = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        with Sandbox(tmp_path / name, options=SandboxOptions(seed=seed)) as sandbox:
            ids = (sandbox.mid, sandbox.app_key, sandbox.app_secret, sandbox.tokenization_key, str(sandbox.site_ids))
            found.append((ids, sandbox.client_key_path.read_bytes()))

    assert found[0][0] == found[1][0]
    assert set(found[0][0]).isdisjoint(found[2][0])
    assert len({key for _, key in found}) == 3


def test_credentials_are_private_files(sandbox: Sandbox) -> None:
    """The key and secret files are for their owner alone and hold exactly the secret."""
    paths = (sandbox.client_key_path, sandbox.app_key_path, sandbox.app_secret_path)

    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600] * 3
    assert sandbox.app_secret_path.read_text() == sandbox.app_secret
    assert sandbox.client_key_path.read_text().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert set(sandbox.site_ids) == {"acme-us", "acme-eu"}
    assert str(uuid.UUID(sandbox.mid)) == sandbox.mid


def test_the_settings_text_is_toml_that_names_the_sandbox(sandbox: Sandbox) -> None:
    """The text parses, and its addresses and paths are the sandbox's."""
    found = tomllib.loads(sandbox.settings_toml('var "x"', "sqlite:///orders.db"))

    assert (found["environment"], found["data_dir"]) == ("sandbox", 'var "x"')
    assert found["orders"] == {"url": "sqlite:///orders.db", "admin_url": "sqlite:///orders.db"}
    assert found["provider"] == {
        "mid": sandbox.mid,
        "api_url": sandbox.api_url,
        "app_key_file": str(sandbox.app_key_path),
        "app_secret_file": str(sandbox.app_secret_path),
        "tokenization_key_file": str(sandbox.tokenization_key_path),
    }
    assert found["sftp"] == {
        "host": "127.0.0.1",
        "port": sandbox.sftp_port,
        "username": sandbox.sftp_username,
        "private_key": str(sandbox.client_key_path),
        "known_hosts": str(sandbox.known_hosts_path),
    }
    assert found["switches"] == {"mit": True}
    assert {site["name"]: site["site_id"] for site in found["sites"]} == sandbox.site_ids
    assert sandbox.app_secret not in sandbox.settings_toml("var", "x")


def serving_threads() -> list[threading.Thread]:
    """The threads of running sandboxes; a client's own threads come and go."""
    return [thread for thread in threading.enumerate() if thread.name == "sandbox"]


def listening_ports() -> set[int]:
    """The TCP ports on which this process listens; another process may take a port that ours has given back."""
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    ours = {str(link).removeprefix("socket:[").removesuffix("]") for link in links}
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in ours}


def test_it_starts_within_a_second_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Start-up takes less than a second of the processor; afterwards the thread is gone and both ports are closed."""
    before = serving_threads()
    started = time.process_time()
    with Sandbox(tmp_path) as sandbox:
        took = time.process_time() - started
        ports = {int(sandbox.api_url.split(":")[2].partition("/")[0]), sandbox.sftp_port}
        assert listening_ports() >= ports
        with sftp(sandbox), api(sandbox):
            pass

    assert took < 1
    assert serving_threads() == before
    assert listening_ports().isdisjoint(ports)


def test_it_stops_while_a_client_is_stalled(tmp_path: Path) -> None:
    """A session that waits for ever does not keep the sandbox from stopping."""
    with Sandbox(tmp_path) as sandbox, sftp(sandbox) as session:
        sandbox.faults.switch_on("stall")
        channel = session.get_channel()
        assert channel is not None
        channel.settimeout(0.1)
        with pytest.raises(TimeoutError):
            session.listdir("inbound")
        started = time.monotonic()
        sandbox.stop()

    assert time.monotonic() - started < 20


def test_a_taken_port_is_an_error_at_the_start(tmp_path: Path, sandbox: Sandbox) -> None:
    """Both ports are tried before the block is entered, and nothing stays open when one is taken."""
    for options in (
        SandboxOptions(http_port=int(sandbox.api_url.split(":")[2].partition("/")[0])),
        SandboxOptions(sftp_port=sandbox.sftp_port),
    ):
        with pytest.raises(OSError, match="in use"):
            Sandbox(tmp_path / "other", options=options).start()


def test_a_reset_keeps_ports_keys_and_bearers(sandbox: Sandbox) -> None:
    """After a reset nothing is remembered, and a client that was logged in goes on."""
    with api(sandbox) as client, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        session.putfo(io.BytesIO(b"x"), "inbound/left.part")
        sandbox.faults.switch_on("refuse_list", times=9)
        sandbox.reset()
        listed = (session.listdir("inbound"), session.listdir("outbound"))
        empty = client.get("orders").json()["totalItemCount"]
        again = client.post("evaluate", json=decline(sandbox)).status_code

    assert listed == ([], [])
    assert (empty, again) == (0, 200)
    assert sandbox.faults.fired("refuse_list") == 0


def test_the_journal_is_on_disk_too(tmp_path: Path, clock: MovableClock) -> None:
    """journal.jsonl holds every event as one line of JSON, also after the sandbox has stopped."""
    with Sandbox(tmp_path, clock) as sandbox:
        with api(sandbox) as client:
            client.post("evaluate", json=decline(sandbox))
            client.get("orders")
        rows = sandbox.journal()
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]

    assert lines == rows == sandbox.journal()
    assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["event"] for row in rows] == ["answered", "accepted", "answered", "answered"]


def test_the_journal_cannot_be_changed_by_its_readers(sandbox: Sandbox) -> None:
    """What a caller gets is a copy, down to the errors inside an event."""
    with api(sandbox) as client:
        client.post("evaluate", json={})
    before = sandbox.journal()
    for row in sandbox.journal():
        row["event"] = "changed"
        errors = row.get("errors")
        if isinstance(errors, dict):
            errors.clear()

    assert sandbox.journal() == before
    assert any(row["event"] == "row_refused" and row["errors"] for row in before)


def test_secrets_and_tokens_are_not_in_the_journal(sandbox: Sandbox) -> None:
    """Neither the app secret nor a bearer nor a payment token reaches the journal's file."""
    with http(sandbox) as client:
        token = login(sandbox, client)
        client.headers["Authorization"] = f"Bearer {token}"
        record = decline(sandbox)
        client.post("evaluate", json=record)
    text = (sandbox.folder / "journal.jsonl").read_text()

    assert [secret for secret in (token, sandbox.app_secret, record["paymentMethod"]["cardNumber"]) if secret in text] == []


def test_due_things_happen_by_themselves_on_a_running_clock(tmp_path: Path) -> None:
    """On a clock that runs, a short pick-up delay passes without anybody asking or advancing."""
    options = SandboxOptions(pickup_delay_seconds=0.05)
    with Sandbox(tmp_path, ShiftedClock(), options) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        target = sandbox.outbound / batch_name(sandbox).replace(".json", "_response.json")
        deadline = time.monotonic() + 60
        while not target.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert target.exists()


def test_many_threads_may_ask_at_once(sandbox: Sandbox) -> None:
    """Sixteen threads submit, read and advance at the same time, and every order is there once."""
    with api(sandbox) as client, ThreadPoolExecutor(16) as pool:

        def work(n: int) -> int:
            status = client.post("evaluate", json=decline(sandbox, f"o-{n}")).status_code
            sandbox.orders()
            sandbox.journal()
            sandbox.advance(timedelta(seconds=1))
            return status

        statuses = list(pool.map(work, range(160)))

    assert statuses == [200] * 160
    assert len({row["order_session_key"] for row in sandbox.accepted("evaluate")}) == 160
    assert sorted(str(row["order_id"]) for row in sandbox.orders()) == sorted(f"o-{n}" for n in range(160))
