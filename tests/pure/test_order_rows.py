"""Rows are read strictly: what is read is exact, and what is refused is named without being repeated."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch import order_rows
from batch.order_rows import Malformed, amount_of, billing_name, charged_time, read_order, storable
from schemas.order import Order, OrderRow, Origin
from tests.pure.samples import GOOD_CELLS, changed_row, good_order, good_row

TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60)


def test_a_good_row_is_read_whole() -> None:
    """Every text stays as it is, numbers become whole numbers, and the origin is known."""
    order = good_order()
    converted = {
        "origin": Origin.RECURRING,
        "amount_minor": 1999,
        "attempts_30d": 3,
        "exp_month": 4,
        "exp_year": 2029,
        "opted_out": False,
    }

    assert order._asdict() == GOOD_CELLS | converted


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("order_id", ""),
        ("order_id", "  "),
        ("order_id", "a\x00b"),
        ("order_id", "\ud800"),
        ("order_id", "9" * 256),
        ("site", ""),
        ("origin", ""),
        ("origin", "Recurring"),
        ("origin", "recurring\n"),
        ("amount_minor", ""),
        ("amount_minor", "12.0"),
        ("amount_minor", "12,00"),
        ("amount_minor", "1e3"),
        ("amount_minor", "NaN"),
        ("amount_minor", "Infinity"),
        ("amount_minor", "None"),
        ("amount_minor", "null"),
        ("amount_minor", " 12"),
        ("amount_minor", "12\n"),
        ("amount_minor", "1_000"),
        ("amount_minor", "٣"),
        ("amount_minor", "9" * 19),
        ("currency", ""),
        ("currency", "usd"),
        ("currency", "US"),
        ("currency", "USD "),
        ("currency", "ＵＳＤ"),
        ("charged_at", ""),
        ("charged_at", "2026-11-22"),
        ("charged_at", "2026-11-22T22:15Z"),
        ("charged_at", "2026-11-22T22:15:09+01:00"),
        ("charged_at", "2026-11-22T22:15:09 PST"),
        ("charged_at", "2026-02-30T00:00:00Z"),
        ("charged_at", "2026-11-22T24:00:01Z"),
        ("charged_at", "1795386909"),
        ("response_code", ""),
        ("response_code_source", ""),
        ("country", ""),
        ("country", "us"),
        ("country", "USA"),
        ("address_line1", ""),
        ("city", ""),
        ("zipcode", ""),
        ("subscription_id", ""),
        ("subscription_interval", ""),
        ("exp_month", "0"),
        ("exp_month", "13"),
        ("exp_year", "29"),
        ("card_bin", "41111"),
        ("card_bin", "4111111"),
        ("card_last4", "111"),
        ("card_last4", "11111"),
        ("attempts_30d", "-1"),
        ("attempts_30d", "1.5"),
        ("opted_out", "perhaps"),
        ("opted_out", "ye\u017f"),
        ("email", "a\x00b"),
        ("city", "\udfff"),
        ("city", "x" * 4097),
    ],
)
def test_one_malformed_cell_refuses_the_row(column: str, text: str) -> None:
    """The column is named, and what stands in it is not repeated."""
    read = read_order(changed_row({column: text}))

    assert isinstance(read, Malformed)
    assert read.columns == (column,)
    assert read.sentence.startswith(column)
    assert len(text.strip()) < 3 or text not in read.sentence


def test_every_fault_is_named_at_once() -> None:
    """Whoever mends the row sees all of its faults."""
    read = read_order(good_row(currency="usd", amount_minor="12.5", city=""))

    assert isinstance(read, Malformed)
    assert set(read.columns) == {"currency", "amount_minor", "city"}


def test_a_value_that_no_text_can_stand_for_is_malformed() -> None:
    """A float where an integer must be refuses the row, although its text looks whole."""
    read = read_order(good_row(unreadable=("amount_minor",)))

    assert isinstance(read, Malformed)
    assert read.columns == ("amount_minor",)


def test_a_missing_column_is_malformed() -> None:
    """A cell that is not there at all is a missing value."""
    cells = {name: text for name, text in GOOD_CELLS.items() if name != "city"}
    read = read_order(OrderRow(cells, "declined", "", ""))

    assert isinstance(read, Malformed)
    assert read.columns == ("city",)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("2026-11-22T22:15:09Z", "2026-11-22T22:15:09Z"),
        ("2026-11-22 22:15:09", "2026-11-22T22:15:09Z"),
        ("2026-11-22T22:15:09+00:00", "2026-11-22T22:15:09Z"),
        ("2026-11-22 22:15:09.999999999Z", "2026-11-22T22:15:09Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ],
)
def test_a_time_becomes_utc_with_whole_seconds(text: str, normalised: str) -> None:
    """Every accepted spelling of a UTC time is written in one way."""
    assert good_order(charged_at=text).charged_at == normalised
    assert charged_time(text) == datetime.fromisoformat(normalised)


def test_charged_time_reads_orders_too() -> None:
    """An order's time is the same as its text's."""
    assert charged_time(good_order()) == datetime(2026, 11, 22, 22, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize("column", ["payment_token", "email", "phone", "customer_id", "card_brand", "exp_year", "exp_month"])
def test_what_may_be_unknown_may_be_empty(column: str) -> None:
    """A missing token has its own reason; the rest is optional."""
    assert isinstance(read_order(changed_row({column: ""})), Order)


@pytest.mark.parametrize(("text", "amount"), [("-5", -5), ("+5", 5), ("0", 0), ("0012", 12), ("9" * 18, 10**18 - 1)])
def test_a_signed_amount_is_read(text: str, amount: int) -> None:
    """The sign is read; whether the amount may be sent is the gate's business."""
    assert good_order(amount_minor=text).amount_minor == amount
    assert amount_of(text) == amount


@pytest.mark.parametrize(("text", "opted_out"), [("", False), ("0", False), ("false", False), ("1", True), ("True", True)])
def test_opting_out_is_read_as_databases_write_it(text: str, opted_out: bool) -> None:
    """Empty and no mean no, yes means yes."""
    assert good_order(opted_out=text).opted_out is opted_out


@pytest.mark.parametrize("text", ["unknown", "203.0.113.17, 10.0.0.1", "::1 ", "x" * 46])
def test_an_address_that_is_none_refuses_a_cit_and_no_mit(text: str) -> None:
    """What would be said of a customer's browser must be an address; of a recurring charge nothing is said."""
    read = read_order(changed_row({"customer_ip": text, "origin": "website"}))

    assert isinstance(read, Malformed)
    assert (read.columns, text in read.sentence) == (("customer_ip",), False)
    assert isinstance(read_order(changed_row({"customer_ip": text})), Order)
    for address in ("203.0.113.17", "2001:DB8::17", "::ffff:203.0.113.17", ""):
        assert isinstance(read_order(changed_row({"customer_ip": address, "origin": "call_center"})), Order)


def test_an_order_off_the_website_needs_no_subscription() -> None:
    """Only recurring orders must say which subscription they belong to."""
    row = good_row(origin="website", subscription_id="", subscription_interval="")

    assert isinstance(read_order(row), Order)


def test_a_good_charge_needs_less_than_a_declined_one() -> None:
    """A copy of a good charge travels without address, names and response code."""
    empty = dict.fromkeys(("response_code", "response_code_source", "country", "city", "zipcode", "address_line1"), "")
    row = changed_row(empty | dict.fromkeys(("first_name", "last_name", "holder_name"), ""))

    assert isinstance(read_order(row), Malformed)
    assert isinstance(read_order(row, kind="transmit"), Order)


@pytest.mark.parametrize(
    ("first", "last", "holder", "name"),
    [
        ("Ada", "Lovelace", "B C", ("Ada", "Lovelace")),
        ("", "", "Ada King Lovelace", ("Ada King", "Lovelace")),
        ("Ada", "", "Ada Lovelace", ("Ada", "Lovelace")),
        ("Ada", "", "Ada", ("", "")),
        ("", "", "", ("", "")),
    ],
)
def test_the_holder_makes_up_for_a_missing_name(first: str, last: str, holder: str, name: tuple[str, str]) -> None:
    """The bill bears the row's names, else the holder's, parted at the last space."""
    assert billing_name(first, last, holder) == name
    row = good_row(first_name=first, last_name=last, holder_name=holder)
    assert isinstance(read_order(row), Order) is all(name)


@given(st.dictionaries(st.sampled_from(["order_id", "first_name", "city", "customer_id", "email"]), TEXTS))
def test_texts_stay_byte_for_byte(cells: dict[str, str]) -> None:
    """Whatever text a row holds, the order holds the same."""
    read = read_order(changed_row(cells))
    if isinstance(read, Malformed):
        assert all(not cells[column].strip() for column in read.columns if column in cells)
    else:
        assert {name: getattr(read, name) for name in cells} == cells


@given(st.dictionaries(st.sampled_from(sorted(GOOD_CELLS)), st.text(max_size=30)))
def test_no_text_makes_reading_fail(cells: dict[str, str]) -> None:
    """Any row is an order or malformed; nothing raises."""
    assert isinstance(read_order(changed_row(cells)), Order | Malformed)


@given(st.text(max_size=50))
def test_what_is_recorded_of_a_refused_row_can_be_stored(text: str) -> None:
    """A refused cell is recorded as UTF-8 without NUL."""
    assert b"\x00" not in storable(text).encode("utf-8")


@pytest.mark.parametrize("text", ["000123", "1E10", "café", "cafe\u0301", "🦊", "=1+1"])
def test_a_harmless_cell_is_recorded_as_it_is(text: str) -> None:
    """Nothing is spelt out that need not be."""
    assert storable(text) == text


@given(
    st.dictionaries(
        st.sampled_from(sorted(GOOD_CELLS)),
        st.one_of(
            st.text(alphabet="\x00\x1f\ud800 aZ09.:-\n", max_size=6), st.sampled_from(["a" * 256, "b" * 4097, "2026", "12"])
        ),
    )
)
def test_one_look_at_a_row_finds_what_a_look_at_every_cell_finds(cells: dict[str, str]) -> None:
    """A row is read as if each cell had been looked at by itself, whatever stands in its neighbours."""
    row = changed_row(cells)
    at_one_look = read_order(row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_rows, "_SOUND_ROW", re.compile("(?!)"))

        assert read_order(row) == at_one_look


def test_a_good_row_is_passed_by_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cell of a row without a fault is looked at by itself."""
    monkeypatch.delattr(order_rows, "_faults")

    assert isinstance(read_order(good_row()), Order)
