"""Cards and payment tokens: a card number comes in, a token goes on, and the number is kept nowhere (CONTRACT 3 and 15).

A token is a keyed digest of seed, card and expiry in the shape of a GUID. Its last four digits say what the card
stands for, so that the documented test cards keep their meaning in a later run without anything being stored.
"""

import hashlib
import hmac
import re
import uuid
from dataclasses import dataclass

from jobs.sandbox.fates import CardClass
from jobs.sandbox.strict_text import Fields

_BY_NUMBER: dict[str, CardClass] = {"4000002760003184": "success", "4111111111111111": "challenge"}
_ENDINGS: dict[CardClass, str] = {"success": "c184", "challenge": "c111", "declined": "c000"}
_BY_ENDING: dict[str, CardClass] = {ending: card for card, ending in _ENDINGS.items()}


@dataclass(frozen=True)
class Payment:
    """What is known of a payment: its token, what the card stands for, and whether a CVV came with it."""

    token: str
    card: CardClass
    has_cvv: bool


def digits_of(number: str) -> str:
    """A card number without its spaces and dashes, or an empty text if it is none (12 to 19 digits)."""
    bare = re.sub(r"[ -]", "", number)
    return bare if re.fullmatch(r"[0-9]{12,19}", bare, re.ASCII) else ""


def token_for(seed: int, digits: str, month: int, year: int) -> str:
    """The token of a card: the same for the same seed, number and expiry."""
    key = hashlib.sha256(f"mitbatch sandbox\ntokens\n{seed}".encode()).digest()
    digest = hmac.new(key, f"{digits}\n{month}\n{year}".encode(), hashlib.sha256).hexdigest()
    ending = _ENDINGS[_BY_NUMBER.get(digits, "declined")]
    return str(uuid.UUID(f"{digest[:12]}4{digest[13:16]}8{digest[17:28]}{ending}"))


def class_of(token: str) -> CardClass:
    """What the card behind a token stands for; unknown for a token that is not the sandbox's."""
    return _BY_ENDING.get(token[-4:].lower(), "unknown")


def payment_of(seed: int, record: Fields) -> tuple[Fields, Payment]:
    """A record as it may be remembered, and its payment.

    A raw card number (`token: false`, CONTRACT 7.3) is replaced by its token, and the CVV is left out.
    """
    method = record.get("paymentmethod")
    if not isinstance(method, dict):
        return record, Payment("", "unknown", has_cvv=False)
    given = method.get("cardnumber")
    token = given if isinstance(given, str) else ""
    digits = digits_of(token)
    if digits:
        token = token_for(seed, digits, _number(method.get("expirationmonth")), _number(method.get("expirationyear")))
    has_cvv = method.get("verificationvalue") not in (None, "")
    kept = {name: value for name, value in method.items() if name != "verificationvalue"}
    if digits:
        kept["cardnumber"] = token
    return {**record, "paymentmethod": kept}, Payment(token, class_of(token), has_cvv)


def _number(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and 0 <= value < 10_000 else 0
