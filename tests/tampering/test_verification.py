"""Books that nobody touched verify, under any later settings; each kind of edit is found and named as what it is."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from pytest_mock import MockerFixture
from sqlalchemy import Table, select

from batch.audit import AuditFolder
from batch.bookkeeping import REPORT, Bookkeeping, Turn
from batch.ledger_history import LedgerHistory
from batch.tampering import TamperingKind, changed_rows
from jobs.disk import MachineDisk
from schemas.ledger_tables import metadata
from tests.audit.conftest import ALONE
from tests.tampering.books import Books
from tests.tampering.campaign import chance_of, one_edit
from tests.tampering.edits import SEALED, edit_a_cell, not_sealed

FIRST, SECOND, THIRD = "2026-11-23", "2026-11-24", "2026-11-25"
KEPT_OTHERWISE = {
    "audit": {"delimiter": ";", "decimal": ","},
    "writeback": {"on_not_recovered": "keep"},
    "schedule": {"timezone": "Europe/Berlin"},
}


def sql(books: Books, *statements: str) -> None:
    """What somebody with a database shell does."""
    with books.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0


def found(books: Books) -> list[tuple[TamperingKind, str]]:
    """What is found, by kind and subject."""
    return [(each.kind, each.subject) for each in books.verify().tampering]


def test_untouched_books_verify(books: Books) -> None:
    """Everything is looked at, and all is as it was written."""
    verified = books.verify()
    assert (verified.tampering, verified.waiting, verified.is_disturbed) == ([], [], False)
    assert verified.days == [FIRST, SECOND, THIRD]
    assert verified.events > 60
    assert (
        verified.files
        == sum(len(set((books.audit / day).iterdir()) - {books.audit / day / REPORT}) for day in verified.days)
        == 33
    )


@pytest.mark.parametrize("sections", [{name: keys} for name, keys in KEPT_OTHERWISE.items()], ids=list(KEPT_OTHERWISE))
def test_settings_that_changed_since_are_no_tampering(books: Books, sections: dict[str, dict[str, str]]) -> None:
    """Days are made again as they were written; and once written in the new way, they verify in that way too."""
    changed = {name: getattr(books.settings, name).model_copy(update=keys) for name, keys in sections.items()}
    settings = books.settings.model_copy(update=changed)
    assert books.verification(settings=settings).verify().tampering == []
    folder, history = AuditFolder(books.audit, MachineDisk()), LedgerHistory(books.engine.connect, settings.provider.mid)
    before = (books.audit / SECOND / "manifest.json").read_bytes()
    Bookkeeping(history=history, folder=folder, settings=settings).write_from(ALONE, SECOND)
    assert (books.audit / SECOND / "manifest.json").read_bytes() != before
    assert books.verification(settings=settings).verify().tampering == []
    assert books.verify().tampering == []


@pytest.mark.parametrize("number", range(120))
def test_no_random_edit_goes_unnoticed(made: Books, number: int) -> None:
    """An edit of a file or of a sealed cell of the ledger is noticed, whatever it is; `tests.long` tries ten thousand."""
    edited, noticed = one_edit(made, chance_of(0, number), of_ledger=number % 2 == 0)
    assert noticed, edited
    assert made.verify().tampering == []


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_column_of_the_ledger_is_sealed_or_listed(made: Books, table: Table) -> None:
    """An edit of any cell of any row's is found, but for those that `schemas/FINANCE.md` names; a new column must be either."""
    chance, unnoticed, tried = Random(table.name), list[str](), set[str]()  # noqa: S311 - repeatable, and no secret
    with made.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(table)).mappings()]
        connection.rollback()
        for name in SEALED.get(table, ()):
            for row in chance.sample(rows, min(len(rows), 3)):
                with connection.begin() as transaction:
                    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
                    edits = (edit_a_cell(connection, table, row, name, chance) for _ in range(9))
                    if edited := next(filter(None, edits), ""):
                        tried.add(name)
                        unnoticed += [] if made.verification(connection).verify().tampering else [edited]
                    transaction.rollback()
    assert unnoticed == []
    assert tried == set(SEALED.get(table, ()))


def test_what_is_not_sealed_is_named_as_it_is() -> None:
    """Every name of the list is a column's; whole tables are those alone that nobody must believe."""
    listed = not_sealed()
    assert all(names <= {column.name for column in metadata.tables[table].columns} for table, names in listed.items())
    whole = {table.name for table in metadata.sorted_tables if table not in SEALED}
    assert whole == {*("identity", "figure", "remote_file", "mention", "early_news", "webhook", "listed_order", "settled_line")}


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("DELETE FROM run WHERE fencing_token = 2", "run"),
        ("UPDATE run SET run_id = 'x' WHERE fencing_token = 1", "run:"),
        ("UPDATE run SET business_date = '2026-11-22' WHERE fencing_token = 1", "batch:"),
        ("UPDATE lease SET token = token + 1", "run"),
        ("UPDATE batch SET delivered_at = NULL WHERE kind = 'evaluate'", "batch:"),
        ("UPDATE batch SET expires_at = '2027-01-01T00:00:00Z' WHERE kind = 'evaluate'", "order:"),
        ("UPDATE submission SET provider_order_id = 'x' WHERE order_id = 'back'", "order:back"),
        ("UPDATE submission SET claimed_at = '2026-11-23T00:00:00Z' WHERE order_id = 'back'", "order:back"),
        ("UPDATE submission SET batch_id = (SELECT batch_id FROM batch WHERE kind = 'transmit')", "order:back"),
        ("UPDATE transmission SET business_date = '2026-11-22'", "copy:paid-1"),
        ("UPDATE operation SET asked_by = 'somebody'", "operation:"),
        ("UPDATE operation SET settled_at = NULL", "operation:"),
        ("UPDATE comparison SET compared_at = '2026-11-25T00:00:00Z'", "comparison:"),
        ("UPDATE item SET closed_at = '2026-11-25T00:00:00Z' WHERE closed_at IS NULL", "item:"),
        ("UPDATE event SET business_date = '2026-11-22' WHERE seq = 1 AND subject LIKE 'batch:%'", "batch:"),
    ],
)
def test_a_row_that_another_record_belies_is_named(books: Books, statement: str, subject: str) -> None:
    """What its events, its file or its run say as well."""
    sql(books, statement)
    assert any(kind is TamperingKind.ROW_CHANGED and about.startswith(subject) for kind, about in found(books))


@pytest.mark.parametrize(
    ("statement", "kind", "subject"),
    [
        ("UPDATE event SET reason = 'x' WHERE subject = 'order:back' AND seq = 2", TamperingKind.EVENT_CHANGED, "order:back"),
        (
            "UPDATE event SET reason = CAST(reason AS BLOB) WHERE subject = 'order:back' AND seq = 2",
            TamperingKind.EVENT_CHANGED,
            "order:back",
        ),
        ("DELETE FROM event WHERE subject = 'order:back' AND seq = 2", TamperingKind.EVENT_MISSING, "order:back"),
        ("DELETE FROM event WHERE subject = 'order:back' AND seq = 1", TamperingKind.EVENT_MISSING, "order:back"),
        ("DELETE FROM event WHERE subject = 'order:back'", TamperingKind.ROW_CHANGED, "order:back"),
        ("UPDATE submission SET state = 'completed' WHERE order_id = 'a006-1'", TamperingKind.ROW_CHANGED, "order:a006-1"),
        ("DELETE FROM submission WHERE order_id = 'a006-1'", TamperingKind.ROW_CHANGED, "order:a006-1"),
        ("UPDATE submission SET amount_minor = 5 WHERE order_id = 'back'", TamperingKind.BOOKS_DIFFER, f"{FIRST}/manifest.json"),
        ("UPDATE decision SET reason = 'opted_out' WHERE order_id = 'old'", TamperingKind.BOOKS_DIFFER, f"{FIRST}/declines.csv"),
    ],
)
def test_an_edit_of_the_ledger_is_named(books: Books, statement: str, kind: TamperingKind, subject: str) -> None:
    """The chain, the row or the file that does not fit is what is named."""
    sql(books, statement)
    assert (kind, subject) in found(books)


@pytest.mark.parametrize(
    "cells",
    [
        "replace(cells_json, '\"network_advice_code\"', '\"Zetwork_advice_code\"')",
        "replace(cells_json, '\"network_advice_code\":\"\",', '')",
        'replace(cells_json, \'"network_advice_code":""\', \'"network_advice_code":null\')',
        'replace(cells_json, \'"network_advice_code":""\', \'"network_advice_code": ""\')',
        'replace(cells_json, \'"network_advice_code"\', \'"a":"","network_advice_code"\')',
        "'[]'",
        "'{'",
        "''",
    ],
)
def test_a_verdict_is_found_edited_where_no_file_of_finance_shows_it(books: Books, cells: str) -> None:
    """An empty cell under another name, or none, gives the same CSV; the verdict names its order all the same."""
    sql(books, f"UPDATE decision SET cells_json = {cells} WHERE order_id = 'back' AND business_date = '{FIRST}'")
    assert (TamperingKind.ROW_CHANGED, "order:back") in found(books)


def test_a_chain_without_its_end_is_found(books: Books) -> None:
    """Somebody takes the last event away and sets the row back to the one before: only the days' digests tell."""
    with books.engine.connect() as connection:
        last, before = connection.exec_driver_sql(
            "SELECT seq, hash FROM event WHERE subject = 'order:a006-1' ORDER BY seq DESC LIMIT 2"
        ).all()
        (state,) = connection.exec_driver_sql(
            "SELECT to_state FROM event WHERE subject = 'order:a006-1' AND kind = 'transition' AND seq < ? ORDER BY seq DESC",
            (last.seq,),
        ).first() or ("",)
    head = f"event_seq = {before.seq}, event_hash = '{before.hash}', state = '{state}'"
    sql(
        books,
        f"DELETE FROM event WHERE subject = 'order:a006-1' AND seq = {last.seq}",
        f"UPDATE submission SET {head} WHERE order_id = 'a006-1'",
    )
    assert {kind for kind, _ in found(books)} == {TamperingKind.BOOKS_DIFFER}


def test_what_the_provider_said_is_sealed(books: Books) -> None:
    """Other bytes under the same name, and words that are gone while events name them."""
    sql(books, "UPDATE evidence SET content = 'x' WHERE evidence_id = (SELECT min(evidence_id) FROM evidence)")
    (kind, subject) = found(books)[0]
    assert kind is TamperingKind.EVIDENCE_CHANGED
    sql(books, f"DELETE FROM evidence WHERE evidence_id = '{subject.removeprefix('evidence:')}'")
    assert (kind, subject) in found(books)


def edited(text: str) -> str:
    """The first data row's amount, one cent more."""
    assert ",1999,19.99," in text
    return text.replace(",1999,19.99,", ",2000,20.00,", 1)


def test_an_edited_row_is_named_with_its_order(books: Books) -> None:
    """Which row of which order does not fit its check."""
    path = books.audit / FIRST / "declines.csv"
    path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
    (only,) = books.verify().tampering
    assert (only.kind, only.subject) == (TamperingKind.FILE_CHANGED, f"{FIRST}/declines.csv")
    assert only.sentence == (
        "declines.csv of 2026-11-23 was changed after it was written: line 3 (order '=1+1') does not fit the row_check."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [*lines[:1], *lines[2:]], ": it has 10 rows instead of 11."),
        (lambda lines: [*lines, lines[1]], ": it has 12 rows instead of 11."),
        (lambda lines: [*lines[:1], *reversed(lines[1:])], "."),
    ],
)
def test_rows_that_are_gone_or_too_many_are_counted(
    books: Books, change: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    """Where every row fits its check, how many there are is said; in another order they are as many."""
    path = books.audit / FIRST / "submissions.csv"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    (only,) = books.verify().tampering
    assert only.sentence == f"submissions.csv of 2026-11-23 was changed after it was written{words}"


@pytest.mark.parametrize(
    ("change", "kind", "subject"),
    [
        (lambda day: (day / "holds.csv").unlink(), TamperingKind.FILE_MISSING, f"{SECOND}/holds.csv"),
        (lambda day: (day / "manifest.json").unlink(), TamperingKind.DAY_MISSING, SECOND),
        (lambda day: day.rename(day.with_name("away")), TamperingKind.DAY_MISSING, SECOND),
        (lambda day: (day / "manifest.json").write_text("[]"), TamperingKind.BOOKS_DIFFER, f"{SECOND}/manifest.json"),
        (lambda day: (day / "declines.0002.csv").write_text("x"), TamperingKind.FILE_UNKNOWN, f"{SECOND}/declines.0002.csv"),
        (lambda day: day.rename(day.with_name("2026-11-22")), TamperingKind.FILE_UNKNOWN, "2026-11-22"),
    ],
    ids=["file", "manifest", "day", "nonsense", "another", "moved"],
)
def test_what_is_gone_or_too_many_is_named(
    books: Books, change: Callable[[Any], object], kind: TamperingKind, subject: str
) -> None:
    """A file, a manifest or a whole day that is gone; a file or a day that nobody wrote."""
    change(books.audit / SECOND)
    assert (kind, subject) in found(books)


def test_finance_may_keep_notes_beside_the_files(books: Books) -> None:
    """A file of another name is nobody's business."""
    (books.audit / FIRST / "notes.xlsx").write_bytes(b"PK")
    assert found(books) == []


@pytest.mark.parametrize("key", ["delimiter", "decimal", "on_not_recovered", "part_rows"])
@pytest.mark.parametrize("value", ["|", -1, None, [], True])
def test_a_manifest_cannot_name_settings_that_hide_an_edit(books: Books, key: str, value: object) -> None:
    """Whatever the edited manifest says that it was written with, it is not what the ledger gives."""
    path = books.audit / FIRST / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["written_with"][key] = value
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert (TamperingKind.BOOKS_DIFFER, f"{FIRST}/manifest.json") in found(books)


def test_days_that_are_still_to_be_written_are_not_compared(books: Books) -> None:
    """A run that was cut off leaves its date, and those after it, to the next run; that is said, and is no tampering."""
    sql(books, f"UPDATE run SET finished_at = NULL WHERE business_date = '{THIRD}'")
    (books.audit / THIRD / "holds.csv").unlink()
    verified = books.verify()
    assert (verified.tampering, verified.waiting, verified.days) == ([], [THIRD], [FIRST, SECOND])


def test_a_run_that_works_meanwhile_is_noticed(books: Books, mocker: MockerFixture) -> None:
    """A lease that was taken while the books were looked at means that nothing can be said."""

    def written_meanwhile(_self: Bookkeeping, _date: str, _turn: Turn) -> None:
        sql(books, "UPDATE lease SET token = token + 1")

    mocker.patch("batch.verifying.Bookkeeping.write", autospec=True, side_effect=written_meanwhile)
    assert books.verify().is_disturbed


def test_only_the_days_that_are_asked_for_are_compared(books: Books) -> None:
    """Both ends belong to them."""
    (books.audit / THIRD / "holds.csv").unlink()
    assert books.verification().verify(FIRST, SECOND).days == [FIRST, SECOND]
    assert books.verification().verify(FIRST, SECOND).tampering == []
    assert [each.subject for each in books.verification().verify(THIRD).tampering] == [f"{THIRD}/holds.csv"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b'"a","row_check"\n"x","00000000"\n', ["line 2"]),
        (b'"order_id","row_check"\n"x"\n', ["line 2 (order 'x')"]),
        (b'"order_id","row_check"\n"x","y","z"\n', ["line 2 (order 'x')"]),
        (b'"order_id","row_check"\n"x"y,"z"\n', ["line 2"]),
        (b'"order_id"\n"x"\n', []),
        (b"\xff\xfe\x00", []),
    ],
)
def test_hostile_files_are_read_without_harm(content: bytes, lines: list[str]) -> None:
    """Any bytes may stand in a file that somebody edited."""
    assert changed_rows(content, ",") == lines
