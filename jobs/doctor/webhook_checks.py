"""The group `webhook`: the host that is signed for, the key, our own reckoning of a signature, and who answers out there."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

from batch.webhooks import Door, Signed, signing_key
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, failed, good, skipped, warned
from jobs.serve.address import public_url
from schemas.errors import InternalError, MitbatchError, WebhookUnheard

SIGNED_AT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
VECTOR_KEY = b"mitbatch doctor's own vector key"
VECTOR_HOST = "hooks.acme.example"
VECTOR_BODY = b'{"Event":"order.completed","ExternalOrderId":"000471"}'
VECTOR_HEADERS = (
    (b"x-fc-nonce", b"7d2e41c0"),
    (b"x-fc-date", b"Mon, 23 Nov 2026 06:30:00 GMT"),
    (b"x-fc-content-sha512", b"LzI6l6SgUHkJ08uJTP9lfsH/M1aoLmkj0Dl0gmgRYgaKonP8ev2gVMTdu0h0LQmIU0ABT5IMFeNKqh6IJHIZXA=="),
    (
        b"x-fc-authorization",
        b"HMAC-SHA512 SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512&Signature="
        b"sTEvwWSSrfOwyOweJYLK6Y9Zpe2ugTiCwVU7ZF5e9f+o3lnBGbYicz64ZwU8qBUk4Kf+uDcgY03QVnFSxVrAeA==",
    ),
)
"""A webhook that was signed once and for all, by the rules of CONTRACT 12, with a key of nobody's."""

_TIMEOUT_SECONDS = 10
_UNSIGNED = 401


def look_at_webhook(round_: Examination) -> Iterator[Finding]:
    """Nothing is needed of who takes no webhooks."""
    settings = round_.settings
    yield signature_vector()
    if not settings.webhook.public_host:
        yield skipped("public_host", "not set: no webhooks are taken, polls bring every outcome")
        return
    url = public_url(settings)
    yield good("public_host", url)
    try:
        key = signing_key(round_.around.secret(settings, "subscriber_key"))
        yield good("key", f"base64 of {len(key)} bytes")
    except MitbatchError as problem:
        seen = round_.looks_at(Group.SECRETS) and problem.code != "MB-CONFIG"
        yield skipped("key", "see secrets") if seen else failed("key", "webhook.subscriber_key", problem)
    if round_.is_offline:
        yield skipped("answer", "--offline: not called")
    else:
        yield _answer(round_, url)


def signature_vector() -> Finding:
    """Whether a webhook that is known to be signed passes, and the same one with another body does not."""
    door = Door(VECTOR_KEY, VECTOR_HOST)
    passes = isinstance(door.judge(VECTOR_BODY, VECTOR_HEADERS, SIGNED_AT), Signed)
    is_fooled = isinstance(door.judge(VECTOR_BODY + b" ", VECTOR_HEADERS, SIGNED_AT), Signed)
    if passes and not is_fooled:
        return good("signature", "a known webhook passes, a changed one does not")
    problem = InternalError("Signatures of webhooks are reckoned wrongly.", next_step="Run: pip install -r requirements.lock")
    return failed("signature", "a known webhook", problem)


def _answer(round_: Examination, url: str) -> Finding:
    """A call without a signature must be turned away by us: that shows who answers, and changes nothing."""
    try:
        status = asyncio.run(_asked(round_.around.http_transport(), url))
        words = f"HTTP {status}"
    except (httpx.HTTPError, OSError) as error:
        status, words = 0, type(error).__name__
    if status == _UNSIGNED:
        return good("answer", f"{url} turns an unsigned call away")
    if round_.settings.webhook.is_loopback:
        return skipped("answer", f"nobody answers at {url} now; mitbatch serve does while it runs")
    problem = WebhookUnheard(
        f"An unsigned call to {url} was not turned away by mitbatch serve ({words}).",
        next_step="Start mitbatch serve behind the proxy, or see mitbatch explain MB-WEBHOOK-UNHEARD.",
    )
    return warned("answer", words, problem)


async def _asked(transport: httpx.AsyncBaseTransport, url: str) -> int:
    async with httpx.AsyncClient(transport=transport, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        return (await client.post(url, content=b"{}")).status_code
