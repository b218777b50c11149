"""Records and files are what the contract says, to the byte: ids and texts as they are, money as whole minor units."""

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.build import (
    CIT_FIELDS,
    FIELDS,
    BatchRow,
    canonical_csv,
    evaluate_record,
    file_name,
    idempotency_key,
    render,
    rows_digest,
    transmit_record,
)
from batch.order_rows import Kind, Malformed, read_order
from schemas.errors import InternalError
from schemas.profile import Profile, parse_profile
from schemas.settings import SiteSettings
from tests.pure.samples import MID, SITE, SITE_ID, TOKEN, changed_row, good_order, packaged, profile

Format = Literal["json", "csv"]
EXPIRY = "2026-12-14T06:30:01Z"
KEY = idempotency_key(MID, "000471", 1)
AWKWARD = ["000123", "1E10", "9" * 40, " a ", 'say "hi"', "a,b", "a\nb", "a\r\nb", "a\rb", "café", "cafe\u0301", "🦊", "=1", "NA"]
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)


def evaluate(**cells: str) -> dict[str, Any]:
    """The evaluate record of the good row with some cells changed."""
    return evaluate_record(good_order(**cells), mid=MID, site=SITE, profile=profile(), idempotency_key=KEY, expires_at=EXPIRY)


def transmit(**cells: str) -> dict[str, Any]:
    """The transmit record of the good row with some cells changed."""
    return transmit_record(good_order(**cells), mid=MID, site=SITE, profile=profile())


def kept(kind: Kind, rows: Sequence[BatchRow], layout: Profile | None = None) -> bytes:
    """The CSV that is kept of these rows."""
    return canonical_csv(kind, rows, mid=MID, expires_at=EXPIRY if kind == "evaluate" else "", profile=layout or profile())


def rendered(kind: Kind, file_format: Format, rows: Sequence[BatchRow], token: str = "a.b-c") -> bytes:
    """The file of these rows."""
    expires_at = EXPIRY if kind == "evaluate" else ""
    return render(kind, file_format, rows, mid=MID, token=token, expires_at=expires_at, profile=profile())


def parsed(content: bytes) -> list[list[str]]:
    """A CSV as a strict reader sees it."""
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a record with its dotted name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value


def test_an_evaluate_record_is_what_the_contract_says() -> None:
    """Every field of CONTRACT 7 that the good row has a value for, in document order."""
    expected = {
        "isDeclined": True,
        "idempotencyKey": KEY,
        "mid": MID,
        "orderId": "000471",
        "siteId": SITE_ID,
        "siteUrl": "https://acme.example",
        "orderSource": "subscription",
        "isMIT": True,
        "isRecurring": True,
        "expiryDateUtc": EXPIRY,
        "subscription": {
            "subscriptionId": "sub-88",
            "interval": "monthly",
            "price": "1999",
            "currency": "USD",
            "paymentNumber": "7",
        },
        "transaction": {
            "id": "000471",
            "timestampUtc": "2026-11-22T22:15:09Z",
            "timezoneUtcOffset": 0,
            "amount": 1999,
            "currency": "USD",
            "responseCode": "202",
            "responseCodeSource": "nmi",
            "avsResultCode": "Y",
            "cvvResultCode": "NA",
            "cavvResultCode": "NA",
            "cardNotPresent": True,
            "dynamicDescriptor": "ACME*US",
            "responseDescription": "Insufficient funds",
            "processorName": "first-processor",
        },
        "payer": {"id": "cust-9", "email": "ada@example.com", "phone": "+1 555 0100"},
        "paymentMethod": {
            "holderName": "Ada K Lovelace",
            "cardType": "CREDIT",
            "cardBrand": "visa",
            "cardCountry": "US",
            "expirationMonth": 4,
            "expirationYear": 2029,
            "cardBinNumber": "411111",
            "cardLast4Digits": "1111",
            "cardNumber": TOKEN,
            "token": True,
        },
        "billingInformation": {
            "firstName": "Ada",
            "lastName": "Lovelace",
            "country": "US",
            "countryCode": "US",
            "addressLine1": "1 Main St",
            "city": "Boston",
            "zipcode": "02134",
            "addressLine2": "Apt 2",
            "state": "MA",
            "phone": "+1 555 0100",
        },
    }

    assert json.dumps(evaluate()) == json.dumps(expected)


def test_a_transmit_record_has_no_token() -> None:
    """A copy of a good charge bears the first 6 and last 4 digits, and neither token nor key nor expiry."""
    record = transmit()

    assert record["isDeclined"] is False
    assert (record["paymentMethod"]["cardBinNumber"], record["paymentMethod"]["cardLast4Digits"]) == ("411111", "1111")
    assert not {"cardNumber", "token"} & set(record["paymentMethod"])
    assert not {"idempotencyKey", "expiryDateUtc"} & set(record)
    assert TOKEN not in json.dumps(record)


def test_what_is_not_known_is_left_out_or_na() -> None:
    """Required values without a source are NA, optional ones are absent; nothing is null or empty."""
    optional = ("phone", "customer_id", "processor_name", "response_description", "payment_number", "card_bin", "exp_month")
    empty = dict.fromkeys((*optional, "email", "avs_result_code", "card_funding", "card_brand", "state", "address_line2"), "")
    record = evaluate(**empty)

    assert record["payer"] == {"email": "NA"}
    assert record["transaction"]["avsResultCode"] == "NA"
    assert not {"cardType", "cardBrand", "cardBinNumber", "expirationMonth"} & set(record["paymentMethod"])
    assert all(value not in ("", None) for _, value in leaves(record))


def test_a_rows_own_descriptor_and_transaction_id_go_first() -> None:
    """The row's word counts before the site's and before the order id."""
    transaction = evaluate(descriptor="ACME*SPECIAL", transaction_id="tx-1")["transaction"]

    assert (transaction["dynamicDescriptor"], transaction["id"]) == ("ACME*SPECIAL", "tx-1")


def test_a_site_without_url_or_descriptor_sends_none() -> None:
    """Only the site id is always there."""
    site = SiteSettings(name="bare", site_id=SITE_ID)
    record = transmit_record(good_order(), mid=MID, site=site, profile=profile())

    assert record["siteId"] == SITE_ID
    assert "siteUrl" not in record
    assert "dynamicDescriptor" not in json.dumps(record)


def test_the_holder_stands_in_for_a_missing_name_and_the_other_way_round() -> None:
    """Bill and card both bear a name, whichever of the two the row has."""
    from_holder = evaluate(first_name="", last_name="", holder_name="Ada King Lovelace")["billingInformation"]

    assert (from_holder["firstName"], from_holder["lastName"]) == ("Ada King", "Lovelace")
    assert evaluate(holder_name="")["paymentMethod"]["holderName"] == "Ada Lovelace"


@pytest.mark.parametrize(("origin", "source"), [("website", "ecommerce"), ("call_center", "call_center")])
def test_a_customer_who_was_present_is_no_mit(origin: str, source: str) -> None:
    """CONTRACT 7.1: no expiry and no subscription is sent for a CIT, and what is known of the customer's browser is."""
    record = evaluate(origin=origin)

    assert (record["orderSource"], record["isMIT"], record["isRecurring"]) == (source, False, False)
    assert (record["customerIp"], record["senseKey"]) == ("203.0.113.17", "sense-5f0c2a")
    assert [name for name in ("expiryDateUtc", "subscription") if name in record] == []
    assert (record["isDeclined"], record["paymentMethod"]["cardNumber"]) == (True, TOKEN)


def test_nothing_is_said_of_a_browser_that_is_not_known() -> None:
    """A CIT without an address and a key is sent without them; an MIT never has them, whatever its row says."""
    bare, recurring = evaluate(origin="website", customer_ip="", sense_key=""), evaluate()

    assert [name for record in (bare, recurring) for name in CIT_FIELDS if name in record] == []
    assert recurring["expiryDateUtc"] == EXPIRY


def test_a_cit_has_no_place_in_a_file() -> None:
    """What only a CIT has is in no column of a file, so that such a record is refused there instead of losing it."""
    with pytest.raises(InternalError):
        kept("evaluate", [BatchRow(1, evaluate(origin="website"))])


@pytest.mark.parametrize(("origin", "source"), [("website", "ecommerce"), ("call_center", "call_center")])
def test_a_copy_says_where_the_charge_came_from(origin: str, source: str) -> None:
    """Website and call-centre charges are no MIT and have no subscription."""
    record = transmit(origin=origin)

    assert (record["orderSource"], record["isMIT"], record["isRecurring"]) == (source, False, False)
    assert "subscription" not in record


@given(amount=st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1), attempts=st.integers(0, 999_999_999))
def test_no_float_stands_anywhere(amount: int, attempts: int) -> None:
    """From the cell to the file money is a whole number of minor units, digit for digit."""
    cells = {"amount_minor": str(amount), "attempts_30d": str(attempts)}
    made: dict[Kind, dict[str, Any]] = {"evaluate": evaluate(**cells), "transmit": transmit(**cells)}
    for kind, record in made.items():
        assert all(isinstance(value, str | bool | int) for _, value in leaves(record))
        assert record["transaction"]["amount"] == amount
        assert record["subscription"]["price"] == str(amount)
        rows = [BatchRow(1, record)]
        header, line = parsed(rendered(kind, "csv", rows))
        assert line[header.index("transaction.amount")] == str(amount)
        read = json.loads(rendered(kind, "json", rows), parse_float=pytest.fail)
        assert read[next(reversed(read))][0]["transaction"]["amount"] == amount


def test_the_idempotency_key_is_fixed_by_merchant_order_and_attempt() -> None:
    """The same three give the same version 5 UUID for ever; any other gives another."""
    expected = str(uuid.uuid5(uuid.UUID(MID), "000471\n1"))
    others = {idempotency_key(MID, "000471", 2), idempotency_key(MID, "471", 1), idempotency_key(SITE_ID, "000471", 1)}

    assert idempotency_key(MID, "000471", 1) == expected
    assert expected not in others
    assert len(others) == 3


@pytest.mark.parametrize(("one", "other"), [("café", "cafe\u0301"), ("a", "A"), ("1", "01"), ("a", "a "), ("a", "\u0430")])
def test_ids_that_look_alike_have_different_keys(one: str, other: str) -> None:
    """Ids are bytes: nothing is folded, trimmed or normalised."""
    assert idempotency_key(MID, one, 1) != idempotency_key(MID, other, 1)


def test_a_file_is_named_by_kind_merchant_date_and_batch() -> None:
    """The name is plain, and is the same whatever the attempt."""
    day, batch = "2026-11-23", "0a1b2c3d4e5f"
    name = file_name("evaluate", mid=MID.upper(), business_date=day, batch_id=batch, extension="json", profile=profile())
    copy = file_name("transmit", mid=MID, business_date=day, batch_id=batch, extension="csv", profile=profile())

    assert name == "evaluate_3f1c09ab_20261123_0a1b2c3d4e5f.json"
    assert copy == "transmit_3f1c09ab_20261123_0a1b2c3d4e5f.csv"


def test_an_evaluate_file_in_json_is_laid_out_as_in_contract_6_4() -> None:
    """The configuration with mid, bearer token and expiry, then the rows with their sequence numbers as texts."""
    content = json.loads(rendered("evaluate", "json", [BatchRow(1, evaluate()), BatchRow(2, evaluate(order_id="b"))]))

    assert list(content) == ["configuration", "transactionRequests"]
    assert content["configuration"] == {"mid": MID, "authorizationToken": "bearer a.b-c", "expiryDateUtc": EXPIRY}
    assert [(row["sequenceNumber"], row["orderId"]) for row in content["transactionRequests"]] == [("1", "000471"), ("2", "b")]
    assert content["transactionRequests"][0] == {"sequenceNumber": "1"} | evaluate()


def test_a_transmit_file_in_json_is_laid_out_as_in_contract_6_4() -> None:
    """The header with mid and bearer token, no expiry, then the transactions."""
    content = json.loads(rendered("transmit", "json", [BatchRow(1, transmit())]))

    assert content == {
        "header": {"mid": MID, "Authorization": "bearer a.b-c"},
        "transactions": [{"sequenceNumber": "1"} | transmit()],
    }


@pytest.mark.parametrize("kind", FIELDS)
def test_a_csv_has_one_fixed_header(kind: Kind) -> None:
    """Leading columns, then every field in document order, whatever the rows hold; no name stands twice."""
    full, bare = (
        parsed(rendered(kind, "csv", [BatchRow(1, evaluate(**cells) if kind == "evaluate" else transmit(**cells))]))
        for cells in ({}, {"phone": "", "customer_id": "", "exp_year": ""})
    )
    leading = ["mid", "authorization", *(["expiryDateUtc"] if kind == "evaluate" else []), "sequenceNumber"]

    assert full[0] == bare[0]
    assert full[0] == [*leading, *(name for name in FIELDS[kind] if name not in leading)]
    assert len(set(full[0])) == len(full[0])
    assert len(bare[0]) == len(bare[1])
    assert bare[1][full[0].index("payer.id")] == ""


@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_of_a_record_has_its_column_in_order(kind: Kind) -> None:
    """The columns are exactly the fields that records can have, in the records' own order."""
    record = evaluate() if kind == "evaluate" else transmit()

    assert tuple(name for name, _ in leaves(record)) == FIELDS[kind]


def test_the_csv_is_plain_machine_csv() -> None:
    """UTF-8 without byte order mark, LF, `true` and `false`, and no spreadsheet escaping."""
    content = rendered("evaluate", "csv", [BatchRow(1, evaluate(city="=1+1", address_line2="é"))])
    header, line = parsed(content)

    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    assert content.count(b"\n") == 2
    assert content.endswith(b"\n")
    assert line[header.index("isDeclined")] == "true"
    assert line[header.index("billingInformation.city")] == "=1+1"
    assert parsed(rendered("transmit", "csv", [BatchRow(1, transmit())]))[1][3] == "false"


def test_the_kept_csv_is_the_file_without_its_token() -> None:
    """Dropping the authorization column from the file gives the CSV that is kept, so a token is never kept."""
    rows = [BatchRow(1, evaluate()), BatchRow(2, evaluate(order_id="b,c"))]
    with_token = parsed(rendered("evaluate", "csv", rows, token="secret"))

    assert with_token[1][1] == "bearer secret"
    assert parsed(kept("evaluate", rows)) == [line[:1] + line[2:] for line in with_token]
    assert b"secret" not in kept("evaluate", rows)
    assert b"authorization" not in kept("evaluate", rows)


def test_the_digest_depends_on_the_rows_and_not_on_the_token() -> None:
    """Rows, order, numbers and expiry are what a repetition must have in common."""
    rows = [BatchRow(1, evaluate()), BatchRow(2, evaluate(order_id="b"))]
    swapped = [BatchRow(1, rows[1].record), BatchRow(2, rows[0].record)]
    digests = {rows_digest(kept("evaluate", each)) for each in (rows, swapped, rows[:1], [BatchRow(2, rows[0].record), rows[1]])}

    assert len(digests) == 4
    assert rows_digest(b"abc") == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("file_format", ["json", "csv"])
def test_the_same_rows_give_the_same_bytes(kind: Kind, file_format: Format) -> None:
    """Also after a record was kept as JSON and read again, as the ledger does."""
    record = evaluate(city="Zürich 🦊\r") if kind == "evaluate" else transmit(city="Zürich 🦊\r")
    again = orjson.loads(orjson.dumps(record))

    assert rendered(kind, file_format, [BatchRow(1, record)]) == rendered(kind, file_format, [BatchRow(1, again)])
    assert kept(kind, [BatchRow(1, record)]) == kept(kind, [BatchRow(1, again)])


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_arrive_byte_for_byte(text: str) -> None:
    """Leading zeros, exponents, quotes, any line break, accents in both forms and emoji survive either format."""
    assert_arrives({"order_id": text, "city": text, "customer_id": text, "payment_token": text})


@given(st.dictionaries(st.sampled_from(["order_id", "city", "customer_id", "email", "address_line2", "payment_token"]), TEXTS))
def test_any_text_arrives_byte_for_byte(cells: dict[str, str]) -> None:
    """Whatever the gate lets through reaches the other side as it was."""
    read = read_order(changed_row(cells))
    if not isinstance(read, Malformed):
        assert_arrives(cells)


_PLACES = {
    "order_id": "orderId",
    "city": "billingInformation.city",
    "customer_id": "payer.id",
    "email": "payer.email",
    "address_line2": "billingInformation.addressLine2",
    "payment_token": "paymentMethod.cardNumber",
}


def assert_arrives(cells: dict[str, str]) -> None:
    """The cells are found again, byte for byte, in both formats."""
    rows = [BatchRow(1, evaluate(**cells))]
    header, line = parsed(rendered("evaluate", "csv", rows))
    record = dict(leaves(json.loads(rendered("evaluate", "json", rows))["transactionRequests"][0]))
    for column, text in cells.items():
        assert line[header.index(_PLACES[column])].encode() == text.encode()
        assert str(record[_PLACES[column]]).encode() == text.encode()


def test_json_keeps_other_scripts_as_they_are() -> None:
    """Non-ASCII text travels as UTF-8, not as escapes."""
    assert "Zürich 🦊".encode() in rendered("evaluate", "json", [BatchRow(1, evaluate(city="Zürich 🦊"))])


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": "x"},
        {"orderItems": [{"sku": "a"}]},
        {"payer": {"id": "a", "fax": "b"}},
        {"mid": SITE_ID},
        {"expiryDateUtc": "2027-01-01T00:00:00Z"},
    ],
)
def test_a_csv_never_drops_a_value_silently(change: dict[str, object]) -> None:
    """A field without a column, or one that contradicts the leading columns, is an error before anything is sent."""
    with pytest.raises(InternalError, match="Row 3"):
        kept("evaluate", [BatchRow(3, evaluate() | change)])


def test_a_changed_profile_changes_the_names_alone() -> None:
    """Other column names, another separator and other words for yes and no come from the data."""
    text = packaged("profiles/flexfactor.toml").replace('nested_separator = "."', 'nested_separator = "/"')
    text = text.replace('true = "true"', 'true = "1"').replace('[csv]\nmid = "mid"', '[csv]\nmid = "merchant"')
    header, line = parsed(kept("evaluate", [BatchRow(1, evaluate())], parse_profile(text)))

    assert header[0] == "merchant"
    assert line[header.index("mid")] == MID
    assert line[header.index("transaction/amount")] == "1999"
    assert line[header.index("isMIT")] == "1"


def test_an_empty_batch_has_a_header_alone() -> None:
    """No rows, no lines."""
    assert len(parsed(kept("transmit", []))) == 1
