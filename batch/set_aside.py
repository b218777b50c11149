"""Setting aside what cannot be read or matched: kept, told, and in nobody's way."""

import hashlib

from batch.card_numbers import has_card_number
from batch.equipment import Equipment
from batch.ledger import Run
from batch.ledger.evidence import KnownFile, record_file, store_evidence
from batch.ledger.items import open_item
from batch.sftp_channel import RemoteName
from schemas.reasons import ITEM_TEXTS, ItemKind


def set_aside_name(equipment: Equipment, run: Run, entry: RemoteName, known: dict[str, list[KnownFile]]) -> None:
    """Set aside a name that is not plain, or that is no plain file; it is shown escaped and never asked for.

    One in which a card number stands is known by a digest, and shown to nobody.
    """
    name = entry.name.encode("unicode_escape", "backslashreplace")
    shown = name.decode()[:255]
    if has_card_number(entry.name) or has_card_number(shown):
        shown = f"withheld-{hashlib.sha256(name).hexdigest()[:16]}"
    if shown not in known:
        set_aside(equipment, run, shown, b"", "its name is not plain, or it is not a plain file")


def set_aside(equipment: Equipment, run: Run, name: str, content: bytes, reason: str, *, modified: int | None = None) -> None:
    """Keep a content as evidence, remember that it was set aside, and tell a person why."""
    with equipment.ledger.writing(run) as writing:
        evidence_id = ""
        if content:
            evidence_id = store_evidence(writing, source="file", subject=f"file:{name}", content=content).evidence_id
        record_file(
            writing, name=name, content=content, verdict="set_aside", reason=reason, evidence_id=evidence_id, modified=modified
        )
    tell(equipment, run, name, reason, evidence_id)


def tell(equipment: Equipment, run: Run, name: str, reason: str, evidence_id: str) -> None:
    """Open an item about one outbound file."""
    with equipment.ledger.writing(run) as writing:
        open_item(
            writing,
            ItemKind.QUARANTINE,
            f"file:{name}",
            f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: {reason}",
            due_business_days=equipment.settings.review.due_business_days,
            evidence_id=evidence_id,
        )
