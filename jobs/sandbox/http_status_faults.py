"""Faults that refuse a call with an HTTP status, before or after its effect."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from jobs.sandbox.faults import fault
from jobs.sandbox.http_faults import Answer, ApiCall, json_answer, not_token

_SILENCE_SECONDS = 3600


def _changes(call: ApiCall) -> bool:
    return call.where in ("evaluate", "transmit", "capture", "refund", "cancel", "external_cancel")


def _problem(status: int, title: str, **headers: str) -> Answer:
    answer = json_answer(status, {"status": status, "title": title})
    answer.headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer


@fault("api.before", wants=not_token)
def forbidden(call: ApiCall) -> None:
    """403 before anything was done (H-03)."""
    call.answer = _problem(403, "Forbidden")


@fault("api.before")
def too_many_requests(call: ApiCall) -> None:
    """429 without Retry-After, before anything was done (H-04)."""
    call.answer = _problem(429, "Too Many Requests")


@fault("api.before")
def too_many_requests_seconds(call: ApiCall) -> None:
    """429 with Retry-After in seconds: `after`, or 2 (H-04)."""
    call.answer = _problem(429, "Too Many Requests", Retry_After=str(2 if call.after is None else call.after))


@fault("api.before")
def too_many_requests_date(call: ApiCall) -> None:
    """429 with Retry-After as an HTTP date `after` seconds (or 2) from the machine's now (H-04)."""
    moment = datetime.now(UTC) + timedelta(seconds=2 if call.after is None else call.after)
    call.answer = _problem(429, "Too Many Requests", Retry_After=format_datetime(moment, usegmt=True))


@fault("api.before")
def too_many_requests_absurd(call: ApiCall) -> None:
    """429 with a Retry-After of thirty years (H-04)."""
    call.answer = _problem(429, "Too Many Requests", Retry_After="946080000")


@fault("api.before")
def too_many_requests_negative(call: ApiCall) -> None:
    """429 with a negative Retry-After (H-04)."""
    call.answer = _problem(429, "Too Many Requests", Retry_After="-120")


@fault("api.before", wants=not_token)
def bad_gateway(call: ApiCall) -> None:
    """502 with a page of HTML before anything was done (H-07)."""
    call.answer = Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")


@fault("api.before", wants=not_token)
def service_unavailable(call: ApiCall) -> None:
    """503 before anything was done (H-07)."""
    call.answer = json_answer(503, {"message": "Service Unavailable"})


@fault("api.before", wants=not_token)
def gateway_timeout(call: ApiCall) -> None:
    """504 before anything was done (H-07)."""
    call.answer = json_answer(504, {"message": "Endpoint request timed out"})


@fault("api.after", wants=not_token)
def gateway_timeout_after(call: ApiCall) -> None:
    """504 after the effect: what was asked for is done (H-05)."""
    call.answer = json_answer(504, {"message": "Endpoint request timed out"})


@fault("api.after", wants=not_token)
async def silence_after(call: ApiCall) -> None:
    """After the effect nothing is answered for `after` seconds, or for an hour (H-06)."""
    await asyncio.sleep(_SILENCE_SECONDS if call.after is None else call.after)


@fault("api.before", wants=_changes)
def conflict_before(call: ApiCall) -> None:
    """409 before anything was done (H-08)."""
    call.answer = _problem(409, "Conflict")


@fault("api.after", wants=_changes)
def conflict_after(call: ApiCall) -> None:
    """409 as if the first request were still in progress, after the effect (H-08)."""
    call.answer = _problem(409, "Conflict")


@fault("api.before", wants=lambda call: call.where == "evaluate")
def order_invalid(call: ApiCall) -> None:
    """400 with a flat map for one evaluate, which is not taken (H-09)."""
    errors = {
        "TraceId": [f"00-{'0' * 31}1-{'0' * 15}1-01"],
        "Transaction.AvsResultCode": ["The AvsResultCode field is required."],
    }
    call.answer = json_answer(400, errors)


@fault("api.before")
def redirect_elsewhere(call: ApiCall) -> None:
    """307 to another host: port `after` of localhost, or one that does not exist (H-17)."""
    target = "http://elsewhere.invalid/v1/" if call.after is None else f"http://localhost:{call.after}/v1/"
    call.answer = Answer(307, headers={"Location": target})
