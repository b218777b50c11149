"""Read JSON that somebody else wrote: bounded, exact, and without guessing (RFC 8259, strictly)."""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from schemas.errors import AnswerUnreadable

_MAX_NUMBER_LENGTH = 64
_MAX_EXPONENT = 64
_MAX_MARKS = 500_000
"""Commas and opening brackets: at most so many values. A full file of 2,000 rows may have 250 to a row; a hostile one of
empty lists or short fractions would otherwise become twenty times its own size in memory."""
# A string (its closing quote may be missing), or one bracket. Possessive, so that no input is read twice.
_TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_DOUBTFUL_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def parse(content: bytes, *, max_bytes: int, max_depth: int = 64) -> object:
    """What a provider's JSON says: objects, lists, texts, whole numbers as int, others as Decimal, never as float.

    Refused are: more than `max_bytes`, more than half a million commas and opening brackets, nesting deeper than
    `max_depth`, numbers longer than 64 characters, names that stand twice in one object, NaN and Infinity, a byte order
    mark, anything but UTF-8, and texts with a NUL or half a surrogate pair, which no database keeps. Raises
    AnswerUnreadable with a sentence that repeats nothing of the content.
    """
    if len(content) > max_bytes:
        raise AnswerUnreadable(f"The answer has {len(content):,} bytes; at most {max_bytes:,} are read.")
    if sum(map(content.count, b",[{")) > _MAX_MARKS:
        raise AnswerUnreadable(f"The answer has more than {_MAX_MARKS:,} values.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AnswerUnreadable(f"The answer is not UTF-8 at byte {error.start:,}.") from None
    if text.startswith("\ufeff"):
        raise AnswerUnreadable("The answer begins with a byte order mark, which JSON forbids.")
    _check_depth(text, max_depth)
    try:
        value: object = json.loads(
            text,
            parse_int=_whole_number,
            parse_float=_decimal_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_repetition,
        )
    except json.JSONDecodeError as error:
        raise AnswerUnreadable(f"The answer is not JSON at line {error.lineno:,}, column {error.colno:,}.") from None
    if _DOUBTFUL_ESCAPE.search(text):
        _check_texts(value)
    return value


def fields_of(value: object) -> dict[str, object]:
    """An object's fields by their names in lower case: the provider's names are matched in any case (CONTRACT 1).

    Raises AnswerUnreadable for what is no object, and for one in which two names differ only in case.
    """
    if not isinstance(value, dict):
        raise AnswerUnreadable("The answer is not an object.")
    folded = {str(name).lower(): inner for name, inner in value.items()}
    if len(folded) != len(value):
        raise AnswerUnreadable("The answer has an object in which two names differ only in case.")
    return folded


def _check_depth(text: str, max_depth: int) -> None:
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for token in _TOKENS.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth > max_depth:
                raise AnswerUnreadable(f"The answer is nested more than {max_depth} deep.")
        elif first in "]}":
            depth -= 1


def _whole_number(digits: str) -> int:
    _check_length(digits)
    return int(digits)


def _decimal_number(digits: str) -> Decimal:
    _check_length(digits)
    try:
        number = Decimal(digits)
    except InvalidOperation:
        number = None
    if number is None or abs(number.adjusted()) > _MAX_EXPONENT:
        raise AnswerUnreadable("The answer has a number with an absurd exponent.")
    return number


def _check_length(digits: str) -> None:
    if len(digits) > _MAX_NUMBER_LENGTH:
        raise AnswerUnreadable(f"The answer has a number of {len(digits):,} characters.")


def _refuse_constant(_name: str) -> NoReturn:
    raise AnswerUnreadable("The answer has NaN or Infinity, which JSON forbids.")


def _object_without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise AnswerUnreadable("The answer has an object in which a name stands twice.")
    return made


def _check_texts(value: object) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise AnswerUnreadable("The answer has a text with a NUL or half a surrogate pair.")
        return
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        inner = (*value.keys(), *value.values())
    elif isinstance(value, list):
        inner = value
    for each in inner:
        _check_texts(each)
