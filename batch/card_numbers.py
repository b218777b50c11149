"""Find card numbers where none may be, so that they are refused at the door and never written anywhere.

A card number is 13 to 19 digits with single spaces or dashes between them, in a known issuer's range and of its length
(ISO/IEC 7812), with a correct Luhn digit. Letters end a run of digits. A long numeric order id is rarely taken for one.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

_SHORTEST, _LONGEST = 13, 19
_RUN = re.compile(r"[0-9](?:[ -]{0,3}[0-9]){12,}")
_GUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_WHOLE_RUN = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9])")
_LONG = frozenset(range(16, 20))

_ISSUERS: tuple[tuple[str, str, str, frozenset[int]], ...] = (
    ("visa", "4", "4", frozenset({13, 16, 19})),
    ("mastercard", "51", "55", frozenset({16})),
    ("mastercard", "2221", "2720", frozenset({16})),
    ("amex", "34", "34", frozenset({15})),
    ("amex", "37", "37", frozenset({15})),
    ("discover", "6011", "6011", _LONG),
    ("discover", "644", "649", _LONG),
    ("discover", "65", "65", _LONG),
    ("diners", "300", "305", frozenset({14}) | _LONG),
    ("diners", "3095", "3095", frozenset({14}) | _LONG),
    ("diners", "36", "36", frozenset({14}) | _LONG),
    ("diners", "38", "39", frozenset({14}) | _LONG),
    ("jcb", "3528", "3589", _LONG),
    ("mir", "2200", "2204", _LONG),
    ("unionpay", "62", "62", _LONG),
    ("unionpay", "81", "81", _LONG),
    ("rupay", "60", "60", frozenset({16})),
    ("rupay", "82", "82", frozenset({16})),
    ("rupay", "508", "508", frozenset({16})),
    ("maestro", "5018", "5020", frozenset(range(13, 20))),
    ("maestro", "5038", "5038", frozenset(range(13, 20))),
    ("maestro", "5893", "5893", frozenset(range(13, 20))),
    ("maestro", "6304", "6304", frozenset(range(13, 20))),
    ("maestro", "6759", "6759", frozenset(range(13, 20))),
    ("maestro", "6761", "6763", frozenset(range(13, 20))),
    ("verve", "506099", "506198", frozenset({16, 18, 19})),
    ("troy", "9792", "9792", frozenset({16})),
)

SHOWN = {"card_bin": slice(0, 6), "card_last4": slice(-4, None)}
"""The columns that describe a card, and as much of each as anybody is shown."""

_BETWEEN_CELLS = "\x1f"
"""Neither digit nor blank nor dash: it ends a run of digits and borders a GUID as the end of a text does."""


class _AsAscii(dict[int, str]):
    """Characters as ASCII sees them, each looked up once: there is one answer for each, and a night asks for millions."""

    def __missing__(self, codepoint: int) -> str:
        return self.setdefault(codepoint, _plain(chr(codepoint)))


_AS_ASCII = _AsAscii()


def has_card_number(text: str) -> bool:
    """Whether a card number stands anywhere in a text. Digits of every script count; GUIDs are not looked into.

    Where a run of digits is broken into groups, every stretch of whole groups is tried, so that a date or a security code
    beside the number does not hide it. A run without breaks is one number: nothing is cut out of a 40-digit order id.
    """
    if len(text) < _SHORTEST:
        return False
    plain = text.translate(_AS_ASCII)
    if _RUN.search(plain) is None:
        return False
    return any(_is_card_number(number) for run in _RUN.findall(_GUID.sub("x", plain)) for number in _stretches(run))


def may_be_card_number(text: str) -> bool:
    """The same, and stricter: any unbroken run of 13 to 19 digits with a correct Luhn digit counts, in whatever range it lies.

    For what nobody has to accept, such as an id that the provider makes up: a range may be new.
    """
    plain = _GUID.sub("x", text.translate(_AS_ASCII))
    return has_card_number(text) or any(map(passes_luhn, _WHOLE_RUN.findall(plain)))


def offending_columns(cells: Mapping[str, str], exempt: Collection[str]) -> tuple[str, ...]:
    """The columns of a row in which a card number stands, without those that the merchant vouches for."""
    long = {column: text for column, text in cells.items() if len(text) >= _SHORTEST and column not in exempt}
    if not has_card_number(_BETWEEN_CELLS.join(long.values())):
        return ()
    return tuple(column for column, text in long.items() if has_card_number(text))


def scrubbed_id(order_id: str, key: bytes) -> str:
    """The name under which a refused row is recorded: `pan:` and 8 hex digits of a keyed hash (HMAC-SHA256) of its order id."""
    digest = hmac.new(key, order_id.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"pan:{digest.hexdigest()[:8]}"


def mask(cells: Mapping[str, str]) -> dict[str, str]:
    """The cells of a row with at most the first six and the last four digits of the card, whatever stands there (PCI 3.4.1).

    A row that is refused because its `card_bin` is too long would otherwise show the rest of the number in two pieces.
    """
    return {**cells, **{column: cells[column][kept] for column, kept in SHOWN.items()}}


def brand_of(digits: str) -> str:
    """The brand whose range the first digits of a card lie in, such as `visa`; empty when no range has them."""
    return next((brand for brand, first, last, _ in _ISSUERS if first <= digits[: len(first)] <= last), "")


def _plain(character: str) -> str:
    """A character as ASCII sees it: any digit as 0 to 9, any space or dash as one, invisible marks as nothing."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if character in "\t\n\r\v\f":
        return " "
    return {"Zs": " ", "Pd": "-", "Cf": ""}.get(category, "-" if character == "\u2212" else character)


def _stretches(run: str) -> Iterator[str]:
    groups = re.split("[ -]+", run)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) > _LONGEST:
                break
            if len(number) >= _SHORTEST:
                yield number


def _is_card_number(number: str) -> bool:
    length = len(number)
    in_range = any(first <= number[: len(first)] <= last and length in lengths for _, first, last, lengths in _ISSUERS)
    return in_range and passes_luhn(number)


def passes_luhn(number: str) -> bool:
    """Whether the last of these digits is the right check digit (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
