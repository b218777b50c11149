"""Ids, texts and amounts from the orders table to the provider and back to finance's files, byte for byte."""

import ast
import csv
import io
import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import batch
import schemas
from batch.card_numbers import has_card_number
from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.night.conftest import MakeHouse
from tests.night.house import START, House, order, paid

AWKWARD = (
    "000471",
    "0017908871009180719800917080971890017809",
    "NA",
    "null",
    "None",
    "NaN",
    "1E10",
    "1e10",
    "-0",
    "+1",
    "7",
    "007",
    " two-blanks ",
    "=1+1",
    "@SUM(A1)",
    "'quoted",
    "''",
    "\uff1dfull-width",
    'say "cheese", O\'Brien',
    "a;b,c|d",
    "line\nfeed",
    "carriage\rreturn",
    "both\r\nof them",
    "tab\tinside",
    "back\\slash",
    "back\\nslash",
    "../../etc/passwd",
    "a/b?c=d&e#f%20g",
    "{{7*7}} ${HOME} %s",
    "Case-7",
    "case-7",
    "Zo\u00eb-1",
    "Zoe\u0308-1",
    "order-\U0001f389-5",
    "\u202eright-to-left",
    "\u200bzero width",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u6ce8\u6587",
    "\x1b[31mred",
    "x" * 255,
)
TEXT_COLUMNS = ("customer_id", "subscription_id", "response_description")
WIRE_TEXTS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "addressLine1": "address_line1",
    "addressLine2": "address_line2",
    "city": "city",
    "zipcode": "zipcode",
}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40).filter(
    lambda text: text.strip() != "" and not has_card_number(text)
)


def wire_records(house: House, kind: str = "evaluate") -> dict[str, dict[str, Any]]:
    """The records that lie in the provider's inbound folder, by order id, read with the standard library."""
    found: dict[str, dict[str, Any]] = {}
    for path in house.sandbox.inbound.glob(f"{kind}_*"):
        content = path.read_bytes().decode("utf-8")
        if path.suffix == ".json":
            rows = json.loads(content, parse_float=_no_float)["transactionRequests" if kind == "evaluate" else "transactions"]
        else:
            rows = [_nested(row) for row in csv.DictReader(io.StringIO(content, newline=""))]
        found |= {row["orderId"]: row for row in rows}
    return found


def _no_float(text: str) -> float:
    raise AssertionError(f"the float {text} travels")


def _nested(flat: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in flat.items():
        group, _, field = name.rpartition(".")
        (record.setdefault(group, {}) if group else record)[field] = value
    return record


@pytest.mark.parametrize("evaluate_format", ["json", "csv"])
def test_awkward_ids_and_texts_travel_byte_for_byte(make_house: MakeHouse, evaluate_format: str) -> None:
    """Every awkward id and text stands unchanged at the provider, in the order's row and in finance's files."""
    house = make_house(removal="never")
    house.set(channels={"evaluate_format": evaluate_format})
    columns = (*TEXT_COLUMNS, *WIRE_TEXTS.values(), "holder_name")
    house.add(*(order(text, **dict.fromkeys(columns, text)) for text in AWKWARD))
    assert house.run().code == 0
    assert house.accepted() == Counter(AWKWARD)
    records = wire_records(house)
    for text in AWKWARD:
        assert records[text]["payer"]["id"] == text
        assert records[text]["paymentMethod"]["holderName"] == text
        assert {name: records[text]["billingInformation"][name] for name in WIRE_TEXTS} == dict.fromkeys(WIRE_TEXTS, text)
        assert house.row(text)["status"] == "pending"
        assert house.row(text)["customer_id"] == text
    assert [row["order_id"] for row in house.audit("declines")] == sorted(AWKWARD, key=lambda text: text.encode())
    assert all(row["order_id"] == row[name] for row in house.audit("declines") for name in TEXT_COLUMNS)
    assert {row["order_id"] for row in house.audit("submissions")} == set(AWKWARD)
    assert {row["order_id"] for row in house.audit("holds")} == set(AWKWARD)


def test_awkward_ids_come_back_with_the_outcome(house: House) -> None:
    """The outcome of every awkward id is read for that order, written to its row and told to finance."""
    house.add(*(order(text) for text in AWKWARD))
    house.run()
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert house.states() == dict.fromkeys(AWKWARD, "completed")
    assert {text: house.row(text)["status"] for text in AWKWARD} == dict.fromkeys(AWKWARD, "completed")
    completed = [row["order_id"] for row in house.audit("outcomes") if row["state_to"] == "completed"]
    assert Counter(completed) == Counter(AWKWARD)


def test_awkward_ids_are_found_without_an_acknowledgement(house: House) -> None:
    """An order whose acknowledgement never came is found by its own id, never by one that only contains it."""
    house.sandbox.faults.switch_on("no_acknowledgement", times=9)
    house.add(*(order(text) for text in AWKWARD))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    keys = {str(each["order_id"]): each["order_session_key"] for each in house.sandbox.orders()}
    assert house.states() == dict.fromkeys(AWKWARD, "completed")
    assert {text: house.row(text)["provider_order_id"] for text in AWKWARD} == keys


def test_awkward_copies_travel_byte_for_byte(house: House) -> None:
    """Copies of good charges keep their ids, and finance's file has each."""
    house.add(*(paid(text) for text in AWKWARD))
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(AWKWARD)
    assert {row["order_id"] for row in house.audit("transmissions")} == set(AWKWARD)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(texts, texts, st.integers(1, 10_000_000)), min_size=1, max_size=60, unique_by=lambda row: row[0]),
    evaluate_format=st.sampled_from(["json", "csv"]),
)
def test_any_text_and_amount_travels(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]], evaluate_format: str
) -> None:
    """Whatever the id, the text and the amount: provider, ledger, and finance's files have exactly them."""
    folder = tmp_path_factory.mktemp("house")
    clock = MovableClock(START)
    with Sandbox(folder / "provider", clock=clock, options=SandboxOptions(removal="never")) as sandbox:
        house = House(folder, sandbox, clock)
        house.set(channels={"evaluate_format": evaluate_format})
        house.add(*(order(key, last_name=text, response_description=text, amount_minor=amount) for key, text, amount in rows))
        assert house.run().code == 0
        amounts = {key: amount for key, _, amount in rows}
        assert {row["order_id"]: row["amount"] for row in sandbox.accepted("evaluate")} == amounts
        assert {key: record["billingInformation"]["lastName"] for key, record in wire_records(house).items()} == {
            key: text for key, text, _ in rows
        }
        ledger = house.ledger("SELECT order_id, amount_minor FROM submission")
        assert {row["order_id"]: row["amount_minor"] for row in ledger} == amounts
        told = {row["order_id"]: (row["response_description"], int(row["amount_minor"])) for row in house.audit("declines")}
        assert told == {key: (text, amount) for key, text, amount in rows}


def test_nfc_and_nfd_stay_two_orders(house: House) -> None:
    """Two ids that look alike are two orders everywhere, and neither is normalised."""
    one, other = "Zo\u00eb-1", "Zoe\u0308-1"
    house.add(order(one, amount_minor=100), order(other, amount_minor=200))
    house.run()
    assert unicodedata.normalize("NFC", other) == one
    assert {row["order_id"]: row["amount"] for row in house.sandbox.accepted("evaluate")} == {one: 100, other: 200}
    assert {row["order_id"]: row["amount_minor"] for row in house.audit("submissions")} == {one: "100", other: "200"}


def test_amounts_are_minor_units_end_to_end(house: House) -> None:
    """An amount is the same integer in the order, the file, the provider, the ledger, the outcome and finance's files."""
    amounts = {f"o{amount}": amount for amount in (1, 3, 99, 1999, 4503, 10_000_000)}
    house.add(*(order(key, amount_minor=amount) for key, amount in amounts.items()))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert {row["order_id"]: row["amount"] for row in house.sandbox.accepted("evaluate")} == amounts
    claimed = house.ledger("SELECT order_id, amount_minor, typeof(amount_minor) AS kind, record_json FROM submission")
    assert {row["order_id"]: row["amount_minor"] for row in claimed} == amounts
    assert {row["kind"] for row in claimed} == {"integer"}
    records = {row["order_id"]: json.loads(row["record_json"], parse_float=_no_float) for row in claimed}
    assert {key: record["transaction"]["amount"] for key, record in records.items()} == amounts
    assert {key: record["subscription"]["price"] for key, record in records.items()} == {k: str(a) for k, a in amounts.items()}
    outcomes = {row["order_id"]: row for row in house.audit("outcomes") if row["state_to"] == "completed"}
    assert {key: int(row["recovered_minor"]) for key, row in outcomes.items()} == amounts
    assert {key: row["recovered"] for key, row in outcomes.items()} == {k: f"{a // 100}.{a % 100:02}" for k, a in amounts.items()}
    assert {key: house.row(key)["amount_minor"] for key in amounts} == amounts


def _amount_like(node: ast.AST) -> bool:
    words = ("amount", "minor", "price", "recovered", "total")
    names = [child.id for child in ast.walk(node) if isinstance(child, ast.Name)]
    names += [child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)]
    return any(word in name.lower() for name in names for word in words)


def floats_on_amounts(source: str) -> list[int]:
    """Lines on which money could become a float: `float(...)`, `Decimal` of one, or `/` or a fraction beside an amount."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "float" and node.args:
                found.append(node.lineno)
            if node.func.id == "round" and node.args and _amount_like(node):
                found.append(node.lineno)
            if node.func.id == "Decimal" and any(
                isinstance(part, ast.Constant) and isinstance(part.value, float) for part in ast.walk(node)
            ):
                found.append(node.lineno)
        if isinstance(node, ast.BinOp) and _amount_like(node):
            literals = [part for part in (node.left, node.right) if isinstance(part, ast.Constant)]
            if isinstance(node.op, ast.Div) or any(isinstance(part.value, float) for part in literals):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    "planted", ["float(text)", "amount_minor / 100", "self.total * 0.01", "Decimal(0.1)", "round(order.amount_minor, 2)"]
)
def test_the_search_for_floats_finds_planted_ones(planted: str) -> None:
    """The search below would notice a float on the way of an amount."""
    assert floats_on_amounts(f"def f():\n    return {planted}\n") == [2]


def test_no_amount_meets_a_float() -> None:
    """No module of `batch` or `schemas` turns text into a float, divides an amount, or multiplies one by a fraction."""
    folders = [Path(str(package.__file__)).parent for package in (batch, schemas)]
    sources = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    assert len(sources) > 40
    assert {str(path): lines for path in sources if (lines := floats_on_amounts(path.read_text(encoding="utf-8")))} == {}
