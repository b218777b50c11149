"""`mitbatch init`: what it asks, what it writes, and that it writes nothing unless all of it is right."""

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.cli import run
from jobs.clock import ShiftedClock
from jobs.sample_orders import fill_orders, sample_files
from jobs.sandbox import Sandbox
from jobs.settings_file import load_settings
from jobs.settings_reference import all_settings
from schemas.settings import Settings
from tests.commands.json_schema import misfits, name_of, schema_named
from tests.house.source import ROOT
from tests.settings.settings_folder import SITE

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A provider that a new merchant finds."""
    with Sandbox(tmp_path_factory.mktemp("provider"), clock=ShiftedClock()) as sandbox:
        (sandbox.folder / "mitbatch.toml").write_text(sandbox.settings_toml("var", "sqlite:///orders.db"))
        yield sandbox


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that a new merchant stands in."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def fingerprint(provider: Sandbox) -> str:
    """The provider's fingerprint, as OpenSSH reads it out of the provider's own file."""
    told = subprocess.run(["ssh-keygen", "-lf", str(provider.known_hosts_path)], capture_output=True, text=True, check=True)
    return told.stdout.split()[1]


def flags(provider: Sandbox, **changed: str) -> list[str]:
    """The command line of a script that knows everything, with these flags changed; an empty one is left out."""
    told = {
        "--mid": provider.mid,
        "--site": "acme-us",
        "--site-id": SITE,
        "--sftp-host": "127.0.0.1",
        "--sftp-port": str(provider.sftp_port),
        "--sftp-user": provider.sftp_username,
        "--private-key": str(provider.folder / "client_key"),
        "--accept-host-key": fingerprint(provider),
        "--app-key-file": str(provider.folder / "app_key"),
        "--app-secret-file": str(provider.folder / "app_secret"),
        **{f"--{name.replace('_', '-')}": value for name, value in changed.items()},
    }
    return [word for name, value in told.items() if value for word in (name, value)]


def orders_in(folder: Path) -> None:
    """An order system with the sample orders."""
    now = ShiftedClock().now() - timedelta(hours=3, minutes=30)
    fill_orders(f"sqlite:///{folder / 'orders.db'}", sample_files(), reference_is_now=now)


def test_a_script_comes_to_a_first_night(
    provider: Sandbox, shop: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every flag the settings are written, the doctor finds all fit, and the next two commands work as printed."""
    monkeypatch.setenv("MITBATCH_PROVIDER__API_URL", provider.api_url)
    orders_in(shop)
    assert run(["init", *flags(provider)]) == 0
    out = capfd.readouterr().out
    assert out.splitlines()[-2:] == ["    mitbatch nightly --dry-run", "    mitbatch nightly"]
    assert "ssh-ed25519 AAAA" in out
    assert (shop / "known_hosts").read_text() == provider.known_hosts_path.read_text()
    assert stat.S_IMODE((shop / "mitbatch.toml").stat().st_mode) == 0o600
    for line in out.splitlines()[-2:]:
        assert run(line.split()[1:]) in {0, 10}
    text = (shop / "mitbatch.toml").read_text()
    assert [name for name in ("app_key", "app_secret") if (provider.folder / name).read_text().strip() in text] == []


def test_every_key_stands_in_the_file(provider: Sandbox, shop: Path) -> None:
    """Each key is in the file, set or behind a #, and with every # taken away the defaults are what they were."""
    run(["init", *flags(provider), "--offline"])
    text = (shop / "mitbatch.toml").read_text()
    settings = load_settings(shop / "mitbatch.toml")
    with_defaults, heading, accounts = text.partition("# [certify.managed]\n")  # these have no defaults: they stay at rest
    all_set = re.sub(r"^# (\w+ = )", r"\1", with_defaults, flags=re.MULTILINE) + heading + accounts
    opened = Settings.model_validate(tomllib.loads(all_set))

    resting = [each for each in all_settings() if each.key.startswith(("certify.managed.", "certify.sync."))]
    assert [each.key for each in resting if f"\n# {each.name} = " not in accounts] == []
    shown = [each for each in all_settings() if not each.is_secret and each not in resting]
    assert [each.key for each in shown if f"\n{each.name} = " not in all_set] == []
    assert [each.key for each in all_settings() if not each.is_secret and each.meaning.split()[0] not in text] == []
    for section in ("gate", "outcomes", "channels", "lease", "retention", "audit", "switches"):
        assert getattr(opened, section) == getattr(settings, section)
    assert all(len(line) <= 130 for line in text.splitlines())


def test_nothing_is_ever_overwritten(provider: Sandbox, shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A settings file, a link in its place, or a key that is there already, ends with 2 and stays as it is."""
    (shop / "mitbatch.toml").write_text("mine")
    assert run(["init", *flags(provider)]) == 2
    assert "never overwrites" in capfd.readouterr().err
    (shop / "mitbatch.toml").unlink()
    (shop / "mitbatch.toml").symlink_to(shop / "elsewhere.toml")
    assert run(["init", *flags(provider)]) == 2
    (shop / "mitbatch.toml").unlink()
    (shop / "id_ed25519").write_text("my key")
    assert run(["init", *flags(provider, private_key=""), "--make-key"]) == 2
    assert {path.name: path.read_text() for path in shop.iterdir()} == {"id_ed25519": "my key"}


def test_everything_that_is_missing_is_told_at_once(provider: Sandbox, shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a terminal nothing is asked: every missing or wrong flag is named in one sentence, and nothing is written."""
    assert run(["init", "--mid", "not-a-guid", "--sftp-port", "70000"]) == 2
    err = capfd.readouterr().err
    said = ["--mid must be a GUID", "--site is missing", "--site-id is missing", "--sftp-host is missing", "--sftp-port must be"]
    assert [words for words in said if words not in err] == []
    assert run(["init", *flags(provider, accept_host_key="")]) == 2
    assert "--accept-host-key is missing" in capfd.readouterr().err
    assert run(["init", *flags(provider, timezone="Mars/Olympus")]) == 2
    assert run(["init", *flags(provider, currencies="dollars")]) == 2
    assert list(shop.iterdir()) == []


@pytest.mark.parametrize(("changed", "code"), [({"accept_host_key": "SHA256:another"}, 30), ({"sftp_port": "1"}, 20)])
def test_a_server_that_is_not_the_right_one_leaves_nothing(
    changed: dict[str, str], code: int, provider: Sandbox, shop: Path
) -> None:
    """Another fingerprint ends with 30, no server with 20, and neither leaves a file."""
    assert run(["init", *flags(provider, private_key="", **changed), "--make-key"]) == code
    assert list(shop.iterdir()) == []


def test_a_key_is_made(provider: Sandbox, shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--make-key makes a private key of mode 0600 that OpenSSH reads, and prints its public line."""
    run(["init", *flags(provider, private_key=""), "--make-key", "--offline"])
    told = subprocess.run(["ssh-keygen", "-yf", str(shop / "id_ed25519")], capture_output=True, text=True, check=True)

    assert stat.S_IMODE((shop / "id_ed25519").stat().st_mode) == 0o600
    assert " ".join(told.stdout.split()[:2]) in capfd.readouterr().out
    assert (shop / "id_ed25519.pub").read_text().split()[:2] == told.stdout.split()[:2]


def test_who_sends_by_calls_needs_no_server(provider: Sandbox, shop: Path) -> None:
    """With --channel api nothing about a server is asked, and the section [sftp] stands there as a comment."""
    run(["init", "--mid", provider.mid, "--site", "acme-us", "--site-id", SITE, "--channel", "api", "--offline"])
    settings = load_settings(shop / "mitbatch.toml")

    assert (settings.sftp, settings.channels.evaluate, settings.channels.transmit) == (None, "api", "api")
    assert "\n# [sftp]\n" in (shop / "mitbatch.toml").read_text()


def test_another_file_answers(provider: Sandbox, shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--like takes what no flag says from a settings file, with its paths, and not where its ledger lies."""
    orders_in(shop)
    words = ["--json", "init", "--like", str(provider.folder / "mitbatch.toml"), "--orders-url", "sqlite:///orders.db"]
    code = run(words)
    objects = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    settings = load_settings(shop / "mitbatch.toml")

    assert (objects[-1]["schema"], objects[-1]["exit_code"], objects[-1]["type"]) == ("mitbatch.init/1", code, "result")
    assert [each["type"] for each in objects].count("result") == 1
    assert [wrong for each in objects for wrong in misfits(each, schema_named(name_of(each)))] == []
    assert settings.provider.mid == provider.mid
    assert [site.name for site in settings.sites] == ["acme-us", "acme-eu"]
    assert settings.data_dir == shop / "var"
    assert settings.ledger.url == f"sqlite:///{shop}/var/ledger.db"
    assert {each["look"] for each in objects if each.get("mark") == "fail"} <= {"admin"}


def test_the_folder_of_the_settings_must_be_there(provider: Sandbox, shop: Path) -> None:
    """A settings file in a folder that does not exist ends with 78 before anybody is called."""
    assert run(["--config", "none/mitbatch.toml", "init", *flags(provider)]) == 78
    assert list(shop.iterdir()) == []


class Terminal:
    """A person at a terminal: types an answer when the question is there, and sees what is shown."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "jobs", *words]
        self.program = subprocess.Popen(
            line, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.seen, self._read = "", 0

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type an answer."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while question not in self.seen[self._read :]:
            assert time.monotonic() < ends, f"never asked: {question}\n{self.seen}"
            self._see(1)
        self._read = self.seen.index(question, self._read) + len(question)
        os.write(self._ours, f"{text}\n".encode())

    def _see(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return True
        try:
            self.seen += os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the program has closed its side
            return False
        return True

    def end(self) -> int:
        """See everything to its end; the exit code."""
        while self._see(PATIENCE_SECONDS):
            pass
        os.close(self._ours)
        return self.program.wait(timeout=PATIENCE_SECONDS)


def conversation(terminal: Terminal, provider: Sandbox, last_word: str) -> None:
    """A person answers everything, one thing wrongly at first."""
    terminal.answer("Environment, sandbox or production [sandbox]: ", "")
    terminal.answer("merchant id, a GUID of the provider's: ", "acme")
    terminal.answer("It must be a GUID", "")
    terminal.answer("merchant id, a GUID of the provider's: ", provider.mid)
    terminal.answer("as your orders' column `site` names it: ", "acme-us")
    terminal.answer("site id, a GUID of the provider's: ", SITE)
    terminal.answer("order system, as a database URL [sqlite:///orders.db]: ", "")
    terminal.answer("with commas [USD]: ", "USD,EUR")
    terminal.answer("Time zone of your business dates [America/New_York]: ", "Europe/Berlin")
    terminal.answer("by files (sftp) or by calls (api) [sftp]: ", "")
    terminal.answer("The provider's SFTP server: ", "127.0.0.1")
    terminal.answer("Its port [22]: ", str(provider.sftp_port))
    terminal.answer("Your user name there: ", provider.sftp_username)
    terminal.answer("The file with your own key [id_ed25519]: ", "")
    terminal.answer("The file with the server's key [known_hosts]: ", "")
    terminal.answer("Make one? [yes] ", "")
    assert fingerprint(provider) not in terminal.seen
    terminal.answer('Type "yes" if it is the same: ', last_word)


def test_a_person_is_asked(provider: Sandbox, shop: Path) -> None:
    """On a terminal each thing is asked, a wrong answer again, the fingerprint shown, secrets taken without being shown."""
    terminal = Terminal(["init"], shop)
    conversation(terminal, provider, "yes")
    terminal.answer("app key for", "the-app-key-that-is-not-shown")
    terminal.answer("app secret for", "")
    code = terminal.end()

    assert code == 78, "the order system and the app secret are still to come"
    assert fingerprint(provider) in terminal.seen
    assert "the-app-key-that-is-not-shown" not in terminal.seen
    assert (shop / "app_key").read_text().strip() == "the-app-key-that-is-not-shown"
    assert stat.S_IMODE((shop / "app_key").stat().st_mode) == 0o600
    settings = load_settings(shop / "mitbatch.toml")
    assert (settings.schedule.timezone, settings.gate.currencies) == ("Europe/Berlin", ("USD", "EUR"))
    assert sorted(path.name for path in shop.iterdir()) == [
        "app_key",
        "id_ed25519",
        "id_ed25519.pub",
        "known_hosts",
        "mitbatch.toml",
    ]
    assert "mitbatch doctor" in terminal.seen


def test_a_key_that_is_not_confirmed_leaves_nothing(provider: Sandbox, shop: Path) -> None:
    """Any other word than yes ends with 2, and no file was written."""
    terminal = Terminal(["init"], shop)
    conversation(terminal, provider, "y")

    assert terminal.end() == 2
    assert list(shop.iterdir()) == []
