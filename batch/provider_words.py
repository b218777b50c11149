"""The provider's own words, fit to be kept and shown: short, one line, without card numbers or addresses of people.

What was received stands untouched in the evidence; everything else shows only what passes through here.
"""

import re

from batch.card_numbers import has_card_number

_MOST = 200
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_TOKEN = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_STATUS = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,31}")

WITHHELD = "(withheld: it holds a card number)"
UNREADABLE = "UNREADABLE"


def fit_to_show(words: str) -> str:
    """A refusal's words: cut, on one line, e-mail addresses and ids left out; nothing at all where a card number stands."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    if has_card_number(words) or has_card_number(line):  # what is joined into one line may spell a number
        return WITHHELD
    return _ADDRESS.sub("(address)", _TOKEN.sub("(id)", line))[:_MOST]


def status_word(word: str) -> str:
    """A status as received, if it looks like one; empty stays empty, anything else is UNREADABLE and means nothing."""
    if not word or _STATUS.fullmatch(word):
        return word
    return UNREADABLE
