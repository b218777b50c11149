"""The provider's side of a signature, worked out from CONTRACT 12 alone, with any part of it changed."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

KEY = base64.b64encode(bytes(range(64))).decode()
HOST = "hooks.acme.example"
NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
NAMES = "x-fc-nonce;x-fc-date;host;x-fc-content-sha512"


def payload(event: str = "order.completed", **changed: object) -> bytes:
    """A webhook's body, with these fields changed; None as a field's value is written as null."""
    fields: dict[str, object] = {
        "Event": event,
        "TimeStamp": "2026-11-23T06:30:00.123456Z",
        "EventData": None,
        "ExternalOrderId": "000471",
        "OrderId": "00000001-0000-4000-8000-000000000061",
        "ConfirmationId": "22ACD1D9",
        "IsTestMode": False,
        "IsResent": False,
    }
    return json.dumps(fields | changed).encode()


@dataclass(frozen=True)
class Delivery:
    """One webhook on its way: the body, and the headers in the order in which they are sent."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> list[tuple[bytes, bytes]]:
        """The headers as a server sees them."""
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]

    def with_header(self, name: str, value: str | None) -> "Delivery":
        """The same with one header changed, or without it."""
        headers = {key: kept for key, kept in self.headers.items() if key != name}
        return replace(self, headers=headers if value is None else headers | {name: value})


def signed(
    body: bytes,
    *,
    nonce: str = "0f1e2d3c",
    date: datetime | str = NOW,
    host: str = HOST,
    key: str = KEY,
    content: bytes | None = None,
) -> Delivery:
    """A delivery of this body, signed as documented; `content` is another body whose hash is signed instead."""
    dated = date if isinstance(date, str) else date.strftime("%a, %d %b %Y %H:%M:%S GMT")
    secret = base64.b64decode(key)
    content_hash = base64.b64encode(hashlib.sha512(body if content is None else content).digest()).decode()
    text = "POST\n" + nonce + ";" + dated + ";" + host + ";" + content_hash
    signature = base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha512).digest()).decode()
    return Delivery(
        body,
        {
            "x-fc-nonce": nonce,
            "x-fc-date": dated,
            "x-fc-content-sha512": content_hash,
            "x-fc-authorization": f"HMAC-SHA512 SignedHeaders={NAMES}&Signature={signature}",
            "x-fc-signature": base64.b64encode(hmac.new(secret, body, hashlib.sha512).digest()).decode(),
        },
    )
