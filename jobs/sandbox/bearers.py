"""The provider's bearer tokens: 600 seconds each, JWT in shape, opaque in meaning (CONTRACT 2)."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import uuid
from datetime import datetime, timedelta

_AUDIENCE = ["payments", "orders", "merchants", "eligibility-sftp", "eligibility", "contact"]


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


class Bearers:
    """Mint tokens and say whether one is good at a moment. The moments are the sandbox clock's."""

    def __init__(self, mid: str, lifetime_seconds: int) -> None:
        self._mid = mid
        self._lifetime = timedelta(seconds=lifetime_seconds)
        self._signing_key = secrets.token_bytes(32)
        self._expiries: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def mint(self, now: datetime) -> tuple[str, datetime]:
        """A new token and the moment at which it ends."""
        expires = now + self._lifetime
        claims = {
            "sub": str(uuid.uuid4()),
            "iat": str(int(now.timestamp() * 1000)),
            "nbf": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "aud": _AUDIENCE,
            "custom:mid": self._mid,
        }
        head = _part(b'{"alg":"HS256","typ":"JWT"}')
        signed = f"{head}.{_part(json.dumps(claims).encode())}"
        token = f"{signed}.{_part(hmac.new(self._signing_key, signed.encode(), hashlib.sha256).digest())}"
        with self._lock:
            self._expiries = {known: end for known, end in self._expiries.items() if end > now}
            self._expiries[token] = expires
        return token, expires

    def is_good(self, authorization: object, now: datetime) -> bool:
        """Whether "Bearer <token>" (the word in any case) is one of ours and has not ended."""
        if not isinstance(authorization, str):
            return False
        word, _, token = authorization.partition(" ")
        if word.lower() != "bearer":
            return False
        with self._lock:
            expires = self._expiries.get(token.strip())
        return expires is not None and now < expires
