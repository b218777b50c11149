"""The command line starts at once, because it loads nothing heavy before it is needed."""

import array
import ast
import fcntl
import os
import resource
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from jobs.clock import ShiftedClock
from jobs.databases import open_ledger
from jobs.sample_orders import orders
from jobs.sandbox import Sandbox
from tests.house.source import Module, definitions, modules, planted

HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "matplotlib",
    "paramiko",
    "uvicorn",
    "starlette",
    "asyncssh",
    "sqlalchemy",
    "sqlalchemy.dialects.postgresql",
    "alembic",
    "httpx",
    "aiohttp",
    "rich",
    "batch.bookkeeping",
    "tests",
)
LOOKING_COMMANDS = (["status"], ["holds", "check", "000471"], ["holds", "list"], ["explain", "pending"], ["review", "list"])
LIGHT_COMMANDS = (["--help"], ["--version"], ["nightly", "--help"], ["help", "exit-codes"], ["holds"], ["nigthly"])


@pytest.mark.parametrize("arguments", LIGHT_COMMANDS, ids=" ".join)
def test_the_entry_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help, version and a misspelt command load no library that takes long to load."""
    assert heavy_after(arguments) == []


@pytest.mark.parametrize("arguments", LOOKING_COMMANDS, ids=" ".join)
def test_who_only_looks_loads_nothing_that_sends(arguments: list[str], tmp_path: Path) -> None:
    """Commands that look into the ledger load what reads it, not HTTP, SSH or books: a retry job asks at each charge."""
    text = Sandbox(tmp_path / "provider", clock=ShiftedClock()).settings_toml("var", "sqlite:///orders.db")
    (tmp_path / "mitbatch.toml").write_text(text.replace("port = 0", "port = 9"), encoding="utf-8")
    engine = create_engine(f"sqlite:///{tmp_path / 'orders.db'}")
    orders.metadata.create_all(engine)
    engine.dispose()
    open_ledger(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}").dispose()

    assert heavy_after(["--config", str(tmp_path / "mitbatch.toml"), *arguments]) == ["sqlalchemy"]


def heavy_after(arguments: list[str]) -> list[str]:
    """What a command line has loaded, in a process of its own, of what takes long to load."""
    code = (
        "import sys\nfrom jobs.cli import run\n"
        f"run({arguments!r})\n"
        f"sys.stderr.write('LOADED ' + ' '.join(sorted(set(sys.modules) & {set(HEAVY)!r})))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return ended.stderr.rpartition("LOADED")[2].split()


def test_help_costs_under_a_second() -> None:
    """`python -m jobs --help` takes under a second of the processor from start to end, the best of three."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = subprocess.run([sys.executable, "-m", "jobs", "--help"], capture_output=True, check=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert ended.stdout.startswith(b"Usage: mitbatch")

    assert min(seconds) < 1.0


def test_the_modules_of_the_night_load_without_the_sandbox() -> None:
    """The night's own modules import nothing that only the sandbox's extra installs."""
    code = "import sys, jobs.night, jobs.assembly\nprint(sorted(set(sys.modules) & {'asyncssh', 'starlette', 'uvicorn'}))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env={**os.environ}
    )

    assert ended.stdout.strip() == "[]"


def test_the_night_loads_what_calls_and_compares_when_it_does() -> None:
    """A run that asks the API nothing and compares no books has loaded neither aiohttp nor what compares."""
    code = (
        "import sys, jobs.night\nfrom jobs.surroundings import of_this_machine\nfrom jobs.clock import SystemClock\n"
        "of_this_machine(SystemClock()).http_transport()\n"
        "print(sorted(set(sys.modules) & {'aiohttp', 'batch.comparing', 'batch.comparison_books', 'jinja2'}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout.strip() == "[]"


HEARD = """
import os, signal, sys
from jobs.outside import StopRequest
with StopRequest().listening():
    before = set(sys.modules)
    os.kill(os.getpid(), signal.SIGINT)
    print(sorted(set(sys.modules) - before))
"""


def test_the_answer_to_a_signal_waits_for_nothing() -> None:
    """Ctrl-C is answered by the handler itself, on stderr, and nothing is loaded, opened or asked before that (rule 22)."""
    ended = subprocess.run([sys.executable, "-c", HEARD], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stderr == "SIGINT: finishing the step in hand; once more stops at once.\n"
    assert ended.stdout.strip() == "[]"
    (heard,) = [node for name, node in definitions(module_of("jobs.outside")) if name.endswith("StopRequest._asked")]
    calls = {ast.unparse(node.func) for node in ast.walk(heard) if isinstance(node, ast.Call)}
    assert calls == {"signal.Signals", "kind", "suppress", "os.write", "line.encode"}


def late(found: list[Module]) -> list[str]:
    """Functions that run a job and begin to listen for signals after something else, or not at all."""
    places = []
    for module in found:
        for name, node in definitions(module):
            if not any(isinstance(each, ast.Call) and ast.unparse(each.func) == "run_job" for each in ast.walk(node)):
                continue
            blocks = [each for each in ast.walk(node) if isinstance(each, ast.With)]
            if not any(ast.unparse(block.items[0].context_expr).endswith(".stop.listening()") for block in blocks):
                places.append(f"{module.place}:{name}")
    return places


def test_every_job_listens_before_it_opens_anything() -> None:
    """The first thing that a run enters is the listening for signals; only a switch, which is over in a moment, has none."""
    assert late(list(modules("jobs"))) == ["jobs/switches.py:carry_out"]
    assert late([planted("def f():\n with assemble(x) as w, around.stop.listening():\n  run_job(w)")]) == ["batch/planted.py:f"]


def module_of(name: str) -> Module:
    """One module of ours."""
    (found,) = [each for each in modules() if each.name == name]
    return found


FULL = 65_536
"""What a pipe holds that nobody reads."""
IN_THE_MIDST = """
import sys
from jobs.outside import StopRequest
from schemas.errors import Interrupted
stop = StopRequest()
with stop.listening():
    print("x" * 200_000, file=sys.stderr, flush=True)
try:
    stop.check()
except Interrupted:
    sys.exit(130)
"""


def test_a_signal_in_the_midst_of_a_line_is_answered_as_well() -> None:
    """Ctrl-C while stderr is being written to is heard, and is no internal error of the run."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen([sys.executable, "-c", IN_THE_MIDST], stderr=subprocess.PIPE, env=buffered) as command:
        assert command.stderr is not None
        waiting = array.array("i", [0])
        while waiting[0] < FULL and command.poll() is None:  # then the line is half written, and its writer stands still
            os.sched_yield()
            fcntl.ioctl(command.stderr, termios.FIONREAD, waiting)
        command.send_signal(signal.SIGINT)
        said = command.stderr.read().decode()

    assert said.replace("x", "").split("\n") == ["SIGINT: finishing the step in hand; once more stops at once.", "", ""]
    assert command.returncode == 130
