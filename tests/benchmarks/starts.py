"""How fast the program starts: `--help` beside a bare typer application of one command."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Cost, Figure, Goal
from tests.benchmarks.measuring import in_turn, process, ratio

PART = "start"
OURS, BARE = "mitbatch --help", "a bare typer application's --help"
BARE_PROGRAM = "import typer\napp = typer.Typer()\n@app.command()\ndef one(): ...\n@app.command()\ndef two(): ...\napp()\n"


def starts(times: int = 5) -> Iterator[Figure]:
    """Both, in turns."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-bench-") as place:
        folder = Path(place)
        (folder / "bare.py").write_text(BARE_PROGRAM, encoding="utf-8")

        def cost(*words: str) -> Cost:
            return process([sys.executable, *words, "--help"], folder).cost

        costs = in_turn({OURS: lambda: cost("-m", "jobs"), BARE: lambda: cost(str(folder / "bare.py"))}, times)
    for what, found in costs.items():
        yield Figure(PART, what, found, times=times)


def goals(figures: list[Figure]) -> list[Goal]:
    """How many times as long ours takes."""
    cost = {each.what: each.cost for each in figures}
    return [Goal(PART, f"times {BARE}", ratio(cost[OURS], cost[BARE]), 3, at_most=True)]
