"""Card numbers are found wherever a person or a program hides them, and ids are left alone."""

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.card_numbers import brand_of, has_card_number, offending_columns, scrubbed_id

TEST_CARDS = [
    "4111111111111111",
    "4000002760003184",
    "4242424242424242",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3566002020360505",
    "6200000000000005",
    "6304000000000000",
]

LENGTHS = {
    "4": {13, 16, 19},
    "51": {16},
    "55": {16},
    "2221": {16},
    "2720": {16},
    "34": {15},
    "37": {15},
    "6011": {16, 17, 18, 19},
    "649": {16, 17, 18, 19},
    "36": {14, 16, 17, 18, 19},
    "3528": {16, 17, 18, 19},
    "62": {16, 17, 18, 19},
}


def completed(prefix: str, length: int) -> str:
    """A number of a length that begins so, is filled with ones, and has a correct Luhn digit."""
    body = prefix + "1" * (length - 1 - len(prefix))
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return body + str(-total % 10)


@pytest.mark.parametrize("number", TEST_CARDS)
def test_well_known_test_cards_are_found(number: str) -> None:
    """Each issuer's test card is a card number."""
    assert has_card_number(number)


@pytest.mark.parametrize("number", TEST_CARDS)
def test_one_wrong_digit_is_no_card_number(number: str) -> None:
    """Changing any digit after the issuer's breaks the Luhn check, so the text passes."""
    for place in range(6, len(number)):
        for digit in set("0123456789") - {number[place]}:
            assert not has_card_number(number[:place] + digit + number[place + 1 :])


@pytest.mark.parametrize("prefix", LENGTHS)
@pytest.mark.parametrize("length", range(10, 23))
def test_each_range_counts_with_its_lengths_only(prefix: str, length: int) -> None:
    """A number with a correct Luhn digit counts exactly when its issuer uses that length."""
    assert has_card_number(completed(prefix, length)) is (length in LENGTHS[prefix])


@pytest.mark.parametrize("prefix", ["0", "1", "2220", "2721", "31", "50", "56", "59", "66", "7", "80", "9"])
@pytest.mark.parametrize("length", range(13, 20))
def test_no_issuer_has_these(prefix: str, length: int) -> None:
    """Numbers outside every issuer's range pass, whatever their Luhn digit says."""
    assert not has_card_number(completed(prefix, length))


def fullwidth(text: str) -> str:
    """The text with full-width digits."""
    return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)


def arabic(text: str) -> str:
    """The text with Arabic-Indic digits."""
    return "".join(chr(ord(c) - ord("0") + 0x0660) if c.isdigit() else c for c in text)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
        "3782 822463 10005",
        "Bob4111111111111111Smith",
        "card: 4111111111111111, please",
        "4111111111111111 12/27",
        "4111 1111 1111 1111 123",
        "12 4111111111111111",
        "2026-11-22 4111111111111111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u20131111\u20131111\u20131111",
        "4111\u22121111\u22121111\u22121111",
        "4111\u200b1111\u200b1111\u200b1111",
        fullwidth("4111 1111 1111 1111"),
        arabic("4111111111111111"),
        "\u00b9" + "2345678901234",
        "x\n4111111111111111\n",
        "00000000-0000-4000-8000-000000000000 4111111111111111",
        "4111111111111111-1111-1111-1111-111111111111",
    ],
)
def test_disguises_do_not_help(text: str) -> None:
    """Spaces, dashes, invisible marks, other scripts' digits and neighbours do not hide a card number."""
    text = text.replace("\u00b92345678901234", "4\u00b9\u00b9\u00b9111111111111")

    assert has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "000471",
        "4111",
        "4111 . 1111 . 1111 . 1111",
        "4111a1111b1111c1111",
        "4111.1111.1111.1111",
        "4111111111111112",
        "+1 (555) 010-0199",
        "2026-11-22T22:15:09Z",
        "41111111-1111-1111-1111-111111111111",
        "4" * 40,
        "1" * 40,
    ],
)
def test_what_is_no_card_number_passes(text: str) -> None:
    """Ids, phones, times, broken runs and GUIDs are left alone."""
    assert not has_card_number(text)


def test_guids_are_never_looked_into() -> None:
    """No GUID counts, not even those that hold a card number's digits."""
    chance = random.Random(7)  # noqa: S311
    for _ in range(5000):
        assert not has_card_number(str(uuid.UUID(int=chance.getrandbits(128))))
    assert not has_card_number("00000000-0000-4000-8000-4111111111111111"[:36])
    assert not has_card_number("40000027-6000-3184-0000-000000000000")


def test_a_long_id_holds_no_card_number() -> None:
    """Nothing is cut out of an unbroken run of more than 19 digits, although a card number stands in it."""
    assert not has_card_number("1234" + "4111111111111111")
    assert not has_card_number("4111111111111111" * 3)


@given(st.integers(min_value=0, max_value=10**40 - 1))
def test_forty_digit_ids_pass(number: int) -> None:
    """An id of 40 digits is never taken for a card number."""
    assert not has_card_number(f"{number:040d}")


@given(
    st.sampled_from(TEST_CARDS),
    st.text(alphabet=st.characters(blacklist_categories=("Nd", "No", "Nl", "Zs", "Pd", "Cf")), max_size=20),
    st.text(alphabet=st.characters(blacklist_categories=("Nd", "No", "Nl", "Zs", "Pd", "Cf")), max_size=20),
)
def test_any_text_around_a_card_number_leaves_it_found(number: str, before: str, after: str) -> None:
    """Whatever letters and marks stand around a card number, it is found."""
    assert has_card_number(f"{before}{number}{after}")


def test_offending_columns_keep_their_order_and_heed_exemptions() -> None:
    """The columns come in the row's order, without those that the merchant vouches for."""
    cells = {"order_id": "4111111111111111", "city": "Boston", "first_name": "4242 4242 4242 4242"}

    assert offending_columns(cells, ()) == ("order_id", "first_name")
    assert offending_columns(cells, {"order_id"}) == ("first_name",)


@given(st.lists(st.text(alphabet="4 1-\x1fx\u0661", max_size=24), max_size=4))
def test_a_row_is_looked_through_cell_by_cell(texts: list[str]) -> None:
    """What stands in one cell neither completes nor hides a card number in the next."""
    cells = {f"column_{place}": text for place, text in enumerate([*texts, "411111111111", "1111"])}

    assert offending_columns(cells, ()) == tuple(column for column, text in cells.items() if has_card_number(text))


def test_a_number_in_two_cells_is_none() -> None:
    """Two cells that would make up a card number together are none, however long each is."""
    assert offending_columns({"subscription_id": "sub-number 4111 1111", "customer_id": "1111 1111 is its number"}, ()) == ()


def test_a_scrubbed_id_says_nothing_without_the_key() -> None:
    """The hash depends on the id and on the key, and on nothing else."""
    name = scrubbed_id("4111111111111111", b"one")

    assert name == scrubbed_id("4111111111111111", b"one")
    assert name not in {scrubbed_id("4111111111111111", b"two"), scrubbed_id("4242424242424242", b"one")}
    assert len(name) == len("pan:") + 8
    assert int(name.removeprefix("pan:"), 16) >= 0
    assert scrubbed_id("half a pair \ud800", b"one").startswith("pan:")


@pytest.mark.parametrize(
    ("digits", "brand"),
    [("411111", "visa"), ("555555", "mastercard"), ("222300", "mastercard"), ("378282", "amex"), ("999999", ""), ("", "")],
)
def test_the_first_digits_name_the_brand(digits: str, brand: str) -> None:
    """A BIN tells the brand where the order system does not."""
    assert brand_of(digits) == brand
