"""The webhook as the shop takes it: signed, or not believed (CONTRACT 12). It ends nothing; it is a reason to ask. Pure."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

_FRESH = timedelta(minutes=5)


def order_told(headers: Mapping[str, str], body: bytes, host: str, key: str, now: datetime) -> str | None:
    """Our id of the order that a webhook tells of, empty where it names none; None for what is not signed for us, just now."""
    given = {name: headers.get(f"x-fc-{name}", "") for name in ("content-sha512", "nonce", "date", "authorization")}
    content_hash = base64.b64encode(hashlib.sha512(body).digest()).decode()
    signed = f"POST\n{given['nonce']};{given['date']};{host};{content_hash}"
    right = hmac.digest(base64.b64decode(key), signed.encode("utf-8", "replace"), "sha512")
    is_signed = hmac.compare_digest(_signature_in(given["authorization"]), right)
    if not is_signed or not hmac.compare_digest(given["content-sha512"].encode(), content_hash.encode()):
        return None
    if not _is_fresh(given["date"], now):
        return None
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    name = told.get("ExternalOrderId") if isinstance(told, dict) else None
    return name if isinstance(name, str) else ""


def _signature_in(authorization: str) -> bytes:
    try:
        return base64.b64decode(authorization.partition("Signature=")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_fresh(date: str, now: datetime) -> bool:
    try:
        return abs(parsedate_to_datetime(date) - now) <= _FRESH
    except (TypeError, ValueError):
        return False
