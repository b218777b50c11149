"""The provider's own words, fit to be kept and shown: short, one line, without card numbers or addresses of people.

What was received stands untouched in the evidence; everything else shows only what passes through here.
"""

import re

from batch.audit_csv import guard
from batch.card_numbers import has_card_number, may_be_card_number
from schemas.errors import AnswerUnreadable

MOST_ID_LENGTH = 128
"""The provider's ids are GUIDs of 36 characters; this is what the ledger has room for."""

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


def plain_id(word: object) -> str:
    """An id of the provider's, fit to be kept, shown and asked by. Every reader of one lets it pass through here (CONTRACT 6.4).

    At most 128 printable characters without blanks around them; no beginning of a formula, no card number, no address of a
    person. Whatever is no text, or an empty one, is no id: empty. Raises AnswerUnreadable, which repeats nothing of it.
    """
    if not isinstance(word, str) or not word:
        return ""
    is_plain = len(word) <= MOST_ID_LENGTH and word.isprintable() and word == word.strip() and not guard(word).startswith("'")
    if not is_plain or may_be_card_number(word) or _ADDRESS.search(word):
        raise AnswerUnreadable("The answer has an id that is not plain, or looks like a card number; it is not kept.")
    return word


def status_word(word: str) -> str:
    """A status as received, if it looks like one and holds no card number; empty stays empty, all else is UNREADABLE."""
    if not word or (_STATUS.fullmatch(word) and not has_card_number(word)):
        return word
    return UNREADABLE
