"""What came of one part of a long run, and how it is kept between runs: one JSON file for each part."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """One part's result with all that is needed to run it again.

    `figures`, `violations` and `notes` are the campaign's own. `broken` says why the campaign did not come to its end, and
    is empty when it did. `seconds` is wall time, `cpu_seconds` the time of all its processes.
    """

    part: str
    target: str
    title: str
    size: int
    seed: int
    commit: str = ""
    date: str = ""
    machine: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    figures: dict[str, int] = field(default_factory=dict)
    violations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    broken: str = ""


def keep(outcome: Outcome, folder: Path) -> Path:
    """Write one part's result into the folder; one of before is replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.part}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(outcome), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
    return path


def kept(folder: Path) -> dict[str, Outcome]:
    """Every result in the folder by its part; a file that is no result is passed over, as if it had never been written."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        outcome = _read(path)
        if outcome is not None and outcome.part == path.stem:
            found[outcome.part] = outcome
    return found


def _read(path: Path) -> Outcome | None:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    if not isinstance(read, dict) or set(read) != {each.name for each in fields(Outcome)}:
        return None
    return Outcome(**{**read, "violations": tuple(read["violations"]), "notes": tuple(read["notes"])})
