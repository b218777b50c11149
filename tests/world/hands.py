"""People who decide: `review resolve` in a world, by somebody who knows the truth, or who insists against what is shown.

Whoever is honest says only what the provider's support, who see the journal, would confirm. Whoever insists says the
contrary of what the provider shows to everybody that asks, and only while it can be asked: every such decision must be
refused.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from batch.review import Decision
from schemas.resolutions import OF_FILES, OF_REQUESTS, Resolution
from tests.world.dice import dice
from tests.world.oracle_payloads import payload_of
from tests.world.witness import rows as rows_found
from tests.world.world import Ended, World

if TYPE_CHECKING:
    from tests.world.story import Story

Row = dict[str, Any]
JOBS = ("resolve", "insist")
HONEST, INSISTING = "grace@desk", "eve@desk"
"""Who decides; the ledger keeps the name with the decision."""

REASON = "as the provider's support says"
AS_SHOWN = (Resolution.PROVIDER_IS_RIGHT, Resolution.OTHER_AMOUNT_ACCEPTED)
_OPEN_STEPS = ("in_doubt", "delivered")
_MAYBE_RENAMED = ("part_verified", "in_doubt")


@dataclass(frozen=True)
class Decided:
    """One decision of somebody honest: about what, how, about which orders, and how many sends the world had seen by then.

    `file_name` is that of the file which it is about, if any. `is_recorded`: when whoever decided had ended, the ledger kept
    that it is to be sent, or called, once more; an older ledger that is put in its place later does not unsay that.
    """

    about: str
    resolution: Resolution
    order_ids: tuple[str, ...]
    sends: int
    file_name: str = ""
    is_recorded: bool = False


@dataclass(frozen=True)
class _Books:
    """What the person sees: items, orders, files and requests; and what the provider's support see."""

    items: Sequence[Row]
    orders: dict[str, Row]
    batches: Sequence[Row]
    operations: Sequence[Row]
    journal: Sequence[Row]
    inbound: dict[str, bytes]

    def taken(self, order_id: str) -> bool:
        """Whether the provider has the order, or a file with it waits there to be taken."""
        accepted = any(row["event"] == "accepted" and row.get("order_id") == order_id for row in self.journal)
        waiting = (content for name, content in self.inbound.items() if not name.endswith(".part"))
        return accepted or any(record.get("orderId") == order_id for content in waiting for record in payload_of(content))

    def came(self, batch: Row) -> bool:
        """Whether a file was taken, or lies there under its final name."""
        name = batch["file_name"]
        return name in self.inbound or any(row["event"] == "file_received" and row["file"] == name for row in self.journal)

    def belies(self, item: Row) -> bool:
        """Whether the provider has an order that this item says it refused: whoever looks in its portal does not note that."""
        if item["kind"] not in ("row_refused", "file_refused"):
            return False
        about = {f"order:{key}": {key} for key in self.orders}
        about |= {f"batch:{batch['batch_id']}": set(self.of_batch(batch)) for batch in self.batches}
        return any(self.taken(key) for key in about.get(item["subject"], ()))

    def of_batch(self, batch: Row, *states: str) -> tuple[str, ...]:
        """A file's orders that stand so."""
        return tuple(
            key
            for key, row in self.orders.items()
            if row["batch_id"] == batch["batch_id"] and (row["state"] in states or not states)
        )


def do(story: "Story", job: str) -> Ended | None:
    """Let somebody decide, if there is anything to decide so; None where there is not."""
    word, _, resolution = job.partition(" ")
    wanted = Resolution(resolution)
    if wanted is Resolution.REPEAT_CALL and word != "insist":
        story.world.run("poll")  # what a dead run had begun to call is in doubt only now
    try:
        books = _books_of(story)
    except (sqlite3.DatabaseError, OSError):
        return None  # the person can read nothing just now
    found = sorted(_contrary(story, books, wanted) if word == "insist" else _true(story, books, wanted))
    if not found:
        return None
    chance = dice(story.schedule.seed, "decided", len(story.world.runs))
    about, order_ids = chance.choice(found)
    if word == "insist":
        return story.world.decide(Decision(about, wanted, REASON, INSISTING))
    if wanted is Resolution.UPLOADED_BY_HAND:
        _upload(story, books, about)
    file_name = next((row["file_name"] for row in books.batches if f"batch:{row['batch_id']}" == about), "")
    decided = Decided(about, wanted, order_ids, len(story.world.witness.sends), file_name)
    place, before = len(story.decided), times_recorded(story.world, about)
    story.decided.append(decided)
    ended = story.world.decide(Decision(about, wanted, REASON, HONEST))
    if times_recorded(story.world, about) > before:
        story.decided[place] = replace(decided, is_recorded=True)
        story.strike(*(["O-03"] if wanted is Resolution.NEVER_ARRIVED else []))
    return ended


def times_recorded(world: World, about: str) -> int:
    """How often the ledger keeps that somebody let a file, or an order's call, go once more."""
    query = "SELECT count(*) FROM event WHERE source = 'operator' AND to_state = 'sending' AND subject = ?"
    with closing(sqlite3.connect(world.ground.ledger_path, timeout=0)) as ledger:
        return int(ledger.execute(query, (about,)).fetchone()[0])


Found = tuple[str, tuple[str, ...]]
"""What a decision may be about, and its orders."""


def _true(story: "Story", books: _Books, wanted: Resolution) -> Iterator[Found]:
    """What may truly be decided so."""
    if wanted is Resolution.NOTED:
        yield from ((item["item_id"], ()) for item in books.items if not books.belies(item))
    elif wanted in AS_SHOWN:
        yield from ((f"order:{key}", (key,)) for key, row in books.orders.items() if row["state"] == "review")
    elif wanted is Resolution.UPLOADED_BY_HAND:
        yield from _uploadable(books)
    elif story.world.witness.process:
        return  # a run stands still in the midst of a step: nobody can say what is still to come
    elif wanted is Resolution.NO_RESCUE:
        yield from _doubted(books, taken=False)
    elif wanted is Resolution.REPEAT_CALL:
        yield from _called(books, True, False)
    elif wanted in OF_REQUESTS:
        yield from _requests(books, happened=wanted is Resolution.HAPPENED)
    else:
        yield from _files(books, came=False)


def _contrary(story: "Story", books: _Books, wanted: Resolution) -> Iterator[Found]:
    """What the provider, asked now, shows otherwise; nothing while something keeps it from being asked."""
    if story.world.provider.faults._armed or story.is_troubled:
        return  # and the older call names no sum that was given back, so it contradicts nobody about a refund
    if wanted is Resolution.NO_RESCUE:
        yield from _doubted(books, taken=True)
    elif wanted is Resolution.REPEAT_CALL:
        yield from _called(books, True)
    elif wanted in OF_FILES:
        yield from _files(books, came=True)
    elif wanted in OF_REQUESTS and story.world.provider.options.shows_refunds and story.world.settings.outcomes.ask != "outcome":
        yield from _requests(books, happened=wanted is not Resolution.HAPPENED, kinds=("refund",))


def _uploadable(books: _Books) -> Iterator[Found]:
    """Files that came, or whose whole part lies there for a person to rename."""
    for batch in books.batches:
        part = books.inbound.get(f"{batch['file_name']}.part", b"")
        if batch["step"] in _MAYBE_RENAMED and (books.came(batch) or payload_of(part)):
            yield f"batch:{batch['batch_id']}", books.of_batch(batch)


def _doubted(books: _Books, *, taken: bool) -> Iterator[Found]:
    for key, row in books.orders.items():
        if row["state"] in ("review", "in_doubt") and books.taken(key) is taken:
            yield f"order:{key}", (key,)


def _called(books: _Books, *taken: bool) -> Iterator[Found]:
    """Orders whose call is in doubt: that it be made once more says nothing about whether it was taken."""
    for key, row in books.orders.items():
        if row["state"] == "in_doubt" and row["channel"] == "api" and books.taken(key) in taken:
            yield f"order:{key}", (key,)


def _files(books: _Books, *, came: bool) -> Iterator[Found]:
    """Files without an answer that never came; or that lie there, or of which the provider has an order that waits here."""
    for batch in books.batches:
        waiting = books.of_batch(batch, "sending", "in_doubt")
        is_seen = batch["file_name"] in books.inbound or any(map(books.taken, waiting))
        if batch["step"] in _OPEN_STEPS and (is_seen if came else not books.came(batch)):
            yield f"batch:{batch['batch_id']}", waiting


def _requests(books: _Books, *, happened: bool, kinds: Sequence[str] = ("refund", "cancel", "capture")) -> Iterator[Found]:
    for row in books.operations:
        if row["step"] == "in_doubt" and row["kind"] in kinds and _happened(books, row) is happened:
            yield f"operation:{row['operation_id']}", (row["order_id"],)


def _happened(books: _Books, asked: Row) -> bool:
    """Whether the provider did what a request in doubt asks for, beside what the other requests account for."""
    word = {"refund": "refunded", "cancel": "cancelled", "capture": "completed"}[asked["kind"]]
    mine = [row for row in books.operations if row["order_id"] == asked["order_id"] and row["kind"] == asked["kind"]]
    done = [row["amount_minor"] for row in mine if row["step"] == "done"]
    seen = [row for row in books.journal if row["event"] == word and row.get("order_id") == asked["order_id"]]
    if asked["kind"] == "capture":
        return any(row.get("captured") for row in seen)
    if asked["kind"] == "cancel":
        return len(seen) > 0
    given = [row["amount"] for row in seen if row.get("transaction_id")]
    return given.count(asked["amount_minor"]) > done.count(asked["amount_minor"])


def _upload(story: "Story", books: _Books, about: str) -> None:
    """The person gives a whole part its final name with a client of their own, unless the file came already."""
    batch = next(row for row in books.batches if f"batch:{row['batch_id']}" == about)
    if books.came(batch):
        return
    inbound, name = story.world.provider.inbound, batch["file_name"]
    (inbound / f"{name}.part").replace(inbound / name)
    story.world.provider._mailbox.arrived(name)


def _books_of(story: "Story") -> _Books:
    world = story.world
    world.provider._mailbox.catch_up()
    with closing(sqlite3.connect(world.ground.ledger_path, timeout=0)) as ledger:
        read: Callable[[str], list[Row]] = lambda query: rows_found(ledger, query)  # noqa: E731 - four times below
        return _Books(
            items=read("SELECT * FROM item WHERE closed_at IS NULL"),
            orders={row["order_id"]: row for row in read("SELECT * FROM submission ORDER BY attempt")},
            batches=[row for row in read("SELECT * FROM batch") if row["kind"] == "evaluate"],
            operations=read("SELECT * FROM operation"),
            journal=world.provider._journal._rows,
            inbound={path.name: path.read_bytes() for path in sorted(world.provider.inbound.iterdir()) if path.is_file()},
        )
