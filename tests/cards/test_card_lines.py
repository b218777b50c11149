"""Lines of card data are read strictly, and no word about a bad one repeats what stands in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.card_lines import MOST_LINE_BYTES, Card, MalformedLine, read_card, request_body
from batch.token_answers import read_card_token, refused_fields
from schemas.errors import AnswerUnreadable
from tests.cards.desk import CANARY, CANARY_CODE, card


def read(**changed: object) -> Card | MalformedLine:
    """What is read of a line with these fields changed; None takes a field away."""
    fields = {name: value for name, value in (card(number=CANARY) | changed).items() if value is not None}
    return read_card(json.dumps(fields).encode())


def test_a_good_line_is_a_card() -> None:
    """All fields come out as texts, the month with two digits, and the request has the contract's names."""
    found = read(month=9, verification_value=int(CANARY_CODE), email="ada@acme.example")

    assert isinstance(found, Card)
    assert (found.order_id, found.month, found.year, found.last4) == ("000471", "09", "2030", "4444")
    fields = {"first_name": "Ada", "last_name": "Byron", "number": CANARY, "month": "09", "year": "2030"}
    wanted = {"credit_card": {**fields, "verification_value": CANARY_CODE}, "email": "ada@acme.example"}
    assert json.loads(request_body(found)) == {"payment_method": wanted}


def test_what_is_not_known_is_left_out_of_the_request() -> None:
    """Without a verification value or an address the request has no such field (CONTRACT 3)."""
    found = read()

    assert isinstance(found, Card)
    assert sorted(json.loads(request_body(found))["payment_method"]) == ["credit_card"]
    assert "verification_value" not in request_body(found).decode()


def test_a_card_shows_only_its_order() -> None:
    """Neither repr nor str of a card has anything of it but the order id."""
    found = read(verification_value=CANARY_CODE)

    assert repr(found) == str(found) == "Card(order_id='000471')"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"number": "5555555555554445"}, "number is no card number"),
        ({"number": "5555 5555 5555 4444"}, "number is no card number"),
        ({"number": 5555555555554444}, "number is of another kind"),
        ({"number": "55555555555"}, "number is no card number"),
        ({"number": "5" * 20}, "number is no card number"),
        ({"number": "٥٥٥٥٥٥٥٥٥٥٥٥٤٤٤٤"}, "number is no card number"),
        ({"number": None}, "number is missing"),
        ({"month": 13}, "month must be 1 to 12"),
        ({"month": True}, "month is of another kind"),
        ({"month": 9.0}, "month is of another kind"),
        ({"year": 30}, "year must have four digits"),
        ({"year": "1999"}, "year must have four digits"),
        ({"first_name": " "}, "first_name is missing"),
        ({"last_name": "x" * 101}, "last_name is longer than 100"),
        ({"first_name": None, "last_name": None}, "first_name, last_name are missing"),
        ({"verification_value": "12"}, "verification_value must have three or four digits"),
        ({"email": "x" * 255}, "email is no address"),
        ({"cvv": CANARY_CODE}, "1 name that nothing knows"),
        ({CANARY: "x", "b": 1}, "2 names that nothing knows"),
        ({"first_name": f"Ada {CANARY}"}, "a card number stands in first_name"),
        ({"email": [CANARY]}, "one flat JSON object"),
    ],
)
def test_a_bad_field_is_named_and_not_repeated(changed: dict[str, object], words: str) -> None:
    """The sentence names the field, the line goes by its order id, and no value of the line is in either."""
    found = read(**changed)

    assert isinstance(found, MalformedLine)
    assert words in found.sentence
    assert found.order_id in {"000471", ""}
    assert [value for value in (CANARY, CANARY_CODE, "Byron") if value in f"{found}"] == []


@pytest.mark.parametrize("order_id", [CANARY, f"order {CANARY}", "5555-5555-5555-4444", "x" * 256, "a\x00b"])
def test_an_order_id_that_must_not_be_shown_is_not_shown(order_id: str) -> None:
    """A line whose order id bears a card number, or is no plain text, is refused without one."""
    found = read(order_id=order_id)

    assert isinstance(found, MalformedLine)
    assert found.order_id == ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'"5555555555554444"',
        b'{"order_id": "1"',
        b'{"order_id": "1", "order_id": "2"}',
        b'\xef\xbb\xbf{"order_id": "1"}',
        b'{"order_id": "\xff"}',
        b'{"number": NaN}',
        b"5555555555554444,09,2030",
        b'{"order_id": "' + b"x" * MOST_LINE_BYTES + b'"}',
    ],
)
def test_what_is_no_object_is_refused(content: bytes) -> None:
    """Anything but one flat JSON object of the right size is refused, without an order id."""
    found = read_card(content)

    assert isinstance(found, MalformedLine)
    assert (found.order_id, CANARY in found.sentence) == ("", False)


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_whatever_comes_is_a_card_or_a_sentence(content: bytes) -> None:
    """No bytes make reading fail in any other way."""
    assert isinstance(read_card(content), Card | MalformedLine)


def answer(**method: object) -> bytes:
    """An answer of the tokenize call."""
    return json.dumps({"transaction": {"Payment_Method": method}, "success": True, "status": None}).encode()


GUID = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a001"


def test_the_token_is_read_where_the_contract_has_it() -> None:
    """The token stands at transaction.payment_method.token; the envelope's null status means nothing."""
    assert read_card_token(answer(token=GUID, last_four_digits="4444"), "4444") == GUID
    assert read_card_token(answer(token=GUID), "4444") == GUID


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"transaction": null}',
        answer(),
        answer(token=None),
        answer(token=CANARY),
        answer(token=f"{GUID}{CANARY}"),
        answer(token=GUID, last_four_digits="1111"),
    ],
)
def test_an_answer_without_a_token_of_this_card_is_unreadable(content: bytes) -> None:
    """What is no GUID, or belongs to a card with other last digits, is never taken for the token (H-14)."""
    with pytest.raises(AnswerUnreadable) as refused:
        read_card_token(content, "4444")
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b'{"TraceId": ["00-1"], "payment_method.credit_card.Month": ["bad"]}', ("month",)),
        (b'{"status": 400, "errors": {"number": ["5555555555554444 is bad"], "5555555555554444": []}}', ("number",)),
        (b'{"errors": ["5555555555554444"]}', ()),
        (b"not JSON", ()),
    ],
)
def test_a_refusal_is_repeated_in_our_own_words_only(content: bytes, fields: tuple[str, ...]) -> None:
    """Of a refusal only the names of our own fields are taken, from either shape of CONTRACT 13."""
    assert refused_fields(content) == fields
