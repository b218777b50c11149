"""What a person attests: an item that only a page of the merchant can show, with the file that shows it.

The evidence is copied under its SHA-256 before the event is written, so an event never names a file that is not there; a copy
without an event says nothing and harms nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from batch.card_numbers import has_card_number
from batch.disk import Disk
from jobs.by_hand import checked_reason
from jobs.certify.chain import Chain
from schemas.certification import CHECKLIST, ChecklistItem, Proof, Shown, Verdict
from schemas.errors import CertificationChanged, UsageRefused
from schemas.plain_text import one_line

MOST_BYTES = 10_000_000
MOST_NAME = 120
KINDS: Mapping[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "webp": (b"RIFF",),
    "pdf": (b"%PDF-",),
}
"""The kinds of evidence that are taken, and how such a file begins. Nothing that could run in a browser is among them."""


PAGE_WAITS = "That your own page sets it, a person has to see."
"""What an item says that a run has shown, and whose page nobody has attested."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """One event: who attested which item when, and the evidence with its SHA-256. `copy` lies beside the packs."""

    item: str
    by: str
    person: str
    reason: str
    at: str
    name: str
    copy: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that may be taken as evidence, read once."""

    name: str
    kind: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its SHA-256 in hex."""
        return sha256(self.content).hexdigest()

    @property
    def copy(self) -> str:
        """Where its copy lies in the certification folder."""
        return f"evidence/{self.sha256}.{self.kind}"


def checked_item(item: str) -> str:
    """The id, if a person may attest it. Raises UsageRefused for one that must be shown, or that does not exist."""
    found = next((each for each in CHECKLIST if each.id == item), None)
    open_to = ", ".join(each.id for each in CHECKLIST if each.takes_word)
    if found is None:
        raise UsageRefused(f"The checklist has no item {one_line(item)[:80]!r}.", next_step=f"These are attested: {open_to}.")
    if not found.takes_word:
        shown = f"mitbatch certify {item}" if found.proof is Proof.RUN else "mitbatch go-live"
        raise UsageRefused(f"{item} is not attested, it is shown: {found.title}.", next_step=f"Run: {shown}")
    return item


def checked_words(item: str, reason: str) -> str:
    """What is to be seen on the evidence; for an address in the provider's portal, that address. Raises UsageRefused."""
    if not reason and next(each for each in CHECKLIST if each.id == item).proof is Proof.SETTINGS:
        raise UsageRefused(
            f"{item} needs the address that is registered: no call reads the provider's portal.",
            next_step="Add --reason with the address as the portal shows it; go-live compares it with webhook.public_host.",
        )
    return checked_reason(reason) if reason else ""


def checked_by(by: str) -> str:
    """The name of who attests: one short line without a card number. Raises UsageRefused."""
    name = by.strip()
    if not name or len(name) > MOST_NAME or not name.isprintable() or has_card_number(name):
        raise UsageRefused(f"--by is the name of who attests this: one line of at most {MOST_NAME} characters.")
    return name


def evidence_of(path: Path) -> EvidenceFile:
    """A file as evidence: a picture or a PDF by its content as well as by its name, and not too big. Raises UsageRefused."""
    kinds = ", ".join(sorted(KINDS))
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageRefused(f"The evidence {path} cannot be read ({error.strerror}).", next_step="Name another.") from error
    if not content or len(content) > MOST_BYTES:
        raise UsageRefused(f"The evidence {path} must have 1 to {MOST_BYTES:,} bytes.")
    kind = path.suffix.lower().removeprefix(".")
    if not content.startswith(KINDS.get(kind, ())) or (kind == "webp" and content[8:12] != b"WEBP"):
        raise UsageRefused(f"The evidence {path} is no picture or PDF by its name and content.", next_step=f"Taken: {kinds}.")
    if has_card_number(path.name) or not path.name.isprintable():
        raise UsageRefused("The evidence's file name cannot be kept; nothing was written.", next_step="Give it another name.")
    return EvidenceFile(path.name[-MOST_NAME:], kind, content)


def attest(root: Path, disk: Disk, evidence: EvidenceFile, *, at: str, fields: Mapping[str, str]) -> Attestation:
    """Keep the evidence, then the event. Repeating it after a crash writes the same copy, and one event more at most."""
    chain = Chain(root, disk)
    chain.events()  # a chain that is broken takes nothing more
    disk.make_folder(root / "evidence", 0o700)
    path = root / evidence.copy
    if disk.sha256_of(path) != evidence.sha256:
        part = path.with_name(f".{path.name}.new")
        file = disk.create(part, 0o600)
        file.write(evidence.content)
        file.close()
        disk.replace(part, path)
        disk.sync_folder(root / "evidence")
    kept = {"name": evidence.name, "copy": evidence.copy, "size": len(evidence.content), "sha256": evidence.sha256}
    return _attestation(chain.add("attested", at, {**fields, **kept}))


def attestations(root: Path, disk: Disk, events: Sequence[Mapping[str, Any]], mid: str) -> dict[str, Attestation]:
    """The newest attestation of each item for this account, its evidence looked at again. Raises CertificationChanged."""
    found: dict[str, Attestation] = {}
    for event in events:
        if event["kind"] == "attested" and event["mid"] == mid[:8]:
            found[event["item"]] = _attestation(event)
    for each in found.values():
        if disk.sha256_of(root / each.copy) != each.sha256:
            raise CertificationChanged(f"The evidence {root / each.copy} of {each.item} is gone or not as it was attested.")
    return found


def with_attestation(shown: Shown, attested: Attestation | None) -> Shown:
    """An item with what a person attested: `open` becomes `attested`. An item that is attested is never called passed.

    One that a run shows as well stays failed or unreached where the run says so, and is open until a person has attested it.
    """
    item = next(each for each in CHECKLIST if each.id == shown.item)
    if not item.takes_word:
        return replace(shown, verdict=Verdict.OPEN) if shown.verdict is Verdict.ATTESTED else shown
    if shown.verdict in {Verdict.FAILED, Verdict.NOT_APPLICABLE}:
        return shown
    ran = shown.seen.removesuffix(PAGE_WAITS).rstrip() if item.needs_word else ""
    if attested is None:
        seen = f"{ran} {PAGE_WAITS}" if item.needs_word else shown.seen
        return replace(shown, verdict=Verdict.OPEN, seen=seen, change=attest_line(item) if item.needs_word else shown.change)
    words = f"{attested.by} attested it on {attested.at[:10]} with {attested.name}."
    return replace(shown, verdict=Verdict.ATTESTED, seen=f"{ran} {words}".strip(), change="")


def attest_line(item: ChecklistItem) -> str:
    """The command with which a person attests an item."""
    return f"mitbatch certify attest {item.id} --evidence FILE --by NAME"


def _attestation(event: Mapping[str, Any]) -> Attestation:
    return Attestation(**{name: event[name] for name in Attestation.__slots__})
