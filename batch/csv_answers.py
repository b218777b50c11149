"""Answers in CSV as the same document that JSON would have brought, so that both are read and applied by one code (CONTRACT 6.4).

The document's own properties stand in every row and must be the same in all of them; nested names are joined by the
profile's separator (`errors.0.item1`). A row that does not fit the header becomes an element that cannot be read.
"""

from collections.abc import Iterable

from batch.strict_csv import Table
from schemas.errors import AnswerUnreadable
from schemas.profile import Profile


def acknowledgement_document(table: Table, profile: Profile) -> dict[str, object]:
    """An acknowledgement. A refused file is one row of a table without numbers and order ids, whose result says so."""
    names = profile.acknowledgement
    head = {name: _shared(table, name) for name in (names.file, names.mid)}
    _demand(table, names.row.result)
    rows = [_with_errors(row, profile) for row in table.rows]
    names_rows = {names.row.sequence_number.lower(), names.row.order_id.lower()} & set(table.columns)
    if not names_rows and len(rows) == 1 and rows[0] is not None and _refuses_all(rows[0], profile):
        return {**head, names.result: names.refused, names.errors: rows[0][names.row.errors.lower()]}
    return {**head, names.result: names.accepted, names.rows: rows}


def outcomes_document(table: Table, profile: Profile) -> dict[str, object]:
    """An outcomes file."""
    names = profile.outcomes
    _demand(table, names.row.status)
    return {names.mid: _shared(table, names.mid), names.rows: list(table.rows)}


def _refuses_all(row: dict[str, object], profile: Profile) -> bool:
    """Whether the only row speaks of the whole file. Raises AnswerUnreadable when it may speak of a row by unknown names."""
    names = profile.acknowledgement
    if names.row.sequence_number.lower() in row or names.row.order_id.lower() in row:
        return False
    if str(row.get(names.row.result.lower(), "")).strip().lower() != names.refused:
        return False
    known = (names.file, names.kind, names.mid, names.result, names.row.result, names.row.errors)
    if not row.keys() <= {name.lower() for name in known}:
        raise AnswerUnreadable("The answer refuses something and does not say what by columns that are known.")
    return True


def _shared(table: Table, name: str) -> str:
    """A property of the whole document. Raises AnswerUnreadable unless every row that fits the header has the same."""
    _demand(table, name)
    said = {row.get(name.lower(), "") for row in table.rows if row is not None}
    if len(said) != 1:
        words = "has no rows" if not said else f"does not say the same {name} in every row"
        raise AnswerUnreadable(f"The answer {words}.")
    return said.pop()


def _demand(table: Table, name: str) -> None:
    if not any(column == name.lower() or column.startswith(f"{name.lower()}.") for column in table.columns):
        raise AnswerUnreadable(f"The answer has no column {name}.")


def _with_errors(row: dict[str, str] | None, profile: Profile) -> dict[str, object] | None:
    """A row whose columns `errors`, `errors.0`, `errors.0.item1` and so on are one list, in the order of their numbers."""
    if row is None:
        return None
    name = profile.acknowledgement.row.errors.lower()
    prefix, mark = f"{name}{profile.csv.nested_separator}", profile.csv.nested_separator
    plain: dict[str, object] = {column: cell for column, cell in row.items() if column != name and not column.startswith(prefix)}
    numbered = [(*column.removeprefix(prefix).split(mark, 1), cell) for column, cell in row.items() if column.startswith(prefix)]
    return plain | {name: [*([row[name]] if name in row else []), *_messages(numbered)]}


def _messages(numbered: Iterable[tuple[str, ...]]) -> list[object]:
    errors: dict[int, object] = {}
    for number, *item, cell in numbered:
        if len(number) <= 3 and number.isascii() and number.isdigit() and item in ([], ["item1"]):
            errors[int(number)] = cell
    return [errors[number] for number in sorted(errors)]
