"""The fuzz campaign (T6): numbered inputs for every reader, spread over the cores; what fails is shrunk and can be kept."""

import gc
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import answers, command_lines, csv_answers, listing, rows, sheets, stored_rows, toml_files
from tests.fuzz.dice import Dice
from tests.fuzz.limits import SECONDS, measured_all
from tests.fuzz.targets import Target, judged
from tests.long.campaign import Campaign, on_all_cores

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that once failed, one file each: `<target>-<name>.bin`."""

SHARES: tuple[tuple[Target, int], ...] = (
    (answers.ACKNOWLEDGEMENT, 110),
    (csv_answers.ACKNOWLEDGEMENT_CSV, 60),
    (answers.OUTCOMES, 80),
    (answers.WEBHOOK, 40),
    (csv_answers.OUTCOMES_CSV, 50),
    (answers.ORDER, 150),
    (answers.PAGE, 100),
    (answers.TOKEN, 60),
    (listing.LISTING, 130),
    (rows.ROW, 80),
    (stored_rows.STORED, 20),
    (sheets.SHEET, 100),
    (command_lines.DATE, 20),
    (command_lines.ENVIRONMENT, 8),
    (command_lines.COMMAND, 8),
    (toml_files.SETTINGS, 10),
    (toml_files.PROFILE, 10),
    (toml_files.CODES, 2),
    (toml_files.RULES, 2),
)
"""How many of a thousand inputs each reader gets."""

_TARGETS = tuple(target for target, share in SHARES for _ in range(share))
_CHUNK = 1000
MOST_MIB = 256
"""So much memory above the resting one may an input take, and thirty seconds of time (I22)."""

_SHRINK_TRIES = 300


@dataclass
class Tally:
    """What came of some inputs; `failures` holds the number and the complaint of the first of each kind."""

    inputs: Counter[str] = field(default_factory=Counter)
    deep: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    failures: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Put another tally's counts to these; of failures of one kind the lowest number stays."""
        self.inputs += other.inputs
        self.deep += other.deep
        self.seconds += other.seconds
        for kind, number in other.failures.items():
            self.failures[kind] = min(number, self.failures.get(kind, number))


def target_of(number: int) -> Target:
    """Which reader an input is for; neighbours are for different ones."""
    return _TARGETS[number * 37 % len(_TARGETS)]


def content_of(seed: int, number: int) -> bytes:
    """One input again."""
    target = target_of(number)
    return target.make(Dice(seed, number, target.name))


def tally(seed: int, start: int, end: int) -> Tally:
    """Make and judge the inputs of these numbers. What was there before is no input's: the collector does not go through it."""
    gc.freeze()
    try:
        return _tally(seed, start, end)
    finally:
        gc.unfreeze()


def _tally(seed: int, start: int, end: int) -> Tally:
    found = Tally()
    for number in range(start, end):
        target = target_of(number)
        began = time.process_time()
        verdict = judged(target, target.make(Dice(seed, number, target.name)))
        found.seconds[target.name] += time.process_time() - began  # type: ignore[assignment]  # seconds are counted too
        found.inputs[target.name] += 1
        found.deep[target.name] += verdict.is_deep
        for complaint in verdict.complaints:
            found.failures.setdefault((target.name, complaint), number)
    return found


def shrunk(target: Target, content: bytes, complaint: str) -> bytes:
    """A shorter input with the same complaint: pieces are left out while it lasts."""
    size, tries = max(1, len(content) // 2), 0
    while size and tries < _SHRINK_TRIES:
        start = 0
        while start < len(content) and tries < _SHRINK_TRIES:
            shorter, tries = content[:start] + content[start + size :], tries + 1
            if complaint in judged(target, shorter).complaints:
                content = shorter
            else:
                start += size
        size //= 2
    return content


def corpus() -> Iterator[tuple[str, Target, bytes]]:
    """Every kept input with its reader."""
    by_name = {target.name: target for target, _ in SHARES}
    for path in sorted(CORPUS.glob("*.bin")):
        yield path.name, by_name[path.name.partition("-")[0]], path.read_bytes()


def keep(target: Target, content: bytes, complaint: str) -> Path:
    """Keep a failing input for ever."""
    words = re.sub("[^a-z0-9]+", "_", complaint.lower()).strip("_")
    path = CORPUS / f"{target.name}-{words}.bin"
    path.write_bytes(content)
    return path


def _work(span: tuple[int, int, int]) -> Tally:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = tally(*span)
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > MOST_MIB << 10:
        found.failures[("memory", f"more than {MOST_MIB} MiB are taken by one of the {_CHUNK:,} inputs from here")] = span[1]
    return found


def campaign(size: int, seed: int) -> Campaign:
    """So many inputs, judged on all cores; a violation names the reader, the complaint and the number."""
    began, whole = time.monotonic(), Tally()
    spans = [(seed, start, min(start + _CHUNK, size)) for start in range(0, size, _CHUNK)]
    for part in on_all_cores(_work, spans):
        whole.add(part)
    failed = [
        f"{name}: {complaint}; content_of({seed}, {number}) in tests.fuzz.campaign makes the input"
        for (name, complaint), number in sorted(whole.failures.items())
    ]
    failed += [
        f"{name}: {each}; kept in tests/fuzz/corpus"
        for name, target, kept in corpus()
        for each in judged(target, kept).complaints
    ]
    biggest = measured_all()
    failed += [
        f"limits: {name} is {said} with {mib} MiB in {seconds:g} s; python -m tests.fuzz.limits measures it"
        for name, (said, seconds, mib) in biggest.items()
        if said not in ("read", "refused") or mib > MOST_MIB or seconds > SECONDS
    ]
    figures = {"inputs": size, "biggest inputs": len(biggest), "past the first parser": sum(whole.deep.values())} | {
        f"inputs: {name}": count for name, count in sorted(whole.inputs.items())
    }
    notes = [
        f"{name}: {whole.inputs[name] / max(seconds, 1e-9):,.0f} inputs per second and core, {whole.deep[name]:,} understood"
        for name, seconds in sorted(whole.seconds.items())
    ]
    return Campaign("T6", "fuzzed inbound inputs", figures, tuple(failed), time.monotonic() - began, tuple(notes))
