"""`POST oauth2/token` and `POST tokenize` (CONTRACT 2 and 3)."""

import hmac
import uuid
from datetime import datetime
from urllib.parse import parse_qsl

from jobs.sandbox.api_office import Asked, Office, body_of, envelope, invalid, unauthorized
from jobs.sandbox.cards import digits_of, token_for
from jobs.sandbox.credentials import Account
from jobs.sandbox.http_faults import Answer, json_answer
from jobs.sandbox.strict_text import Fields
from jobs.sandbox.validation import Errors, at, text_at

_CARD = "payment_method.credit_card"


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def token(office: Office, asked: Asked) -> Answer:
    """A bearer for 600 seconds, or 400 for a wrong key or secret (CONTRACT 2)."""
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    key, secret = text_at(record, "AppKey"), text_at(record, "AppSecret")
    known = [each for each in office.accounts.values() if _same(key, each.app_key) and _same(secret, each.app_secret)]
    if not known:
        return invalid({"AppKey": ["AppKey or AppSecret is not right."]})
    mid = known[0].mid
    bearer, expires = office.bearers.mint(office.clock.now(), mid)
    return json_answer(
        200,
        {
            "accessToken": bearer,
            "refreshToken": uuid.uuid4().hex,
            "expires": int(expires.timestamp() * 1000),
            "id": str(uuid.uuid5(uuid.UUID(mid), "api client")),
            "session": None,
            "daysToEnforceMFA": None,
            "skipAvailable": None,
            **envelope(),
        },
    )


def tokenize(office: Office, asked: Asked) -> Answer:
    """A payment token for a card, by the two query keys, by a bearer, or by both (CONTRACT 3)."""
    account = _asker(office, asked)
    if account is None:
        return unauthorized()
    record = body_of(asked)
    if isinstance(record, Answer):
        return record
    digits = digits_of(text_at(record, f"{_CARD}.number"))
    month, year = _number(record, f"{_CARD}.month"), _number(record, f"{_CARD}.year")
    errors = _card_errors(record, digits, month, year)
    if errors:
        return invalid(errors)
    now = office.clock.now()
    made = token_for(account.seed, digits, month, year)
    office.journal.record("tokenized", now, mid=account.mid, last_four_digits=digits[-4:], expiry=f"{year}-{month:02}")
    stamp = _stamp(now)
    transaction = {
        "on_test_gateway": True,
        "created_at": stamp,
        "updated_at": stamp,
        "succeeded": True,
        "state": None,
        "token": None,
        "transaction_type": None,
        "message": None,
        "payment_method": _payment_method(record, made, digits, (month, year), stamp),
    }
    return json_answer(200, {"transaction": transaction, "cardBinInfo": None, **envelope()})


def _asker(office: Office, asked: Asked) -> Account | None:
    """The account that asks; whatever is given has to be right, and to be of one account."""
    query = {name.lower(): value for name, value in parse_qsl(asked.query)}
    by_bearer = office.bearer_of(asked)
    if asked.authorization is not None and by_bearer is None:
        return None
    if "mid" not in query and "environment" not in query:
        return by_bearer
    by_query = office.accounts.get(query.get("mid", "").lower())
    if by_query is None or not _same(query.get("environment", ""), by_query.tokenization_key):
        return None
    return by_query if by_bearer in (None, by_query) else None


def _number(record: Fields, path: str) -> int:
    """A whole number that may come as text, or 0 (CONTRACT 3: both are taken)."""
    value = at(record, path)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 4:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _card_errors(record: Fields, digits: str, month: int, year: int) -> Errors:
    required = [f"{_CARD}.{name}" for name in ("first_name", "last_name", "number", "month", "year")]
    errors = {path: [f"The {path.rpartition('.')[2]} field is required."] for path in required if at(record, path) in (None, "")}
    sound = {
        "first_name": bool(text_at(record, f"{_CARD}.first_name")),
        "last_name": bool(text_at(record, f"{_CARD}.last_name")),
        "number": bool(digits),
        "month": 1 <= month <= 12,
        "year": 2000 <= year <= 2099,
    }
    for name, is_sound in sound.items():
        if not is_sound:
            errors.setdefault(f"{_CARD}.{name}", [f"The field {name} is invalid."])
    return errors


def _payment_method(record: Fields, made: str, digits: str, expiry: tuple[int, int], stamp: str) -> dict[str, object]:
    """The token and what may be shown of the card; `first_six_digits` holds eight, as captured (CONTRACT 3)."""
    return {
        "token": made,
        "created_at": stamp,
        "updated_at": stamp,
        "email": at(record, "payment_method.email"),
        "data": None,
        "storage_state": None,
        "test": False,
        "metadata": None,
        "last_four_digits": digits[-4:],
        "first_six_digits": digits[:8],
        "card_type": None,
        "first_name": text_at(record, f"{_CARD}.first_name"),
        "last_name": text_at(record, f"{_CARD}.last_name"),
        "month": expiry[0],
        "year": expiry[1],
        "fingerprint": None,
        "verification_value": None,
        "number": None,
    }


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
