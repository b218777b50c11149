"""The group `api`: a token for our keys, the provider's time beside ours, and whether orders may be read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from batch.api import ApiAccess, ProviderApi
from batch.equipment import Clock
from jobs.assembly import load_profile
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group, failed, good, skipped, warned
from schemas.errors import ApiLoginRefused, ClockWrong, MitbatchError

UNWELL, WRONG = timedelta(seconds=30), timedelta(minutes=4)
"""From here on a clock should be set, and from here on webhooks (five minutes) and tokens are in danger."""


def look_at_api(round_: Examination) -> Iterator[Finding]:
    """A token first; without one the rest cannot be asked."""
    try:
        url = round_.api_url
    except MitbatchError as problem:
        seen = round_.looks_at(Group.CONFIG)
        yield skipped("token", "the profile is of no use; see config") if seen else failed("token", "no address", problem)
        return
    if round_.is_offline:
        yield skipped("token", f"--offline: {url} was not called")
        return
    try:
        keys = {name: round_.around.secret(round_.settings, name) for name in ("app_key", "app_secret")}
    except MitbatchError as problem:
        seen = round_.looks_at(Group.SECRETS)
        yield skipped("token", "the app key or secret is of no use; see secrets") if seen else failed("token", url, problem)
        return
    yield from _called(round_, url, keys)


def _called(round_: Examination, url: str, keys: dict[str, str]) -> Iterator[Finding]:
    dated = NotedDate(round_.around.http_transport(), round_.clock)
    access = ApiAccess(url, lambda: keys["app_key"], lambda: keys["app_secret"])
    api = ProviderApi(access, dated, profile=load_profile(round_.settings), clock=round_.clock)
    try:
        try:
            api.fresh_token()
        except MitbatchError as problem:
            yield failed("token", url, problem)
        else:
            yield good("token", f"{url} gave one")
            yield _reads(round_, api)
        yield _clock(dated.difference)
    finally:
        api.close()


class NotedDate(httpx.AsyncBaseTransport):
    """A transport that notes how far the date of the last answer lies from our clock."""

    def __init__(self, inner: httpx.AsyncBaseTransport, clock: Clock) -> None:
        self._inner, self._clock = inner, clock
        self.difference: timedelta | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back."""
        response = await self._inner.handle_async_request(request)
        told = moment_of(response.headers.get("Date", ""))
        self.difference = None if told is None else self._clock.now() - told
        return response

    async def aclose(self) -> None:
        """Close what carries the requests."""
        await self._inner.aclose()


def moment_of(date: str) -> datetime | None:
    """When an HTTP date is; None for one that cannot be read."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _clock(difference: timedelta | None) -> Finding:
    if difference is None:
        return skipped("clock difference", "no answer said what time it is there")
    seconds = round(difference.total_seconds())
    side = "ahead of" if seconds > 0 else "behind"
    measured = f"{abs(seconds)} s {side} the provider's" if abs(seconds) > 1 else "as the provider's, to the second"
    if abs(difference) <= UNWELL:
        return good("clock difference", measured)
    problem = ClockWrong(f"This machine's clock is {measured}.", next_step="Let NTP set it: timedatectl set-ntp true")
    return (failed if abs(difference) > WRONG else warned)("clock difference", measured, problem)


def _reads(round_: Examination, api: ProviderApi) -> Finding:
    """Whether orders may be read: an order that nobody has is asked for, and must not be found."""
    asks = round_.settings.outcomes.ask
    if asks != "orders":
        return skipped("orders", f'outcomes.ask = "{asks}": orders are not read')
    try:
        found = api.find_order("mitbatch-doctor")
    except MitbatchError as problem:
        return failed("orders", "GET orders", problem)
    if found.is_absent:
        return good("orders", "may be read")
    unread = ApiLoginRefused(
        f"Orders cannot be read: {found.problem}.",
        next_step='Ask the provider for the right to read orders, or set outcomes.ask = "outcome".',
    )
    return failed("orders", "GET orders", unread)
