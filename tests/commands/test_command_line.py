"""Options, help, typos, streams, colours and endings, the same for every command."""

import contextlib
import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from jobs.cli import run
from jobs.command_sections import SECTIONS
from schemas.errors import EXIT_MEANINGS
from tests.commands.merchant_folder import MerchantFolder
from tests.house.command_tree import COMMANDS, command_paths

PATHS = list(command_paths())


def test_help_exit_codes_is_the_whole_page(capfd: pytest.CaptureFixture[str]) -> None:
    """`help exit-codes` prints every code with its meaning, and that an unknown one means failure."""
    assert run(["help", "exit-codes"]) == 0
    lines = capfd.readouterr().out.splitlines()

    assert lines[:-1] == [f"{int(code):>3}  {text}" for code, text in EXIT_MEANINGS.items()]
    assert "unknown code as failure" in lines[-1]
    assert sorted(map(int, EXIT_MEANINGS)) == [0, 2, 10, 11, 20, 21, 30, 70, 78, 130, 143]


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the installed version and needs nothing else."""
    assert run(["--version"]) == 0
    assert capfd.readouterr().out == f"mitbatch {version('mitbatch')}\n"
    assert run(["nightly", "--version"]) == 0
    assert capfd.readouterr().out == f"mitbatch {version('mitbatch')}\n"


@pytest.mark.parametrize("path", PATHS)
def test_every_commands_help_has_an_example(path: str, capfd: pytest.CaptureFixture[str]) -> None:
    """`--help` of every command says what it does and shows an example of itself."""
    assert run([*path.split(), "--help"]) == 0
    out = capfd.readouterr().out

    assert f"Example: mitbatch {path}" in " ".join(out.split())
    assert out.startswith(f"Usage: mitbatch {path}")


def test_the_help_shows_each_command_whole_in_its_section(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal of 80 columns no sentence is cut, each command stands in one section, and who is new begins at the top."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["--help"]) == 0
    out = capfd.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "..." not in out.partition("Set up:")[2]
    found = re.findall(r"^  ([a-z-]+) {2,}\S", out.partition("Set up:")[2], re.MULTILINE)
    assert found == [name for names in SECTIONS.values() for name in names]
    assert set(found) == {path.split()[0] for path in PATHS if path}
    assert re.findall(r"^([A-Z][a-z ]+):$", out.partition("Options:")[2], re.MULTILINE) == list(SECTIONS)


def test_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    """`--help` names every command."""
    assert run(["--help"]) == 0
    out = capfd.readouterr().out

    assert [name for name in COMMANDS.commands if not re.search(rf"^  {name} ", out, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("nigthly", "nightly"),
        ("holds lsit", "list"),
        ("sandbox jornal", "mitbatch sandbox journal"),
        ("nightly --dryrun", "--dry-run"),
        ("holds chek 1", "check"),
        ("", "Usage"),
        ("holds", "Usage"),
        ("help", "Usage"),
        ("holds check", "ORDER"),
        ("explain", "ORDER"),
        ("rerun", "--date"),
        ("nightly extra", "extra"),
        ("sandbox --seed many", "--seed"),
        ("poll --config", "--config"),
    ],
)
def test_a_wrong_command_line_ends_with_2(words: str, offered: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A wrong command line ends with 2, says what is wrong, offers what was meant where it can, and leaves nothing behind."""
    assert run(words.split()) == 2
    out, err = capfd.readouterr()

    assert offered in out + err
    assert "Traceback" not in err
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nightly --date tomorrow", "'tomorrow' is not a date"),
        ("nightly --date 2026-02-30", "is not a date"),
        ("nightly --date 9999-12-31", "lies ahead"),
        ("nightly --dry-run --date 9999-12-31", "lies ahead"),
        ("rerun --date 2026-01-01 --batch 000000000000", "There is no batch"),
    ],
)
def test_a_wrong_date_or_batch_ends_with_2(
    words: str, sentence: str, after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    """A date that is none or lies ahead, and a batch that does not exist, are usage errors."""
    assert after_a_night.run(words) == 2
    assert sentence in capfd.readouterr().err


@pytest.mark.parametrize("order", ["--config {c} --json status", "status --config {c} --json", "--json status --config={c}"])
def test_global_options_work_on_both_sides(order: str, after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Global options mean the same before and after the command."""
    assert run(order.format(c=after_a_night.config).split()) == 0
    assert json.loads(capfd.readouterr().out)["schema"] == "mitbatch.status/1"


def test_an_argument_may_look_like_an_option(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """After `--` an order id may look like a global option."""
    assert run(["--config", str(after_a_night.config), "holds", "check", "--", "--json"]) == 0
    assert capfd.readouterr().out.startswith("Order '--json' may be charged")


JSON_COMMANDS = [
    "status",
    "holds list",
    "holds check 000471",
    "holds view",
    "audit verify",
    "audit export --from 2026-11-23",
    "explain too_old",
    "explain MB-USAGE",
    "explain 000471",
    "explain nobody",
    "nightly --dry-run",
    "nightly",
    "poll",
    "transmit",
    "help exit-codes",
    "nightly --date never",
]


@pytest.mark.parametrize("words", JSON_COMMANDS)
def test_json_is_alone_on_stdout(words: str, after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """With `--json` stdout holds JSON objects with a schema, one a line, and nothing else, also on failure."""
    code = after_a_night.run(f"{words} --json")
    out = capfd.readouterr().out
    objects = [json.loads(line) for line in out.splitlines()]

    assert objects, "nothing was printed"
    assert all(re.fullmatch(r"mitbatch\.[a-z_]+/1", each["schema"]) for each in objects)
    assert objects[-1]["type"] == "result"
    if objects[-1]["schema"] == "mitbatch.error/1":
        assert objects[-1]["exit_code"] == code
    else:
        assert {"command", "run_id", "generated_at", "environment"} <= set(objects[-1])


def test_json_on_a_failure_is_an_error_object(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With `--json` a refusal is an object with its code and sentence on stdout, and the sentence on stderr."""
    assert run(["nightly", "--json", "--config", str(tmp_path / "none.toml")]) == 78
    out, err = capfd.readouterr()
    found = json.loads(out)

    assert (found["schema"], found["code"], found["exit_code"]) == ("mitbatch.error/1", "MB-CONFIG-PATH", 78)
    assert err == f"{found['sentence']}\n"


def test_quiet_prints_nothing_when_all_is_clean(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A clean run with `--quiet` prints nothing on either stream, so that cron sends no mail."""
    assert after_a_night.run("nightly --quiet") == 0
    assert capfd.readouterr() == ("", "")
    assert after_a_night.run("poll --quiet") == 0
    assert capfd.readouterr() == ("", "")


def test_quiet_hides_no_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With `--quiet` a failure is told as without."""
    assert run(["--quiet", "nightly", "--config", str(tmp_path / "none.toml")]) == 78
    assert "none.toml" in capfd.readouterr().err


def on_terminal(merchant: MerchantFolder, words: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run a command whose stdout is a terminal; its exit code and what it printed there."""
    ours, theirs = pty.openpty()
    pieces: list[bytes] = []

    def read() -> None:
        # the system answers with an error once the other end is closed
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 65536):
                pieces.append(piece)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        code = merchant.run(words)
    reader.join(timeout=30)
    os.close(ours)
    return code, b"".join(pieces).decode()


COLOUR_RULES: list[tuple[bool, dict[str, str], list[str], bool]] = [
    (True, {"TERM": "xterm"}, [], True),
    (True, {"TERM": "dumb"}, [], False),
    (True, {"TERM": "xterm", "NO_COLOR": "1"}, [], False),
    (True, {"TERM": "xterm", "NO_COLOR": ""}, [], True),
    (True, {"TERM": "xterm"}, ["--no-color"], False),
    (True, {"TERM": "xterm", "FORCE_COLOR": "1"}, ["--no-color"], False),
    (True, {"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
    (False, {}, [], False),
    (False, {"FORCE_COLOR": "1"}, [], True),
    (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
]


@pytest.mark.parametrize(("terminal", "environment", "options", "coloured"), COLOUR_RULES)
def test_colour(
    terminal: bool,
    environment: dict[str, str],
    options: list[str],
    coloured: bool,
    after_a_night: MerchantFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Colour is off by NO_COLOR, `--no-color` or a dumb terminal, on by FORCE_COLOR, and else as stdout is a terminal."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = " ".join(["poll", *options])
    code, printed = (
        on_terminal(after_a_night, words, monkeypatch) if terminal else (after_a_night.run(words), capsys.readouterr().out)
    )

    assert code == 0
    assert bool(re.search(r"\x1b\[([0-9]+;)*(3[0-8]|9[0-7])", printed)) is coloured
    assert re.search(r"^EXIT 0 clean; \d+ items wait for a person", re.sub(r"\x1b\[[0-9;]*m", "", printed), re.MULTILINE)
    if environment.get("TERM") == "dumb" or not (terminal or coloured):
        assert "\x1b" not in printed


def test_under_cron_there_is_no_ornament(after_a_night: MerchantFolder) -> None:
    """Without a terminal there is no bar, no box and no carriage return, and the last line is the verdict."""
    line = [sys.executable, "-m", "jobs", "--config", str(after_a_night.config), "nightly"]
    ended = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    printed = ended.stdout

    assert ended.stderr == ""
    assert not re.search(r"[\r\x1b\u2500-\u257f\u2580-\u259f]", printed)
    assert printed.splitlines()[0].startswith("mitbatch nightly 20")
    assert re.fullmatch(r"EXIT 0 clean; \d+ items wait for a person, none new or overdue", printed.splitlines()[-1])


CANARY = "4111111111111111 is what the row said"


def test_an_internal_error_of_a_run_is_a_sentence_and_a_trace(
    after_a_night: MerchantFolder, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A mistake of our own inside a run ends with 70 and the run's id; the trace is private and holds no value."""
    mocker.patch("batch.pipeline.write_back", side_effect=RuntimeError(CANARY))
    assert after_a_night.run("poll") == 70
    out, err = capfd.readouterr()
    found = re.search(r"An internal error \(RuntimeError\) ended run ([0-9a-f]{8}); the trace is in (\S+)\.", out)

    assert found is not None
    assert "Traceback" not in out + err
    assert CANARY not in out + err
    assert "[MB-INTERNAL]" in out
    check_trace(Path(found[2]), found[1])
    assert out.splitlines()[-1].startswith("EXIT 70 ")
    mocker.stopall()
    assert after_a_night.run("poll --quiet") == 0


def check_trace(path: Path, run_id: str) -> None:
    """The trace says where it happened, only its owner can read it, and it repeats nothing that was worked on."""
    text = path.read_text(encoding="utf-8")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert run_id in path.name
    assert "RuntimeError" in text
    assert ".py:" in text
    assert "4111" not in text


@pytest.mark.parametrize("json_too", [False, True])
def test_an_internal_error_outside_a_run_is_a_sentence_and_a_trace(
    json_too: bool, after_a_night: MerchantFolder, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A mistake of our own in a command that only looks ends with 70, one sentence, and the path of a private trace."""
    mocker.patch("jobs.status.count_by_state", side_effect=RuntimeError(CANARY))
    assert after_a_night.run("status" + " --json" * json_too) == 70
    out, err = capfd.readouterr()
    found = re.search(r"the trace is in (\S+)\. ", err)

    assert found is not None
    assert err.count("\n") == 1
    assert CANARY not in out + err
    assert (json.loads(out)["exit_code"] == 70) if json_too else (out == "")
    check_trace(Path(found[1]), "")


def test_an_interrupt_outside_a_run_ends_with_130(
    after_a_night: MerchantFolder, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C during a command that only looks ends with 130 and a sentence."""
    mocker.patch("jobs.status.count_by_state", side_effect=KeyboardInterrupt)

    assert after_a_night.run("status") == 130
    assert "Interrupted" in capfd.readouterr().err
