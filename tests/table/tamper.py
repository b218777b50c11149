"""Ten thousand ways to change history: each edit of a real ledger's events below the anchored heads must be found (I19)."""

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from batch.ledger.moves import Move, move_orders
from batch.ledger.steps import move_batch
from batch.ledger_history import LedgerHistory
from schemas.states import BatchStep, State
from tests.ledger.room import MID, Room
from tests.long.campaign import Campaign
from tests.table.chain import COLUMNS, FIRST, SEALED, EventRow, faults, seal

DAYS = ("2026-11-23", "2026-11-24", "2026-11-25")
IDS = ("000471", "471", "\u00e9-1", "e\u0301-1", "1E10", "=1+1", "o/\U0001f600", "ORDER", "order", "a b")
_ENDS = (State.COMPLETED, State.DECLINED, State.EXPIRED)


@dataclass(frozen=True)
class History:
    """A real ledger's events, oldest first in each chain, and the digest of each day, as its manifest keeps it."""

    rows: tuple[EventRow, ...]
    anchors: dict[str, str]


def real_history(folder: Path) -> History:
    """Three days of a ledger with ten orders: held, sent, answered, one withdrawn and claimed again."""
    room = Room(folder / "ledger" / "ledger.db")
    first = room.run
    batch = room.claim("b00000000001", *IDS)
    _move(room, IDS[1:], State.HELD)
    _move(room, IDS[:1], State.WITHDRAWN)
    _move(room, IDS[1:], State.SENDING)
    for step in (BatchStep.SENDING, BatchStep.PART_VERIFIED, BatchStep.DELIVERED, BatchStep.ACKNOWLEDGED):
        with room.ledger.writing(room.run) as writing:
            batch = move_batch(writing, batch, step, reason="it went on")
    room.run = replace(first, business_date=DAYS[1])
    room.claim("b00000000002", IDS[0])
    _move(room, IDS[1:], State.PENDING)
    room.run = replace(first, business_date=DAYS[2])
    for number, order_id in enumerate(IDS[1:]):
        _move(room, (order_id,), _ENDS[number % len(_ENDS)])
    with LedgerHistory(room.ledger.reading, MID).reading() as reader:
        anchors = {day: reader.heads(day).digest for day in DAYS}
    room.close()
    return History(tuple(events_in(folder / "ledger" / "ledger.db")), anchors)


def events_in(path: Path) -> list[EventRow]:
    """The events of a ledger file, straight from its table."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM event ORDER BY subject, seq")
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _move(room: Room, order_ids: tuple[str, ...], to: State) -> None:
    moves = [Move(room.submission(each), to, "poll", f"told: {each}", "e" * 32, detail={"said": each}) for each in order_ids]
    with room.ledger.writing(room.run) as writing:
        move_orders(writing, moves)


def tampered(history: History, seed: int) -> tuple[str, list[EventRow]]:
    """The history with one change that this seed decides, and what was done, for a sentence."""
    dice = random.Random(seed)  # noqa: S311 - chosen edits, not secrets
    while True:
        rows = [dict(row) for row in history.rows]
        kind = dice.choice(KINDS)
        kind(rows, dice)
        if rows != list(history.rows):
            return kind.__name__.strip("_"), rows


def _edit(rows: list[EventRow], dice: random.Random) -> None:
    """Change one column of one event and nothing else."""
    row, name = dice.choice(rows), dice.choice(COLUMNS)
    row[name] = _other(row[name], dice, rows, name)


def _edit_and_seal(rows: list[EventRow], dice: random.Random) -> None:
    """Change one column and forge every later seal of the chain."""
    row, name = dice.choice(rows), dice.choice(tuple(name for name in SEALED if name not in ("seq", "subject")))
    row[name] = _other(row[name], dice, rows, name)
    _forge(rows, row["subject"])


def _rename(rows: list[EventRow], dice: random.Random) -> None:
    """Give a whole chain to another subject and forge its seals."""
    subject = dice.choice(rows)["subject"]
    for row in rows:
        if row["subject"] == subject:
            row["subject"] = f"{subject}2"
    _forge(rows, f"{subject}2")


def _delete(rows: list[EventRow], dice: random.Random) -> None:
    """Take one event away and leave the gap."""
    rows.remove(dice.choice(rows))


def _delete_and_close(rows: list[EventRow], dice: random.Random) -> None:
    """Take one event away, number the rest anew and forge their seals."""
    gone = dice.choice(rows)
    rows.remove(gone)
    _forge(rows, gone["subject"])


def _cut(rows: list[EventRow], dice: random.Random) -> None:
    """Cut the last events of a chain off, or all of it: what is left is a whole chain."""
    subject = dice.choice(rows)["subject"]
    chain = [row for row in rows if row["subject"] == subject]
    for row in chain[-dice.randint(1, len(chain)) :]:
        rows.remove(row)


def _insert(rows: list[EventRow], dice: random.Random) -> None:
    """Put a forged event anywhere into a chain, or at its end, and forge what follows."""
    model = dice.choice(rows)
    chain = [row for row in rows if row["subject"] == model["subject"]]
    place = dice.randint(0, len(chain))
    neighbour = chain[min(place, len(chain) - 1)]
    rows.insert(rows.index(neighbour) + (place == len(chain)), {**model, "business_date": neighbour["business_date"]})
    _forge(rows, model["subject"])


def _invent(rows: list[EventRow], dice: random.Random) -> None:
    """Add a whole chain, sealed as it should be, about an order that never was."""
    subject = f"order:invented-{dice.randrange(100)}"
    model = dice.choice(rows)
    rows.append({**model, "subject": subject, "seq": 1})
    _forge(rows, subject)


def _repeat(rows: list[EventRow], dice: random.Random) -> None:
    """Write an event a second time, as it is, at the end of its chain."""
    row = dice.choice(rows)
    rows.append({**row, "seq": 1 + max(int(each["seq"] or 0) for each in rows if each["subject"] == row["subject"])})


def _swap(rows: list[EventRow], dice: random.Random) -> None:
    """Let two events change places, in one chain or between two, numbers and subjects staying where they were."""
    one, other = dice.sample(rows, 2)
    for name in COLUMNS:
        if name not in ("subject", "seq"):
            one[name], other[name] = other[name], one[name]


def _swap_and_seal(rows: list[EventRow], dice: random.Random) -> None:
    """The same, and forge the seals of both chains."""
    _swap(rows, dice)
    for subject in {row["subject"] for row in rows}:
        _forge(rows, subject)


KINDS: tuple[Callable[[list[EventRow], random.Random], None], ...] = (
    _edit,
    _edit_and_seal,
    _rename,
    _delete,
    _delete_and_close,
    _cut,
    _insert,
    _invent,
    _repeat,
    _swap,
    _swap_and_seal,
)


def _forge(rows: list[EventRow], subject: object) -> None:
    before = FIRST
    for number, row in enumerate((row for row in rows if row["subject"] == subject), start=1):
        row["seq"], row["previous_hash"] = number, before
        row["hash"] = before = seal(row)


def _other(value: str | int | None, dice: random.Random, rows: list[EventRow], name: str) -> str | int | None:
    """Another value for a column: a letter changed, added or lost, nothing, or what stands there in another event."""
    if isinstance(value, int):
        return value + dice.choice((-1, 1, 10))
    text = value or ""
    place = dice.randrange(len(text) + 1)
    letter = chr(dice.choice((32, 48, 65, 97, 0xE9, 0x1F600)))
    return dice.choice(
        (
            None,
            "",
            text[:place] + letter + text[place:],
            text[:place] + letter + text[place + 1 :],
            text[:-1],
            dice.choice(rows)[name],
        )
    )


def campaign(size: int, seed: int) -> Campaign:
    """Change a real ledger's history `size` times, each time afresh; every change must be found."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        history = real_history(Path(folder))
    figures, violations = {"tampered histories": size}, []
    if problems := faults(list(history.rows), history.anchors):
        violations.append(f"the ledger as it is does not verify: {problems[:3]}")
    for number in range(size):
        kind, rows = tampered(history, seed + number)
        figures[kind] = figures.get(kind, 0) + 1
        if not faults(rows, history.anchors):
            violations.append(f"{kind} is not found: tests.table.tamper.tampered(history, {seed + number})")
    return Campaign("I19", "tampering with the event chain", figures, tuple(violations), time.monotonic() - started)
