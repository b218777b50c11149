"""The page is drawn anew whenever it would come out differently, and only then: each thing that it shows is changed in turn."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from batch.audit import AuditFolder
from batch.audit_rows import Day
from batch.book_entries import Heads, Total
from batch.bookkeeping import AuditReport, Bookkeeping, Turn
from batch.drawn_pages import SEALED, DrawnPages, page_inputs
from batch.ledger_history import LedgerHistory
from batch.report_figures import ReportFigures
from batch.report_lives import LivesTally
from batch.report_operation import BrandCount, BrandTally, Called, Comparing, Differing, Leaving, Night, Waiting
from batch.tally import Tally
from batch.written_dates import WrittenDates
from jobs.disk import MachineDisk
from jobs.report.page import page
from schemas.settings import Settings
from tests.audit.ledger_builder import MID, settings
from tests.report.months import Months

NIGHTS = 40


class Desk:
    """A merchant's folder whose page is drawn with a memory, and beside it one that is drawn each time."""

    def __init__(self, folder: Path) -> None:
        self.months = Months(folder / "ledger.db", nights=NIGHTS, orders=6)
        self.folder, self.drawn, self.program, self.knows_files = folder, 0, "one", False
        self.program_then = ""
        self.settings = settings()

    @property
    def path(self) -> Path:
        """Where the page lies."""
        return self.folder / "audit" / self.months.last / "report.html"

    def write(self) -> AuditReport:
        """Write the last date as a run does; returns what came of it, its page proven to be what a fresh drawing gives."""
        memory = DrawnPages(self.folder / "pages", MachineDisk(), self.program, lambda: self.program_then or self.program)
        report = self._books("audit", self._counted, memory).write(self.months.last, Turn("a1b2", lambda: None))
        fresh = self._books("fresh", page, None).write(self.months.last, Turn("a1b2", lambda: None))
        assert report.page_error is None
        assert report.page == self.path
        assert fresh.page is not None
        assert self.path.read_bytes() == fresh.page.read_bytes()
        return report

    def sql(self, *statements: str) -> None:
        """Change the ledger."""
        with self.months.engine.begin() as connection:
            for statement in statements:
                changed = connection.execute(text(statement))
                assert changed.rowcount > 0, statement

    def _counted(self, figures: ReportFigures) -> bytes:
        self.drawn += 1
        return page(figures)

    def _written(self) -> WrittenDates:
        return WrittenDates(self.folder / "written", MachineDisk(), "one", b"key", lambda: "one")

    def _books(self, name: str, draw: Callable[[ReportFigures], bytes], memory: DrawnPages | None) -> Bookkeeping:
        return Bookkeeping(
            history=LedgerHistory(self.months.connect, MID),
            folder=AuditFolder(self.folder / name, MachineDisk()),
            settings=self.settings,
            page=draw,
            drawn=memory,
            written=self._written() if self.knows_files and memory else None,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose page has been drawn once."""
    made = Desk(tmp_path)
    made.write()
    assert made.drawn == 1
    return made


LAST = "(SELECT max(business_date) FROM run WHERE job = 'nightly')"
BEFORE = "(SELECT date(max(business_date), '-1 day') FROM run WHERE job = 'nightly')"
OPEN_ORDER = "(SELECT order_id FROM submission WHERE state = 'pending' ORDER BY order_id DESC LIMIT 1)"


def event(subject: str, new: str, *, kind: str = "transition", detail: str = "{}") -> str:
    """An event of the last date at the end of a chain."""
    return (
        "INSERT INTO event (mid, subject, seq, at, business_date, run_id, kind, from_state, to_state, source, reason, detail,"
        f" previous_hash, hash) SELECT mid, subject, max(seq) + 1, {LAST} || 'T09:00:00Z', {LAST}, 'r', '{kind}', to_state,"
        f" '{new}', 'outcome', 'as it is', '{detail}', '-', 'new-hash' FROM event WHERE subject = {subject}"
    )


def run(job: str, day: str, token: int = 1000) -> str:
    """A run of another job."""
    times = f"{day} || 'T10:00:00Z', {day} || 'T10:01:00Z'"
    return (
        "INSERT INTO run (mid, run_id, job, business_date, fencing_token, started_at, finished_at, exit_code)"
        f" SELECT mid, '{job}-{token}', '{job}', {day}, {token}, {times}, 0 FROM run LIMIT 1"
    )


SHOWN = {
    "an order that ended": [
        event(f"'order:' || {OPEN_ORDER}", "completed", detail='{"recovered_minor": 500}'),
        f"UPDATE submission SET state = 'completed' WHERE order_id = {OPEN_ORDER}",
    ],
    "the day's own night": [f"UPDATE run SET run_id = 'other' WHERE business_date = {LAST}"],
    "how a night ended": [f"UPDATE run SET exit_code = 30 WHERE business_date = {BEFORE}"],
    "how long a night took": [f"UPDATE run SET finished_at = {BEFORE} || 'T09:59:59Z' WHERE business_date = {BEFORE}"],
    "a night that was cut off": [f"UPDATE run SET exit_code = NULL, finished_at = NULL WHERE business_date = {BEFORE}"],
    "calls of an earlier date": [
        f"UPDATE figure SET value = value + 7 WHERE business_date = {BEFORE} AND labels LIKE '%2xx%' AND labels LIKE '%read%'"
    ],
    "failed calls of an earlier date": [
        f"UPDATE figure SET value = value + 1 WHERE business_date = {BEFORE} AND labels LIKE '%5xx%'"
    ],
    "a file's size": [
        event(
            f"(SELECT max(subject) FROM event WHERE business_date = {LAST} AND subject LIKE 'batch:%')",
            "acknowledged",
            kind="step",
            detail='{"size": 77}',
        )
    ],
    "a file's rows": [f"UPDATE batch SET row_count = 99 WHERE business_date = {LAST}"],
    "something that needs a person": [
        "INSERT INTO item (mid, item_id, kind, subject, opened_at, opened_run, opened_date, due_date, explanation)"
        f" SELECT mid, 'new', kind, 'order:new', {LAST} || 'T10:00:00Z', 'r', {LAST}, {LAST}, 'look at it' FROM item LIMIT 1"
    ],
    "a comparison": ["UPDATE comparison SET orders = 51 WHERE business_date = (SELECT max(business_date) FROM comparison)"],
    "what differs": [
        "UPDATE comparison_row SET difference_minor = -77 WHERE match <> 'equal' AND comparison_id ="
        " (SELECT max(comparison_id) FROM comparison)"
    ],
    "a verdict of an earlier date, by a rerun": [
        "UPDATE decision SET reason = 'network_limit', rule_id = 'visa-limit-15-kept', decision = 'skipped' WHERE order_id ="
        f" (SELECT min(order_id) FROM decision WHERE reason = 'too_old' AND business_date < {LAST})",
        run("rerun", BEFORE),
    ],
    "a candidate's verdict": [
        f"UPDATE decision SET reason = 'too_old', decision = 'skipped' WHERE order_id ="
        f" (SELECT min(order_id) FROM decision WHERE reason = 'selected' AND business_date = {LAST})"
    ],
}


@pytest.mark.parametrize("knows_files", [False, True])
@pytest.mark.parametrize("change", SHOWN)
def test_what_the_page_shows_has_it_drawn(desk: Desk, change: str, *, knows_files: bool) -> None:
    """A change of anything that the page shows has it drawn once, also where files are known; a second look draws nothing."""
    desk.knows_files = knows_files
    desk.write()
    before = desk.path.read_bytes()
    desk.sql(*SHOWN[change])
    desk.write()
    assert desk.path.read_bytes() != before
    desk.write()
    assert desk.drawn == 2


@pytest.mark.parametrize(
    "change",
    [
        {"environment": "production"},
        {"outcomes": {"expiry_grace_seconds": 30 * 86400}},
        {"schedule": {"timezone": "Pacific/Kiritimati"}},
        {"audit": {"delimiter": ";", "decimal": ","}},
    ],
    ids=str,
)
def test_settings_that_the_page_hangs_on_have_it_drawn(desk: Desk, change: dict[str, Any]) -> None:
    """Environment, grace, time zone, and the marks that files are hashed with: each makes another page."""
    before = desk.path.read_bytes()
    desk.sql(f"UPDATE submission SET expires_at = {LAST} || 'T00:00:00Z'")
    desk.write()
    middle, drawn = desk.path.read_bytes(), desk.drawn
    desk.settings = Settings.model_validate({**desk.settings.model_dump(), **settings(**change).model_dump(include=set(change))})
    desk.write()
    assert desk.path.read_bytes() not in (before, middle)
    assert desk.drawn == drawn + 1


def test_a_poll_that_changes_nothing_draws_nothing(desk: Desk) -> None:
    """Further runs that judge no candidate, calls of the date itself, and orders asked again, are not on the page."""
    before = desk.path.read_bytes()
    desk.sql(
        run("poll", LAST, 1001),
        run("transmit", LAST, 1002),
        f"UPDATE figure SET value = value + 5 WHERE business_date = {LAST}",
        "UPDATE submission SET next_read_at = '2026-12-24T00:00:00Z'",
    )
    desk.write()
    desk.write()
    assert desk.drawn == 1
    assert desk.path.read_bytes() == before


def test_a_night_or_a_rerun_draws(desk: Desk) -> None:
    """A run that may have judged candidates draws, whatever it found."""
    for token, job in enumerate(("nightly", "rerun")):
        desk.sql(run(job, LAST, 2000 + token))
        desk.write()
    assert desk.drawn == 3


def test_a_night_that_finds_nothing_new_draws_nothing_where_files_are_known(desk: Desk) -> None:
    """All verdicts of the date are read again then, so no run's name stands for them; a page that is lost is drawn."""
    desk.knows_files = True
    desk.write()
    desk.sql(run("nightly", LAST, 2000), run("rerun", LAST, 2001))
    desk.write()
    assert desk.drawn == 1
    desk.path.unlink()
    desk.write()
    desk.write()
    assert desk.drawn == 2


def spoil(path: Path) -> None:
    """Change one letter."""
    path.write_bytes(path.read_bytes().replace(b"<title>", b"<Title>", 1))


@pytest.mark.parametrize(
    "harm",
    [
        lambda desk: spoil(desk.path),
        lambda desk: desk.path.unlink(),
        lambda desk: desk.path.write_bytes(b""),
        lambda desk: (desk.folder / "pages" / desk.months.last).write_bytes(b"cut sh"),
        lambda desk: (desk.folder / "pages" / desk.months.last).unlink(),
        lambda desk: (desk.folder / "pages" / desk.months.last).write_bytes(b"\xff\xfe \xff"),
        lambda desk: setattr(desk, "program", "another"),
    ],
    ids=["edited page", "no page", "empty page", "cut note", "no note", "no text", "another program"],
)
def test_a_page_that_is_not_as_noted_is_drawn(desk: Desk, harm: Callable[[Desk], object]) -> None:
    """A page that was changed or lost is mended by the next run; so is whatever happened to the note, or to the program."""
    harm(desk)
    desk.write()
    desk.write()
    assert desk.drawn == 2


def test_nothing_is_noted_where_another_program_was_installed_meanwhile(desk: Desk) -> None:
    """Nobody knows which of the two drew the page: the next run draws it, and only then it is known."""
    desk.program, desk.program_then = "another", "yet another"
    desk.write()
    desk.program_then = ""
    for drawn in (3, 3):
        desk.write()
        assert desk.drawn == drawn


def test_an_older_note_is_not_believed(desk: Desk) -> None:
    """Who was overtaken may put an older note beside a newer page, and the other way round: neither is taken for the other's."""
    note, old_page = desk.folder / "pages" / desk.months.last, desk.path.read_bytes()
    old_note = note.read_bytes()
    desk.sql(*SHOWN["how a night ended"])
    desk.write()
    note.write_bytes(old_note)
    desk.write()
    assert desk.drawn == 3
    desk.path.write_bytes(old_page)
    desk.write()
    assert desk.drawn == 4


def test_a_note_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """Where the folder of the notes is a file, each run draws, and finance's files are there."""
    (tmp_path / "pages").write_bytes(b"")
    desk = Desk(tmp_path)
    desk.write()
    desk.write()
    assert desk.drawn == 2


FIGURES = ReportFigures(
    day=Day("2026-11-23", MID, None),  # type: ignore[arg-type] # it is sealed, and not looked at
    environment="sandbox",
    run_id="r",
    heads=Heads("", ""),
    tally=Tally("2026-11-23"),
    lives=LivesTally("2026-11-23", "2026-09-01"),
    waiting=Waiting(),
    brands=BrandTally(),
    items=[],
    avoided=[],
    leaving=[],
    nights=[],
    calls=[],
    comparisons=[],
    differing=[],
    files=[],
)
OTHERS: dict[str, Any] = {
    "environment": "production",
    "run_id": "s",
    "waiting": Waiting(overdue={"USD": Total(1, 1)}),
    "brands": BrandTally({"visa": BrandCount(candidates=1)}),
    "items": [{"item_id": "1"}],
    "leaving": [Leaving("a", "evaluate", 1, "", "", "", "claimed", None)],
    "nights": [Night("2026-11-22", 0, "", "")],
    "calls": [Called("2026-11-22", "read", "5xx", 1)],
    "comparisons": [Comparing("2026-11-22", "", True, False, 1, 0)],
    "differing": [Differing("equal", "USD", "2026-11-22", 1, 1, 0)],
}


def test_each_figure_is_an_input() -> None:
    """Whatever the page is given and no manifest seals makes another digest; a figure that is added must be told of here."""
    assert {each.name for each in fields(ReportFigures)} == {*OTHERS, *SEALED}
    changed = [replace(FIGURES, **{name: other}) for name, other in OTHERS.items()]
    placed = Tally("2026-11-23")
    placed.placed["USD"] = Total(1, 1)
    changed.append(replace(FIGURES, tally=placed))
    found = {page_inputs(each, b"m", "c", "p") for each in (FIGURES, *changed)}
    found |= {page_inputs(FIGURES, *others) for others in ((b"n", "c", "p"), (b"m", "d", "p"), (b"m", "c", "q"))}
    assert len(found) == len(changed) + 4
    assert page_inputs(replace(FIGURES), b"m", "c", "p") in found
