"""Which orders of ours a piece of evidence names, so that an order's story shows all that was told of it."""

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, insert, select

from batch.ledger.transaction import Writing
from schemas.ledger_tables import mention

_MENTIONED = select(mention.c.order_id, mention.c.evidence_id).where(
    mention.c.mid == bindparam("mid"),
    mention.c.order_id.in_(bindparam("order_ids", expanding=True)),
    mention.c.evidence_id.in_(bindparam("evidence_ids", expanding=True)),
)
_NEW = insert(mention)
_NAMES_AT_A_TIME = 500


def note_mentions(writing: Writing, named: Mapping[str, Iterable[str]]) -> None:
    """Remember which orders of ours each piece of evidence names (order ids by evidence id), for whoever reads their story."""
    pairs = sorted({(order_id, evidence_id) for evidence_id, order_ids in named.items() for order_id in order_ids})
    for start in range(0, len(pairs), _NAMES_AT_A_TIME):
        some = pairs[start : start + _NAMES_AT_A_TIME]
        about = {"order_ids": sorted({order_id for order_id, _ in some}), "evidence_ids": sorted({each for _, each in some})}
        known = {tuple(row) for row in writing.connection.execute(_MENTIONED, {"mid": writing.mid, **about})}
        rows = [{"mid": writing.mid, "order_id": pair[0], "evidence_id": pair[1]} for pair in some if pair not in known]
        if rows:
            writing.connection.execute(_NEW, rows)
