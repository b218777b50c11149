"""The provider's bearer tokens: 600 seconds each, JWT in shape, opaque in meaning (CONTRACT 2)."""

import base64
import hashlib
import hmac
import itertools
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta

_AUDIENCE = ["payments", "orders", "merchants", "eligibility-sftp", "eligibility", "contact"]


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


class Bearers:
    """Mint tokens and say whose one is at a moment. The moments are the sandbox clock's.

    `mid` is the account that is meant where none is named. The tokens of one seed are always the same: nothing that is
    worth a secret lies behind them.
    """

    def __init__(self, mid: str, lifetime_seconds: int, seed: int = 0) -> None:
        self._mid = mid
        self._count = itertools.count(1)
        self._lifetime = timedelta(seconds=lifetime_seconds)
        self._signing_key = hashlib.sha256(f"bearers\n{seed}\n{mid}".encode()).digest()
        self._known: dict[str, tuple[str, datetime]] = {}
        self._tidy_at = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def mint(self, now: datetime, mid: str | None = None) -> tuple[str, datetime]:
        """A new token of an account and the moment at which it ends."""
        owner = mid or self._mid
        expires = now + self._lifetime
        claims = {
            "sub": str(uuid.uuid5(uuid.UUID(owner), f"token {next(self._count)}")),
            "iat": str(int(now.timestamp() * 1000)),
            "nbf": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "aud": _AUDIENCE,
            "custom:mid": owner,
        }
        head = _part(b'{"alg":"HS256","typ":"JWT"}')
        signed = f"{head}.{_part(json.dumps(claims).encode())}"
        token = f"{signed}.{_part(hmac.new(self._signing_key, signed.encode(), hashlib.sha256).digest())}"
        with self._lock:
            if now >= self._tidy_at:
                self._known = {known: kept for known, kept in self._known.items() if kept[1] > now}
                self._tidy_at = now + self._lifetime
            self._known[token] = (owner, expires)
        return token, expires

    def owner(self, authorization: object, now: datetime) -> str | None:
        """The mid of the account for which "Bearer <token>" (the word in any case) is good, or None."""
        if not isinstance(authorization, str):
            return None
        word, _, token = authorization.partition(" ")
        if word.lower() != "bearer":
            return None
        with self._lock:
            mid, expires = self._known.get(token.strip(), ("", now))
        return mid if now < expires else None

    def is_good(self, authorization: object, now: datetime) -> bool:
        """Whether this is a token of the account that is meant where none is named, and has not ended."""
        return self.owner(authorization, now) == self._mid
