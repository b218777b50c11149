"""Which claims hold rows of the order system, and by which references: every night compares all of them with the rows."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from batch.ledger.records import Submission
from schemas.ledger_tables import among, submission
from schemas.states import OPEN, State

_MINE = submission.c.mid == bindparam("mid")
_WITH_KEYS = (_MINE, submission.c.idempotency_key.in_(bindparam("keys", expanding=True)))
_HELD = (
    select(submission.c.order_id, submission.c.hold_reference)
    .where(_MINE, submission.c.order_id > bindparam("after"))
    .where(among(submission.c.state, [state for state in OPEN if state is not State.CLAIMED]))
    .order_by(submission.c.order_id)
    .limit(bindparam("limit"))
)
_STATES = select(submission.c.hold_reference, submission.c.state).where(*_WITH_KEYS)
_CLAIMS = select(*(submission.c[name] for name in Submission._fields)).where(*_WITH_KEYS)


def held_references(connection: Connection, mid: str, *, after: str, limit: int) -> list[tuple[str, str]]:
    """Order id and hold of each order whose row should bear it, by order id; those only claimed are still to be held."""
    rows = connection.execute(_HELD, {"mid": mid, "after": after, "limit": limit})
    return [(order_id, reference) for order_id, reference in rows.all()]


def states_by_reference(connection: Connection, mid: str, references: Sequence[str]) -> dict[str, State]:
    """How the claims stand that these holds were placed for; a hold that no claim knows has no entry."""
    rows = connection.execute(_STATES, {"mid": mid, "keys": _keys(references)})
    return {reference: State(state) for reference, state in rows.all()}


def claims_with_references(connection: Connection, mid: str, references: Sequence[str]) -> list[Submission]:
    """The claims that these holds were placed for, in this order."""
    if not references:
        return []
    rows = connection.execute(_CLAIMS, {"mid": mid, "keys": _keys(references)}).all()
    found = {row.hold_reference: Submission.of(row) for row in rows}
    return [found[reference] for reference in references if reference in found]


def _keys(references: Sequence[str]) -> list[str]:
    return [reference.partition(":")[2] for reference in references]
