"""What was learnt of the judges, kept for the next piece of a campaign: it is true as long as no file of the project changes."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.packing import packed, unpacked
from tests.mutation.reach import Reach, learnt
from tests.world.planted.bug import REPOSITORY

REACH = Path.home() / ".cache" / "mitbatch-long" / "mutants-reach.json"
_PARTS = ("batch", "jobs", "schemas", "tests")


def known(judges: Sequence[str], place: Path = REACH) -> Reach:
    """What is kept there of these very judges and this very project; else it is learnt, and kept, if every judge passes."""
    of = _digest(judges)
    if (before := _read(place, of)) is not None:
        return before
    reach = learnt(judges)
    if not reach.failed:
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".new")
        found = {"of": of, "seconds": reach.seconds, "sharing": reach.sharing, **packed(reach.lines, list(reach.seconds))}
        fresh.write_text(json.dumps(found), encoding="utf-8")
        fresh.replace(place)
    return reach


def _read(place: Path, of: str) -> Reach | None:
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("of") != of:
        return None
    return Reach(kept["seconds"], unpacked(kept, list(kept["seconds"])), [], kept["sharing"])


def _digest(judges: Sequence[str]) -> str:
    """Of the judges' names and of every file of the project."""
    digest = hashlib.sha256(repr(tuple(judges)).encode())
    for path in sorted(path for part in _PARTS for path in (REPOSITORY / part).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(REPOSITORY)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
