"""Where and on what a long run runs: the commit, the day, the machine in general terms, and the seed that follows."""

import hashlib
import os
import platform
import re
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.house.source import ROOT
from tests.postgres.cluster import server_binaries

PAGE = "tests/long/PAGE.md"
"""Where the page of a whole run is committed, under the root."""


@dataclass(frozen=True)
class Circumstances:
    """What all parts of one run have in common: the commit, the day, the machine in general terms."""

    commit: str
    date: str
    machine: str


def circumstances() -> Circumstances:
    """Those of now."""
    return Circumstances(_commit(), datetime.now(UTC).date().isoformat(), _machine())


def seed_of(commit: str) -> int:
    """The number from which a run without a given seed derives everything: another for each commit, the same on every day.

    So a run on one's own machine says what CI will say of the same commit. Changes that are not committed change nothing.
    """
    return number_of(commit.partition(" ")[0])


def number_of(words: str) -> int:
    """A number that these words decide."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big") % 1_000_000_000


def _said(words: Sequence[str]) -> str:
    """What a program says of itself, wherever it says it; empty when it is not there."""
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ""
    return f"{done.stdout} {done.stderr}".strip() if done.returncode == 0 else ""


def _commit() -> str:
    """The commit, with a word where files differ from it; the page itself may."""
    commit = _said(["git", "rev-parse", "--short=12", "HEAD"])
    changed = _said(["git", "status", "--porcelain", "--", ".", f":!{PAGE}"])
    return f"{commit or 'unknown'}{' with changes' if changed else ''}"


def _machine() -> str:
    """Cores and versions."""
    binaries = server_binaries()
    versions = {
        "PostgreSQL": _said([str(binaries / "postgres"), "--version"]) if binaries else "",
        "OpenSSH": _said(["ssh", "-V"]),
        "strace": _said(["strace", "--version"]),
    }
    found = {name: re.search(r"\d+\.\d+\S*", said) for name, said in versions.items()}
    return ", ".join(
        [
            f"{os.cpu_count()} cores",
            f"Python {platform.python_version()}",
            f"SQLite {sqlite3.sqlite_version}",
            *(f"{name} {match.group().rstrip(',')}" if match else f"no {name}" for name, match in found.items()),
        ]
    )
