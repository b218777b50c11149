"""Everything that is tried at length, by one command.

`python -m tests.long` runs the full figures of the targets T1 to T14, `--ci` a size that fits into forty minutes on two idle
cores (what has not ended after an hour is stopped: a machine that is busy besides breaks no promise), `--soak HOURS` (T15) goes
on as long as one likes. It prints each part with its time and writes a page. Exit code 1: a promise was broken, a figure is
below its target, or a part did not come to its end; there is a sentence for each.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.house.source import ROOT
from tests.long.circumstances import PAGE, Circumstances, circumstances, number_of, seed_of
from tests.long.outcome import Outcome, keep, kept
from tests.long.page import page_of
from tests.long.parts import PARTS, STRUCK, TARGETS, Part, chosen, left_out, unserved
from tests.long.pieces import run_in_pieces
from tests.long.running import run_part, run_parts
from tests.long.soak import SOAK, soak
from tests.long.struck import struck
from tests.long.tables import time_of
from tests.long.verdict import all_complaints, complaints, is_good

RESULTS = Path.home() / ".cache" / "mitbatch-long"
CI_SECONDS, FULL_SECONDS = 60 * 60.0, 48 * 3600.0


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    parts: tuple[Part, ...]
    is_ci: bool
    is_whole: bool
    seed: int | None
    resumes: bool
    results: Path
    page: Path
    seconds: float
    soak: float


def asked(words: Sequence[str], parts: Sequence[Part] = PARTS) -> Asked:
    """Read the command line. The page of anything but a whole full run stays beside its results, if no other place is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.long", description=__doc__)
    parser.add_argument("--ci", action="store_true", help="the sizes that fit into forty minutes on two idle cores")
    parser.add_argument("--only", default="", help="parts or targets, with commas between them: T6,T8")
    parser.add_argument("--seed", type=int, help="the number that decides everything; else it follows from the commit")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder where each part's result is kept")
    parser.add_argument("--resume", action="store_true", help="keep the parts whose results are there and good")
    parser.add_argument("--soak", type=float, default=0.0, metavar="HOURS", help="only that, with other seeds each day")
    parser.add_argument("--page", type=Path, help=f"where the page goes; of a whole full run {PAGE}")
    given = parser.parse_args(words)
    try:
        wanted = chosen([word for word in given.only.split(",") if word], parts)
    except ValueError as error:
        parser.error(str(error))
    if given.ci:
        wanted = tuple(part for part in wanted if part.size.ci or part.source)
    is_whole = not given.only and not given.soak
    results = given.results / ("ci" if given.ci else "full")
    page = given.page or (ROOT / PAGE if is_whole and not given.ci else results / "PAGE.md")
    return Asked(
        wanted, given.ci, is_whole, given.seed, given.resume, results, page, CI_SECONDS if given.ci else FULL_SECONDS, given.soak
    )


def main(words: Sequence[str], parts: Sequence[Part] = PARTS, targets: Sequence[str] = TARGETS) -> int:
    """Run what is asked for, write the page, say what is wrong; 1 if anything is. A whole run must serve all targets."""
    ask, around = asked(words, parts), circumstances()
    _say(f"commit {around.commit}, {around.date}, {around.machine}")
    outcomes = _soak(ask, around) if ask.soak else _all(ask, around)
    shown = [*([] if ask.soak else ask.parts), *([SOAK] if SOAK.name in outcomes else [])]
    ask.page.parent.mkdir(parents=True, exist_ok=True)
    missing = unserved(parts, targets) if ask.is_whole else []
    not_run = left_out(parts, is_ci=ask.is_ci, soaked=SOAK.name in outcomes)
    page = page_of(shown, outcomes, is_ci=ask.is_ci, missing=missing, left_out=not_run)
    ask.page.write_text(page, encoding="utf-8")
    found = all_complaints(shown, outcomes, is_ci=ask.is_ci, missing=missing)
    _say(*found, f"page: {ask.page}")
    return int(bool(found))


def _all(ask: Asked, around: Circumstances) -> dict[str, Outcome]:
    """Run the parts, and take those that are kept; a kept soak comes along."""
    before = kept(ask.results) if ask.resumes else {}
    names = {part.name for part in ask.parts if not part.source} | ({SOAK.name} if not ask.is_ci else set())
    outcomes = {name: outcome for name, outcome in before.items() if name in names}

    def watch(part: Part, outcome: Outcome) -> None:
        keep(outcome, ask.results)
        reached = ", ".join(f"{outcome.figures.get(name, 0):,} {name}" for name in part.floors)
        _say(
            *([STRUCK.title] if part is STRUCK else []),
            f"  {reached or 'done'}; {_cost(outcome)}",
            *(f"  {words}" for words in complaints(part, outcome, is_ci=ask.is_ci)),
        )

    for outcome in run_parts(list(_todo(ask, around, before)), _runner(ask, around), seconds=ask.seconds, watch=watch):
        outcomes[outcome.part] = outcome
    if STRUCK in ask.parts and STRUCK.source in outcomes:
        outcomes[STRUCK.name] = struck(outcomes[STRUCK.source], is_ci=ask.is_ci)
        watch(STRUCK, outcomes[STRUCK.name])
    return outcomes


def _soak(ask: Asked, around: Circumstances) -> dict[str, Outcome]:
    """Run rounds for the hours that are asked for, with fresh seeds on each day; what is done is kept after each."""

    def watch(whole: Outcome) -> None:
        keep(whole, ask.results)
        _say(f"  round {whole.size:,}: {', '.join(whole.notes)}; {_cost(whole)}")

    seed = ask.seed if ask.seed is not None else number_of(f"{around.commit} {around.date}")
    return {SOAK.name: soak(ask.soak, seed, around, _runner(ask, around), watch)}


def _runner(ask: Asked, around: Circumstances) -> Callable[[Part, int, int, float], Outcome]:
    def run_alone(part: Part, size: int, seed: int, left: float) -> Outcome:
        _say(f"{part.name} {part.title}: size {size:,}, seed {seed}")
        return run_part(part, size, seed, around, said=ask.results / f"{part.name}.log", seconds=left)

    def run_piece(part: Part, size: int, seed: int, left: float) -> Outcome:
        piece = run_alone(part, size, seed, left)
        _say(*(f"  {words}" for words in (*piece.notes, *piece.violations, piece.broken or _cost(piece))))
        return piece

    def run(part: Part, size: int, seed: int, left: float) -> Outcome:
        if part.piece:
            return run_in_pieces(part, size, seed, left, run_piece, ask.results, resumes=ask.resumes)
        return run_alone(part, size, seed, left)

    return run


def _cost(outcome: Outcome) -> str:
    return (
        f"{len(outcome.violations):,} violations; {time_of(outcome.seconds)} ({time_of(outcome.cpu_seconds)} of the processors)"
    )


def _todo(ask: Asked, around: Circumstances, before: Mapping[str, Outcome]) -> Iterator[tuple[Part, int, int]]:
    """The parts to run, each with size and seed. One that went wrong is run again with the seed with which it went wrong."""
    for part in (each for each in ask.parts if not each.source):
        size, old = part.size.of(is_ci=ask.is_ci), before.get(part.name)
        seed = ask.seed if ask.seed is not None else old.seed if old else seed_of(around.commit)
        if old is None or (old.size, old.seed) != (size, seed) or not is_good(part, old, is_ci=ask.is_ci):
            yield part, size, seed


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
