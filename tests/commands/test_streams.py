"""What goes where, and how it looks there: pipes, terminals, bars, heartbeats, `--quiet`, `--verbose`, Ctrl-C."""

import io
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture
from rich.console import Console
from rich.progress import Progress

from jobs.cli import run
from jobs.output import Options
from jobs.watching import Heartbeat, LiveBars, watched
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.terminals import ESCAPE, plain, running, told
from tests.commands.walking import SERVING, ended, examples
from tests.house.command_tree import command_paths

SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after a first night, with the provider's folder where `sandbox` looks for it."""
    with merchant_folder(tmp_path_factory.mktemp("streams")) as folder:
        assert folder.run("--quiet nightly") == 10
        (folder.folder / "mitbatch-sandbox").symlink_to(folder.folder / "provider")
        yield folder


@pytest.fixture
def unanswered(tmp_path: Path) -> Iterator[MerchantFolder]:
    """A merchant whose provider does not acknowledge for long, so that a nightly waits."""
    with merchant_folder(tmp_path / "waiting", acknowledgement_wait_seconds=600) as folder:
        folder.sandbox.faults.switch_on("no_acknowledgement", times=99)
        yield folder


@pytest.mark.parametrize("terminals", ["out", "err", "out err", ""])
def test_each_stream_decides_for_itself(merchant: MerchantFolder, terminals: str) -> None:
    """Bars and colours are where a terminal is, whatever the other stream is and although nobody stands at stdin."""
    command = told(merchant, "poll", terminals=terminals)

    assert bool(ESCAPE.search(command.out.text)) is ("out" in terminals)
    assert (HIDE in command.err.text) is ("err" in terminals)
    assert "EXIT 0 clean" in plain(command.out.text)
    if "err" not in terminals:
        assert command.err.text == ""


def test_a_dumb_terminal_gets_plain_words(merchant: MerchantFolder) -> None:
    """With TERM=dumb both streams are free of escapes on terminals too."""
    command = told(merchant, "poll", terminals="out err", changed={"TERM": "dumb"})

    assert not ESCAPE.search(command.out.text + command.err.text)


def test_colour_says_nothing_of_its_own(merchant: MerchantFolder) -> None:
    """What is coloured reads the same without colour."""
    coloured, bare = (told(merchant, "audit verify", changed=each) for each in ({"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}))
    assert plain(coloured.out.text) == bare.out.text
    coloured, bare = (told(merchant, "poll", changed=each) for each in ({"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}))
    assert ESCAPE.search(coloured.out.text)
    assert plain(coloured.out.text).splitlines()[-1] == bare.out.text.splitlines()[-1]
    assert bare.out.text.splitlines()[-1].startswith("EXIT 0 clean; ")


def test_a_terminal_shows_the_same_facts(merchant: MerchantFolder) -> None:
    """A terminal has the labels of the plain summary, every WARN, NEED and EXIT word for word, and what to run next."""
    lines = told(merchant, "nightly").out.text.splitlines()
    shown = plain(told(merchant, "nightly", terminals="out").out.text)

    assert [line for line in lines if line.startswith(("WARN", "NEED", "EXIT", "balance")) and line not in shown] == []
    assert [line.split("  ")[0] for line in lines[1:] if line.split("  ")[0] not in shown and "not sent" not in line] == [
        "acknowledged"
    ]
    assert "accepted" in shown
    assert shown.rstrip().splitlines()[-1].startswith("next: mitbatch review list")


def test_trouble_goes_above_the_line_at_once(merchant: MerchantFolder) -> None:
    """On a terminal a problem is told while the work goes on, and again in the summary; the cursor is there afterwards."""
    merchant.sandbox.faults.switch_on("server_error_before", times=99)
    try:
        command = told(merchant, "poll --all", terminals="err")
    finally:
        merchant.sandbox.faults.switch_off("server_error_before")
    repeated = [line for line in command.out.text.splitlines() if line.startswith("WARN") and line.endswith("]")]
    above = "".join(plain(command.err.text).split())

    assert "[MB-API-UNREACHABLE]" in repeated[0]
    assert [line for line in repeated if "".join(line.split()) not in above] == []
    assert command.err.text.rindex(SHOW) > command.err.text.rindex(HIDE)


def test_trouble_is_markup_of_nobody() -> None:
    """What stands in square brackets, or moves a cursor, is shown as it is."""
    shown = io.StringIO()
    with Progress(console=Console(file=shown, force_terminal=False, width=200)) as bars:
        LiveBars(bars).trouble("the file [red]x[/red] [link=evil]")

    assert "WARN  the file [red]x[/red] [link=evil]" in shown.getvalue()


class _Hands:
    """A clock that is moved by hand."""

    seconds = 0.0

    def monotonic(self) -> float:
        """What it shows."""
        return self.seconds


def test_a_heartbeat_comes_after_a_minute_and_then_seldom(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in the first minute of a step, one line after it, and then one in each interval."""
    clock = _Hands()
    beat = Heartbeat(clock, 300)
    told_at = []
    for name in ("deliver", "poll"):
        beat.stage(name, 9)
        start = clock.seconds
        for second in range(0, 700, 10):
            clock.seconds = start + second
            beat.advance(50)
            if err := capsys.readouterr().err:
                told_at.append((name, second, err))

    assert [(name, second) for name, second, _ in told_at] == [
        (name, second) for name in ("deliver", "poll") for second in (60, 360, 660)
    ]
    assert told_at[0][2] == "still at work: deliver, 350 done\n"
    assert told_at[2][2] == "still at work: deliver, 3,350 done\n"


@pytest.mark.parametrize("path", [path for path in command_paths() if path.split()[0] not in {*SERVING, "demo"}])
def test_quiet_silences_only_what_is_clean(path: str, merchant: MerchantFolder) -> None:
    """With `--quiet` a command that ends with 0 says nothing on either stream, and any other says all that it says without."""
    process = ended(merchant, ["--quiet", *(word for word in examples()[path] if word != "--json")])
    said = process.stdout + process.stderr

    assert (said == "") is (process.returncode == 0), said


def test_quiet_with_json_still_answers(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Who asks for JSON gets it: `--quiet` is about words for people."""
    assert after_a_night.run("--quiet --json status") == 0
    assert capfd.readouterr().out.count("\n") == 1


def test_what_quiet_holds_back_is_told_whole(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A command that ends with another code prints with `--quiet` what it prints without."""
    assert after_a_night.run("holds check 000471") == 30
    loud = capfd.readouterr()
    assert after_a_night.run("--quiet holds check 000471") == 30
    assert capfd.readouterr() == loud


def test_no_variable_defeats_an_option(
    after_a_night: MerchantFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`--config` wins over MITBATCH_CONFIG, `--no-color` over FORCE_COLOR."""
    monkeypatch.setenv("MITBATCH_CONFIG", "/nowhere/mitbatch.toml")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert after_a_night.run("--no-color poll") == 0
    assert "\x1b" not in capfd.readouterr().out


def test_quiet_has_no_bars() -> None:
    """With `--quiet` nobody is shown progress, terminal or not."""
    with watched(Options(config=Path(), quiet=True), _Hands(), 1) as progress:
        assert type(progress).__name__ == "Silent"


def test_verbose_shows_the_trace(after_a_night: MerchantFolder, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """With `--verbose` the trace of an internal error is on stderr as well: types and places, no value."""
    mocker.patch("batch.pipeline.write_back", side_effect=RuntimeError("4111111111111111"))
    assert after_a_night.run("--verbose poll") == 70
    err = capfd.readouterr().err
    assert "builtins.RuntimeError\n" in err
    assert ".py:" in err
    mocker.patch("jobs.status.count_by_state", side_effect=RuntimeError("4111111111111111"))
    assert after_a_night.run("--verbose status") == 70
    err += capfd.readouterr().err
    assert err.count("builtins.RuntimeError\n") == 2
    assert "4111" not in err
    mocker.stopall()
    assert after_a_night.run("poll --quiet") == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_finishes_the_step(unanswered: MerchantFolder, number: int, code: int) -> None:
    """Ctrl-C or TERM is answered at once, the step in hand is finished, the summary is printed, and the exit code is its own."""
    with running(unanswered, "--verbose nightly") as command:
        assert command.err.saw("at work: acknowledgements")
        command.interrupt(number)
        assert command.err.saw(f"{signal.Signals(number).name}: finishing the step in hand; once more stops at once.")
        assert command.end() == code
    assert command.out.text.splitlines()[-1].startswith(f"EXIT {code} ")
    unanswered.sandbox.faults.switch_off("no_acknowledgement")
    assert unanswered.run("--quiet poll") in {0, 10, 11}


def test_the_second_ctrl_c_stops_now(unanswered: MerchantFolder) -> None:
    """A second Ctrl-C ends the command at once with 130, and leaves the cursor where people see it."""
    with running(unanswered, "nightly", terminals="err") as command:
        assert command.err.saw("acknowledgements")
        command.interrupt()
        assert command.err.saw("once more stops at once.")
        command.interrupt()
        assert command.end() == 130
    assert "Interrupted; running the same command again is safe." in plain(command.err.text)
    assert command.err.text.rindex(SHOW) > command.err.text.rindex(HIDE)
    unanswered.sandbox.faults.switch_off("no_acknowledgement")
    assert unanswered.run("--quiet poll") in {0, 10, 11}


def test_a_narrow_encoding_fails_nothing(merchant: MerchantFolder) -> None:
    """Where the streams cannot show a character it is escaped, and the command ends as it would have."""
    command = told(merchant, "nightly", changed={"PYTHONIOENCODING": "ascii"})

    assert command.process.returncode == 0
    assert "\\xb7" in command.out.text
    assert sys.getdefaultencoding() == "utf-8"


def test_help_wins_over_everything_and_is_an_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """`--help` is on stdout, nothing is on stderr, and it ends with 0."""
    assert run(["nightly", "--help"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("Usage: mitbatch nightly")
    assert err == ""
