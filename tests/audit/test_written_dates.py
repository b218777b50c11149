"""Files that are known to be as they would be are not made again; and nothing that they are made of can change unnoticed."""

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, Table, insert, select, text

from batch import bookkeeping
from batch.audit import AuditFolder
from batch.bookkeeping import AuditReport, Turn
from batch.ledger_history import LedgerHistory
from batch.read_again import read_again
from batch.seen_rows import SeenRows
from batch.written_dates import WrittenDates
from jobs.assembly import _drawn_pages, _written_dates
from jobs.clock import SystemClock
from jobs.disk import MachineDisk
from jobs.report import drawing
from jobs.report.drawing import written_program
from jobs.surroundings import of_this_machine
from schemas.ledger_tables import batch, comparison, comparison_row, event, item, metadata, operation, submission, transmission
from schemas.settings import Settings
from tests.audit.conftest import ALONE, Books
from tests.audit.ledger_builder import MID, settings
from tests.audit.reading_back import bytes_of
from tests.report.months import Months

NIGHTS = 4
KEY = b"a secret of the ledger"
REFUND = {"kind": "refund", "attempt": 1, "currency": "USD", "reason": "returned", "asked_by": "ann@desk", "run_id": "r"}
CALLS, COPIES = "b0000000call", "b0000000copy"


def rich(path: Path) -> Months:
    """A few nights, the last with a copy, a call, a refund, a settlement, and items about each kind of thing."""
    months = Months(path, nights=NIGHTS, orders=5)
    day, sealed = months.last, {"event_seq": 1, "event_hash": "-", "event_date": months.last}

    def step(subject: str, seq: int, new: str, kind: str = "step", **detail: object) -> dict[str, object]:
        when = {"at": f"{day}T08:00:0{seq}Z", "business_date": day, "run_id": "r"}
        facts = {"kind": kind, "from_state": None, "to_state": new, "source": "send", "reason": "as it is"}
        seals = {"previous_hash": "-", "hash": "-", "evidence_id": None}
        return {"mid": MID, "subject": subject, "seq": seq, "detail": json.dumps(detail), **when, **facts, **seals}

    with months.engine.begin() as connection:

        def add(table: Table, **values: object) -> None:
            connection.execute(insert(table), [{"mid": MID, **values}])

        last = connection.execute(text("SELECT max(order_id) FROM submission WHERE state = 'pending'")).scalar_one()
        claim = connection.execute(select(submission).where(submission.c.order_id == last)).mappings().one()
        for batch_id, kind, form in ((CALLS, "evaluate", "api"), (COPIES, "transmit", "json")):
            facts = {"kind": kind, "format": form, "file_name": f"{batch_id}.x", "step": "acknowledged", "row_count": 1}
            add(batch, batch_id=batch_id, business_date=day, expires_at="", run_id="run3", **facts, **sealed)
        number = {"sequence_number": 1, "day_end": None, "result": "SUCCESS", "transmit_id": "t", "error_text": ""}
        money = {"site": "acme-us", "currency": "USD", "amount_minor": 500}
        add(transmission, order_id="good", batch_id=COPIES, charged_at=f"{day}T02:00:00Z", business_date=day, record_json="{}",
            **number, **money)  # fmt: skip
        add(submission, **{**claim, "order_id": "called", "batch_id": CALLS, "channel": "api", "provider_order_id": "guid",
            "idempotency_key": "k", "hold_reference": "h"})  # fmt: skip
        for operation_id, step_of_it in (("op1", "done"), ("op2", "in_doubt")):
            add(operation, operation_id=operation_id, order_id=last, request_id=operation_id, amount_minor=5, step=step_of_it,
                business_date=day, asked_at=f"{day}T08:00:00Z", idempotency_key=operation_id, **REFUND, **sealed)  # fmt: skip
        settled = {"is_whole": 0, "is_settled": 1, "orders": 5, "row_count": 1, "rows_digest": "-", "step": "done", **sealed}
        add(comparison, comparison_id="run3", business_date=day, compared_at=f"{day}T12:00:00Z", **settled)
        for which, is_settlement in (("run3", 1), ("run3", 0)):
            add(comparison_row, comparison_id=which, number=is_settlement, order_id=last, match="amount_differs",
                ledger_state="pending", provider_status="", orders_status="", explanation="as it is", is_settlement=is_settlement,
                first_seen_date=day, difference_minor=-1, **money)  # fmt: skip
        for subject in (f"batch:{CALLS}", f"order:{last}", "operation:op2"):
            add(item, item_id=f"i {subject}"[:32], kind="contradiction", subject=subject, opened_at=f"{day}T09:00:00Z",
                opened_run="run3", opened_date=day, due_date=day, explanation="look")  # fmt: skip
        connection.execute(insert(event), [
            *(step(f"batch:{name}", seq, new) for name in (CALLS, COPIES) for seq, new in
              enumerate(("claimed", "sending", "delivered", "acknowledged"), start=1)),
            *(step("order:called", seq, new, "transition", attempt=1) for seq, new in
              enumerate(("claimed", "held", "sending", "pending"), start=1)),
            *(step(f"operation:{name}", seq, new, "operation") for name, end in (("op1", "done"), ("op2", "in_doubt"))
              for seq, new in enumerate(("sending", end), start=1)),
        ])  # fmt: skip
    return months


class Shelf:
    """Finance's folder of the last date, written with a memory, and beside it one that is made each time."""

    def __init__(self, folder: Path, months: Months) -> None:
        self.months, self.folder, self.program, self.settings = months, folder, "one", settings()
        self.part_rows, self.program_then = 1_000_000, ""

    @property
    def day(self) -> Path:
        """Where its files lie."""
        return self.folder / "audit" / self.months.last

    @property
    def note(self) -> Path:
        """Where it is noted what they were made from."""
        return self.folder / "written" / self.months.last

    def write(self, *, anew: bool = False) -> AuditReport:
        """Write the last date as a run does."""
        then = self.program_then or self.program
        written = WrittenDates(self.folder / "written", MachineDisk(), self.program, KEY, lambda: then)
        return self._books("audit", written).write(self.months.last, anew=anew)

    def fresh(self) -> AuditReport:
        """Make it without any memory."""
        return self._books("fresh", None).write(self.months.last)

    def is_as_made_anew(self) -> bool:
        """Whether a run leaves the files, and tells what it found, as one does that makes everything; or fails as that does."""
        return _outcome(self.write, self.day) == _outcome(self.fresh, self.folder / "fresh" / self.months.last)

    def put(self, table: Table, column: Column[Any], rowid: int, new: object) -> bool:
        """Put something into a cell of the ledger; False where its own rules do not allow it there."""
        statement = text(f"UPDATE OR IGNORE {table.name} SET {column.name} = :new WHERE rowid = :rowid")
        with self.months.engine.begin() as connection:
            return connection.execute(statement, {"new": new, "rowid": rowid}).rowcount == 1

    def _books(self, name: str, written: WrittenDates | None) -> Books:
        folder = AuditFolder(self.folder / name, MachineDisk(), part_rows=self.part_rows)
        history = LedgerHistory(self.months.connect, MID)
        return Books(history=history, folder=folder, settings=self.settings, written=written)


def _outcome(write: Callable[[], AuditReport], folder: Path) -> object:
    try:
        report = write()
    except Exception as error:  # noqa: BLE001 - what a spoilt ledger leads to
        return type(error)
    return replace(report, folder=Path()), bytes_of(folder)


@pytest.fixture
def shelf(tmp_path: Path, made: list[str]) -> Shelf:
    """A folder that was written once."""
    shelf = Shelf(tmp_path, rich(tmp_path / "ledger.db"))
    shelf.write()
    assert len(made) == 1
    return shelf


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The dates whose files were made, each time that they were."""
    dates: list[str] = []
    summary = bookkeeping._write_summary

    def counted(folder: Any, day: Any, tally: Any) -> None:  # noqa: ANN401
        dates.append(day.business_date)
        summary(folder, day, tally)

    monkeypatch.setattr(bookkeeping, "_write_summary", counted)
    return dates


def test_what_is_unchanged_is_not_made_again(shelf: Shelf, made: list[str]) -> None:
    """A second run makes nothing, leaves every file untouched, and tells the same; who asks for the files has them made."""
    before = {path: path.stat().st_mtime_ns for path in shelf.day.iterdir()}
    again = shelf.write()
    assert len(made) == 1
    assert {path: path.stat().st_mtime_ns for path in shelf.day.iterdir()} == before
    assert replace(again, folder=Path()) == replace(shelf.fresh(), folder=Path())
    shelf.write(anew=True)
    assert len(made) == 3


CHAINS = {"batch:b00000000003", f"batch:{COPIES}", "order:called", "operation:op1"}
"""Subjects of which every event is changed: how a file left, how a copy did, an order's history, and a refund's."""


def changes(column: Column[Any], old: Any, others: list[Any]) -> Iterator[Any]:  # noqa: ANN401
    """Other values for a cell: one that it never has, one that another row has, and none."""
    if isinstance(column.type, Integer):
        yield (old or 0) + 1
    else:
        yield b"x" if isinstance(column.type, LargeBinary) else f"{old or ''}x"
    yield from [other for other in others if other != old][:1]
    if column.nullable and old is not None:
        yield None


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_no_cell_of_the_ledger_changes_unnoticed(shelf: Shelf, made: list[str], name: str) -> None:
    """Each column of each table, in rows of each kind: the files are as made anew, although the events' hashes stay the same."""
    table = metadata.tables[name]
    with shelf.months.engine.connect() as connection:
        rows = connection.execute(select(text("rowid"), table).order_by(text("rowid"))).mappings().all()
    for row in [row for row in rows if row in (rows[0], rows[-1]) or row.get("subject") in CHAINS]:
        for column in table.columns:
            for new in changes(column, row[column.name], [each[column.name] for each in rows]):
                if shelf.put(table, column, row["rowid"], new):
                    assert shelf.is_as_made_anew(), (column.name, new)
                    assert shelf.put(table, column, row["rowid"], row[column.name])
                    shelf.write()
    count = len(made)
    shelf.write()
    assert len(made) == count


MADE_FROM = [
    "submission SET state = 'completed'",
    "submission SET expires_at = '2026-10-01T00:00:00Z'",
    "submission SET hold_reference = 'other'",
    "submission SET amount_minor = amount_minor + 1",
    "event SET to_state = 'completed' WHERE to_state = 'pending'",
    "event SET at = '2026-09-08T11:11:11Z'",
    "event SET business_date = '2026-09-01'",
    "event SET detail = '{}'",
    "decision SET reason = 'too_old'",
    "decision SET cells_json = '{}'",
    "transmission SET result = 'FAILED'",
    "transmission SET charged_at = '2026-09-01T00:00:00Z'",
    "operation SET amount_minor = 4242",
    "operation SET asked_by = 'bob@desk'",
    "item SET explanation = 'look again'",
    "item SET due_date = '2026-09-09'",
    "comparison_row SET match = 'state_differs'",
    "batch SET file_name = file_name || 'x'",
]


@pytest.mark.parametrize("change", MADE_FROM)
def test_what_the_files_show_has_them_made(shelf: Shelf, made: list[str], change: str) -> None:
    """So that the ledger above is known to have something of each kind: these cells are in the files."""
    before = bytes_of(shelf.day)
    with shelf.months.engine.begin() as connection:
        connection.execute(text(f"UPDATE {change}"))
    assert shelf.is_as_made_anew()
    assert len(made) == 3
    assert bytes_of(shelf.day) != before


@pytest.mark.parametrize(
    "change",
    [
        {"writeback": {"on_not_recovered": "keep"}},
        {"schedule": {"timezone": "Pacific/Kiritimati"}},
        {"audit": {"delimiter": ";", "decimal": ","}},
        {"sites": [{"name": "acme-eu", "site_id": "3f1c09ab-0000-4000-8000-0000000000aa"}]},
        {"environment": "production"},
        {"outcomes": {"expiry_grace_seconds": 30 * 86400}},
    ],
    ids=str,
)
def test_settings_that_files_or_figures_hang_on(shelf: Shelf, made: list[str], change: dict[str, Any]) -> None:
    """Whatever of the settings shapes a file, or what the run is told of it, has it made."""
    shelf.settings = Settings.model_validate(
        {**shelf.settings.model_dump(), **settings(**change).model_dump(include=set(change))}
    )
    assert shelf.is_as_made_anew()
    assert len(made) == 3


def test_another_program_or_shape_makes_them(shelf: Shelf, made: list[str]) -> None:
    """A version that may write them otherwise, and a smaller sheet."""
    shelf.program = "two"
    assert shelf.is_as_made_anew()
    shelf.part_rows = 2
    assert shelf.is_as_made_anew()
    assert len(made) == 5
    assert (shelf.day / "declines.0001.csv").is_file()


def test_an_earlier_manifest_that_changed_makes_them(shelf: Shelf, made: list[str]) -> None:
    """The manifest names the one before it."""
    for name in ("audit", "fresh"):
        (shelf.folder / name / "2026-09-01").mkdir(parents=True)
        (shelf.folder / name / "2026-09-01" / "manifest.json").write_bytes(b"{}")
    assert shelf.is_as_made_anew()
    assert len(made) == 3


def cut(path: Path) -> None:
    """Keep half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def seal(note: Path, told: bytes, key: bytes = KEY) -> None:
    """Leave a note that tells this, under a seal."""
    note.write_bytes(hmac.digest(key, told, "sha256").hex().encode() + b"\n" + told)


def edit_both(shelf: Shelf) -> None:
    """Edit a file, and let the note name it as it is now, as one who can write there and knows nothing of the ledger."""
    edited, told = shelf.day / "holds.csv", json.loads(shelf.note.read_bytes().partition(b"\n")[2])
    edited.write_bytes(b"edited")
    told["files"]["holds.csv"] = hashlib.sha256(b"edited").hexdigest()
    seal(shelf.note, json.dumps(told).encode(), b"")


def leave_nothing(shelf: Shelf) -> None:
    """No file lies there, and a note that is sealed names none."""
    told = json.loads(shelf.note.read_bytes().partition(b"\n")[2])
    shutil.rmtree(shelf.day)
    seal(shelf.note, json.dumps(told | {"files": {}}).encode())


@pytest.mark.parametrize(
    "harm",
    [
        edit_both,
        leave_nothing,
        lambda shelf: (shelf.day / "holds.csv").write_bytes(b"edited"),
        lambda shelf: (shelf.day / "outcomes.csv").unlink(),
        lambda shelf: (shelf.day / "manifest.json").write_bytes(b"{}"),
        lambda shelf: (shelf.day / "README.txt").unlink(),
        lambda shelf: (shelf.day / "holds.0002.csv").write_bytes(b"of an older shape"),
        lambda shelf: cut(shelf.note),
        lambda shelf: shelf.note.write_bytes(shelf.note.read_bytes().replace(b'"rows":{', b'"rows":{"x":1,', 1)),
        lambda shelf: shelf.note.write_bytes(b""),
        lambda shelf: shelf.note.unlink(),
        lambda shelf: (shelf.note.unlink(), shelf.note.mkdir()),
    ],
    ids="edited-with-its-note nothing-there edited gone manifest readme older-shape cut changed empty none folder".split(),
)
def test_what_does_not_lie_as_noted_is_made(shelf: Shelf, made: list[str], harm: Callable[[Shelf], object]) -> None:
    """A file that was edited or lost is put right by the next run, and a note that is not whole is not believed."""
    whole = bytes_of(shelf.day)
    harm(shelf)
    assert shelf.is_as_made_anew()
    assert len(made) == 3
    assert bytes_of(shelf.day) == whole


def test_a_file_that_finance_adds_costs_nothing(shelf: Shelf, made: list[str]) -> None:
    """It is left where it is, and nothing is made for it."""
    (shelf.day / "our notes.csv").write_bytes(b"kept")
    shelf.write()
    assert len(made) == 1
    assert (shelf.day / "our notes.csv").read_bytes() == b"kept"


class ShutDisk(MachineDisk):
    """A disk that lets nobody read a note."""

    def read(self, path: Path) -> bytes | None:
        """Refuse."""
        raise PermissionError(13, "Permission denied", str(path))


def test_a_note_that_cannot_be_read_or_has_another_form_is_none(shelf: Shelf) -> None:
    """What the disk refuses, and what a later version may have sealed, costs one making of the files."""
    notes = WrittenDates(shelf.note.parent, MachineDisk(), "one", KEY, lambda: "one")
    assert notes.note_of(shelf.months.last) is not None
    assert WrittenDates(shelf.note.parent, ShutDisk(), "one", KEY, lambda: "one").note_of(shelf.months.last) is None
    seal(shelf.note, b'{"parts":{}}')
    assert notes.note_of(shelf.months.last) is None


def test_nothing_is_noted_where_another_program_was_installed_meanwhile(shelf: Shelf, made: list[str]) -> None:
    """Nobody knows which of the two made the files: a note of the one would be believed by whoever goes back to it."""
    shelf.program, shelf.program_then = "two", "three"
    shelf.write()
    shelf.program_then = ""
    made.clear()
    shelf.write()
    assert made
    made.clear()
    shelf.write()
    assert not made


def test_the_program_is_told_anew_where_a_date_is_noted() -> None:
    """Not by what was found out when the run was put together."""
    told = iter(("page", "page now", "written now"))
    forgotten: list[str] = []
    around = replace(
        of_this_machine(SystemClock()),
        page=lambda _figures: b"",
        page_program=lambda: next(told),
        written_program=lambda _zone: next(told),
        forget_program=lambda: forgotten.append("now"),
    )
    pages = _drawn_pages(settings(), around)
    dates = _written_dates(settings(), around, "written", KEY)
    assert pages is not None
    assert dates is not None
    assert (pages.program, pages._program_now(), dates.program, dates._program_now()) == (
        "page",
        "page now",
        "written",
        "written now",
    )
    assert forgotten == ["now", "now"]


def test_the_program_is_another_with_other_rules_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time zone's rules belong to what makes the files: the machine's own, else those of the package."""
    found = {written_program(zone) for zone in ("UTC", "Europe/Berlin")}
    for folder, rules in (("own/Europe", b"own"), ("package/zoneinfo/Europe", b"of the package")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Berlin").write_bytes(rules)
    monkeypatch.setattr("jobs.report.drawing.files", lambda _name: tmp_path / "package")
    for paths in ((str(tmp_path / "own"),), (), (str(tmp_path / "none"), str(tmp_path / "own"))):
        monkeypatch.setattr("zoneinfo.TZPATH", paths)
        found.add(written_program("Europe/Berlin"))
    assert len(found) == 4


def test_the_program_is_another_with_another_byte_of_what_draws() -> None:
    """Every kind of file that a page is drawn from counts."""
    assert {path.suffix for path in Path(drawing.__file__).with_name("templates").iterdir() if path.is_file()} <= drawing._DRAWS


def test_drafts_of_others_are_taken_away_all_the_same(shelf: Shelf, made: list[str]) -> None:
    """Who stood still in the midst of writing finds his drafts gone, also where nothing has to be made."""
    draft = shelf.day / ".holds.0001.csv.other.new"
    draft.write_bytes(b"older")
    shelf.write()
    assert not draft.exists()
    assert len(made) == 1


def test_a_run_that_was_overtaken_notes_nothing(shelf: Shelf, made: list[str]) -> None:
    """What could not be published is not noted: the next run makes the files."""
    before = shelf.note.read_bytes()
    with shelf.months.engine.begin() as connection:
        connection.execute(text("UPDATE submission SET hold_reference = 'other'"))

    def lost() -> None:
        raise RuntimeError("another run took over")

    memory = WrittenDates(shelf.folder / "written", MachineDisk(), shelf.program, KEY, lambda: shelf.program)
    with pytest.raises(RuntimeError):
        shelf._books("audit", memory).write(shelf.months.last, Turn(ALONE.run_id, lost))
    assert shelf.note.read_bytes() == before
    assert shelf.is_as_made_anew()


def test_what_was_not_read_again_is_not_known(shelf: Shelf, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the note that nobody looked at again is no part that is the same."""
    monkeypatch.setattr(bookkeeping, "read_again", lambda *given, **more: islice(read_again(*given, **more), 3))
    shelf.write()
    assert len(made) == 2


ROWS: list[list[tuple[object, ...]]] = [
    [],
    [(1, "a")],
    [("1", "a")],
    [(1, None)],
    [(1, "None")],
    [(1, "a"), (2, "b")],
    [(2, "b"), (1, "a")],
    [(1, "a", 2, "b")],
    [(b"a",)],
    [("a",)],
    [(1.0, "a")],
    [(Decimal(1), "a")],
    [("\udc80", "a")],
]


def test_rows_that_differ_are_seen_as_others() -> None:
    """Types, order and the bounds of rows count, and so does what a driver alone knows."""
    seen = [SeenRows() for _ in ROWS]
    for each, rows in zip(seen, ROWS, strict=True):
        assert list(each.rows("part", [rows])) == rows
    assert len({each.parts()["part"] for each in seen}) == len(ROWS)
