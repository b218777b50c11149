"""How the provider signs a webhook: headers over the raw body with the subscriber key (CONTRACT 12). Pure."""

import base64
import hashlib
import hmac
from datetime import datetime
from email.utils import format_datetime


def subscriber_key(seed: int) -> str:
    """The account's signing key: 64 bytes in base64, a pure function of the seed (CONTRACT 1)."""
    return _text(hashlib.sha512(f"mitbatch sandbox\nsubscriber key\n{seed}".encode()).digest())


def signed_headers(key: str, body: bytes, host: str, date: datetime, nonce: str) -> dict[str, str]:
    """The five headers of a signed delivery to `host`; `key` is the subscriber key as the portal shows it.

    `date` is aware and in UTC, and travels as RFC 1123 text.
    """
    secret = base64.b64decode(key)
    dated = format_datetime(date, usegmt=True)
    content_hash = _text(hashlib.sha512(body).digest())
    signed = f"POST\n{nonce};{dated};{host};{content_hash}"
    signature = _text(hmac.digest(secret, signed.encode("utf-8"), "sha512"))
    names = "x-fc-nonce;x-fc-date;host;x-fc-content-sha512"
    return {
        "x-fc-nonce": nonce,
        "x-fc-date": dated,
        "x-fc-content-sha512": content_hash,
        "x-fc-authorization": f"HMAC-SHA512 SignedHeaders={names}&Signature={signature}",
        "x-fc-signature": _text(hmac.digest(secret, body, "sha512")),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
