"""What stands between a merchant and production: every required item that is not shown, each with what to do. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.certify.attestation import Attestation, attest_line, with_attestation
from jobs.certify.compared import Known
from schemas.certification import CHECKLIST, ChecklistItem, Proof, Shown, Verdict
from schemas.settings import Settings

OF_EVERYBODY = ("refund", "feature")
"""Groups that are required whatever production uses; of the others those that it uses."""
_GOOD = {Verdict.PASSED, Verdict.ATTESTED}


@dataclass(frozen=True, slots=True)
class Missing:
    """One item that is not shown: why, and what to do."""

    item: str
    title: str
    why: str
    do: str


def standing(known: Mapping[str, Known], attested: Mapping[str, Attestation], version: str) -> dict[str, Shown]:
    """How each item stands now: its newest verdict by this version, with what people attested since. Never run: not there."""
    found = {}
    for item in CHECKLIST:
        last = known.get(item.id)
        if last is not None and last.version == version:
            found[item.id] = with_attestation(Shown(item.id, last.verdict, last.seen, last.change), attested.get(item.id))
        elif item.proof is Proof.ATTESTATION and item.id in attested:
            found[item.id] = with_attestation(Shown(item.id, Verdict.OPEN, ""), attested[item.id])
    return found


def missing(
    stands: Mapping[str, Shown], production: Sequence[Shown], known: Mapping[str, Known], settings: Settings
) -> list[Missing]:
    """Every required item that is not shown; `settings` are production's and say which groups are required."""
    needed, found = required(stands, settings), list[Missing]()
    for item in CHECKLIST:
        here = stands.get(item.id)
        if item.group not in needed or (here is not None and here.verdict in _GOOD):
            continue
        found.append(_missing(item, here, known.get(item.id), has_account=not _is_without(item.group, stands)))
    titles = {item.id: item.title for item in CHECKLIST}
    wrong = [each for each in production if each.verdict not in _GOOD | {Verdict.NOT_APPLICABLE}]
    return [*found, *(Missing(each.item, titles[each.item], each.seen, each.change) for each in wrong)]


def required(stands: Mapping[str, Shown], settings: Settings) -> set[str]:
    """The groups that must be shown: those of everybody, and one whole of each tuple that production uses.

    Where none of a tuple is whole, those that have an account are required; where none has one, all of them.
    """
    found = set(OF_EVERYBODY)
    for groups in uses(settings):
        whole = {group for group in groups if _is_whole(group, stands)}
        found |= whole or {group for group in groups if not _is_without(group, stands)} or set(groups)
    return found


def uses(settings: Settings) -> Iterator[tuple[str, ...]]:
    """The groups that production uses: of each tuple one must be shown whole."""
    if settings.switches.mit:
        yield ("mit.sftp",) if settings.channels.evaluate == "sftp" else ("mit.api",)
    if settings.switches.cit_website or settings.switches.cit_call_center:
        yield ("cit.standard", "cit.advanced")


def not_required(stands: Mapping[str, Shown], settings: Settings) -> list[str]:
    """A sentence for each group that is not shown whole and not required, because production does not use it now."""
    needed = required(stands, settings)
    left = {item.group: None for item in CHECKLIST if item.proof is not Proof.SETTINGS and item.group not in needed}
    told = "{} is not shown whole, and not required: production does not use it now. Certify it before you switch it on."
    return [told.format(group) for group in left if not _is_whole(group, stands) and not _is_without(group, stands)]


def _is_whole(group: str, stands: Mapping[str, Shown]) -> bool:
    items = [item.id for item in CHECKLIST if item.group == group]
    return all(item in stands and stands[item].verdict in _GOOD for item in items)


def _is_without(group: str, stands: Mapping[str, Shown]) -> bool:
    items = [item.id for item in CHECKLIST if item.group == group]
    return all(item in stands and stands[item].verdict is Verdict.NOT_APPLICABLE for item in items)


def _missing(item: ChecklistItem, here: Shown | None, last: Known | None, *, has_account: bool) -> Missing:
    run = f"Run: mitbatch certify {item.id}"
    waits = here.verdict is Verdict.OPEN if here is not None else item.proof is Proof.ATTESTATION
    if item.takes_word and waits:
        return Missing(item.id, item.title, "Nobody has attested it.", f"Run: {attest_line(item)}")
    if here is None:
        why = "It was never run." if last is None else f"It was last run by mitbatch {last.version or 'of another version'}."
        return Missing(item.id, item.title, why, run)
    if here.verdict is Verdict.NOT_APPLICABLE and not has_account:
        why = f"It has no account in the sandbox, and production needs it. {here.seen}".strip()
        return Missing(item.id, item.title, why, f"Add the account under [certify], then run: mitbatch certify {item.group}")
    return Missing(
        item.id, item.title, f"{here.verdict.value.capitalize().replace('_', ' ')}: {here.seen}", f"{here.change} {run}".strip()
    )
