"""T13: the whole suite several times, each time under another hash seed; a test that does not always pass is told."""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.house.source import ROOT
from tests.long.campaign import Campaign


def campaign(size: int, seed: int) -> Campaign:
    """Run every test so many times, one run after the other."""
    began = time.monotonic()
    seeds = [1 + (seed + turn) % 4_000_000_000 for turn in range(size)]
    runs = [passed_or_not(hash_seed, ["tests"]) for hash_seed in seeds]
    figures, violations = compared(runs, seeds)
    return Campaign("T13", "flaky tests", figures, tuple(violations), time.monotonic() - began)


def passed_or_not(hash_seed: int, what: Sequence[str]) -> dict[str, str]:
    """Run these tests: what became of each, by its name."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-flaky-") as folder:
        told = Path(folder) / "told.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--tb=no", f"--junitxml={told}", *what],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        cases = ElementTree.parse(told).iter("testcase")  # noqa: S314 - pytest of our own wrote it
        return {f"{case.get('classname')}::{case.get('name')}": _fate(case) for case in cases}


def _fate(case: ElementTree.Element) -> str:
    """`passed`, or the worst that pytest says of a test."""
    told = {child.tag for child in case}
    return next((fate for fate in ("error", "failure", "skipped") if fate in told), "passed")


def compared(runs: Sequence[dict[str, str]], seeds: Sequence[int]) -> tuple[dict[str, int], list[str]]:
    """Counts, and a sentence for each test that failed in any run or was not there in all; a skip in all runs is no failure."""
    fates: dict[str, list[str]] = {name: [run.get(name, "absent") for run in runs] for run in runs for name in run}
    bad = {name: seen for name, seen in fates.items() if set(seen) not in ({"passed"}, {"skipped"})}
    kinds = Counter("flaky" if "passed" in seen else "failing" for seen in bad.values())
    figures = {
        "runs": len(runs),
        "tests": len(fates),
        "tests that always passed": sum(set(seen) == {"passed"} for seen in fates.values()),
        "flaky tests": kinds["flaky"],
        "failing tests": kinds["failing"],
    }
    return figures, [f"{name}: {', '.join(seen)} [again: {_again(name, seen, seeds)}]" for name, seen in sorted(bad.items())]


def _again(name: str, seen: Sequence[str], seeds: Sequence[int]) -> str:
    """The command for the first run in which the test did not pass."""
    turn = next(turn for turn, fate in enumerate(seen) if fate != "passed")
    module, _, test = name.partition("::")
    return f"PYTHONHASHSEED={seeds[turn]} python -m pytest '{module.replace('.', '/')}.py::{test}'"
