"""Everything that the ledger knows of one order, whatever table it stands in: for the page that tells its story."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, Select, bindparam, func, or_, select

from batch.ledger.decisions import decisions_of
from batch.ledger.reading import attempts_of
from batch.ledger.records import Submission
from schemas.ledger_tables import batch, event, evidence, item, mention, operation, remote_file, transmission
from schemas.reasons import ABOUT_ORDERS

Row = dict[str, Any]

_ORDER: BindParameter[str] = bindparam("order_id")
_EVENTS = select(event).where(event.c.mid == bindparam("mid"), event.c.subject.in_(bindparam("subjects", expanding=True)))
_BATCHES = select(batch).where(batch.c.mid == bindparam("mid"), batch.c.batch_id.in_(bindparam("batch_ids", expanding=True)))
_OPERATIONS = select(operation).where(operation.c.mid == bindparam("mid"), operation.c.order_id == _ORDER)
_COPIES = select(transmission).where(transmission.c.mid == bindparam("mid"), transmission.c.order_id == _ORDER)
_ITEMS = select(item).where(item.c.mid == bindparam("mid"), item.c.subject.in_(bindparam("subjects", expanding=True)))
_NAMED_IN = select(mention.c.evidence_id).where(mention.c.mid == bindparam("mid"), mention.c.order_id == _ORDER)
_EVIDENCE = select(
    evidence.c.evidence_id,
    evidence.c.source,
    evidence.c.subject,
    evidence.c.received_at,
    evidence.c.content_hash,
    func.length(evidence.c.content).label("size"),
).where(
    evidence.c.mid == bindparam("mid"),
    or_(
        evidence.c.subject.in_(bindparam("subjects", expanding=True)),
        evidence.c.evidence_id.in_(bindparam("evidence_ids", expanding=True)),
        evidence.c.evidence_id.in_(_NAMED_IN),
    ),
)
_FILES = select(remote_file.c.evidence_id, remote_file.c.name, remote_file.c.seen_at).where(
    remote_file.c.mid == bindparam("mid"), remote_file.c.evidence_id.in_(bindparam("evidence_ids", expanding=True))
)


_HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


def is_forgotten(heard: Row) -> bool:
    """Whether what was said was emptied since: nothing is there, and its hash is another than nothing's."""
    return not heard["size"] and heard["content_hash"] != _HASH_OF_NOTHING


@dataclass(frozen=True, slots=True)
class OrderStory:
    """What is kept of one order. Each list is as the ledger has it; `file_names` are the provider's files by evidence id."""

    order_id: str
    attempts: list[Submission]
    decisions: list[Row]
    events: list[Row]
    batches: dict[str, Row]
    evidence: list[Row]
    file_names: dict[str, str]
    items: list[Row]
    operations: list[Row]
    copies: list[Row]

    @property
    def is_known(self) -> bool:
        """Whether the ledger has heard of the order at all."""
        return bool(self.attempts or self.decisions or self.copies)


def story_of(connection: Connection, mid: str, order_id: str) -> OrderStory:
    """Everything about one order. An order that nobody knows has a story without a word."""
    about = {"mid": mid, "order_id": order_id}
    attempts = attempts_of(connection, mid, order_id)
    operations = _all(connection, _OPERATIONS.order_by(operation.c.asked_at), about)
    copies = _all(connection, _COPIES, about)
    batch_ids = sorted({each.batch_id for each in attempts} | {row["batch_id"] for row in copies})
    own = [f"order:{order_id}", *(f"operation:{row['operation_id']}" for row in operations)]
    files = [f"batch:{batch_id}" for batch_id in batch_ids]
    events = _all(connection, _EVENTS, {"mid": mid, "subjects": [*own, *files]})
    proofs = sorted({row["evidence_id"] for row in [*events, *operations] if row["evidence_id"]})
    told = {"subjects": [*own, *files], "evidence_ids": proofs, **about}
    found = _all(connection, _EVIDENCE, told)
    names = _all(connection, _FILES, {"mid": mid, "evidence_ids": [row["evidence_id"] for row in found]})
    return OrderStory(
        order_id=order_id,
        attempts=attempts,
        decisions=decisions_of(connection, mid, order_id),
        events=events,
        batches={row["batch_id"]: row for row in _all(connection, _BATCHES, {"mid": mid, "batch_ids": batch_ids})},
        evidence=found,
        file_names={row["evidence_id"]: row["name"] for row in sorted(names, key=lambda row: row["seen_at"], reverse=True)},
        items=_all(
            connection, _ITEMS, {"mid": mid, "subjects": [*own, *files, *(f"{kind}:{order_id}" for kind in ABOUT_ORDERS)]}
        ),
        operations=operations,
        copies=copies,
    )


def _all(connection: Connection, statement: Select[Any], values: Mapping[str, object]) -> list[Row]:
    rows: list[RowMapping] = list(connection.execute(statement, values).mappings())
    return [dict(row) for row in rows]
