"""What the provider's answer to `POST tokenize` says, read strictly (CONTRACT 3)."""

import re

from batch.responses import MOST_ANSWER_BYTES
from batch.strict_json import parse
from schemas.errors import AnswerUnreadable

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FIELDS = ("first_name", "last_name", "number", "month", "year", "verification_value", "email")


def read_card_token(content: bytes, last4: str) -> str:
    """The token of a card, at `transaction.payment_method.token`: a GUID, so that nothing else is ever taken for one.

    Raises AnswerUnreadable when there is none, or when the answer is about a card with other last four digits.
    """
    value: object = parse(content, max_bytes=MOST_ANSWER_BYTES)
    for name in ("transaction", "payment_method"):
        value = _named(value, name)
    token, shown = _named(value, "token"), _named(value, "last_four_digits")
    if not isinstance(token, str) or not _GUID.fullmatch(token):
        raise AnswerUnreadable("The answer of the tokenize call has no token.")
    if shown is not None and shown != last4:
        raise AnswerUnreadable("The answer of the tokenize call is about another card.")
    return token


def refused_fields(content: bytes) -> tuple[str, ...]:
    """Which fields of ours a refusal names (CONTRACT 13), in our order; nothing else of it is ever shown."""
    try:
        found = parse(content, max_bytes=MOST_ANSWER_BYTES)
    except AnswerUnreadable:
        return ()
    errors = _named(found, "errors")
    names = [*found] if isinstance(found, dict) else []
    names += [*errors] if isinstance(errors, dict) else []
    last = {str(name).rpartition(".")[2].lower() for name in names}
    return tuple(field for field in _FIELDS if field in last)


def _named(value: object, name: str) -> object:
    """The value under a name in any case; None where there is none."""
    if not isinstance(value, dict):
        return None
    return next((inner for key, inner in value.items() if str(key).lower() == name), None)
