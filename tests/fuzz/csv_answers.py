"""Fuzzed answers in CSV: what is accepted is what a slow and separate reader finds, and nothing else (CONTRACT 6.4)."""

import csv
import io
from collections.abc import Callable
from typing import Any

from batch import responses
from schemas.errors import AnswerUnreadable
from tests.fuzz import answers, documents, oracle
from tests.fuzz.dice import Dice
from tests.fuzz.targets import Judged, Target
from tests.pure.samples import profile

Line = list[str]


def _target(name: str, make: Callable[[Dice], list[Line]], read: Callable[[bytes], Any], says: Callable[[bytes], Any]) -> Target:
    def made(dice: Dice) -> bytes:
        content = _written(dice, make(dice))
        return dice.mutated(content) if dice.one_in(2) else content

    def judge(content: bytes) -> Judged:
        try:
            expected, is_csv = says(content), True
        except oracle.Unfit:
            expected, is_csv = None, False
        except oracle.Unsure:
            expected, is_csv = oracle.ANY_ANSWER, True
        if responses.is_json(content):
            return Judged([], is_deep=False)
        try:
            found = read(content)
        except AnswerUnreadable as error:
            refused = ["a good document is refused"] if is_csv and expected is not oracle.ANY_ANSWER else []
            return Judged([*refused, *answers.leaks(str(error))], is_csv)
        if not is_csv:
            return Judged(["a document that must be refused is accepted"], is_deep=True)
        same = expected is oracle.ANY_ANSWER or repr(answers.plain(found)) == repr(expected)
        return Judged([*([] if same else ["it is read as something else than it says"]), *answers.shown(found)], is_deep=True)

    return Target(name, made, judge)


def _written(dice: Dice, lines: list[Line]) -> bytes:
    text = io.StringIO(newline="")
    end, quotes_all = dice.choice(["\n", "\r\n", "\r"]), dice.one_in(2)
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL).writerows(lines)
    made = text.getvalue()
    if dice.one_in(8):
        made = "\ufeff" + made
    if dice.one_in(8):
        made = made.rstrip("\r\n")
    if dice.one_in(20):
        made = made.replace("\n", "\n\n", 1)
    return made.encode("utf-8", "surrogatepass")


def _shuffled(dice: Dice, names: Line, rows: list[dict[str, str]]) -> list[Line]:
    """The rows by these columns, in some order; sometimes a column is missing, doubled or spelt otherwise."""
    names = dice.sample(names, len(names)) if dice.one_in(2) else names
    header = [name.upper() if dice.one_in(6) else name for name in names]
    if dice.one_in(12):
        header[dice.randrange(len(header))] = dice.choice([dice.odd_text(1), "mid", ""])
    lines = [[row.get(name, "") for name in names] for row in rows]
    for line in lines:
        if dice.one_in(10):
            line[:] = dice.choice([line[1:], [*line, dice.text()], [dice.text() for _ in line]])
    return [header, *lines]


def _acknowledgement(dice: Dice) -> list[Line]:
    if dice.one_in(8):
        refused = {
            "file": documents.FILE,
            "kind": "evaluate",
            "mid": documents.MID,
            "result": "Failed",
            "errors.0.item1": dice.text(),
        }
        return _shuffled(dice, list(refused), [refused])
    rows = []
    for number in range(1, dice.randint(1, 4)):
        row = {"file": documents.FILE, "kind": "evaluate", "mid": documents.MID, "sequenceNumber": str(number)}
        row |= {"orderId": dice.choice([f"000{number}", "=1+1", dice.text()]), "orderSessionKey": f"key-{number}"}
        row |= {"status": dice.choice(documents.WORDS), "result": dice.choice(["Success", "success ", "Failed", "maybe", ""])}
        if dice.one_in(3):
            row |= {dice.choice(["errors.0.item1", "errors.1", "errors", "errors.x", "errors.0.item2"]): dice.text()}
        if dice.one_in(6):
            row |= {"mid": dice.text()}
        if dice.one_in(3):
            row |= {"sequenceNumber": "", "orderId": "", "orderSessionKey": "", "status": "", "result": "failed"}
        rows.append(row)
    return _shuffled(dice, list(dict.fromkeys(name for row in [*rows, {"mid": ""}] for name in row)), rows)


def _outcomes(dice: Dice) -> list[Line]:
    rows = [
        {
            "mid": documents.MID if not dice.one_in(12) else dice.text(),
            "orderSessionKey": dice.choice([documents.PROVIDER_ORDER, "", dice.text()]),
            "orderId": dice.choice([documents.ORDER, "", dice.text()]),
            "status": dice.choice(documents.WORDS),
        }
        for _ in range(dice.randint(0, 3))
    ]
    return _shuffled(dice, ["mid", "orderSessionKey", "orderId", "status"], rows)


def _table(content: bytes) -> tuple[Line, list[dict[str, str] | None]]:
    """The columns in lower case and the rows, read sign by sign. Raises Unfit."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise oracle.Unfit from None
    lines = [line for line in _signs(text[1:] if text.startswith("\ufeff") else text) if line is not None]
    names = [name.lower() for name in lines[0]] if lines else []
    if "\x00" in text or not names or "" in names or len(set(names)) < len(names) or len(names) > 256:
        raise oracle.Unfit
    whole = [dict(zip(names, line, strict=True)) if len(line) == len(names) else None for line in lines[1:]]
    return names, [row and {name: cell for name, cell in row.items() if cell} for row in whole]


def _signs(text: str) -> list[Line | None]:
    """Each line as cells; None is an empty one. Unquoted cells hold no quote, quoted ones end at their own."""
    lines: list[Line | None] = []
    cells: Line = []
    place, is_bare = 0, True
    text = text if text.endswith(("\n", "\r")) or not text else text + "\n"
    while place < len(text):
        cell, place, was_quoted = _cell(text, place)
        cells, is_bare = [*cells, cell], is_bare and not was_quoted
        sign = text[place : place + 1]
        place += 2 if text[place : place + 2] == "\r\n" else 1
        if sign not in {",", "\n", "\r"}:
            raise oracle.Unfit
        if sign != ",":
            lines.append(None if cells == [""] and is_bare else cells)
            cells, is_bare = [], True
    return lines


def _cell(text: str, place: int) -> tuple[str, int, bool]:
    """A cell, where it ends, and whether it was quoted."""
    cell = ""
    if text[place : place + 1] != '"':
        while text[place : place + 1] not in {"", ",", "\n", "\r", '"'}:
            cell, place = cell + text[place], place + 1
        return cell, place, False
    place += 1
    while place < len(text):
        if text[place] != '"':
            cell, place = cell + text[place], place + 1
        elif text[place + 1 : place + 2] == '"':
            cell, place = cell + '"', place + 2
        else:
            return cell, place + 1, True
    raise oracle.Unfit


def _one(rows: list[dict[str, str] | None], name: str) -> str:
    said = {row.get(name, "") for row in rows if row is not None}
    if len(said) != 1:
        raise oracle.Unfit
    return said.pop()


def _said_of_file(content: bytes) -> Any:  # noqa: ANN401 - JSON
    names, rows = _table(content)
    if not {"file", "mid", "result"} <= {name.split(".")[0] for name in names}:
        raise oracle.Unfit
    head: dict[str, Any] = {"file": _one(rows, "file"), "mid": _one(rows, "mid")}
    first = rows[0] or {}
    if len(rows) == 1 and first.get("result", "").strip().lower() == "failed" and not {"sequencenumber", "orderid"} & set(names):
        if any(name.split(".")[0] not in {"file", "kind", "mid", "result", "errors"} for name in first):
            raise oracle.Unfit
        return oracle.acknowledgement(head | {"result": "failed"})
    return oracle.acknowledgement(head | {"result": "success", "responses": rows})


def _said_of_orders(content: bytes) -> Any:  # noqa: ANN401 - JSON
    names, rows = _table(content)
    if not {"mid", "status"} <= {name.split(".")[0] for name in names}:
        raise oracle.Unfit
    return oracle.outcomes({"mid": _one(rows, "mid"), "outcomes": rows})


ACKNOWLEDGEMENT_CSV = _target(
    "acknowledgement_csv",
    _acknowledgement,
    lambda content: responses.read_acknowledgement(content, profile()),
    _said_of_file,
)
OUTCOMES_CSV = _target("outcomes_csv", _outcomes, answers.told_of_outcomes, _said_of_orders)
