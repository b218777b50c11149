"""A part of hours in pieces: each piece's result is kept, so that a run that is cut has lost one piece at most."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.long.outcome import Outcome, keep, kept
from tests.long.parts import Part

Run = Callable[[Part, int, int, float], Outcome]
"""Runs a part with size and seed, within so many seconds."""


def pieces_of(part: Part, size: int, seed: int) -> Iterator[tuple[int, int]]:
    """Size and seed of each piece. Each begins with the seed after the last of the piece before."""
    for start in range(0, size, part.piece or size):
        yield min(part.piece or size, size - start), seed + start


def run_in_pieces(part: Part, size: int, seed: int, seconds: float, run: Run, folder: Path, *, resumes: bool) -> Outcome:
    """Run a part piece by piece within so many seconds, and sum up. Pieces that are kept and good are not run again."""
    deadline = time.monotonic() + seconds
    place = folder / f"{part.name}-pieces"
    before = kept(place) if resumes else {}
    done = []
    for length, first in pieces_of(part, size, seed):
        name = f"{part.name}-{first}"
        old = before.get(name)
        if old is None or old.size != length or old.broken or old.violations:
            old = replace(run(part, length, first, deadline - time.monotonic()), part=name)
            keep(old, place)
        done.append(old)
    return summed(part, size, seed, done)


def summed(part: Part, size: int, seed: int, pieces: list[Outcome]) -> Outcome:
    """One outcome of all pieces; commits, days and machines are all that they were run on."""
    counts: Counter[str] = Counter()
    for piece in pieces:
        counts.update(piece.figures)
    return Outcome(
        part.name,
        part.target,
        part.title,
        size,
        seed,
        commit=_all(piece.commit for piece in pieces),
        date=_all(piece.date for piece in pieces),
        machine=_all(piece.machine for piece in pieces),
        seconds=sum(piece.seconds for piece in pieces),
        cpu_seconds=sum(piece.cpu_seconds for piece in pieces),
        figures=dict(counts),
        violations=tuple(words for piece in pieces for words in piece.violations),
        notes=tuple(words for piece in (pieces if part.tells_cases else pieces[-1:]) for words in piece.notes),
        broken="; ".join(f"the piece from seed {piece.seed}: {piece.broken}" for piece in pieces if piece.broken),
    )


def _all(words: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(words))
