"""A merchant who sends everything by calls has no section [sftp]: every command works, files from before are not forgotten."""

from collections import Counter
from collections.abc import Callable

import pytest

from jobs.cli import run
from schemas.errors import ExitCode, IdentityChanged, SftpNotSet
from tests.night.house import COMPLETED, ONHOLD, House, order, paid
from tests.night.requests import cancel
from tests.night.test_review import decide
from tests.settings.settings_folder import key_pair

CALLS = {"evaluate": "api", "transmit": "api"}


def rewrite(house: House, **channels: str) -> None:
    """The settings file without [sftp], as the merchant writes it."""
    text = house.config.read_text(encoding="utf-8")
    before, _, rest = text.partition("[sftp]")
    after = rest[rest.index("\n[") + 1 :]
    lines = "".join(f'{name} = "{way}"\n' for name, way in channels.items())
    kept = "\n".join(line for line in after.split("\n") if not line.startswith(("evaluate =", "transmit =")))
    kept = kept.replace("[channels]\n", f"[channels]\n{lines}") if "[channels]" in kept else f"{kept}\n[channels]\n{lines}"
    house.config.write_text(before + kept, encoding="utf-8")


@pytest.fixture
def alone(house: House) -> House:
    """A house without an SFTP server in its settings, nor any file of a key."""
    rewrite(house, **CALLS)
    house.settings = house.settings.model_copy(update={"sftp": None})
    house.set(channels=CALLS)
    for name in ("client_key", "known_hosts"):
        (house.folder / "provider" / name).unlink(missing_ok=True)
    return house


def test_every_job_runs_without_a_server(alone: House) -> None:
    """Nights, polls, copies, requests: by calls, with the settings as they stand in the file; nobody logs in by SFTP."""
    alone.add(order("a"), order("b", payment_token=ONHOLD), paid("c"))
    assert alone.run().code == ExitCode.CLEAN
    assert alone.run("transmit").code == ExitCode.CLEAN
    alone.pass_time(hours=2)
    assert alone.run("poll").code == ExitCode.CLEAN
    assert alone.states() == {"a": "completed", "b": "pending"}
    assert (alone.accepted(), alone.accepted("transmit")) == (Counter("ab"), Counter("c"))
    cancel(alone, "b")
    assert alone.run().code in (ExitCode.CLEAN, ExitCode.NEEDS_PERSON)
    assert alone.received() == []
    assert not [row for row in alone.sandbox.journal() if "sftp" in str(row["event"])]
    (identity,) = alone.ledger("SELECT host_key FROM identity")
    assert identity["host_key"] == ""


@pytest.mark.parametrize(
    "words",
    ["status", "nightly --dry-run", "review list", "holds list", "explain a", "poll", "nightly", "transmit", "webhook url"],
)
def test_every_command_reads_such_settings(alone: House, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """None of them asks for the section, a key or a host key."""
    alone.add(order("a", payment_token=ONHOLD))
    alone.run()
    code = run(["--config", str(alone.config), *words.split()])
    said = capsys.readouterr()
    assert "sftp" not in (said.out + said.err).lower()
    assert code in (ExitCode.CLEAN, ExitCode.NEEDS_PERSON)


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ({}, 'channels.evaluate = "sftp" needs the section [sftp]'),
        ({"evaluate": "api"}, 'channels.transmit = "sftp" needs the section [sftp]'),
        ({"evaluate": "sftp", "transmit": "off"}, 'channels.evaluate = "sftp" needs the section [sftp]'),
    ],
)
def test_who_sends_files_is_told_that_the_section_is_missing(
    house: House, channels: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default files are sent: 78, one sentence, and nothing is created."""
    rewrite(house, **channels)
    assert run(["--config", str(house.config), "nightly"]) == ExitCode.CONFIGURATION
    assert words in capsys.readouterr().err
    assert not house.ledger_path.exists()


def test_without_reads_nothing_would_end_an_order(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not read orders has files alone to end them."""
    rewrite(house, **CALLS)
    monkeypatch.setenv("MITBATCH_OUTCOMES__ASK", "off")
    monkeypatch.setenv("MITBATCH_OUTCOMES__TRUST_FILES", "true")
    assert run(["--config", str(house.config), "nightly"]) == ExitCode.CONFIGURATION


def without_server(house: House) -> None:
    """The merchant goes over to calls and takes the section away."""
    house.settings = house.settings.model_copy(update={"sftp": None})
    house.set(channels=CALLS)


def not_delivered(house: House) -> None:
    """A file that could not be delivered."""
    house.sandbox.faults.switch_on("refuse_write", times=9999)


def not_answered(house: House) -> None:
    """A file that has no acknowledgement."""
    house.sandbox.faults.switch_on("no_acknowledgement")


@pytest.mark.parametrize("left", [not_delivered, not_answered])
def test_files_from_before_are_not_forgotten(house: House, left: Callable[[House], None]) -> None:
    """Nights, copies and their dry run are refused with 78 and say which files wait; polls go on with what needs no file."""
    house.add(order("a", payment_token=ONHOLD))
    left(house)
    house.run()
    house.sandbox.faults.clear()
    without_server(house)
    house.add(order("b"))
    (name,) = (row["file_name"] for row in house.ledger("SELECT file_name FROM batch"))
    for job in ("nightly", "transmit"):
        report = house.run(job)
        assert report.code == ExitCode.CONFIGURATION
        (problem,) = report.findings.problems
        assert isinstance(problem, SftpNotSet)
        assert name in str(problem)
    assert house.state("b") == ""
    assert not house.retry_takes("a")
    report = house.run("poll")
    assert report.code == ExitCode.CONFIGURATION
    assert [problem.code for problem in report.findings.problems] == ["MB-SFTP-NOT-SET"]
    rewrite(house, **CALLS)
    (batch,) = house.ledger("SELECT batch_id FROM batch")
    if left is not_answered:
        with pytest.raises(SftpNotSet):
            decide(house, f"batch:{batch['batch_id']}", "support-confirmed-never-arrived")


def test_orders_of_answered_files_need_no_server(house: House) -> None:
    """What was acknowledged is settled by reads: going over to calls needs no section any more, and no order is lost."""
    house.add(order("a", payment_token=COMPLETED))
    house.run()
    without_server(house)
    house.add(order("b", payment_token=ONHOLD))
    assert house.run().code == ExitCode.CLEAN
    house.pass_time(hours=2)
    assert house.run("poll").code == ExitCode.CLEAN
    assert house.states() == {"a": "completed", "b": "pending"}
    assert house.accepted() == Counter("ab")


def test_the_first_server_is_tied_to_the_ledger_and_stays(house: House) -> None:
    """A section that comes later ties its host key; taking it away and coming back with another key is refused (I21)."""
    server = house.settings.sftp
    without_server(house)
    house.run()
    assert house.ledger("SELECT host_key FROM identity") == [{"host_key": ""}]
    house.settings = house.settings.model_copy(update={"sftp": server})
    house.run("poll")
    (tied,) = house.ledger("SELECT host_key FROM identity")
    assert tied["host_key"].startswith("SHA256:")
    without_server(house)
    assert house.run().code == ExitCode.CLEAN
    assert house.ledger("SELECT host_key FROM identity") == [tied]
    assert server is not None
    other = house.folder / "other_hosts"
    other.write_text(f"[{server.host}]:{server.port} {key_pair()[1]}\n", encoding="ascii")
    house.settings = house.settings.model_copy(update={"sftp": server.model_copy(update={"known_hosts": other})})
    with pytest.raises(IdentityChanged, match="host_key was SHA256"):
        house.run()
