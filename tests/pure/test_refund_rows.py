"""Amounts that people type, and files of refunds: exact, strict, and each odd row named."""

import pytest

from batch.refund_rows import MOST_ROWS, read_refund_rows
from schemas.errors import UsageRefused
from schemas.money import decimal_text, minor_of

HEADER = b"order_id,amount,currency,reason,request_id\n"


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.34", "USD", 1234),
        ("12", "USD", 1200),
        ("0.01", "USD", 1),
        ("19.99", "USD", 1999),
        ("1.15", "USD", 115),
        ("999999999999.99", "USD", 99999999999999),
        ("007.00", "USD", 700),
        ("12", "JPY", 12),
        ("1.234", "KWD", 1234),
    ],
)
def test_an_amount_is_exact(text: str, currency: str, minor: int) -> None:
    """Digits become minor units without any rounding."""
    assert minor_of(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        *"12.345 12.3 12. .34 -1.00 +1.00 0 0.00 1e5 1E2 NaN Infinity inf 1,000.00 1_000 12.34USD $12 0x10 1/2".split(),
        *("", " 12.34", "12.34 ", "1 000", "1" * 13, "12.34.56", "\u00b2", "\u0661\u0662", "12.\u0969\u096a"),
    ],
)
def test_everything_else_is_no_amount(text: str) -> None:
    """No sign, exponent, separator, other script, third decimal, nought or blank is read as an amount."""
    assert minor_of(text, "USD") is None


def test_what_is_written_is_read_again() -> None:
    """Every amount that finance's files show can be typed."""
    for currency in ("USD", "JPY", "KWD"):
        assert all(minor_of(decimal_text(minor, currency), currency) == minor for minor in range(1, 5000))


def test_rows_are_read_as_they_stand() -> None:
    """Zeros, quotes, line ends inside a cell and columns in another order come through byte for byte."""
    (row,) = read_refund_rows(
        b'\xef\xbb\xbfamount,order_id,reason,request_id,currency\r\n"5.00",000471,"late, ""very""\nlate",t-1,USD\r\n'
    )
    assert (row.order_id, row.amount, row.currency, row.request_id) == ("000471", "5.00", "USD", "t-1")
    assert (row.reason, row.problem) == ('late, "very"\nlate', "")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"000471,5.00,USD,late\n", "4 cells instead of 5"),
        (b"000471,5.00,USD,late,t-1,x\n", "6 cells instead of 5"),
        (b"000471,,USD,late,t-1\n", "amount must not be empty"),
        (b"000471,5.00,USD, ,\n", "reason and request_id must not be empty"),
        (b"000471,5.00,USD,late," + b"x" * 129 + b"\n", "at most 128"),
    ],
)
def test_an_odd_row_stops_no_other(line: bytes, problem: str) -> None:
    """It is named with what is wrong, and the row after it is read."""
    odd, good = read_refund_rows(HEADER + line + b"000472,5.00,USD,late,t-2\n")
    assert problem in odd.problem
    assert (good.order_id, good.problem) == ("000472", "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"order_id,amount\n",
        HEADER.replace(b"reason", b"why"),
        HEADER + b'000471,"5.00,USD,late,t-1\n',
        HEADER + b"\xff\xfe\n",
        HEADER + b"a\0,5.00,USD,late,t-1\n",
        HEADER + b"a,5.00,USD,late,t\n" * (MOST_ROWS + 1),
        b"x" * ((16 << 20) + 1),
    ],
    ids=["nothing", "columns missing", "another column", "no end of a quote", "not UTF-8", "NUL", "too many rows", "too big"],
)
def test_a_file_that_is_no_such_csv_is_refused(content: bytes) -> None:
    """Nothing of it is done."""
    with pytest.raises(UsageRefused):
        read_refund_rows(content)
