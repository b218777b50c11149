"""The command line starts at once, because it loads nothing heavy before it is needed."""

import os
import resource
import subprocess
import sys

import pytest

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
    "alembic",
    "httpx",
    "aiohttp",
    "rich",
    "tests",
)
LIGHT_COMMANDS = (["--help"], ["--version"], ["nightly", "--help"], ["help", "exit-codes"], ["holds"], ["nigthly"])


@pytest.mark.parametrize("arguments", LIGHT_COMMANDS, ids=" ".join)
def test_the_entry_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help, version and a misspelt command load no library that takes long to load."""
    code = (
        "import sys\nfrom jobs.cli import run\n"
        f"run({arguments!r})\n"
        f"sys.stderr.write('LOADED ' + ' '.join(sorted(set(sys.modules) & {set(HEAVY)!r})))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stderr.rpartition("LOADED")[2].split() == []


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
