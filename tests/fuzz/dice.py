"""Chance that can be thrown again: the same seed and number give the same hostile text or bytes."""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")

CARDS = ("4111111111111111", "4000002760003184", "4242424242424242", "5555555555554444")
"""Test card numbers, planted to see whether one comes out again."""

TRIGGERS = "=+-@＝＋－＠"
_SEPARATORS = ("", " ", "-", "  ", " - ", "\t", "\u00a0", "\u2013", "\u200b")
_TRICKY_SEPARATORS = ("\x01", "    ", "\u2028", "\x85", "\ue000", " \n  \n ")
_ODD = (
    "",
    "\x00",
    "\ufeff",
    "\u202e",
    "\u2028",
    "\x1b[31m",
    "\r",
    "\n",
    "\r\n",
    "\t",
    "'",
    '"',
    '""',
    "\\",
    "\\n",
    ",",
    ";",
    "|",
    "é",
    "e\u0301",
    "🙂",
    "K",
    "İ",
    "ſ",
    "٧",
    "７",
    "²",
    "1E10",
    "00012",
    "NA",
    "None",
    "null",
    "NaN",
    "-0",
    "1,5",
    "1.5",
    "0x10",
    "9" * 40,
    "' OR 1=1 --",
    "{0}%s${x}",
    "<script>",
    "../../etc/passwd",
    "..\\x",
    "=cmd|' /C calc'!A0",
    " =1+1",
    "\u200b=1",
    ";=1",
    "＝1",
    "\ud800",
    "\udfff",
    "\udcff",
)
_BETWEEN = "[\\s\x00-\x1f\x7f-\xa0\u200b\u2010-\u2015\u2028\u2029\ue000-]{0,3}"
_CARD_SHAPES = re.compile("|".join(r"(?<![0-9])" + _BETWEEN.join(card) + r"(?![0-9])" for card in CARDS))


class Dice(random.Random):
    """Random choices for one input, which `seed` and `number` name for ever."""

    def __init__(self, seed: int, number: int, name: str) -> None:
        super().__init__(f"{seed}:{number}:{name}")

    def one_in(self, times: int) -> bool:
        """True once in so many throws."""
        return self.random() * times < 1

    def odd_text(self, most: int = 3) -> str:
        """A text made to break a reader, without card numbers."""
        pieces = [self.choice(_ODD) if not self.one_in(4) else self.letters(12) for _ in range(self.randint(0, most))]
        if self.one_in(60):
            pieces.append(self.choice("a=é9 ") * self.choice([254, 255, 256, 257, 4096, 4301]))
        return "".join(pieces)

    def letters(self, most: int) -> str:
        """Characters from anywhere in Unicode."""
        ranges = ((32, 126), (160, 255), (0x300, 0x36F), (0x660, 0x669), (0x2000, 0x206F), (0xFF01, 0xFF5E), (0x1F600, 0x1F64F))
        return "".join(chr(self.randint(*self.choice(ranges))) for _ in range(self.randint(0, most)))

    def card(self, *, plain: bool = False) -> str:
        """A card number as it should be found; unless `plain`, sometimes with separators that hide it from a simple reader."""
        number = self.choice(CARDS)
        separator = self.choice(_SEPARATORS if plain or not self.one_in(3) else _TRICKY_SEPARATORS)
        return separator.join(number[start : start + 4] for start in range(0, 16, 4))

    def text(self) -> str:
        """An odd text, sometimes with a card number inside."""
        return f"{self.odd_text(1)} {self.card()} {self.odd_text(1)}" if self.one_in(5) else self.odd_text()

    def mutated(self, content: bytes) -> bytes:
        """The content with one to three faults of the kinds that wires, disks and enemies make."""
        for _ in range(self.choice([1, 1, 1, 2, 3])):
            content = self.choice(_FAULTS)(self, content)
        return content


def _flip(dice: Dice, content: bytes) -> bytes:
    if not content:
        return b"\x00"
    place = dice.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << dice.randrange(8))]) + content[place + 1 :]


def _cut(dice: Dice, content: bytes) -> bytes:
    return content[: dice.randint(0, len(content))]


def _splice(dice: Dice, content: bytes) -> bytes:
    start, end = sorted((dice.randint(0, len(content)), dice.randint(0, len(content))))
    place = dice.randint(0, len(content))
    return content[:place] + content[start:end] + content[place:]


def _drop(dice: Dice, content: bytes) -> bytes:
    start = dice.randint(0, len(content))
    return content[:start] + content[start + dice.choice([1, 2, 4, 16]) :]


def _insert(dice: Dice, content: bytes) -> bytes:
    place = dice.randint(0, len(content))
    return content[:place] + dice.odd_text().encode("utf-8", "surrogatepass") + content[place:]


def _recode(dice: Dice, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    ways: list[Callable[[], bytes]] = [
        lambda: b"\xef\xbb\xbf" + content,
        lambda: text.encode("utf-16"),
        lambda: text.encode("cp1252", "replace"),
        lambda: content + dice.randbytes(3),
        lambda: content.replace(b"\n", b"\r\n"),
        lambda: content.replace(b" ", b"\r"),
        lambda: b"\x00" + content,
    ]
    return dice.choice(ways)()


_FAULTS: Sequence[Callable[[Dice, bytes], bytes]] = (_flip, _cut, _splice, _drop, _insert, _recode)


def shows_card(text: str) -> bool:
    """Whether a planted card number can be read in a text, with up to three blanks or dashes between its digits."""
    if sum(map(text.count, "0123456789")) < 16 and text.isascii():
        return False
    plain = "".join(str(unicodedata.digit(sign, sign)) for sign in text) if not text.isascii() else text
    return _CARD_SHAPES.search(plain) is not None
