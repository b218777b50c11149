"""The sample data: every row shows what its README says, and nothing in it is a real card or a real person."""

import csv
import io
import json
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pytest

import schemas
from schemas.order import OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, Origin
from schemas.reasons import Reason

SCHEMAS = Path(schemas.__file__).parent
SAMPLES = SCHEMAS.parent / "sample-data"
REFERENCE = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
FILES = ("declined_orders.csv", "paid_orders.csv")
ENDINGS = {
    "completed after 1 h": "a001",
    "cancelled after 1 h, read as declined": "a002",
    "expires at its expiry": "a003",
    "still processing until its expiry": "a004",
    "row refused by the provider": "a005",
    "on hold at the provider": "a006",
}
BRANDS_BY_LENGTH = {
    13: r"4",
    14: r"30[0-5]|3[689]",
    15: r"3[47]",
    16: r"4|5[1-5]|2(22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)|6011|64[4-9]|65|62|35(2[89]|[3-8]\d)|220[0-4]",
    19: r"4|6011|65|62",
}
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
Row = dict[str, str]


def _read(name: str) -> list[Row]:
    text = (SAMPLES / name).read_bytes().decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


DECLINED, PAID = (_read(name) for name in FILES)
README = (SAMPLES / "README.md").read_text(encoding="utf-8")
TOLD = {
    json.loads(cells[0]): (cells[1], cells[2])
    for cells in re.findall(r"^\| `(\".*\")` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
}
EXPECTED = {row["order_id"]: TOLD.get(row["order_id"], ("", "not told"))[1] for row in DECLINED + PAID}
SELECTED = [row for row in DECLINED if EXPECTED[row["order_id"]].startswith("selected: ")]
NETWORK_RULES: list[dict[str, Any]] = tomllib.loads((SCHEMAS / "network_rules.toml").read_text(encoding="utf-8"))["rule"]
DECLINE_CODES: dict[str, dict[str, str]] = tomllib.loads((SCHEMAS / "decline_codes.toml").read_text(encoding="utf-8"))


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _cards(row: Row) -> set[str]:
    found = set()
    for cell in row.values():
        for run in re.findall(r"\d(?:[ -]*\d)*", "" if GUID.fullmatch(cell) else cell):
            digits = re.sub(r"\D", "", run)
            pieces = {digits[at : at + size] for size in BRANDS_BY_LENGTH for at in range(len(digits) - size + 1)}
            found |= {piece for piece in pieces if re.match(BRANDS_BY_LENGTH[len(piece)], piece) and _luhn(piece)}
    return found


def _age(row: Row) -> timedelta | None:
    try:
        return REFERENCE - datetime.strptime(row["charged_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _amount(row: Row) -> int | None:
    return int(row["amount_minor"]) if re.fullmatch(r"-?\d+", row["amount_minor"]) else None


def _malformed(row: Row) -> bool:
    return (
        _amount(row) is None
        or _age(row) is None
        or not 1 <= int(row["exp_month"]) <= 12
        or row["origin"] not in set(Origin)
        or not all(row[name] for name in ("site", "currency", "response_code", "response_code_source"))
    )


def _rejected_by_gateway(row: Row) -> bool:
    for code, group in DECLINE_CODES.get(row["response_code_source"], {}).items():
        first, _, last = code.partition("-")
        same = row["response_code"] == code or (last and int(first) <= int(row["response_code"] or 0) <= int(last))
        if same and group == "gateway_rejection":
            return True
    return False


def _network(kind: str) -> Callable[[Row], bool]:
    def holds(rule: dict[str, Any], row: Row) -> bool:
        if not rule["effective_from"] <= REFERENCE.date() <= rule.get("effective_to", REFERENCE.date()):
            return False
        age = _age(row) or timedelta(0)
        return (
            row["network_response_code"] in rule.get("codes", ())
            or (row["network_advice_code"] in rule.get("advice", ()) and age < timedelta(rule.get("never_days", 0)))
            or (row["network_advice_code"] in rule.get("advice", ()) and age.total_seconds() < rule.get("wait_seconds", 0))
            or int(row["attempts_30d"] or 0) >= rule.get("attempts_30d", 10**9)
        )

    return lambda row: any(
        rule["kind"] == kind and rule["brand"] == row["card_brand"].lower() and holds(rule, row) for rule in NETWORK_RULES
    )


DEFECTS: dict[Reason, Callable[[Row], bool]] = {
    Reason.ALREADY_ACTIVE: lambda row: row["hold_reference"] != "",
    Reason.NOT_DECLINED: _rejected_by_gateway,
    Reason.IN_HOUSE_RETRY: lambda row: row["retry_state"] == "in_flight",
    Reason.TOO_OLD: lambda row: (_age(row) or timedelta(0)) >= timedelta(hours=30),
    Reason.MISSING_TOKEN: lambda row: not row["payment_token"],
    Reason.INVALID_ROW: _malformed,
    Reason.SWITCHED_OFF: lambda row: row["origin"] in {"website", "call_center"},
    Reason.SITE_UNKNOWN: lambda row: row["site"] not in {"acme-us", "acme-eu", "acme-closed", ""},
    Reason.SITE_DISABLED: lambda row: row["site"] == "acme-closed",
    Reason.NETWORK_NEVER_RETRY: _network("never"),
    Reason.NETWORK_LIMIT: lambda row: _network("limit")(row) or int(row["attempts_30d"] or 0) >= 15,
    Reason.NETWORK_WAIT: _network("wait"),
    Reason.CURRENCY_UNSUPPORTED: lambda row: row["currency"] not in {"USD", "EUR", ""},
    Reason.AMOUNT_OUT_OF_RANGE: lambda row: not 1 <= (1 if (amount := _amount(row)) is None else amount) <= 10_000_000,
    Reason.OPTED_OUT: lambda row: row["opted_out"] == "true",
    Reason.PAN_FOUND: lambda row: bool(_cards(row)),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_plain_csv(name: str) -> None:
    """A file is UTF-8 without BOM, its header is the orders table's columns, and its lines end in LF."""
    content = (SAMPLES / name).read_bytes()
    header, _, rest = content.partition(b"\n")
    columns = [*READ_COLUMNS, *OPTIONAL_COLUMNS, "status", "hold_reference", RETRY_COLUMN]
    assert header.decode("utf-8") == ",".join(columns)
    assert rest.endswith(b"\n")
    assert not rest.endswith(b"\r\n")


@pytest.mark.parametrize("name", FILES)
def test_two_readers_see_the_same_cells(name: str) -> None:
    """The csv module and pandas, told to read text, agree on every cell."""
    frame = pd.read_csv(SAMPLES / name, dtype=str, keep_default_na=False)
    assert frame.to_dict("records") == _read(name)


def test_order_ids_are_unique_byte_for_byte() -> None:
    """No order id occurs twice, over both files."""
    ids = Counter(row["order_id"].encode() for row in DECLINED + PAID)
    assert [order_id for order_id, count in ids.items() if count > 1] == []


def test_there_are_as_many_rows_as_the_readme_says() -> None:
    """The README's counts are right, and large enough to show something."""
    counted = re.findall(r"(\d+) (?:rows of|of them)", README)
    assert counted == [str(len(DECLINED)), str(len(SELECTED)), str(len(PAID))]
    assert len(DECLINED) >= 80
    assert len(SELECTED) >= 45
    assert len(PAID) >= 12


def test_readme_tells_of_every_row_and_of_no_other() -> None:
    """Each order stands in exactly one table of the README."""
    assert len(re.findall(r"^\| `\"", README, re.MULTILINE)) == len(TOLD)
    assert TOLD.keys() == {row["order_id"] for row in DECLINED + PAID}


def test_every_reason_is_shown() -> None:
    """Each reason of the gate has a row, but for the one that only a second night can give; that one is explained."""
    shown = {EXPECTED[row["order_id"]] for row in DECLINED if row not in SELECTED} - {"not a candidate"}
    assert shown == set(Reason) - {Reason.ALREADY_SUBMITTED, Reason.SELECTED}
    assert f"* `{Reason.ALREADY_SUBMITTED.value}`: " in README


@pytest.mark.parametrize("row", DECLINED, ids=lambda row: json.dumps(row["order_id"]))
def test_a_row_has_the_one_defect_that_it_shows(row: Row) -> None:
    """A row that is not sent has exactly the reason that the README gives, and a row that is sent has none."""
    expected = EXPECTED[row["order_id"]]
    found = {reason.value for reason, defect in DEFECTS.items() if defect(row)}
    assert found == (set() if row in SELECTED or expected == "not a candidate" else {expected})
    assert (row["status"] != "declined") == (expected == "not a candidate")


def test_sent_rows_are_ordinary_otherwise() -> None:
    """Rows that are sent lie within 12 hours before the reference, at two sites with one currency each."""
    assert all(timedelta(0) <= (_age(row) or timedelta(-1)) <= timedelta(hours=12) for row in SELECTED)
    assert {(row["site"], row["currency"]) for row in SELECTED} == {("acme-us", "USD"), ("acme-eu", "EUR")}


@pytest.mark.parametrize("row", SELECTED, ids=lambda row: json.dumps(row["order_id"]))
def test_token_ending_chooses_what_the_readme_says(row: Row) -> None:
    """The last four digits of the token stand for the ending that the README gives; other tokens have none of these."""
    told = EXPECTED[row["order_id"]].removeprefix("selected: ")
    ending = row["payment_token"][-4:]
    assert ENDINGS.get(told, "by hash") == (ending if ending in ENDINGS.values() else "by hash")
    assert (told == "ending by hash") == (ending not in ENDINGS.values())


def test_every_ending_is_shown() -> None:
    """Each ending that a token can choose is chosen by some row, the good one most often."""
    endings = Counter(row["payment_token"][-4:] for row in SELECTED)
    assert set(ENDINGS.values()) <= endings.keys()
    assert max(ENDINGS.values(), key=lambda ending: endings[ending]) == "a001"


def test_tokens_are_guids_and_unique() -> None:
    """A payment token is a GUID, and no two orders share one."""
    tokens = [row["payment_token"] for row in DECLINED + PAID if row["payment_token"]]
    assert [str(UUID(token)) for token in tokens] == tokens
    assert len(set(tokens)) == len(tokens)


def test_cards_stand_only_where_they_are_declared() -> None:
    """Only the rows that show a refused card number hold one, and those are published test numbers."""
    found = {row["order_id"]: _cards(row) for row in DECLINED + PAID if _cards(row)}
    assert found.keys() == {order_id for order_id, told in EXPECTED.items() if told.endswith(Reason.PAN_FOUND)}
    assert set().union(*found.values()) == {"4111111111111111", "4242424242424242", "5555555555554444"}


def test_people_are_invented() -> None:
    """E-mail addresses are of domains kept for examples, and phone numbers of the range kept for fiction."""
    rows = DECLINED + PAID
    assert [row["email"] for row in rows if not re.search(r"@example\.(com|org)$|^$", row["email"])] == []
    assert [row["phone"] for row in rows if not re.search(r"[ -]555-01\d\d$|^$", row["phone"])] == []


@pytest.mark.parametrize("row", PAID, ids=lambda row: str(row["order_id"]))
def test_paid_rows_are_fresh_or_old_as_told(row: Row) -> None:
    """A copy goes out for a fresh charge without a card number in it, and for no other."""
    fresh = (_age(row) or timedelta.max) <= timedelta(hours=12)
    told = EXPECTED[row["order_id"]]
    assert (told == "transmitted") == (fresh and not _cards(row))
    assert row["status"] == "paid"


def test_paid_rows_have_every_origin() -> None:
    """Copies are shown for every origin, fresh and old, at both sites."""
    assert {row["origin"] for row in PAID} == set(Origin)
    assert {row["site"] for row in PAID} == {"acme-us", "acme-eu"}
    assert any("24 hours" in EXPECTED[row["order_id"]] for row in PAID)


def test_awkward_ids_are_there() -> None:
    """Ids that spreadsheets, shells and file systems would change are among those that are sent."""
    ids = {row["order_id"] for row in SELECTED}
    assert ids >= {"000471", "007", "7", "NA", "null", "1E10", " two-blanks ", "=1+1", "../../etc/passwd", "Case-7", "case-7"}
    assert any(re.fullmatch(r"\d{40}", order_id) for order_id in ids)
    assert any(_luhn(order_id) and len(order_id) == 16 for order_id in ids if order_id.isdigit())
    assert any(GUID.fullmatch(order_id) and _luhn(re.sub(r"\D", "", order_id)[4:20]) for order_id in ids)
    twins = Counter(unicodedata.normalize("NFC", order_id) for order_id in ids)
    assert max(twins.values()) == 2


def test_awkward_texts_are_there() -> None:
    """Texts that break naive writers are among those that are sent: line breaks, quotes, formulas, markup, all scripts."""
    cells = [cell for row in SELECTED for cell in row.values()]
    for piece in ("\n", "\r\n", '"', ",", "DROP TABLE", "{{7*7}}", "%s", "<script>", "\\", "\N{ROCKET}", "\u05e9", "\u738b"):
        assert any(piece in cell for cell in cells), piece
    for start in ("=HYPERLINK(", "+1", "-1", "@SUM", "\t=", "'t"):
        assert any(row["first_name"].startswith(start) for row in SELECTED), start
    assert any(row["country"] == "NA" for row in SELECTED)
    assert any(row["zipcode"] == "01803" for row in SELECTED)
    assert any(not unicodedata.is_normalized("NFC", row["first_name"]) for row in SELECTED)
