"""T12: every branch of what decides, reads and writes, and every error handler, is taken by the fast tests.

The tests run once more, under coverage and under a hash seed of their own: one that fails here and passed before is flaky,
and told as such.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.house.source import ROOT
from tests.long.campaign import Campaign, on_all_cores

AREAS = {
    "the ledger": ("batch/ledger/*.py", "batch/ledger_history.py", "schemas/ledger_tables.py"),
    "the state function": ("batch/conclusions.py", "batch/applying.py", "schemas/states.py"),
    "parsers": (
        "batch/acknowledged_rows.py",
        "batch/card_numbers.py",
        "batch/order_rows.py",
        "batch/provider_words.py",
        "batch/responses.py",
        "batch/strict_json.py",
        "schemas/decline_codes.py",
        "schemas/money.py",
        "schemas/network_rules.py",
        "schemas/order.py",
        "schemas/profile.py",
    ),
    "render": ("batch/build.py",),
    "CSV": ("batch/audit*.py", "batch/book*.py", "batch/history_rows.py", "schemas/audit_columns.py"),
}
"""The modules of which every branch must be taken. Of all of batch and schemas every `except` must be reached."""

TESTS = (
    "tests/night",
    "tests/confluence",
    "tests/commands",
    "tests/world/test_world.py",
    "tests/postgres/test_ledger.py",
    "tests/openssh",
    "tests/ledger",
    "tests/table",
    "tests/pure",
    "tests/settings",
    "tests/audit",
    "tests/tampering",
    "tests/cost/test_cost.py",
    "tests/comparison",
    "tests/webhooks",
    "tests/cards",
    "tests/doctor",
    "tests/fuzz",
    "tests/schemas",
)
"""The tests that take them, the slowest first."""

SETTINGS = """\
[run]
branch = true
parallel = true
source =
    {root}/batch
    {root}/schemas
patch = subprocess
data_file = {folder}/measured
"""


@dataclass(frozen=True)
class Lesson:
    """Some tests to run under coverage: where the settings are, and under which hash seed."""

    tests: str
    settings: Path
    hash_seed: int


def campaign(size: int, seed: int) -> Campaign:
    """Run the fast tests so many times under coverage, each time under another hash seed, and say what they never reach."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mitbatch-branches-") as place:
        settings = Path(place) / "settings"
        settings.write_text(SETTINGS.format(folder=place, root=ROOT), encoding="utf-8")
        lessons = [Lesson(tests, settings, 1 + seed % 1000 + turn) for turn in range(size) for tests in TESTS]
        failed = [words for found in on_all_cores(_run, lessons) for words in found]
        report = _report(settings)
    figures, missed = judge(report, {name: (ROOT / name).read_text(encoding="utf-8") for name in report})
    return Campaign("T12", "Branches", {"runs": size, **figures}, (*failed, *missed), time.monotonic() - began)


def _run(lesson: Lesson) -> list[str]:
    """Run them; a sentence for each that fails, and how it is run again."""
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={lesson.settings}", "-m", "pytest", "-q", "-rfE", "--tb=no"]
    around = {**os.environ, "PYTHONHASHSEED": str(lesson.hash_seed)}
    done = subprocess.run([*command, lesson.tests], cwd=ROOT, env=around, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    broken = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))] or [
        f"tests ended with {done.returncode}: {(done.stderr + done.stdout)[-500:]}"
    ]
    again = f"PYTHONHASHSEED={lesson.hash_seed} python -m pytest {lesson.tests}"
    return [f"{' '.join(words.split())} [again: {again}]" for words in broken]


def _report(settings: Path) -> dict[str, Any]:
    """What coverage measured, by file."""
    said = settings.with_name("report.json")
    for words in (["combine", "-q"], ["json", "-q", "-o", str(said)]):
        subprocess.run([sys.executable, "-m", "coverage", *words, f"--rcfile={settings}"], cwd=ROOT, check=True)
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))["files"]
    return found


def judge(report: Mapping[str, Any], sources: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
    """Count branches and error handlers; a sentence for each branch and each line of a handler that no test reaches."""
    figures, missed = dict.fromkeys(("branches", "branches taken", "handlers", "handlers reached"), 0), []
    for name, found in sorted(report.items()):
        if ".migrations" in name.replace("/", "."):
            continue
        if any(Path(name).match(pattern) for patterns in AREAS.values() for pattern in patterns):
            figures["branches"] += found["summary"]["num_branches"]
            figures["branches taken"] += found["summary"]["covered_branches"]
            missed += [f"{name}:{line}: no test goes from here to {_line(to)}" for line, to in found["missing_branches"]]
            missed += [f"{name}:{line}: no test reaches this line" for line in found["missing_lines"]]
        for handler in handlers(sources[name]):
            unreached = handler & set(found["missing_lines"])
            figures["handlers"] += 1
            figures["handlers reached"] += not unreached
            missed += [f"{name}:{line}: no test reaches this line of an error handler" for line in sorted(unreached)]
    return figures, list(dict.fromkeys(missed))


def _line(number: int) -> str:
    """A line's number; coverage writes the end of a function as a negative one."""
    return f"line {number}" if number > 0 else "the function's end"


def handlers(source: str) -> Iterator[set[int]]:
    """The lines of each `except` body."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            yield {line for inner in node.body for line in range(inner.lineno, (inner.end_lineno or inner.lineno) + 1)}
