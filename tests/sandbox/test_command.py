"""`mitbatch sandbox` and its commands: started as a program, steered over the address in its folder."""

import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.cli import run
from jobs.sandbox import Sandbox
from jobs.sandbox.faults import CATALOGUE
from jobs.sandbox_control import seconds_of
from jobs.secret_values import check_private, secret
from jobs.settings_file import load_settings
from schemas.errors import UsageRefused
from tests.sandbox.merchant import api, decline


@contextmanager
def started(*arguments: str, folder: Path) -> Iterator[tuple[dict[str, str], "subprocess.Popen[str]"]]:
    """The program as a person starts it: what it printed first, by name, and the process."""
    command = [sys.executable, "-m", "jobs", "sandbox", "--folder", str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            places: dict[str, str] = {}
            for line in process.stdout:
                if line.startswith("{"):
                    places = json.loads(line)
                    break
                if line.startswith("Ctrl-C"):
                    break
                name, _, place = line.strip().partition(" ")
                places[name] = place.strip()
            yield places, process
        finally:
            process.terminate()


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The last JSON object that a command prints."""
    assert run([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert {"schema", "type", "command", "run_id", "generated_at", "environment"} <= set(found)
    return found


def test_sample_orders_are_made_once(tmp_path: Path) -> None:
    """With --sample-orders the ready settings have an orders table to try; one that is there already stays as it is."""
    with started("--sample-orders", folder=tmp_path) as (places, _):
        assert places["samples"].startswith(f"{tmp_path / 'orders.db'} (")
    with closing(sqlite3.connect(tmp_path / "orders.db")) as orders, orders:
        assert orders.execute("SELECT count(*) FROM orders WHERE status = 'declined'").fetchone()[0] > 20
        orders.execute("DELETE FROM orders")
    with started("--sample-orders", folder=tmp_path) as (places, _):
        assert places["samples"].endswith("(was there, and stays as it is)")
    with closing(sqlite3.connect(tmp_path / "orders.db")) as orders:
        assert orders.execute("SELECT count(*) FROM orders").fetchone()[0] == 0


def test_it_starts_with_everything_ready(tmp_path: Path) -> None:
    """It prints where everything is; secrets are private files, the settings name them and can be loaded, the API works."""
    folder = tmp_path / "made" / "here"
    with started("--fault", "server_error_before", "--seed", "7", folder=folder) as (places, process):
        settings = load_settings(Path(places["settings"]))
        key_and_secret = {"AppKey": secret(settings, "app_key"), "AppSecret": secret(settings, "app_secret")}
        with httpx.Client(base_url=places["api"], trust_env=False) as client:
            token = client.post("oauth2/token", json=key_and_secret).json()["accessToken"]
            first = client.get("orders", headers={"Authorization": f"Bearer {token}"})
            second = client.get("orders", headers={"Authorization": f"Bearer {token}"})
            page = client.get(places["page"])
        modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in places["secrets"].split(", ")}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert (first.status_code, second.status_code, page.status_code) == (500, 200, 200)
    names = ("client_key", "app_key", "app_secret", "tokenization_key", "subscriber_key")
    assert modes == dict.fromkeys(names, 0o600)
    assert settings.sftp is not None
    assert check_private(settings.sftp.private_key, "sftp.private_key") == folder / "client_key"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (folder / "control_url").exists()


def test_a_shop_opens_beside_it(tmp_path: Path) -> None:
    """With --checkout it says where the shop is; its orders are where the ready settings look for them, webhooks lead to it."""
    with started("--checkout", "--json", folder=tmp_path) as (places, process):
        settings = load_settings(Path(places["settings"]))
        with httpx.Client(trust_env=False) as client:
            shop = client.get(places["checkout"])
            told = client.get(f"{places['page']}webhooks").json()["url"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert (shop.status_code, told) == (200, f"{places['checkout']}webhooks/flexfactor")
    assert settings.orders.url.endswith("orders.db")
    assert (tmp_path / "orders.db").is_file()


def test_in_json_it_says_one_object_first_and_one_at_the_end(tmp_path: Path) -> None:
    """With --json stdout holds an object with all places, and after Ctrl-C a result."""
    with started("--json", folder=tmp_path) as (places, process):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    (last,) = [json.loads(line) for line in out.splitlines()]

    assert (places["schema"], places["type"], places["environment"]) == ("mitbatch.sandbox/1", "started", "sandbox")
    assert (last["type"], last["orders"]) == ("result", 0)
    assert "Traceback" not in err
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--fault", "refuse_renam"], 2, "Did you mean refuse_rename?"),
        (["--deduplicate", "perhaps"], 2, "choose one of off"),
        (["--webhook", "http://example.com/"], 2, "other machines"),
        (["--http-port", "70000"], 2, "--http-port"),
        (["--http-port", "TAKEN"], 78, "cannot listen"),
        (["--folder", "FILE"], 78, "cannot be made"),
        (["--folder", "SPOILT", "--checkout"], 78, "cannot keep its orders in"),
    ],
)
def test_a_wrong_start_says_what_is_wrong(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    """A start that cannot be meant or done ends with its code and a sentence, and leaves no thread behind."""
    (tmp_path / "file").touch()
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stand_ins = {"TAKEN": str(taken.getsockname()[1]), "FILE": str(tmp_path / "file"), "SPOILT": str(tmp_path / "spoilt")}
        (tmp_path / "spoilt").mkdir()
        (tmp_path / "spoilt" / "orders.db").write_text("no database" * 100)
        given = [stand_ins.get(argument, argument) for argument in arguments]
        try:
            assert run(["sandbox", "--folder", str(tmp_path / "sandbox"), *given]) == code
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])
    out, err = capfd.readouterr()

    assert words in out + err
    assert "Traceback" not in err


def test_the_clock_can_be_asked_and_moved(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """`clock` tells the running sandbox's time, `--advance` moves it."""
    folder = str(sandbox.folder)
    before = sandbox.clock.now()
    told = said(capfd, "sandbox", "clock", "--folder", folder)
    moved = said(capfd, "sandbox", "clock", "--folder", folder, "--advance", "1h30m")
    assert run(["sandbox", "--folder", folder, "clock", "--advance", "2d"]) == 0

    assert told["now"] == before.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert moved["advanced_seconds"] == 5400
    assert sandbox.clock.now() - before == timedelta(days=2, minutes=90)
    assert capfd.readouterr().out == sandbox.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ\n")


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h", 3600), ("2d", 172800), ("1d2h3m4s", 93784), ("1s", 1)])
def test_a_step_is_read(text: str, seconds: int) -> None:
    """Days, hours, minutes and seconds, alone or in a row."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["1", "h", "-1h", "1.5h", "0h", "1h ", "1w", "9999999d", "\u0661h", "1h" * 9])
def test_a_step_that_is_none_is_refused(text: str) -> None:
    """Anything else is a usage error."""
    with pytest.raises(UsageRefused, match="no time to advance by"):
        seconds_of(text)


def test_faults_are_listed_without_a_running_sandbox(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every fault is listed with its area, its ids and its sentence, in the folder of nobody."""
    found = said(capfd, "sandbox", "faults", "--folder", str(tmp_path))
    assert run(["sandbox", "faults", "--folder", str(tmp_path)]) == 0
    lines = capfd.readouterr().out.splitlines()

    assert {row["name"] for row in found["faults"]} == set(CATALOGUE)
    assert all(row["ids"] and re.fullmatch(r"[NHWF]-[0-9]{2}", row["ids"][0]) for row in found["faults"]), [
        row["name"] for row in found["faults"] if not row["ids"]
    ]
    assert {row["area"] for row in found["faults"]} == {"API", "Files", "SFTP", "Webhooks"}
    assert [line for line in lines if line.startswith("  refuse_rename ")] == [
        "  refuse_rename                N-07         A rename is answered with permission denied, and does not happen."
    ]


def test_the_provider_can_do_every_fault_of_its_classes(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """All ids of the classes N, H, W and F occur, and no others."""
    found = said(capfd, "sandbox", "faults", "--folder", str(tmp_path))
    ids = {id_ for row in found["faults"] for id_ in row["ids"]}
    every = {f"{kind}-{n:02d}" for kind, last in (("N", 18), ("H", 20), ("W", 8), ("F", 20)) for n in range(1, last + 1)}

    assert ids == every


def test_faults_are_switched_in_the_running_sandbox(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """--on arms a fault with its figures, --off disarms it, and the list tells what is left and what has struck."""
    folder = ("--folder", str(sandbox.folder))
    armed = said(capfd, "sandbox", "faults", *folder, "--on", "server_error_before", "--times", "3", "--where", "orders")
    with api(sandbox) as client:
        statuses = [client.post("evaluate", json=decline(sandbox)).status_code, client.get("orders").status_code]
    after = said(capfd, "sandbox", "faults", *folder, "--off", "server_error_before")
    (row,) = [row for row in after["faults"] if row["name"] == "server_error_before"]

    assert armed["running"] is True
    assert [row["left"] for row in armed["faults"] if row["name"] == "server_error_before"] == [3]
    assert statuses == [200, 500]
    assert (row["left"], row["fired"]) == (0, 1)


def test_the_journal_is_printed(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """One line for each event, the same as the sandbox's own; with --json each has a schema and a result closes them."""
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "sub-1"))
    assert run(["sandbox", "journal", "--folder", str(sandbox.folder)]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert run(["--json", "sandbox", "journal", "--folder", str(sandbox.folder)]) == 0
    objects = [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    assert rows[-len(sandbox.journal()) :] == sandbox.journal()
    assert {each["schema"] for each in objects} == {"mitbatch.sandbox_journal/1"}
    assert [each["row"] for each in objects[:-1]] == rows
    assert (objects[-1]["type"], objects[-1]["rows"]) == ("result", len(rows))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("clock", 78, "No sandbox is running in"),
        ("faults --on stall", 78, "No sandbox is running in"),
        ("faults --on stal", 2, "Did you mean stall?"),
        ("faults --off nonsense_of_ours", 2, "No fault is called"),
        ("clock --advance soon", 2, "no time to advance by"),
        ("journal", 78, "There is no journal in"),
        ("jornal", 2, "mitbatch sandbox journal"),
    ],
)
def test_without_a_sandbox_the_commands_say_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: str, code: int, sentence: str
) -> None:
    """Each command that needs a running sandbox or its journal ends with its code and a sentence."""
    name, *rest = words.split()
    folder = [] if name == "jornal" else ["--folder", str(tmp_path)]
    assert run(["sandbox", name, *rest, *folder]) == code
    assert sentence in capfd.readouterr().err


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/_sandbox/", "http://example.com:80/", "nonsense", "http://127.0.0.1:99999/", "\x00"]
)
def test_a_stale_address_leads_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str], address: str) -> None:
    """An address that a killed sandbox left behind, or one that leads elsewhere, is nobody's; no other machine is called."""
    (tmp_path / "control_url").write_text(address)

    assert run(["sandbox", "clock", "--folder", str(tmp_path)]) == 78
    assert "No sandbox is running in" in capfd.readouterr().err


def test_starting_loads_nothing_heavy() -> None:
    """The help of the sandbox's commands loads no server, no SSH and no template library."""
    code = (
        "import sys\nfrom jobs.cli import run\nrun(['sandbox', 'faults', '--help'])\n"
        "sys.stderr.write(' '.join(sorted(set(sys.modules) & {'jinja2', 'starlette', 'uvicorn', 'asyncssh', 'cryptography'})))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})

    assert ended.stderr == ""
