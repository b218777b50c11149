"""The commands as a shell sees them: exit codes, streams, plans that write nothing, reruns, and signals."""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from jobs import cli
from jobs.report_lines import people_lines
from jobs.settings_file import load_settings
from schemas.errors import ExitCode
from tests.night.house import DAY, ONHOLD, House, order, paid

QUICK = {"MITBATCH_OUTCOMES__ACKNOWLEDGEMENT_WAIT_SECONDS": "2"}


def fresh(house: House, order_id: str, **changed: object) -> dict[str, object]:
    """A charge declined an hour before the machine's now."""
    charged_at = (house.clock.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return order(order_id, charged_at=charged_at, payment_token=ONHOLD, **changed)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that another process does."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.02)


def test_the_summary_and_the_code(running_house: House) -> None:
    """nightly prints its summary on stdout, ends with EXIT 0 and returns 0; a second, quiet one says and does nothing."""
    house = running_house
    house.add(fresh(house, "a"), fresh(house, "b", origin="website"))
    first = house.cli("nightly", **QUICK)
    assert (first.returncode, first.stderr) == (0, "")
    lines = first.stdout.splitlines()
    assert lines[0].startswith("mitbatch nightly ")
    assert lines[0].split()[3:6] == ["sandbox", "mid", house.sandbox.mid[:8]]
    assert lines[-1].startswith("EXIT 0 ")
    names = [line.split("  ")[0] for line in lines]
    wanted = "started,candidates,not sent,held,sent,acknowledged,answers,written back,balance USD,audit".split(",")
    assert [name for name in names if name in wanted] == wanted
    assert "switched_off 1" in first.stdout
    assert "\x1b" not in first.stdout
    second = house.cli("nightly", "--quiet", **QUICK)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert house.accepted() == Counter(["a"])


def test_json_is_alone_on_stdout(
    running_house: House, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json every line of stdout is a JSON object with the common fields, also when a run is refused."""
    house = running_house
    house.add(fresh(house, "a"), fresh(house, "b", last_name="4111 1111 1111 1111"), paid("p"))
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)

    def answers(*words: str) -> tuple[int, dict[str, object]]:
        code = cli.run(["--config", str(house.config), *words, "--json"])
        return code, [json.loads(line) for line in capfd.readouterr().out.splitlines()][-1]

    own = house.cli("nightly", "--json", **QUICK)
    (found,) = [json.loads(line) for line in own.stdout.splitlines()]
    seen = [(own.returncode, found)]
    seen += [answers(*words) for words in (["transmit"], ["poll"], ["status"], ["nightly", "--dry-run"])]
    for code, last in seen:
        assert {"schema", "type", "command", "run_id", "generated_at", "environment"} <= set(last), last
        assert (last["type"], last.get("exit_code", code)) == ("result", code)
    assert own.returncode == 10
    house.sandbox.change_host_key()
    house.add(fresh(house, "c"))
    code, last = answers("nightly")
    assert (code, last["exit_code"]) == (30, 30)
    assert "MB-SFTP-HOSTKEY" in str(last["problems"])


@pytest.mark.parametrize(
    "words",
    [
        ["nightly", "--date", "2999-01-01"],
        ["nightly", "--date", "23.11.2026"],
        ["nightly", "--date", "2026-02-30"],
        ["nightly", "--date", "20261123x"],
        ["nightly", "--dry-run", "--date", "2999-01-01"],
        ["rerun", "--date", "2999-01-01"],
        ["rerun"],
        ["nightly", "--no-such-option"],
        ["no-such-command"],
    ],
)
def test_a_wrong_command_line_does_nothing(house: House, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A date ahead, a malformed one, or an unknown word: exit 2, a sentence, no ledger, nothing sent."""
    house.add(order())
    assert cli.run(["--config", str(house.config), *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "[MB-USAGE]" in captured.err
    assert not house.ledger_path.exists()
    assert house.sandbox.journal() == []


def test_a_plan_writes_nothing_at_all(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--dry-run shows what would go and how the night would end, on marked lines; no file changes, with or without a ledger."""
    monkeypatch.setattr("jobs.plan.SystemClock", lambda: house.clock)
    house.add(order("a", payment_token=ONHOLD), order("b", origin="website"), order("c", last_name="4111 1111 1111 1111"))
    for expected, needs in (
        ("1 order ", ["DRY RUN  NEED  1 item would need a person: pan_found 1; nightly itself would end with EXIT 10, or worse"]),
        ("0 orders", []),
    ):
        before = house.files()
        journal = house.sandbox.journal()
        assert cli.run(["--config", str(house.config), "nightly", "--dry-run"]) == 0
        out = capsys.readouterr().out.splitlines()
        assert all(line.startswith("DRY RUN") for line in out)
        assert any("would be sent" in line and expected in line for line in out)
        assert any("switched_off 1" in line and "pan_found 1" in line for line in out)
        assert [line for line in out if "NEED" in line] == needs
        assert house.files() == before
        assert house.sandbox.journal() == journal
        assert house.run().code == (ExitCode.NEEDS_PERSON if needs else ExitCode.CLEAN)
    assert house.accepted() == Counter(["a"])


def test_a_plan_agrees_with_the_night(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What --dry-run --json announces is what the night then does."""
    monkeypatch.setattr("jobs.plan.SystemClock", lambda: house.clock)
    house.add(*(order(f"{number}", amount_minor=100 + number) for number in range(5)))
    house.add(order("old", charged_at="2026-11-20T00:00:00Z"))
    house.set(channels={"max_rows_per_file": 2})
    assert cli.run(["--config", str(house.config), "nightly", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert cli.run(["--config", str(house.config), "nightly", "--dry-run"]) == 0
    lines = dict(line.removeprefix("DRY RUN  ").split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    report = house.run()
    night = dict(line.split(maxsplit=1) for line in people_lines(report, house.settings))
    assert (lines["candidates"], lines["not"]) == (night["candidates"], night["not"])
    assert plan["candidates"] == {"orders": 6, "amount_minor": {"USD": 510 + 1999}}
    assert plan["would_send"] == {"orders": 5, "amount_minor": {"USD": 510}}
    assert (plan["not_sent"], plan["not_sent_amount_minor"]) == ({"too_old": 1}, {"USD": 1999})
    assert plan["would_need_a_person"] == {}
    assert sum(house.accepted().values()) == 5


def test_rerun_repeats_nothing_that_left(house: House) -> None:
    """rerun of a date that went well sends nothing, and names the files that it would have repeated."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    (name,) = house.received()
    before = house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()
    report = house.run("rerun", DAY)
    assert report.code == 0
    assert report.findings.not_repeated == [name]
    assert (house.ledger_rows(), house.orders_path.read_bytes(), house.audit_bytes()) == before
    assert house.accepted() == Counter(["a"])


def test_rerun_finishes_what_was_left(house: House) -> None:
    """rerun of yesterday sends yesterday's file that never left, under its old name, and what was declined until then."""
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("refuse_login", times=99)
    assert house.run().code == 20
    house.sandbox.faults.clear()
    (name,) = [row["file_name"] for row in house.ledger("SELECT file_name FROM batch")]
    house.pass_time(hours=20)
    house.add(order("b", payment_token=ONHOLD), order("c", payment_token=ONHOLD, charged_at="2026-11-24T05:30:00Z"))
    assert house.run("rerun", DAY).code == 0
    assert house.accepted() == Counter(["a", "b"])
    assert name in house.received()


def test_rerun_of_one_batch_leaves_the_other(house: House) -> None:
    """rerun --batch brings one file on its way, chooses nothing new, and leaves the other file where it is."""
    house.set(channels={"max_rows_per_file": 1})
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("refuse_login", times=99)
    house.run()
    house.sandbox.faults.clear()
    house.add(order("c", payment_token=ONHOLD))
    (batch,) = house.ledger("SELECT batch_id FROM submission WHERE order_id='b'")
    assert house.run("rerun", DAY, batch_id=batch["batch_id"]).code == 0
    assert house.accepted() == Counter(["b"])
    assert house.states() == {"a": "sending", "b": "pending"}
    assert house.run("rerun", DAY).code == 0
    assert house.accepted() == Counter(["a", "b", "c"])


def test_rerun_of_an_unknown_batch_is_refused(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch id that this date does not have is exit 2, and nothing is done."""
    monkeypatch.setattr("jobs.night.SystemClock", lambda: house.clock)
    house.add(order("a"))
    assert cli.run(["--config", str(house.config), "rerun", "--date", DAY, "--batch", "0123456789ab"]) == 2
    assert "0123456789ab" in capsys.readouterr().err
    assert house.sandbox.journal() == []


def test_a_past_date_selects_only_what_was_charged_by_its_end(house: House) -> None:
    """nightly --date of yesterday takes no charge of today, and books under yesterday."""
    house.add(order("then", charged_at="2026-11-23T04:59:59Z"), order("later", charged_at="2026-11-23T05:00:00Z"))
    assert house.run(day="2026-11-22").code == 0
    assert house.accepted() == Counter(["then"])
    assert house.reasons("2026-11-22") == {"then": ("selected", "selected")}
    assert house.run().code == 0
    assert house.accepted() == Counter(["then", "later"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_and_a_rerun_completes_it(running_house: House, number: signal.Signals, code: int) -> None:
    """SIGTERM ends with 143, Ctrl-C with 130, each after the step in hand; running again sends each order once."""
    house = running_house
    house.add(fresh(house, "a"), fresh(house, "b"))
    house.sandbox.faults.switch_on("stall", where="rename")
    with house.start("nightly", MITBATCH_SFTP__DEADLINE_SECONDS="2", **QUICK) as process:
        until(lambda: house.sandbox.faults.fired("stall") == 1)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert number.name in err
    assert f"EXIT {code} " in out
    assert "Traceback" not in err
    report = house.run()
    assert report.code == 0
    assert house.accepted() == Counter(["a", "b"])
    assert house.states() == {"a": "pending", "b": "pending"}


def test_a_second_ctrl_c_stops_at_once(running_house: House) -> None:
    """The second Ctrl-C does not wait for the step in hand: 130 at once, and the next run completes the night."""
    house = running_house
    house.add(fresh(house, "a"))
    house.sandbox.faults.switch_on("stall", where="rename")
    with house.start("nightly", MITBATCH_SFTP__DEADLINE_SECONDS="30", **QUICK) as process:
        until(lambda: house.sandbox.faults.fired("stall") == 1)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "SIGINT" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 10
    assert house.run().code == 0
    assert house.accepted() == Counter(["a"])


@pytest.mark.parametrize("evaluate", ["sftp", "api"])
def test_a_plan_is_true_of_each_channel(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, evaluate: str
) -> None:
    """Customers who were present go by calls whatever the channel is; the plan says so, and the night does so."""
    monkeypatch.setattr("jobs.plan.SystemClock", lambda: house.clock)
    monkeypatch.setenv("MITBATCH_CHANNELS__EVALUATE", evaluate)
    monkeypatch.setenv("MITBATCH_CHANNELS__MAX_ROWS_PER_FILE", "2")
    monkeypatch.setenv("MITBATCH_SWITCHES__CIT_WEBSITE", "true")
    house.settings = load_settings(house.config)
    house.set(outcomes={"acknowledgement_wait_seconds": 4})
    house.add(*(order(f"m{number}", amount_minor=100) for number in range(3)))
    house.add(*(order(f"c{number}", origin="website", subscription_id=None, amount_minor=1000) for number in range(2)))
    options = ["--config", str(house.config)]
    assert cli.run([*options, "nightly", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert ("3 in 2 files and 2 over the API" if evaluate == "sftp" else "   5 over the API") in said
    assert cli.run([*options, "nightly", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    house.run()
    went = Counter(str(row["channel"]) for row in house.sandbox.accepted("evaluate"))
    assert {name: plan["channels"][name]["orders"] for name in ("sftp", "api")} == {name: went[name] for name in ("sftp", "api")}
    assert plan["channels"]["sftp"]["files"] == len(house.received())
    assert plan["channels"]["api"]["amount_minor"] == {"USD": 2000 if evaluate == "sftp" else 2300}
    assert plan["would_send"] == {"orders": 5, "amount_minor": {"USD": 2300}}


def test_a_plan_counts_what_was_left_over(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files and groups of an earlier run are named apart, copies among them, unless these are switched off or too old by now."""
    monkeypatch.setattr("jobs.plan.SystemClock", lambda: house.clock)

    def left() -> str:
        assert cli.run(["--config", str(house.config), "nightly", "--dry-run"]) == 0
        (line,) = (line for line in capsys.readouterr().out.splitlines() if "left from before" in line)
        return line.partition("left from before")[2].strip()

    house.add(order("a"), paid("p"))
    house.sandbox.faults.switch_on("refuse_write", times=99)
    house.run()
    assert left() == "1 file"
    house.sandbox.faults.switch_on("forbidden", where="transmit", times=99)
    house.set(channels={"transmit": "api"})
    house.run("transmit")
    assert left() == "1 file and 1 group of calls of copies"
    with monkeypatch.context() as off:
        off.setenv("MITBATCH_CHANNELS__TRANSMIT", "off")
        assert left() == "1 file"
    house.pass_time(days=1)
    assert left() == "1 file"
