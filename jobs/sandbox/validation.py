"""What the provider checks in one record before it takes it (CONTRACT 5, 7 and 13). Pure."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from jobs.sandbox.cards import digits_of
from jobs.sandbox.fates import REFUSED_TOKEN_ENDING, Way
from jobs.sandbox.moments import as_moment
from jobs.sandbox.strict_text import Fields

Errors = dict[str, list[str]]
"""The flat map of CONTRACT 13: dotted property name to messages."""


@dataclass(frozen=True)
class Terms:
    """What one record has to fit: the account's mid and sites, the way in which it is retried, and where it came in."""

    mid: str
    sites: frozenset[str]
    way: Way = "managed"
    in_file: bool = False
    auth_capture: bool = True
    strict_amounts: bool = False


_REQUIRED_TEXT = (
    "Transaction.Id",
    "Transaction.ResponseCode",
    "Transaction.ResponseCodeSource",
    "Transaction.AvsResultCode",
    "Transaction.CvvResultCode",
    "Transaction.CavvResultCode",
    "Transaction.Currency",
    "PaymentMethod.CardNumber",
)


def at(record: Fields, path: str) -> object:
    """The value at a dotted path, names in any case, or None."""
    value: object = record
    for name in path.lower().split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_at(record: Fields, path: str) -> str:
    """The text at a dotted path, or an empty one."""
    value = at(record, path)
    return value if isinstance(value, str) else ""


def is_guid(text: object) -> bool:
    """Whether this is a GUID as text with its dashes."""
    if not isinstance(text, str) or len(text) != 36:
        return False
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _missing(path: str) -> str:
    return f"The {path.rsplit('.', maxsplit=1)[-1]} field is required."


def _invalid(path: str) -> str:
    return f"The field {path} is invalid."


def evaluate_errors(record: Fields, terms: Terms, expiry: datetime | None, now: datetime) -> Errors:
    """Everything that is wrong with one evaluate record at once (CONTRACT 7 and 13)."""
    errors: Errors = {}
    if not text_at(record, "OrderId"):
        errors["OrderId"] = ["Merchant's orderId is required"]
    for path in _REQUIRED_TEXT:
        if not text_at(record, path):
            errors[path] = [_missing(path)]
    _check_declined(record, errors)
    errors.update(key_errors(record))
    _check_amount(record, terms.strict_amounts, errors)
    _check_account(record, terms.mid, terms.sites, errors)
    if not isinstance(at(record, "IsMIT"), bool | None):
        errors["IsMIT"] = [_invalid("IsMIT")]
    elif terms.in_file and at(record, "IsMIT") is False:
        errors["IsMIT"] = ["A file takes merchant-initiated transactions only."]
    if terms.way == "managed" and (expiry is None or expiry <= now):
        errors["ExpiryDateUtc"] = [_invalid("ExpiryDateUtc")]
    kind = at(record, "TransactionType")
    if kind not in (None, "") and (not isinstance(kind, str) or kind.upper() not in _transaction_types(terms)):
        errors["TransactionType"] = [_invalid("TransactionType")]
    _check_card(record, errors)
    return errors


def is_authorization(record: Fields) -> bool:
    """Whether a record asks for an authorisation that is captured later; PURCHASE is the default (CONTRACT 7.1)."""
    return text_at(record, "TransactionType").upper() == "AUTHORIZATION"


def _transaction_types(terms: Terms) -> tuple[str, ...]:
    return ("PURCHASE", "AUTHORIZATION") if terms.auth_capture else ("PURCHASE",)


def _check_card(record: Fields, errors: Errors) -> None:
    """A token is anything but a card number; a raw number comes with `token: false`, and never in a file (CONTRACT 7.3)."""
    number = text_at(record, "PaymentMethod.CardNumber")
    is_raw = at(record, "PaymentMethod.Token") is False
    if number[-4:].lower() == REFUSED_TOKEN_ENDING:
        errors["PaymentMethod.CardNumber"] = ["This payment token is a test value that is refused at intake."]
    elif number and is_raw != bool(digits_of(number)):
        errors["PaymentMethod.CardNumber"] = [_invalid("PaymentMethod.CardNumber")]


def _check_declined(record: Fields, errors: Errors) -> None:
    declined = at(record, "IsDeclined")
    if declined is None:
        errors["IsDeclined"] = [_missing("IsDeclined")]
    elif declined is not True:
        errors["IsDeclined"] = [_invalid("IsDeclined")]


def key_errors(record: Fields) -> Errors:
    """What is wrong with a required idempotencyKey: it is a GUID (CONTRACT 7.6)."""
    key = at(record, "IdempotencyKey")
    if key in (None, ""):
        return {"IdempotencyKey": [_missing("IdempotencyKey")]}
    return {} if is_guid(key) else {"IdempotencyKey": [_invalid("IdempotencyKey")]}


def _check_amount(record: Fields, strict: bool, errors: Errors) -> None:  # noqa: FBT001 - a plain fact among others
    amount = at(record, "Transaction.Amount")
    lowest, highest = (10, 20_000) if strict else (0, 10**12)
    if amount is None:
        errors["Transaction.Amount"] = [_missing("Amount")]
    elif not isinstance(amount, int) or isinstance(amount, bool) or not lowest < amount < highest:
        errors["Transaction.Amount"] = [_invalid("Transaction.Amount")]
    currency = text_at(record, "Transaction.Currency")
    if currency and not re.fullmatch(r"[A-Z]{3}", currency):
        errors["Transaction.Currency"] = [_invalid("Transaction.Currency")]


def _check_account(record: Fields, mid: str, sites: frozenset[str], errors: Errors) -> None:
    given = at(record, "Mid")
    if given is not None and (not isinstance(given, str) or given.lower() != mid):
        errors["Mid"] = [_invalid("Mid")]
    site = at(record, "SiteId")
    if site in (None, ""):
        if not text_at(record, "SiteUrl"):
            errors["SiteId"] = [_missing("SiteId")]
    elif not isinstance(site, str) or site.lower() not in sites:
        errors["SiteId"] = [_invalid("SiteId")]


def transmit_errors(record: Fields, mid: str) -> Errors:
    """Everything that is wrong with one copy of a charge (CONTRACT 5)."""
    errors: Errors = {}
    if not text_at(record, "OrderId"):
        errors["OrderId"] = ["Merchant's orderId is required"]
    for path in ("IsDeclined", "IsMIT"):
        if not isinstance(at(record, path), bool):
            errors[path] = [_missing(path)]
    for path in ("Transaction", "Payer", "PaymentMethod"):
        if not isinstance(at(record, path), dict):
            errors[path] = [_missing(path)]
    if at(record, "IsMIT") is True and not isinstance(at(record, "IsRecurring"), bool):
        errors["IsRecurring"] = [_missing("IsRecurring")]
    given = at(record, "Mid")
    if given is not None and (not isinstance(given, str) or given.lower() != mid):
        errors["Mid"] = [_invalid("Mid")]
    if looks_like_card(text_at(record, "PaymentMethod.CardNumber")):
        errors["PaymentMethod.CardNumber"] = ["No card number belongs in a copy of a charge."]
    return errors


def looks_like_card(text: str) -> bool:
    """Whether this is a run of digits as long as a card number."""
    return bool(digits_of(text))


def expiry_of(record: Fields, default: datetime | None) -> datetime | None:
    """The record's own expiry if it names one (None if that is unreadable), else the file's (CONTRACT 6.1)."""
    own = at(record, "ExpiryDateUtc")
    return default if own is None else as_moment(own)
