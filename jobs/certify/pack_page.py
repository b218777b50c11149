"""The evidence pack as one page that needs nothing else, in the look of the report: the same pack gives the same bytes. Pure."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from jobs.report.parts import Figures, Tile, size_text
from schemas.certification import CHECKLIST, Proof, Verdict
from schemas.counted import counted
from schemas.errors import ExitCode
from schemas.plain_text import shown

GROUPS = {
    "cit.standard": "CIT, standard integration",
    "cit.advanced": "CIT, advanced integration",
    "mit.api": "MIT by calls of the API",
    "mit.sftp": "MIT by files over SFTP",
    "refund": "Refund",
    "feature": "Essential features",
    "production": "Onboarding into production",
}
WORDS = {
    Verdict.PASSED: ("✓", "passed", "good"),
    Verdict.FAILED: ("✗", "failed", "bad"),
    Verdict.ATTESTED: ("✎", "attested", "good"),
    Verdict.OPEN: ("…", "open", "warn"),
    Verdict.NOT_APPLICABLE: ("–", "not applicable", "none"),
}
"""How a verdict is marked, called and coloured; the word always stands beside the colour."""
_CODES = {
    ExitCode.CLEAN: "every item that was run is shown",
    ExitCode.NEEDS_PERSON: "something is open for a person",
    ExitCode.REFUSED: "an item failed",
    ExitCode.INTERNAL: "an internal error: the item that it struck names the trace",
}
_DIRECTIONS = {"worse": "worse", "better": "better", "new": "not run before", "other": "otherwise"}


def page(pack: Mapping[str, Any]) -> bytes:
    """The whole page as UTF-8. Whatever stands in the pack stands on it as text, never as markup."""
    code = ExitCode(pack["exit_code"])
    text = (
        _templates()
        .get_template("certification.html")
        .render(
            pack=pack,
            verdict=_verdict(pack),
            code=f"{int(code)}: {_CODES[code]}",
            mood={ExitCode.CLEAN: "good", ExitCode.NEEDS_PERSON: "warn"}.get(code, "bad"),
            tiles=_tiles(pack),
            changes=_changes(pack),
            groups=[_group(pack, name, title) for name, title in GROUPS.items() if _is_on_page(pack, name)],
            words={verdict.value: words for verdict, words in WORDS.items()},
            size_text=size_text,
            when=_when,
            leapt=_leapt(pack),
        )
    )
    return text.encode("utf-8", "replace")


def _when(moment: str) -> str:
    """A moment for people: `2026-11-28 02:00:48 UTC`."""
    return moment.replace("T", " ").replace("Z", " UTC")


def _leapt(pack: Mapping[str, Any]) -> bool:
    """Whether more time went by on the run's clock than on this machine's."""
    by_clock = datetime.fromisoformat(pack["ended_at"]) - datetime.fromisoformat(pack["started_at"])
    return bool(by_clock.total_seconds() > pack["seconds"] + 60)


def _verdict(pack: Mapping[str, Any]) -> str:
    """One sentence: what is certified by this run?"""
    counts = pack["counts"]
    if counts["failed"]:
        return f"{counted(counts['failed'], 'item')} failed; why, and what to change, stands with each below."
    waits = f" {counted(len(pack['not_run']), 'item was', 'items were')} not run this time." if pack["not_run"] else ""
    if counts["open"]:
        return f"No item failed; {counted(counts['open'], 'item waits', 'items wait')} for a person.{waits}"
    attested = f", {counted(counts['attested'], 'item')} of them by a person's word" if counts["attested"] else ""
    return f"Every item of this run that applies is shown{attested}.{waits}"


def _tiles(pack: Mapping[str, Any]) -> list[Tile]:
    notes = {
        Verdict.PASSED: "seen by a run, on both sides",
        Verdict.ATTESTED: "a person's word, with a file",
        Verdict.FAILED: "why stands below",
        Verdict.OPEN: "a person must look",
        Verdict.NOT_APPLICABLE: "no account, or not reached; not a pass",
    }
    tiles = []
    for verdict, note in notes.items():
        count = pack["counts"][verdict.value]
        mood = WORDS[verdict][2] if count else ""
        tiles.append(Tile(WORDS[verdict][1].capitalize(), [f"{count}"], note if count else "none", mood=mood))
    return tiles


def _changes(pack: Mapping[str, Any]) -> Figures:
    rows = [
        [each["item"], _word(each["was"]) or "–", _word(each["now"]), _DIRECTIONS[each["direction"]]] for each in pack["changes"]
    ]
    return Figures(("Item", "Was", "Is", ""), rows, texts=4)


def _word(verdict: str) -> str:
    return WORDS[Verdict(verdict)][1] if verdict else ""


def _is_on_page(pack: Mapping[str, Any], group: str) -> bool:
    """Every group of the checklist; onboarding only where a pack has it: it is `mitbatch go-live` that looks at that."""
    return group != "production" or any(item["group"] == group for item in pack["items"])


def _group(pack: Mapping[str, Any], name: str, title: str) -> dict[str, Any]:
    """One section: its items, and those of the checklist that were not run this time."""
    items = [item for item in pack["items"] if item["group"] == name]
    ran = {item["id"] for item in items}
    left = [each for each in CHECKLIST if each.group == name and each.id not in ran and each.proof is not Proof.SETTINGS]
    return {"name": name, "title": title, "items": items, "left": left, "told": _told(items, len(left))}


def _told(items: list[dict[str, Any]], left: int) -> str:
    """A group in one line: `6 passed, 1 open`."""
    counts = {words[1]: sum(item["verdict"] == verdict.value for item in items) for verdict, words in WORDS.items()}
    told = [f"{count} {word}" for word, count in counts.items() if count]
    return ", ".join([*told, *([f"{left} not run this time"] if left else [])])


@cache
def _templates() -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader("jobs.certify"), PackageLoader("jobs.report")]),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
