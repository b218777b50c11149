"""What changed since the packs before: the newest verdict of each item, and how this run's differ from it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.certification import Verdict

_GOOD = (Verdict.PASSED, Verdict.ATTESTED)


@dataclass(frozen=True, slots=True)
class Known:
    """An item's newest verdict among earlier packs, and the pack that said it."""

    verdict: Verdict
    seen: str
    change: str
    at: str
    version: str


@dataclass(frozen=True, slots=True)
class Change:
    """One item that stands otherwise than before; `direction` is `better`, `worse`, `new` or `other`."""

    item: str
    was: str
    now: str
    direction: str


def newest(packs: Iterable[Mapping[str, Any]]) -> dict[str, Known]:
    """The newest verdict of each item; the packs come oldest first, and each need not have run every item."""
    known: dict[str, Known] = {}
    for pack in packs:
        for item in pack["items"]:
            version = str(pack["versions"].get("mitbatch", ""))
            verdict = Verdict(item["verdict"])
            known[item["id"]] = Known(verdict, item["seen"], item["change"], pack["generated_at"], version)
    return known


def changes(now: Sequence[tuple[str, Verdict]], before: Mapping[str, Known]) -> list[Change]:
    """Each item of this run whose verdict is another one than before, the worse ones first; none on a first run."""
    found = [
        Change(item, before[item].verdict if item in before else "", verdict, _direction(verdict, before.get(item)))
        for item, verdict in now
        if before and (item not in before or before[item].verdict is not verdict)
    ]
    return sorted(found, key=lambda change: ("worse", "other", "new", "better").index(change.direction))


def _direction(now: Verdict, before: Known | None) -> str:
    if before is None:
        return "new"
    if (now in _GOOD) != (before.verdict in _GOOD):
        return "better" if now in _GOOD else "worse"
    return "worse" if now is Verdict.FAILED else "other"
