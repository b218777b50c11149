"""What the ledger knows of an order id before it is claimed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from batch.ledger.records import Submission
from schemas.ledger_tables import submission
from schemas.states import State


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger knows of an order id: its latest attempt, that attempt's state, and the head of its event chain.

    It is settled when the order row shows how it ended and no hint about it is unanswered; until then the order is not
    claimed again. `was_refused`: the provider refused it, this time or at any attempt before.
    """

    attempt: int
    state: State
    event_seq: int
    event_hash: str
    event_date: str
    is_settled: bool
    was_refused: bool


_LATEST = (
    select(submission.c.order_id, func.max(submission.c.attempt).label("attempt"))
    .where(submission.c.mid == bindparam("mid"), submission.c.order_id.in_(bindparam("order_ids", expanding=True)))
    .group_by(submission.c.order_id)
    .subquery()
)
_EARLIER = submission.alias("earlier")
_REFUSED = (
    select(_EARLIER.c.attempt)
    .where(_EARLIER.c.mid == submission.c.mid, _EARLIER.c.order_id == submission.c.order_id)
    .where(_EARLIER.c.state == State.REJECTED.value)
    .exists()
)
_PAST = (
    select(
        submission.c.order_id,
        submission.c.attempt,
        submission.c.state,
        submission.c.event_seq,
        submission.c.event_hash,
        submission.c.event_date,
        submission.c.next_read_at.is_not(None).label("is_hinted"),
        submission.c.row_version,
        submission.c.written_version,
        _REFUSED.label("was_refused"),
    )
    .join(_LATEST, (submission.c.order_id == _LATEST.c.order_id) & (submission.c.attempt == _LATEST.c.attempt))
    .where(submission.c.mid == bindparam("mid"))
)


def past_of(connection: Connection, mid: str, order_ids: Sequence[str]) -> dict[str, Past]:
    """The latest submission of each of these order ids that the ledger has met before."""
    rows = connection.execute(_PAST, {"mid": mid, "order_ids": order_ids})
    return {
        row.order_id: Past(
            attempt=row.attempt,
            state=State(row.state),
            event_seq=row.event_seq,
            event_hash=row.event_hash,
            event_date=row.event_date,
            is_settled=row.written_version == row.row_version and not row.is_hinted,
            was_refused=bool(row.was_refused),
        )
        for row in rows
    }


def refused_before(connection: Connection, mid: str, claims: Sequence[Submission]) -> set[str]:
    """Of these claims the orders that the provider refused at a claim before: what it has of them may be that one's.

    The provider tells our id and not the claim. So such an order says nothing of the file that it stands in now.
    """
    again = [each.order_id for each in claims if each.attempt > 1]
    return {order_id for order_id, past in past_of(connection, mid, again).items() if past.was_refused} if again else set()
