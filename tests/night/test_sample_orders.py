"""A first night over the sample orders: every row as sample-data/README.md says, and no card number anywhere."""

import base64
import csv
import io
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import cli
from jobs.clock import MovableClock, ShiftedClock
from jobs.sample_orders import SAMPLE_FOLDER, fill_orders, sample_files
from jobs.sandbox import Sandbox, SandboxOptions
from tests.night.house import START, House

AGE = timedelta(hours=3, minutes=30)
SITE = '\n[[sites]]\nname = "acme-closed"\nsite_id = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e70000"\nenabled = false\n'
ENDINGS = {
    "completed after 1 h": "completed",
    "cancelled after 1 h, read as declined": "declined",
    "expires at its expiry": "expired",
    "still processing until its expiry": "expired",
    "row refused by the provider": "rejected",
    "on hold at the provider": "pending",
}


def tables() -> list[dict[str, str]]:
    """The three tables of the README: order id and last column."""
    found: list[dict[str, str]] = []
    for line in (SAMPLE_FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| Order id"):
            found.append({})
        if found and (row := re.fullmatch(r'\| `(".*")` \| .* \| (.*) \|', line)):
            found[-1][json.loads(row[1])] = row[2].strip()
    return found


def text_of(path: Path) -> io.StringIO:
    """A CSV file's text for the csv reader, line breaks as they are."""
    return io.StringIO(path.read_bytes().decode("utf-8"), newline="")


def sample_house(folder: Path, sandbox: Sandbox, clock: MovableClock) -> House:
    """A house whose orders table holds the sample orders."""
    house = House(folder, sandbox, clock)
    fill_orders(f"sqlite:///{house.orders_path}", sample_files(), reference_is_now=clock.now() - AGE)
    closed = house.settings.sites[0].model_copy(update={"name": "acme-closed", "enabled": False})
    house.settings = house.settings.model_copy(update={"sites": (*house.settings.sites, closed)})
    return house


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The first night and the first transmit over the sample orders."""
    folder, clock = tmp_path_factory.mktemp("house"), MovableClock(START)
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        house = sample_house(folder, sandbox, clock)
        assert house.run().code == 10
        assert house.run("transmit").code == 10
        yield house


def test_the_readme_lists_every_row() -> None:
    """Every sample order stands in exactly one table of the README."""
    rows = Counter(key for table in tables() for key in table)
    ids = Counter(row["order_id"] for path in sample_files() for row in csv.DictReader(text_of(path)))
    assert rows == ids
    assert len(tables()) == 3


def test_every_row_has_the_decision_of_the_readme(first_night: House) -> None:
    """Each candidate's decision and reason are those of the README; what is no candidate appears nowhere."""
    selected, refused, _ = tables()
    told = first_night.reasons()
    chosen = {key: value for key, value in told.items() if value[0] == "selected"}
    assert chosen == dict.fromkeys(selected, ("selected", "selected"))
    wanted = {key: ("skipped", reason) for key, reason in refused.items() if reason != "not a candidate"}
    card_id = "4111111111111111"
    assert wanted.pop(card_id) == ("skipped", "pan_found")
    pans = {key for key, reason in refused.items() if reason == "pan_found"}
    found = {key: value for key, value in told.items() if value[0] == "skipped"}
    assert {key: value for key, value in found.items() if not key.startswith("pan:")} == {
        key: value for key, value in wanted.items() if key not in pans
    }
    assert [value for key, value in found.items() if key.startswith("pan:")] == [("skipped", "pan_found")] * len(pans)
    assert set(refused.values()) >= {
        "not_declined",
        "in_house_retry",
        "too_old",
        "missing_token",
        "invalid_row",
        "switched_off",
        "already_active",
        "site_unknown",
        "site_disabled",
        "network_never_retry",
        "network_limit",
        "network_wait",
        "currency_unsupported",
        "amount_out_of_range",
        "opted_out",
        "pan_found",
    }


def test_exactly_the_selected_rows_go(first_night: House) -> None:
    """The provider takes each selected order once, except those that it refuses at intake."""
    selected, _, paid_rows = tables()
    refused = {key for key, ending in selected.items() if "row refused" in ending}
    assert first_night.accepted() == Counter(set(selected) - refused)
    assert {key for key, state in first_night.states().items() if state == "rejected"} == refused
    copies = {key for key, fate in paid_rows.items() if fate == "transmitted"}
    assert first_night.accepted("transmit") == Counter(copies)


def test_every_row_ends_as_the_readme_says(tmp_path: Path) -> None:
    """After three weeks every order has ended as its token says, in the ledger and in its row."""
    selected, _, _ = tables()
    clock = MovableClock(START)
    with Sandbox(tmp_path / "provider", clock=clock) as sandbox:
        house = sample_house(tmp_path, sandbox, clock)
        house.run()
        for days in (1, 12, 9):
            house.pass_time(days=days)
            report = house.run("poll")
            assert report.audit is not None
            assert report.audit.balanced
        wanted = {key: ENDINGS.get(ending.partition(": ")[2]) for key, ending in selected.items()}
        states = house.states()
        assert {key: states[key] for key, state in wanted.items() if state} == {k: s for k, s in wanted.items() if s}
        told = {str(each["order_id"]): str(each["status"]) for each in house.sandbox.orders()}
        assert all((told[key] == "Completed") == (states[key] == "completed") for key in told)
        rows = {row["order_id"]: row["status"] for row in house.sql("SELECT order_id, status FROM orders")}
        assert all((rows[key] == "completed") == (states[key] == "completed") for key in states)


def card_numbers() -> set[str]:
    """The card numbers in the sample orders, found by a search of this test's own."""
    found: set[str] = set()
    for path in sample_files():
        for cell in (cell for row in csv.reader(text_of(path)) for cell in row):
            for run in re.findall(r"(?<![0-9A-Za-z-])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z-])", cell):
                digits = re.sub("[ -]", "", run)
                if digits[0] in "345" and len(digits) in (15, 16) and _luhn(digits):
                    found.add(digits)
    return found


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def disguises(number: str) -> set[bytes]:
    """A card number as it would look: plain, in hexadecimal, reversed, in UTF-16, and in base64 at each of three places."""
    plain = number.encode()
    shifted = {base64.b64encode(b"\0" * place + plain)[4 if place else 0 : -4] for place in range(3)}
    return {plain, plain.hex().encode(), plain[::-1], number.encode("utf-16-le"), *shifted}


def traces(content: bytes, numbers: set[str]) -> set[str]:
    """The card numbers of which something stands in some bytes, separators between digits not counting; GUIDs are none."""
    guid = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    bare = re.sub(rb"(?<=[0-9])(?:[ -]|%20|\\u00a0)+(?=[0-9])", b"", re.sub(guid, b"x", content))
    return {number for number in numbers if any(each in content or each in bare for each in disguises(number))}


PLANTED = ("4111 1111 1111 1111", "x4111-1111-1111-1111", base64.b64encode(b"a 4111111111111111 b").decode())


@pytest.mark.parametrize("text", PLANTED)
def test_the_search_for_card_numbers_finds_planted_ones(text: str) -> None:
    """The byte scan below would notice a card number, however it was left behind."""
    assert traces(b"log: " + text.encode() + b"\n", {"4111111111111111"}) == {"4111111111111111"}


def test_no_card_number_is_written_anywhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nights, copies, plans and questions over the sample orders leave no card number in any file, table, log or message."""
    monkeypatch.setenv("MITBATCH_OUTCOMES__ACKNOWLEDGEMENT_WAIT_SECONDS", "2")
    numbers = card_numbers()
    assert len(numbers) >= 3
    clock = ShiftedClock()
    options = SandboxOptions(removal="never")
    with Sandbox(tmp_path / "provider", clock=clock, options=options) as sandbox, ExitStack() as stack:
        house = House(tmp_path, sandbox, clock)
        house.config.write_text(house.config.read_text(encoding="utf-8") + SITE, encoding="utf-8")
        fill_orders(f"sqlite:///{house.orders_path}", sample_files(), reference_is_now=clock.now() - AGE)
        said: list[str] = []
        for words in (
            ["nightly", "--dry-run", "--verbose"],
            ["nightly", "--verbose"],
            ["nightly", "--json"],
            ["transmit", "--verbose"],
            ["poll", "--all"],
            ["status"],
            ["status", "--json"],
            ["holds", "list"],
            ["holds", "check", "pan-in-name"],
            ["explain", "pan-in-name"],
            ["explain", "pan_found"],
        ):
            assert cli.run(["--config", str(house.config), *words]) in (0, 10, 30), words
            if house.ledger_path.exists() and len(said) < 3:
                reader = stack.enter_context(closing(sqlite3.connect(house.ledger_path)))  # keeps the write-ahead log in place
                reader.execute("SELECT * FROM identity").fetchall()
            captured = capfd.readouterr()
            said.append(captured.out + captured.err)
            assert len(said) < 3 or house.ledger_path.with_name("ledger.db-wal").stat().st_size > 0
            ledger = b"".join(path.read_bytes() for path in house.ledger_path.parent.glob("ledger.db*"))
            assert traces(ledger, numbers) == set(), words
        assert house.accepted() != Counter()
    left = {
        str(path.relative_to(tmp_path)): found
        for path in sorted(tmp_path.rglob("*"))
        if path.is_file() and path.name != "orders.db" and (found := traces(path.read_bytes(), numbers))
    }
    assert left == {}
    assert traces("\n".join(said).encode(), numbers) == set()
    assert not [path for path in tmp_path.rglob("*") if any(number in path.name for number in numbers)]
