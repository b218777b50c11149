"""The verdicts of a campaign that was cut: what was noticed once is not judged again, as long as who noticed it stays."""

import hashlib
import json
from pathlib import Path

from tests.mutation.operators import Mutant
from tests.world.planted.bug import REPOSITORY

KEPT = Path.home() / ".cache" / "mitbatch-long" / "mutants.jsonl"
"""A line for each verdict."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _judge_of(noticed_by: str) -> str:
    """The file of the test that noticed a mutant as it is now; empty where there is none."""
    path = REPOSITORY / noticed_by.partition("::")[0]
    return _digest(path.read_text(encoding="utf-8")) if noticed_by and path.is_file() else ""


def keep(mutant: Mutant, noticed_by: str, place: Path) -> None:
    """Write a verdict down, so that a cut does not lose it."""
    line = json.dumps([_digest(mutant.file + mutant.text), _judge_of(noticed_by), noticed_by])
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


def kept(place: Path) -> dict[str, str]:
    """By digest: who noticed a mutant. One that lived counts for nothing, nor one whose judge has changed since."""
    found: dict[str, str] = {}
    for line in place.read_text(encoding="utf-8").splitlines() if place.is_file() else ():
        digest, judge, noticed_by = json.loads(line)
        if judge and judge == _judge_of(noticed_by):
            found[digest] = noticed_by
    return found


def verdict_on(mutant: Mutant, verdicts: dict[str, str]) -> str:
    """Who noticed this mutant before; empty for nobody."""
    return verdicts.get(_digest(mutant.file + mutant.text), "")
