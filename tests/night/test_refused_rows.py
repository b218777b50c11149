"""Rows that may not travel: each is refused with its reason, and all the others go."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator

import pytest

from jobs import cli
from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from schemas.order import OPTIONAL_COLUMNS, READ_COLUMNS
from tests.night.house import DAY, START, House, order, paid

CARD = "4111111111111111"
WRITTEN_AS = {
    "plain": CARD,
    "spaces": "paid with 4111 1111 1111 1111 thanks",
    "dashes": "x4111-1111-1111-1111x",
    "full-width": "".join(chr(ord(digit) + 0xFEE0) for digit in CARD),
    "another brand": "378282246310005",
}
COLUMNS = (*READ_COLUMNS, *OPTIONAL_COLUMNS)

MALFORMED: dict[str, dict[str, object]] = {
    "amount-decimal": {"amount_minor": "19.99"},
    "amount-float": {"amount_minor": 19.5},
    "amount-bytes": {"amount_minor": b"19"},
    "amount-blank": {"amount_minor": " "},
    "amount-null": {"amount_minor": None},
    "amount-exponent": {"amount_minor": "1E3x"},
    "amount-arabic": {"amount_minor": "\u0661\u0669"},
    "amount-huge": {"amount_minor": "9" * 30},
    "currency-lower": {"currency": "usd"},
    "currency-null": {"currency": None},
    "time-german": {"charged_at": "23.11.2026 03:00"},
    "time-offset": {"charged_at": "2026-11-23T03:00:00-05:00"},
    "time-impossible": {"charged_at": "2026-02-30T03:00:00Z"},
    "time-null": {"charged_at": None},
    "origin-unknown": {"origin": "shop"},
    "site-null": {"site": None},
    "country-three": {"country": "USA"},
    "country-null": {"country": None},
    "code-null": {"response_code": None},
    "source-null": {"response_code_source": None},
    "month-13": {"exp_month": 13},
    "year-two": {"exp_year": 29},
    "attempts-negative": {"attempts_30d": -1},
    "bin-seven": {"card_bin": "4242421"},
    "last4-five": {"card_last4": "42421"},
    "name-null": {"last_name": None, "first_name": None, "holder_name": None},
    "subscription-null": {"subscription_id": None},
    "opted-out-word": {"opted_out": "perhaps"},
    "text-too-long": {"city": "x" * 4097},
    "text-nul": {"city": "a\x00b"},
    "text-bytes": {"city": b"\xff\xfe"},
}
OTHERS: dict[str, tuple[str, dict[str, object]]] = {
    "token-null": ("missing_token", {"payment_token": None}),
    "token-blank": ("missing_token", {"payment_token": "  "}),
    "site-other": ("site_unknown", {"site": "acme-uk"}),
    "site-case": ("site_unknown", {"site": "ACME-US"}),
    "not-yours": ("already_active", {"hold_reference": "somebody"}),
    "busy": ("in_house_retry", {"retry_state": "in_flight"}),
    "old": ("too_old", {"charged_at": "2026-11-22T06:29:59Z"}),
    "pounds": ("currency_unsupported", {"currency": "GBP"}),
    "nought": ("amount_out_of_range", {"amount_minor": 0}),
    "negative": ("amount_out_of_range", {"amount_minor": -1}),
    "too-much": ("amount_out_of_range", {"amount_minor": 10_000_001}),
    "web": ("switched_off", {"origin": "website"}),
    "call": ("switched_off", {"origin": "call_center"}),
    "out": ("opted_out", {"opted_out": "true"}),
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One night with every kind of row that is refused, among two that go."""
    folder, clock = tmp_path_factory.mktemp("house"), MovableClock(START)
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        house = House(folder, sandbox, clock)
        house.add(order("good-1"), order("zz-good-2"))
        for name, changed in MALFORMED.items():
            house.add(order(name, **changed))
        for name, (_, changed) in OTHERS.items():
            house.add(order(name, **changed))
        for column in COLUMNS:
            for spelling, text in WRITTEN_AS.items():
                house.add(order(**{"order_id": f"card {column} {spelling}", column: _in_column(column, text, spelling)}))
        assert house.run().code == 10
        yield house


def _in_column(column: str, text: str, spelling: str) -> str:
    return f"{spelling} {text}" if column == "order_id" else text


class Told:
    """What that night said and left behind, read once: finance's rows and the orders' rows, by order id."""

    def __init__(self, house: House) -> None:
        self.declines = {row["order_id"]: row for row in house.audit("declines")}
        self.orders = {row["order_id"]: row for row in house.sql("SELECT * FROM orders")}
        (found,) = house.ledger("SELECT scrub_key FROM identity")
        self._key = bytes.fromhex(found["scrub_key"])

    def scrubbed(self, order_id: str) -> str:
        """The name under which a row with a card number is recorded."""
        return "pan:" + hmac.new(self._key, order_id.encode(), hashlib.sha256).hexdigest()[:8]


@pytest.fixture(scope="module")
def told(night: House) -> Told:
    """The night's words."""
    return Told(night)


def test_only_the_good_rows_go(night: House) -> None:
    """The provider takes the two good rows and nothing else, each once."""
    assert night.accepted() == Counter(["good-1", "zz-good-2"])
    assert [row["event"] for row in night.sandbox.journal() if row["event"] == "row_refused"] == []
    assert night.states() == {"good-1": "pending", "zz-good-2": "pending"}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_row_is_refused_with_its_reason(told: Told, name: str) -> None:
    """A malformed row is invalid_row, and the words name its column."""
    row = told.declines[name]
    assert (row["decision"], row["reason"]) == ("skipped", "invalid_row")
    assert any(column in row["reason_text"] for column in MALFORMED[name])
    assert told.orders[name]["status"] == "declined"
    assert told.orders[name]["hold_reference"] is None


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_refusal_has_its_reason(told: Told, name: str) -> None:
    """A row that may not go for another cause says which, and its row stays as it was."""
    assert (told.declines[name]["decision"], told.declines[name]["reason"]) == ("skipped", OTHERS[name][0])
    assert told.orders[name]["status"] == "declined"


@pytest.mark.parametrize("spelling", WRITTEN_AS)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_card_number_in_any_column_is_refused(told: Told, column: str, spelling: str) -> None:
    """A card number in any column, however it is written, refuses the row as pan_found under a hash, its cell empty."""
    order_id = f"card {column} {spelling}"
    if column == "order_id":
        order_id = _in_column(column, WRITTEN_AS[spelling], spelling)
    row = told.declines[told.scrubbed(order_id)]
    assert (row["decision"], row["reason"]) == ("skipped", "pan_found")
    assert column in row["reason_text"]
    assert column == "order_id" or row.get(column, "") == ""
    assert told.orders[order_id]["status"] == "declined"


def test_each_card_number_opens_an_item(night: House) -> None:
    """Every row with a card number opens an item that names it by its hash."""
    wanted = len(COLUMNS) * len(WRITTEN_AS)
    assert Counter(kind for kind, _ in night.items()) == {"pan_found": wanted}
    assert all(subject.startswith("order:pan:") for _, subject in night.items())


def test_a_card_number_in_a_good_charge_is_not_copied(house: House) -> None:
    """A paid row with a card number is left out of the copies and opens an item; the others go."""
    house.add(paid("p1"), paid("p2", address_line1=WRITTEN_AS["dashes"]))
    assert house.run("transmit").code == 10
    assert house.accepted("transmit") == Counter(["p1"])
    assert [kind for kind, _ in house.items()] == ["pan_found"]


def test_a_vouched_id_column_is_not_searched(house: House) -> None:
    """An id column named in gate.pan_exempt may hold what looks like a card number."""
    house.set(gate={"pan_exempt": ("customer_id",)})
    house.add(order("a", customer_id=CARD), order("b", subscription_id=CARD))
    assert house.run().code == 10
    assert house.accepted() == Counter(["a"])


def test_a_mended_row_goes_the_next_night(house: House) -> None:
    """A row that was refused goes as soon as the merchant has mended it."""
    house.add(order(payment_token=None))
    house.run()
    house.change("000471", payment_token="0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001")
    assert house.run(day=DAY).code == 0
    assert house.accepted() == Counter(["000471"])


def test_a_broken_orders_table_stops_before_anything(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """An orders table without a column that is needed is a configuration error that names it; nothing is sent."""
    house.add(order())
    house.sql("ALTER TABLE orders RENAME COLUMN zipcode TO zip_code")
    assert cli.run(["--config", str(house.config), "nightly"]) == 78
    words = capsys.readouterr().err
    assert "zipcode" in words
    assert "zip_code" in words
    assert house.sandbox.journal() == []
