"""What was sent, as the ledger keeps it, and what is left of it when nobody may need the rest any more."""

import orjson
from sqlalchemy import Update, and_, bindparam, func, select, update

from batch.ledger.records import Batch
from batch.ledger.transaction import Writing
from schemas.ledger_tables import among, submission, transmission
from schemas.states import TERMINAL

_OF_BATCH = and_(submission.c.mid == bindparam("mid"), submission.c.batch_id == bindparam("batch_id"))
_IS_OVER = and_(among(submission.c.state, TERMINAL), submission.c.event_date <= bindparam("before"))
_WHOLE = '"timestampUtc"'
"""Stands in every record that was sent, and in none that was cut down."""

_OVER = select(submission.c.order_id, submission.c.attempt, submission.c.record_json).where(
    _OF_BATCH, _IS_OVER, submission.c.record_json.contains(_WHOLE)
)
_NOT_OVER = select(func.count()).select_from(submission).where(_OF_BATCH, ~_IS_OVER)
_COPIES = select(transmission.c.order_id, transmission.c.record_json).where(
    transmission.c.mid == bindparam("mid"),
    transmission.c.batch_id == bindparam("batch_id"),
    transmission.c.record_json.contains(_WHOLE),
)
_SHORTEN = (
    update(submission)
    .where(submission.c.mid == bindparam("w_mid"), submission.c.order_id == bindparam("w_order_id"))
    .where(submission.c.attempt == bindparam("w_attempt"))
    .values(record_json=bindparam("v_record"))
)
_SHORTEN_COPY = (
    update(transmission)
    .where(transmission.c.mid == bindparam("w_mid"), transmission.c.order_id == bindparam("w_order_id"))
    .values(record_json=bindparam("v_record"))
)


def remains(record_json: str) -> str:
    """What stays of a wire record: which order, how much, in which currency. No person, no card and no token is in it."""
    record = orjson.loads(record_json)
    money = record.get("transaction", {})
    kept = {name: money[name] for name in ("amount", "currency") if name in money}
    return orjson.dumps({"orderId": record.get("orderId"), "transaction": kept}).decode()


def shorten_records(writing: Writing, batch: Batch, *, before: str) -> int:
    """Cut the records of a batch's orders that ended on that date (YYYY-MM-DD) or sooner down to what remains.

    Returns how many orders are left whose story is not over for so long. No event is written: nothing has happened to an order.
    """
    values = {"mid": writing.mid, "batch_id": batch.batch_id, "before": before}
    if batch.kind == "transmit":
        copies = writing.connection.execute(_COPIES, values).all()
        changed = [_change(writing.mid, row.order_id, row.record_json) for row in copies]
        _carry_out(writing, _SHORTEN_COPY, changed)
        return 0
    over = writing.connection.execute(_OVER, values).all()
    changed = [{**_change(writing.mid, row.order_id, row.record_json), "w_attempt": row.attempt} for row in over]
    _carry_out(writing, _SHORTEN, changed)
    return int(writing.connection.execute(_NOT_OVER, values).scalar_one())


def _change(mid: str, order_id: str, record_json: str) -> dict[str, object]:
    return {"w_mid": mid, "w_order_id": order_id, "v_record": remains(record_json)}


def _carry_out(writing: Writing, statement: Update, changed: list[dict[str, object]]) -> None:
    if changed:
        writing.connection.execute(statement, changed)
