"""The payment form: only the provider's published test cards pass, and nothing of a card is kept beyond the call. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

CHALLENGE_PHONE = "+99.2001a/+99.2001b"
TEST_CARDS = ("4000002760003184", "4111111111111111", "4000300011112220")
"""The published test cards that pass for whole card numbers (CONTRACT 15)."""

_LIMITS = {"name": 80, "email": 120, "phone": 40, "number": 40, "month": 2, "year": 4, "cvv": 4}


@dataclass(frozen=True)
class Card:
    """A test card as it was typed. It lives as long as the request, and shows nothing of itself."""

    number: str = field(repr=False)
    month: int
    year: int
    cvv: str = field(repr=False)
    first_name: str
    last_name: str


@dataclass(frozen=True)
class Form:
    """What the customer entered. `kept` may be shown again; `errors` says by field what to mend, and then there is no card."""

    card: Card | None
    kept: dict[str, str]
    errors: dict[str, str]
    bank_approves: bool = False


def read_form(given: Mapping[str, str], year_now: int) -> Form:
    """Check everything at once. Card number and security code are never among what is kept."""
    typed = {name: given.get(name, "").strip() for name in _LIMITS}
    errors = {name: "This is too long." for name, most in _LIMITS.items() if len(typed[name]) > most}
    digits = re.sub(r"[ -]", "", typed["number"])
    first, _, last = typed["name"].partition(" ")
    month, year = _number(typed["month"]), _number(typed["year"])
    wrong = {
        "name": "" if last.strip() and typed["name"].isprintable() else "Enter the first and the last name.",
        "email": ""
        if re.fullmatch(r"[!-?A-~]+@[!-?A-~]+\.[a-z]{2,}", typed["email"])
        else "Enter an address such as ada@example.com.",
        "phone": "" if typed["phone"].isprintable() else "Enter a phone number, or leave it out.",
        "number": "" if digits in TEST_CARDS else "Only the test cards listed here are taken. Nothing was sent anywhere.",
        "month": "" if 1 <= month <= 12 else "Enter a month from 1 to 12.",
        "year": "" if year_now <= year <= year_now + 30 else f"Enter a year from {year_now} on.",
        "cvv": "" if re.fullmatch(r"[0-9]{3,4}", typed["cvv"], re.ASCII) else "Enter three digits.",
    }
    errors = {**{name: words for name, words in wrong.items() if words}, **errors}
    kept = {name: typed[name][: _LIMITS[name]] for name in ("name", "email", "phone", "month", "year")}
    card = None if errors else Card(digits, month, year, typed["cvv"], first, last.strip())
    return Form(card, kept, errors, given.get("bank") == "approve")


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) else 0
