"""The evidence pack as one object: a pure function of what was shown, who attested what, and the packs before it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from batch.card_numbers import has_card_number
from batch.pace import utc_text
from jobs.certify.attestation import Attestation, attest_line, with_attestation
from jobs.certify.compared import Known, changes
from schemas.certification import CHECKLIST, Evidence, Proof, Shown, Verdict
from schemas.errors import ExitCode

SCHEMA = "mitbatch.certification/1"
_ITEMS = {item.id: item for item in CHECKLIST}
_ORDER = {item.id: place for place, item in enumerate(CHECKLIST)}
_DIGESTS = frozenset({"sha256", "chain", "copy"})
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.|[Bb]earer\s+[\w.~+/-]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY")


@dataclass(frozen=True, slots=True)
class Head:
    """What a pack says of its run: `orders_lay` is one sentence, `provider` the address of the API, `asked` ids or groups.

    `started_at` and `ended_at` are by the clock that the run was given, which a pretend provider lets leap; `made_at` and
    `seconds` are by this machine's. `has_mistakes` says that it met internal errors.
    """

    run_id: str
    environment: str
    mid: str
    versions: Mapping[str, str]
    provider: str
    orders_lay: str
    started_at: datetime
    ended_at: datetime
    made_at: datetime
    seconds: float
    asked: tuple[str, ...] = ()
    has_mistakes: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What packs and people left before: the newest verdicts, when the last pack was made, who attested what, the chain's end."""

    known: Mapping[str, Known]
    last: str = ""
    attested: Mapping[str, Attestation] | None = None
    chain: str = ""


def pack(head: Head, shown: Sequence[Shown], past: Past) -> dict[str, Any]:
    """Everything that `certification.json` holds, and from which the page is drawn."""
    attested, items = past.attested or {}, settled(shown, past)
    ran = {each.item for each in items}
    not_run = [item.id for item in CHECKLIST if item.id not in ran and item.proof is not Proof.SETTINGS]
    verdicts = [(each.item, each.verdict) for each in items]
    return {
        "schema": SCHEMA,
        "type": "result",
        "command": "certify",
        "run_id": head.run_id,
        "generated_at": utc_text(head.made_at),
        "environment": head.environment,
        "mid": head.mid[:8],
        "versions": dict(sorted(head.versions.items())),
        "provider": head.provider,
        "orders_lay": head.orders_lay,
        "started_at": utc_text(head.started_at),
        "ended_at": utc_text(head.ended_at),
        "seconds": round(head.seconds, 1),
        "asked": list(head.asked),
        "counts": {verdict.value: sum(each.verdict is verdict for each in items) for verdict in Verdict},
        "items": [_entry(each, attested.get(each.item), past.known.get(each.item)) for each in items],
        "not_run": not_run,
        "compared_with": past.last,
        "changes": [asdict(change) for change in changes(verdicts, past.known)],
        "to_do": [*_to_do(items), *_not_run_yet(not_run)],
        "chain": past.chain,
        "exit_code": int(ExitCode.INTERNAL if head.has_mistakes else exit_code(verdict for _, verdict in verdicts)),
    }


def settled(shown: Sequence[Shown], past: Past) -> list[Shown]:
    """The items in the checklist's order, each with what a person attested."""
    attested = past.attested or {}
    items = [with_attestation(each, attested.get(each.item)) for each in sorted(shown, key=lambda each: _ORDER[each.item])]
    if len({each.item for each in items}) != len(items):
        raise ValueError("an item was shown twice")
    return items


def exit_code(verdicts: Iterable[Verdict]) -> ExitCode:
    """30 where an item failed, 10 where one is open for a person, else 0."""
    found = set(verdicts)
    if Verdict.FAILED in found:
        return ExitCode.REFUSED
    return ExitCode.NEEDS_PERSON if Verdict.OPEN in found else ExitCode.CLEAN


def leaks(value: Any, secrets: Iterable[str] = (), place: str = "", name: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Where in a pack a card number, a token or one of these secrets stands; a pack with one is never written."""
    known = tuple(secret for secret in secrets if secret)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaks(str(key), known, f"{place}.{key}")
            yield from leaks(inner, known, f"{place}.{key}", str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from leaks(inner, known, f"{place}[{number}]", name)
    elif isinstance(value, str) and _is_unfit(value, known, is_digest=name in _DIGESTS):
        yield place.lstrip(".")


def _is_unfit(text: str, secrets: Iterable[str], *, is_digest: bool) -> bool:
    """Whether a text holds what may not be kept; a run of digits in a digest is no card number."""
    if any(secret in text for secret in secrets) or _TOKEN.search(text):
        return True
    return not is_digest and has_card_number(text)


def _entry(shown: Shown, attested: Attestation | None, before: Known | None) -> dict[str, Any]:
    item = _ITEMS[shown.item]
    return {
        "id": item.id,
        "group": item.group,
        "title": item.title,
        "proof": item.proof.value,
        "verdict": shown.verdict.value,
        "before": before.verdict.value if before is not None else "",
        "seen": shown.seen,
        "change": shown.change,
        "at": utc_text(shown.at) if shown.at is not None else "",
        "attested": asdict(attested) if attested is not None and shown.verdict is Verdict.ATTESTED else None,
        "evidence": _evidence(shown.evidence),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "orders": list(evidence.orders),
        "before": dict(evidence.before),
        "after": dict(evidence.after),
        "exchanges": [{**asdict(each), "at": utc_text(each.at)} for each in evidence.exchanges],
        "files": [asdict(each) for each in evidence.files],
    }


def _to_do(settled: Sequence[Shown]) -> Iterator[dict[str, str]]:
    """What failed first, then what is open."""
    for each in sorted(settled, key=lambda each: each.verdict is not Verdict.FAILED):
        item = _ITEMS[each.item]
        if each.verdict is Verdict.OPEN and item.takes_word:
            yield _work(item.id, f"Look at the page, keep a picture of it, and attest: {item.title.lower()}.", attest_line(item))
        elif each.verdict in {Verdict.FAILED, Verdict.OPEN}:
            yield _work(item.id, each.change or each.seen, f"mitbatch certify {item.id}")


def _not_run_yet(ids: Sequence[str]) -> Iterator[dict[str, str]]:
    for group in dict.fromkeys(_ITEMS[each].group for each in ids):
        count = sum(_ITEMS[each].group == group for each in ids)
        yield _work(group, f"{count} of its items were not run this time.", f"mitbatch certify {group}")


def _work(item: str, what: str, command: str) -> dict[str, str]:
    return {"item": item, "what": what, "command": command}
