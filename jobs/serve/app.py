"""What is answered at which path: webhooks are judged and kept, holds are told, and the server says how it fares."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from batch.equipment import Clock
from batch.ledger import Ledger
from batch.ledger.webhook_inbox import Arrival, backlog, check_writable
from batch.order_rows import is_storable
from batch.source import OrderSource
from batch.webhooks import MOST_BODY_BYTES, PATH, Door, Refused
from jobs.holds import hold_check
from jobs.serve.access_log import AccessLog
from jobs.serve.bodies import BodyRefused, bounded_body
from jobs.serve.group_commit import GroupCommit, NotKept
from jobs.serve.order_paths import ORDER_ID
from jobs.serve.pages import Pages
from jobs.serve.webhook_counts import WebhookCounts
from schemas.errors import LedgerBusy, MitbatchError

HOLDS = "/holds/"
LOOK_SECONDS = 2.0
"""So long may it take to see whether the ledger can be written; after that it counts as busy."""

_CLOSE = {"Connection": "close"}


@dataclass(slots=True)
class Desk:
    """Everything that answering needs, handed ready-made."""

    door: Door
    ledger: Ledger
    source: OrderSource
    keeping: GroupCommit
    clock: Clock
    log: AccessLog
    environment: str
    counts: WebhookCounts
    pages: Pages
    look: "asyncio.Future[dict[str, object]] | None" = None

    def application(self) -> Starlette:
        """The routes. Everything else is 404, or 405 for another method."""
        made = Starlette(
            routes=[
                Route(PATH, self.take, methods=["POST"]),
                Route(f"{HOLDS}{ORDER_ID}", self.hold, methods=["GET"]),
                Route("/health", self.health, methods=["GET"]),
                Route("/healthz", self.health, methods=["GET"]),
                *self.pages.routes(),
            ]
        )
        made.router.redirect_slashes = False
        return made

    async def take(self, request: Request) -> Response:
        """Judge one webhook and keep it. 200 is said only when it is safe on disk, or was before.

        401 tells nobody why; 503 asks the provider to send it again.
        """
        answered = self.log.begin()
        status, result = await self._take(request)
        answered(PATH, status, result)
        if status == 200:
            return JSONResponse({"result": result})
        again = {"Retry-After": "60"} if status == 503 else {}
        return Response(status_code=status, headers=_CLOSE if status in (400, 408, 413) else again)

    async def _take(self, request: Request) -> tuple[int, str]:
        try:
            body = await bounded_body(request, MOST_BODY_BYTES)
        except BodyRefused as refusal:
            return refusal.status, "body_refused"
        now = self.clock.now()
        judged = self.door.judge(body, request.headers.raw, now)
        if isinstance(judged, Refused):
            self.counts.count(judged.value, b"")
            return 401, judged.value
        try:
            is_new = await self.keeping.put(Arrival(judged.nonce, judged.sent_at, now, body))
        except NotKept:
            return 503, "not_kept"
        result = "stored" if is_new else "duplicate"
        self.counts.count(result, body)
        return 200, result

    async def hold(self, request: Request) -> Response:
        """Whether the merchant's own retry may charge an order, as `mitbatch holds check --json` says it."""
        answered = self.log.begin()
        raw_path: bytes = request.scope["raw_path"]
        try:
            if not raw_path.startswith(HOLDS.encode()) or request.scope["query_string"]:
                raise ValueError("asked about no order or half of an id")
            order_id = unquote_to_bytes(raw_path.removeprefix(HOLDS.encode())).decode("utf-8")
        except ValueError:
            order_id = ""
        if not order_id or not is_storable(order_id):
            answered(HOLDS, 400, "no_order_id")
            return JSONResponse({"error": "this is no order id"}, 400)
        try:
            found = await self._apart(lambda: hold_check(self.ledger, self.source, order_id, environment=self.environment))
        except MitbatchError as problem:
            answered(HOLDS, 503, problem.code)
            return JSONResponse({"error": problem.code}, 503)
        answered(HOLDS, 200, "may_charge" if found["may_charge"] else "must_not_charge")
        return JSONResponse(found)

    async def health(self, _request: Request) -> Response:
        """Whether the ledger can be written now, and since when the oldest webhook waits to be applied."""
        answered = self.log.begin()
        if self.look is None or self.look.done():
            self.look = asyncio.ensure_future(self._apart(self._looked))
        try:
            found = await asyncio.wait_for(asyncio.shield(self.look), LOOK_SECONDS)
        except TimeoutError:
            found = _health("busy")
        except MitbatchError as problem:
            found = _health("busy" if isinstance(problem, LedgerBusy) else problem.code)
        status = 200 if found["ledger"] == "writable" else 503
        answered("/health", status, str(found["ledger"]))
        return JSONResponse(found, status)

    def _looked(self) -> dict[str, object]:
        check_writable(self.ledger)
        with self.ledger.reading() as connection:
            waiting = backlog(connection, self.ledger.mid)
        age = None if waiting.oldest is None else max(0, int((self.clock.now() - waiting.oldest).total_seconds()))
        return _health("writable", waiting.count, age)

    async def _apart(self, work: Callable[[], dict[str, object]]) -> dict[str, object]:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def _health(ledger: str, waiting: int | None = None, age: int | None = None) -> dict[str, object]:
    return {
        "schema": "mitbatch.health/1",
        "status": "ok" if ledger == "writable" else "failing",
        "ledger": ledger,
        "webhooks_waiting": waiting,
        "oldest_waiting_seconds": age,
    }
