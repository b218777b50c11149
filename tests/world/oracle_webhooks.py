"""What may come of webhooks: only what the provider signed is kept, each once, all of it is applied, none of it ends anything."""

import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache

from batch.pace import utc_text
from schemas.settings import RetentionSettings
from tests.sandbox.receiver import is_genuine
from tests.world.oracle_evidence import Evidence, Row
from tests.world.receiver import HOST, Delivered

RENAMED = ("declined", "expired")
"""The one change that a hint may make: an end that a read has told gets its better name."""

_TOLERANCE = timedelta(minutes=5)
_FORGOTTEN = timedelta(days=RetentionSettings().webhook_days)
"""After so long what was applied may have left the inbox, if it stands as evidence."""
_MOST_BYTES = 65536


def i23_webhook_is_a_hint(seen: Evidence) -> Iterator[str]:
    """No state follows from what a webhook says, whoever is named as the source."""
    told = {row["evidence_id"] for row in seen.pieces if row["source"] == "webhook"}
    for row in seen.events:
        by_webhook = row["source"] == "webhook" or row["evidence_id"] in told
        if by_webhook and row["kind"] == "transition" and (row["from_state"], row["to_state"]) != RENAMED:
            yield f"I23: {row['subject']} went from {row['from_state']} to {row['to_state']} by a webhook"


def i23_only_the_signed(seen: Evidence) -> Iterator[str]:
    """What was not signed for us, just now and not too large, is refused and not kept; what was is answered well, or later."""
    genuine = set()
    for delivered in seen.delivered:
        believed = _is_believable(delivered, seen.subscriber_key)
        if believed:
            genuine.add((delivered.headers["x-fc-nonce"], delivered.body))
        if believed is not (delivered.answer in (200, 503)):
            words = "a right" if believed else "a wrong"
            yield f"I23: {words} webhook of {utc_text(delivered.at)} was answered with {delivered.answer}"
    for row in seen.webhooks:
        if (row["nonce"], row["content"]) not in genuine:
            yield f"I23: the webhook {row['nonce']} is kept, and nobody signed it so"


def i23_each_once(seen: Evidence) -> Iterator[str]:
    """What was answered with 200 is kept once, and a run that came after it has settled it."""
    kept = [row["nonce"] for row in seen.webhooks]
    now = max((mark.times[0] for mark in seen.marks), default=None)
    told = {row["content"] for row in seen.pieces if row["source"] == "webhook"}
    promised = {
        delivered.headers["x-fc-nonce"]
        for delivered in seen.delivered
        if delivered.answer == 200 and not (now and now - delivered.at > _FORGOTTEN and delivered.body in told)
    }
    for nonce in sorted(promised - set(kept)):
        yield f"I23: the webhook {nonce} was answered with 200 and is not kept"
    if len(kept) != len(set(kept)):
        yield f"I23: {len(kept) - len(set(kept))} webhooks are kept twice"
    ran = [mark.times[0] for mark, (_, ended) in zip(seen.marks, seen.runs, strict=False) if ended.report is not None]
    last = utc_text(ran[-1]) if ran else ""
    for row in seen.webhooks:
        if row["verdict"] == "stored" and row["received_at"] < last:
            yield f"I23: the webhook {row['nonce']} of {row['received_at']} was not applied by the run of {last}"


def i21_test_mode(seen: Evidence) -> Iterator[str]:
    """In production, what is not plainly live moves nothing, is due to nobody, and a person is told of it."""
    if seen.identity[0] != "production":
        return
    told = {item["subject"] for item in seen.items}
    for row in seen.webhooks:
        if row["verdict"] == "stored" or not _is_test(row):
            continue
        if row["verdict"] == "applied":
            yield f"I21: the test webhook {row['nonce']} was applied in production"
        if "webhooks:test_mode" not in told:
            yield f"I21: nobody was told of the test webhook {row['nonce']} in production"


def _is_believable(delivered: Delivered, key: str) -> bool:
    headers = delivered.headers
    if len(delivered.body) > _MOST_BYTES or not {"x-fc-nonce", "x-fc-date", "x-fc-authorization"} <= headers.keys():
        return False
    date = parsedate_to_datetime(headers["x-fc-date"])
    return abs(delivered.at - date) <= _TOLERANCE and is_genuine(key, HOST, headers, delivered.body)


@cache
def _said(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _is_test(row: Row) -> bool:
    said = _said(row["content"])
    return isinstance(said, dict) and said.get("IsTestMode", False) is not False
