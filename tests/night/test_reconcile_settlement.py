"""The provider's settlement beside the ledger: cents by order, and nothing concluded from what it does not name."""

from pathlib import Path

import pytest

from batch.settlement import SettledLine, settled_lines
from schemas.errors import UsageRefused
from schemas.matches import SettledKind
from tests.night.comparing import compare, differing
from tests.night.house import ONHOLD, House, order
from tests.night.requests import completed, refund
from tests.pure.samples import profile

HEADER = "externalOrderId,orderSessionKey,type,amount,currency\n"


def settlement(house: House, *lines: str, header: str = HEADER) -> Path:
    """A settlement with these lines."""
    path = house.folder / "settlement.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def key_of(house: House, order_id: str) -> str:
    """The provider's id of an order."""
    return next(str(row["order_session_key"]) for row in house.sandbox.orders() if row["order_id"] == order_id)


def test_a_settlement_that_agrees_is_equal(house: House) -> None:
    """By our id or by the provider's, to the cent, fees passed over, refunds among it."""
    completed(house, "000471", "000472")
    assert refund(house, "5.00", "000472")[0] == 0
    path = settlement(
        house,
        "000471,,capture,19.99,USD",
        f",{key_of(house, '000472')},Sale,19.99,USD",
        "000472,,Refund,-5.00,USD",
        "000471,,Flex Fee,-1.20,USD",
    )
    report, compared = compare(house, settlement=path)
    assert (report.code, compared.settled_lines, compared.odd_lines, differing(house)) == (0, 3, 0, {})
    paid = {state: total for (book, _, _, state), total in compared.totals.items() if book == "settlement"}
    assert {state: (total.orders, total.amount_minor) for state, total in paid.items()} == {"captured": (2, 3998)}


def test_every_difference_of_a_settlement_is_named(house: House) -> None:
    """Another amount, an order that is unknown, one that is still open, a line that cannot be read."""
    completed(house, "000471")
    house.add(order("000472", payment_token=ONHOLD))
    house.run()
    lines = ("000471,,capture,19.98,USD", "000472,,capture,19.99,USD", "999,,capture,1.00,USD", "000471,,moved,1,USD", "x,y")
    report, compared = compare(house, settlement=settlement(house, *lines))
    found = differing(house)
    assert report.code == 10
    assert {each: match for each, (match, _) in found.items()} == dict.fromkeys(("000471", "000472", "999"), "file_differs")
    assert "recovered USD 19.99, the settlement pays USD 19.98" in found["000471"][1]
    assert found["000472"][1].endswith("it is pending: mitbatch poll")
    assert (compared.settled_lines, compared.odd_lines) == (3, 2)
    assert house.state("000472") == "pending"
    assert sorted(house.items()) == [
        ("amount_differs", "settlement:000471"),
        ("contradiction", "settlement-unknown:orders"),
        ("quarantine", "settlement-lines:unread"),
    ]
    compare(house)
    assert len(house.items()) == 3, "a comparison without a settlement takes nothing of it back"


def test_what_a_settlement_leaves_out_proves_nothing(house: House) -> None:
    """A recovered order that the settlement does not name is no difference."""
    completed(house, "000471")
    report, _ = compare(house, settlement=settlement(house))
    assert (report.code, differing(house)) == (0, {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"order,amount\n", "has no column type, currency, externalOrderId"),
        (HEADER.encode() + b"\xff\xfe,,capture,1,USD\n", "not UTF-8"),
        (HEADER.encode() + b'"a"b,,capture,1,USD\n', "not CSV"),
        (b"x" * 70_000, "line of more than"),
    ],
)
def test_a_file_that_is_no_settlement_is_refused(house: House, content: bytes, words: str) -> None:
    """Before anything is compared, with a sentence."""
    completed(house, "000471")
    path = house.folder / "settlement.csv"
    path.write_bytes(content)
    with pytest.raises(UsageRefused, match=words):
        compare(house, settlement=path)
    with pytest.raises(UsageRefused, match="could not be read"):
        compare(house, settlement=house.folder / "absent.csv")
    assert house.ledger("SELECT count(*) AS n FROM comparison")[0]["n"] == 0


@pytest.mark.parametrize("key", ["4111111111111111", "ada@acme.example", " k", "=1+1"])
def test_what_cannot_be_an_id_of_the_providers_names_no_order(key: str) -> None:
    """Such a line counts by our own id; without that it is one that cannot be read, and nothing of the key is kept."""
    rows = [HEADER.strip().split(","), *([ours, key, "capture", "19.99", "USD"] for ours in ("000471", ""))]
    named, unnamed = settled_lines(rows, profile().settlement)
    assert named == SettledLine("000471", "", "USD", SettledKind.CAPTURE, 1999)
    assert unnamed is None
