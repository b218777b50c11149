"""Acknowledgements of one file, applied to a real ledger without any folder that they came from."""

from batch.acknowledged_rows import apply_rows
from batch.responses import AcknowledgedRow, Acknowledgement
from schemas.states import State
from tests.ledger.room import MID, Room
from tests.table.desk import Desk

ONE = "b00000000001"


def answer(*rows: AcknowledgedRow) -> Acknowledgement:
    """An acknowledgement of the first file."""
    return Acknowledgement(f"{ONE}.json", MID, accepted=True, error_text="", rows=rows, odd_rows=0)


def row(order_id: str, provider_id: str = "", *, number: str = "", word: str = "SUBMITTED", error: str = "") -> AcknowledgedRow:
    """A row that accepts an order under an id, or refuses it."""
    return AcknowledgedRow(number, order_id, bool(provider_id), provider_id, word, error)


def sent(desk: Desk, *order_ids: str) -> None:
    """A file whose orders are being sent, each with its line."""
    desk.held(ONE, *order_ids)
    desk.move(State.SENDING, *order_ids)


def acknowledge(desk: Desk, *rows: AcknowledgedRow) -> list[tuple[str, str]]:
    """Apply the answer's rows; returns the items that are open then."""
    with desk.room.ledger.writing(desk.room.run) as writing:
        apply_rows(writing, desk.equipment, desk.batch(ONE), answer(*rows), "e" * 32)
    return items(desk.room)


def items(room: Room) -> list[tuple[str, str]]:
    """Kind and subject of every open item."""
    return [(str(kind), str(subject)) for kind, subject in room.sql("SELECT kind, subject FROM item ORDER BY subject, kind")]
