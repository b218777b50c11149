"""Copies of good charges in the ledger: claimed once ever, and what the provider said about each (CONTRACT 5)."""

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import ColumnElement, Connection, Text, and_, bindparam, case, cast, func, insert, literal, select, update

from batch.ledger.claim import NewBatch, insert_batch
from batch.ledger.records import Batch, Transmission
from batch.ledger.transaction import Writing
from schemas.ledger_tables import transmission
from schemas.order import Order
from schemas.states import COPY_TOO_OLD, DAY_END_MARK


def keeping_day_end() -> dict[str, ColumnElement[str]]:
    """What every change of a copy writes as well: how it stood when its day ended, if that day is over. `v_booked` is today."""
    cells = (
        cast(transmission.c.sequence_number, Text),
        *(transmission.c[name] for name in ("result", "transmit_id", "error_text")),
    )
    first, *rest = (func.coalesce(cell, "") for cell in cells)
    joined: ColumnElement[str] = first
    for cell in rest:
        joined = joined.concat(literal(DAY_END_MARK)).concat(cell)
    is_over = and_(transmission.c.day_end.is_(None), transmission.c.business_date < bindparam("v_booked"))
    return {"day_end": case((is_over, joined), else_=transmission.c.day_end)}


_ANSWERED = (
    update(transmission)
    .where(transmission.c.mid == bindparam("w_mid"), transmission.c.order_id == bindparam("w_order_id"))
    .values({name: bindparam(f"v_{name}") for name in ("result", "transmit_id", "error_text")} | keeping_day_end())
)
_NUMBERED = (
    update(transmission)
    .where(transmission.c.mid == bindparam("w_mid"), transmission.c.order_id == bindparam("w_order_id"))
    .values({"sequence_number": bindparam("v_number")} | keeping_day_end())
)


def claim_transmissions(writing: Writing, new: NewBatch, orders: Sequence[tuple[Order, Mapping[str, object]]]) -> Batch:
    """Claim good charges for one transmit file, each once ever. Raises TransitionLost as `claim_batch` does."""
    batch = insert_batch(writing, new, len(orders))
    rows = [
        {
            "mid": writing.mid,
            "order_id": order.order_id,
            "batch_id": new.batch_id,
            "sequence_number": number,
            "site": order.site,
            "currency": order.currency,
            "amount_minor": order.amount_minor,
            "charged_at": order.charged_at,
            "business_date": writing.run.business_date,
            "record_json": orjson.dumps(record).decode(),
        }
        for number, (order, record) in enumerate(orders, start=1)
    ]
    writing.connection.execute(insert(transmission), rows)
    return batch


def unsent_copies(connection: Connection, mid: str, batch_id: str) -> list[tuple[str, str]]:
    """The copies of a batch of which nothing was heard and no call was begun: order id and when it was charged (UTC text)."""
    rows = connection.execute(
        select(transmission.c.order_id, transmission.c.charged_at)
        .where(transmission.c.mid == mid, transmission.c.batch_id == batch_id, transmission.c.result.is_(None))
        .order_by(transmission.c.sequence_number)
    )
    return [(row.order_id, row.charged_at) for row in rows]


_SITES = (
    select(transmission.c.site)
    .where(transmission.c.mid == bindparam("mid"), transmission.c.batch_id == bindparam("batch_id"))
    .where(transmission.c.result.is_(None))
    .distinct()
)


def sites_of_copies(connection: Connection, mid: str, batch_id: str) -> list[str]:
    """The sites of those copies of a batch of which nothing was heard and no call was begun."""
    return list(connection.execute(_SITES, {"mid": mid, "batch_id": batch_id}).scalars())


def leave_out_copies(writing: Writing, order_ids: Sequence[str], why: str) -> None:
    """Take these copies out of their batch: they have no place in it any more, and are never sent."""
    if order_ids:
        writing.connection.execute(
            update(transmission)
            .where(transmission.c.mid == writing.mid, transmission.c.order_id.in_(order_ids), transmission.c.result.is_(None))
            .values({"result": COPY_TOO_OLD, "error_text": why, "sequence_number": 0} | keeping_day_end()),
            {"v_booked": writing.run.business_date},
        )


def renumber_copies(writing: Writing, batch_id: str) -> None:
    """Number the copies that a file still has from 1, in their order (CONTRACT 6.1)."""
    numbered = enumerate(transmissions_of_batch(writing.connection, writing.mid, batch_id), start=1)
    for number, copy in numbered:
        if copy.sequence_number != number:
            values = {"w_mid": writing.mid, "w_order_id": copy.order_id, "v_number": number}
            writing.connection.execute(_NUMBERED, {**values, "v_booked": writing.run.business_date})


def transmitted_before(connection: Connection, mid: str, order_ids: Sequence[str]) -> set[str]:
    """Which of these orders a copy was claimed for before: each gets one, ever."""
    query = select(transmission.c.order_id).where(transmission.c.mid == mid, transmission.c.order_id.in_(order_ids))
    return set(connection.execute(query).scalars())


def transmissions_of_batch(connection: Connection, mid: str, batch_id: str) -> list[Transmission]:
    """The good charges of a transmit file, in file order, without those that were taken out of it."""
    rows = connection.execute(
        select(transmission.c.order_id, transmission.c.batch_id, transmission.c.sequence_number, transmission.c.result)
        .where(transmission.c.mid == mid, transmission.c.batch_id == batch_id, transmission.c.sequence_number > 0)
        .order_by(transmission.c.sequence_number)
    )
    return [Transmission(row.order_id, row.batch_id, row.sequence_number, row.result or "") for row in rows]


def record_copy_answer(writing: Writing, order_id: str, *, result: str, transmit_id: str = "", error_text: str = "") -> None:
    """Write down what the provider said about one copy: `success` with its id, or `failed` with its words."""
    said = {"v_result": result, "v_transmit_id": transmit_id or None, "v_error_text": error_text or None}
    values = {"w_mid": writing.mid, "w_order_id": order_id, "v_booked": writing.run.business_date, **said}
    writing.connection.execute(_ANSWERED, values)


def refuse_copies(writing: Writing, batch: Batch, why: str) -> None:
    """Write down that the provider refused a whole transmit file."""
    writing.connection.execute(
        update(transmission)
        .where(transmission.c.mid == writing.mid, transmission.c.batch_id == batch.batch_id, transmission.c.sequence_number > 0)
        .values({"result": "failed", "error_text": why} | keeping_day_end()),
        {"v_booked": writing.run.business_date},
    )
