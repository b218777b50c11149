"""What the provider's answer to one call means for the order or the copy that was sent by it (CONTRACT 5, 7.5, 13). Pure.

Four verdicts, and no other: TAKEN, the provider has it; REFUSED, it will not have it; UNSEEN, the call certainly did
nothing; DOUBTFUL, nobody can tell. Whatever is not surely one of the first three is the fourth: a status of 500 and above,
a redirect, 409, an answer that cannot be read, none at all (I12, I16).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

from batch.provider_words import fit_to_show, plain_id, status_word
from batch.responses import MOST_ANSWER_BYTES
from batch.strict_json import fields_of, parse
from schemas.errors import AnswerUnreadable

LEAST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 1.0, 120.0
"""Whatever the provider asks for, we wait at least and at most so long before it is called again."""

_MOST_NAMES = 5
_NOT_DONE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_MOST_WORD = 128


class Verdict(StrEnum):
    """What an answer proves."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNSEEN = "unseen"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, read. `provider_id` and `word` (the status as received) belong to TAKEN, `words` says why to all others."""

    verdict: Verdict
    words: str = ""
    provider_id: str = ""
    word: str = ""


def read_evaluate(http_status: int, content: bytes) -> Reply:
    """The answer to an evaluate. Every status word means that the provider has the order; only a read ends it (CONTRACT 14).

    A 400 refuses it, if the answer says in the shape of CONTRACT 13 what is wrong with it; a page of some gateway does not.
    """
    if (early := _by_status(http_status, content)) is not None:
        return early
    try:
        fields = fields_of(parse(content, max_bytes=MOST_ANSWER_BYTES))
        provider_id = plain_id(fields.get("ordersessionkey"))
    except AnswerUnreadable as error:
        return Reply(Verdict.DOUBTFUL, f"its answer cannot be read: {error.what}")
    word = status_word(_text(fields, "status"))
    if not provider_id or not word:
        return Reply(Verdict.DOUBTFUL, "its answer has no orderSessionKey or no status")
    if fields.get("success") is False:
        return Reply(Verdict.DOUBTFUL, f"its answer says success false beside the status {word}")
    return Reply(Verdict.TAKEN, provider_id=provider_id, word=word)


def read_transmit(http_status: int, content: bytes) -> Reply:
    """The answer to a transmit: `"result": "success"` with a transmitId takes the copy, a validation refuses it (CONTRACT 5)."""
    if (early := _by_status(http_status, content)) is not None:
        return early
    try:
        fields = fields_of(parse(content, max_bytes=MOST_ANSWER_BYTES))
        provider_id = plain_id(fields.get("transmitid"))
    except AnswerUnreadable as error:
        return Reply(Verdict.DOUBTFUL, f"its answer cannot be read: {error.what}")
    if _text(fields, "result").lower() != "success" or fields.get("success") is False or not provider_id:
        return Reply(Verdict.DOUBTFUL, "its answer does not say success")
    return Reply(Verdict.TAKEN, provider_id=provider_id)


def pause_asked(retry_after: str, now: datetime) -> float:
    """How many seconds a Retry-After asks us to wait, in either form (RFC 9110), within our bounds; the least without one."""
    text = retry_after.strip()
    seconds = LEAST_PAUSE_SECONDS
    if text.isascii() and text.isdigit() and len(text) <= 9:
        seconds = timedelta(seconds=int(text)).total_seconds()
    elif text:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return LEAST_PAUSE_SECONDS
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, LEAST_PAUSE_SECONDS), MOST_PAUSE_SECONDS)


def _by_status(http_status: int, content: bytes) -> Reply | None:
    """What the HTTP status alone decides; None for a 2xx, whose body decides."""
    if 200 <= http_status < 300:
        return None
    if http_status in _NOT_DONE:
        return Reply(Verdict.UNSEEN, f"the provider refused the call before anything was done (HTTP {http_status})")
    if http_status == HTTPStatus.BAD_REQUEST:
        try:
            words = _complaints(parse(content, max_bytes=MOST_ANSWER_BYTES))
        except AnswerUnreadable:
            words = ""
        if words:
            return Reply(Verdict.REFUSED, words)
        return Reply(Verdict.DOUBTFUL, "the provider answered with HTTP 400 and does not say what is wrong")
    if http_status == HTTPStatus.CONFLICT:
        return Reply(Verdict.DOUBTFUL, "the provider says that a call with its key is running, or was made before (HTTP 409)")
    return Reply(Verdict.DOUBTFUL, f"the provider answered with HTTP {http_status}")


def _complaints(answer: object) -> str:
    """What a validation complains of, in either shape of CONTRACT 13; empty when it is none."""
    named = fields_of(answer).get("errors")
    found = named if isinstance(named, dict) else answer
    words = []
    assert isinstance(found, dict)  # noqa: S101 - the answer is an object, or was refused above
    for name, texts in found.items():
        said = [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
        if said and str(name).lower() != "traceid":
            words.append(f"{fit_to_show(str(name))}: {fit_to_show(said[0])}")
    return "; ".join(sorted(words)[:_MOST_NAMES])


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) and len(value) <= _MOST_WORD else ""
