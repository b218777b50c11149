"""`python -m tests.benchmarks [--orders 10000,100000,1000000] [--only night,upload] [--json FILE]`: the table, and the goals.

Figures are of one machine at one hour; what stays true elsewhere is the ratios, which are taken side by side in one run. A goal
that is missed is named, and is no failure: a busy machine proves nothing either way. Exit code 1: something did not work at all.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import calls, csv_files, ledger_steps, night, starts, upload
from tests.benchmarks.figures import HEAD, Figure, Goal, as_json, line_of, machine, verdicts

SIZES = "10000,100000"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much each part does. `smoke` shows only that everything still runs; its figures say nothing."""

    nights: Sequence[int]
    naive: int = 2000
    calls: int = 4000
    rows: int = 20_000
    files: int = 50
    file_bytes: int = 1_500_000
    times: int = 5


SMOKE = Sizes((40, 120), naive=10, calls=80, rows=200, files=3, file_bytes=40_000, times=1)


def _nights(sizes: Sizes) -> Iterable[Figure]:
    for size in sizes.nights:
        yield from night.night(size)
    yield night.naive_night(sizes.naive)


PARTS: dict[str, tuple[Callable[[Sizes], Iterable[Figure]], Callable[[list[Figure]], list[Goal]]]] = {
    "start": (lambda sizes: starts.starts(sizes.times), starts.goals),
    "ledger": (lambda sizes: ledger_steps.ledger_steps(sizes.rows, sizes.times), ledger_steps.goals),
    "csv": (lambda sizes: csv_files.csv_files(sizes.rows, sizes.times), csv_files.goals),
    "upload": (lambda sizes: upload.upload(sizes.files, sizes.file_bytes, sizes.times), upload.goals),
    "calls": (lambda sizes: calls.calls(sizes.calls), calls.goals),
    "night": (_nights, night.goals),
}


def main(arguments: list[str]) -> int:
    """Measure, print as it comes, and write the object."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--orders", default=SIZES, help="sizes of a night, with commas between them")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts: {', '.join(PARTS)}")
    parser.add_argument("--smoke", action="store_true", help="as small as can be: does everything still run?")
    parser.add_argument("--json", type=Path, help="also write everything there as JSON")
    given = parser.parse_args(arguments)
    sizes = SMOKE if given.smoke else Sizes([int(size) for size in given.orders.split(",")])
    figures, goals = list[Figure](), list[Goal]()
    sys.stdout.write("".join(f"{name:<10} {value}\n" for name, value in machine().items()))
    sys.stdout.write(f"{HEAD}\n")
    for name in given.only.split(","):
        measure, judge = PARTS[name]
        mine: list[Figure] = []
        for figure in measure(sizes):
            mine.append(figure)
            sys.stdout.write(f"{line_of(figure)}\n")
            sys.stdout.flush()
        figures += mine
        goals += judge(mine)
    sys.stdout.write("".join(f"{line}\n" for line in ["", *verdicts(goals)]))
    if given.json:
        given.json.write_text(as_json(figures, goals, sizes.nights), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
