"""The example files name what there is: commands and options of the program, the same paths, and a sandbox that is tight."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from jobs.schedule_times import cron_trigger
from schemas.settings import ScheduleSettings
from tests.house.command_tree import COMMANDS
from tests.house.source import ROOT

FOLDER = ROOT / "jobs" / "examples"
MOST_EXPOSURE = 2.5


def lines(name: str) -> list[str]:
    """The lines of an example that say something."""
    return [
        line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")
    ]


def commands() -> Iterator[list[str]]:
    """The words after the program's name, wherever an example runs it."""
    for line in lines("crontab"):
        if "bin/mitbatch" in line:
            yield shlex.split(line.partition("bin/mitbatch")[2])
    for line in lines("mitbatch.service"):
        if line.startswith("ExecStart="):
            yield shlex.split(line.partition("bin/mitbatch")[2])
    container = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    words = [re.findall(r'"([^"]+)"', found) for found in re.findall(r"^(?:ENTRYPOINT|CMD) \[(.*)\]$", container, re.MULTILINE)]
    yield words[0][1:] + words[1]


def test_every_command_exists_with_its_options() -> None:
    """Each is a command of the program; each of its options one that it has, or a global one."""
    found = list(commands())
    assert len(found) == 7
    for words in found:
        assert words[:2] == ["--config", "/etc/mitbatch/mitbatch.toml"]
        command = COMMANDS.commands[words[2]]
        known = {option for each in (command, COMMANDS) for parameter in each.params for option in parameter.opts}
        assert {word for word in words[3:] if word.startswith("--")} <= known


def test_every_job_of_the_schedule_has_its_line_in_the_crontab() -> None:
    """And each line is a time that cron and we read alike; no two lesser jobs meet in the same minute."""
    jobs: dict[str, str] = {}
    for line in lines("crontab"):
        if "bin/mitbatch" in line:
            fields, words = line.split()[:5], shlex.split(line.partition("bin/mitbatch")[2])
            cron_trigger(" ".join(fields), "UTC")
            jobs.setdefault(words[2], fields[0])
    assert set(jobs) == set(ScheduleSettings.model_fields) - {"timezone"}
    assert jobs["transmit"] not in {"0", "15", "30", "45"}
    assert jobs["reconcile"] not in {"0", "15", "30", "45", jobs["transmit"]}


def test_all_of_them_mean_the_same_places() -> None:
    """The program, its settings and its data lie where the other examples have them."""
    for name in ("crontab", "mitbatch.service", "Containerfile"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert set(re.findall(r"/opt/mitbatch/\.venv/bin/mitbatch", text)) == {"/opt/mitbatch/.venv/bin/mitbatch"}
    assert "WorkingDirectory=/var/lib/mitbatch" in lines("mitbatch.service")
    assert "ReadWritePaths=/var/lib/mitbatch" in lines("mitbatch.service")
    assert "WORKDIR /var/lib/mitbatch" in lines("Containerfile")


def test_a_stop_lets_the_step_end() -> None:
    """143 is a success for systemd, a wrong setting is not tried again, and both give a step time."""
    unit = lines("mitbatch.service")
    assert {"KillSignal=SIGTERM", "KillMode=mixed", "SuccessExitStatus=143", "RestartPreventExitStatus=78"} <= set(unit)
    assert "STOPSIGNAL SIGTERM" in lines("Containerfile")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_the_unit_is_tight() -> None:
    """`systemd-analyze security` finds an exposure of at most 2.5."""
    line = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(FOLDER / "mitbatch.service")]
    said = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60).stdout
    exposure = re.search(r"Overall exposure level for mitbatch\.service: ([0-9.]+)", said)
    assert exposure is not None, said
    assert float(exposure[1]) <= MOST_EXPOSURE
