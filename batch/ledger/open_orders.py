"""A page of open orders in one state, in the order of an index: the cost of a page follows the page."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from batch.ledger.records import Submission
from schemas.ledger_tables import submission

_OF_STATE = (
    select(*(submission.c[name] for name in Submission._fields))
    .where(submission.c.mid == bindparam("mid"), submission.c.state == bindparam("state"))
    .order_by(submission.c.next_read_at, submission.c.order_id, submission.c.attempt)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_OF_SITE = _OF_STATE.where(submission.c.site == bindparam("site"))


def page_of_orders(connection: Connection, mid: str, state: str, site: str, *, offset: int, limit: int) -> Sequence[Submission]:
    """So many orders that are in this state (of one site, where one is named), those first that are asked about first."""
    values = {"mid": mid, "state": state, "offset": offset, "limit": limit, **({"site": site} if site else {})}
    rows = connection.execute(_OF_SITE if site else _OF_STATE, values)
    return [Submission.of(row) for row in rows.all()]
