"""What `mitbatch go-live` says: both environments side by side, the items of production, and what is missing. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.golive.differences import Difference
from jobs.golive.missing import Missing
from schemas.certification import Shown, Verdict
from schemas.counted import counted

_WORDS = {
    Verdict.PASSED: "ok",
    Verdict.ATTESTED: "attested",
    Verdict.OPEN: "NEED",
    Verdict.FAILED: "FAIL",
    Verdict.NOT_APPLICABLE: "n/a",
}
_TOLD_BELOW = {Verdict.FAILED, Verdict.OPEN}
"""What is missing is told with what to do, after all items."""


def lines_of(
    found: Sequence[Difference], production: Sequence[Shown], lacking: Sequence[Missing], warnings: Sequence[str]
) -> list[str]:
    """The lines for people, between banner and exit code."""
    width = max((len(each.key) for each in found), default=0)
    lines = [f"{counted(len(found), 'thing differs', 'things differ')} between the two (sandbox -> production)"]
    lines += [f"  {each.key:<{width}}  {each.sandbox or '(empty)'} -> {each.production or '(empty)'}" for each in found]
    for item in production:
        lines.append(f"{_WORDS[item.verdict]:<9}{item.item:<32}{'' if item.verdict in _TOLD_BELOW else item.seen}".rstrip())
    lines += [f"WARN     {each}" for each in warnings]
    return [*lines, *_needed(lacking)]


def _needed(lacking: Sequence[Missing]) -> Iterator[str]:
    """What is missing, each with what to do; items of one group that one run would show are told together."""
    together: dict[tuple[str, str], list[Missing]] = {}
    for each in lacking:
        alone = each.do != f"Run: mitbatch certify {each.item}"
        together.setdefault((each.item if alone else each.item.rpartition(".")[0], each.why), []).append(each)
    for (name, why), them in together.items():
        if len(them) == 1:
            yield from (f"NEED     {them[0].item}: {them[0].title}", f"         {why}", f"         {them[0].do}")
            continue
        words = ", ".join(each.item.rpartition(".")[2] for each in them)
        yield from (f"NEED     {name}: {counted(len(them), 'item')} ({words})", f"         {why}")
        yield f"         Run: mitbatch certify {name}"


def object_of(
    found: Sequence[Difference],
    production: Sequence[Shown],
    lacking: Sequence[Missing],
    warnings: Sequence[str],
    stands: Mapping[str, Shown],
) -> dict[str, Any]:
    """The same for machines."""
    items = [*stands.values(), *production]
    return {
        "differences": [{"key": each.key, "sandbox": each.sandbox, "production": each.production} for each in found],
        "items": [{"item": each.item, "verdict": each.verdict.value, "seen": each.seen, "change": each.change} for each in items],
        "missing": [{"item": each.item, "title": each.title, "why": each.why, "do": each.do} for each in lacking],
        "warnings": list(warnings),
    }
