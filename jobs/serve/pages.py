"""The dashboard and `/metrics`: pages for people and figures for Prometheus. They look, and change nothing.

Pages are made on two threads of their own and only so many may wait, so that whoever looks never keeps a webhook waiting.
"""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from jobs.metrics.exposition import CONTENT_TYPE
from jobs.serve.access_log import AccessLog
from jobs.serve.order_paths import ORDER_ID
from jobs.serve.views import NotThere, Views
from schemas.errors import MitbatchError
from schemas.plain_text import shown

MOST_WAITING = 16
"""So many pages may be asked for at a time; who comes then is told to come again."""

MOST_SECONDS = 20.0
"""So long may a page take; after that it counts as not to be had now."""

METRICS_SECONDS = 5.0
"""So long are figures shown again that were read before, however many programs ask."""

_STATIC = {"dashboard.css": "text/css", "dashboard.js": "text/javascript"}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LOCAL_NAMES = {"localhost"}

Make = Callable[[Request], Response]


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("jobs.serve"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, view: dict[str, object], status: int = 200) -> Response:
    """A page; whatever is put into it is text."""
    text = _templates().get_template(template).render(view)
    return Response(text.encode("utf-8", "replace"), status, dict(_HEADERS), "text/html; charset=utf-8")


@dataclass(slots=True)
class Pages:
    """Everything under the dashboard's paths. `host` is the one that the server listens on."""

    views: Views
    log: AccessLog
    host: str
    before_metrics: Callable[[], Awaitable[None]]
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, thread_name_prefix="pages"))
    _waiting: int = 0
    _metrics: "asyncio.Task[bytes] | None" = None
    _metrics_at: float = 0.0

    def routes(self) -> list[Route]:
        """Pages by path. Only GET and HEAD are answered."""
        pages: dict[str, tuple[str, Make]] = {
            "/": ("overview", lambda _: self._page("overview.html", self.views.overview())),
            "/orders": ("orders", lambda request: self._page("orders.html", self.views.orders(dict(request.query_params)))),
            f"/orders/{ORDER_ID}": (
                "order",
                lambda request: self._page("order.html", self.views.order(request.scope["raw_path"])),
            ),
            "/review": ("review", lambda _: self._page("review.html", self.views.review())),
            "/files": ("files", lambda _: self._page("files.html", self.views.dates())),
            "/files/{date}": ("files", lambda request: self._page("day.html", self.views.day(request.path_params["date"]))),
            "/files/{date}/{name}": ("file", self._download),
            "/report/{date}": ("report", self._report),
            "/static/{name}": ("static", _static),
        }
        made = [Route(path, self._answering(name, make), methods=["GET"]) for path, (name, make) in pages.items()]
        return [*made, Route("/metrics", self.metrics, methods=["GET"])]

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    async def metrics(self, _request: Request) -> Response:
        """The figures for Prometheus, read from the ledger at most every few seconds."""
        answered = self.log.begin()
        now = time.monotonic()
        if self._metrics is None or (self._metrics.done() and now - self._metrics_at > METRICS_SECONDS):
            self._metrics, self._metrics_at = asyncio.create_task(self._read_metrics()), now
        try:
            shown = await asyncio.wait_for(asyncio.shield(self._metrics), MOST_SECONDS)
        except (TimeoutError, MitbatchError) as problem:
            answered("metrics", 503, getattr(problem, "code", "timeout"))
            return Response(status_code=503, headers={"Retry-After": "15"})
        answered("metrics", 200, "shown")
        return Response(
            shown, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}, media_type=CONTENT_TYPE
        )

    async def _read_metrics(self) -> bytes:
        await self.before_metrics()
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.views.metrics)

    def _answering(self, name: str, make: Make) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            answered = self.log.begin()
            response, result = await self._made(make, request)
            answered(name, response.status_code, result)
            return response

        return answer

    async def _made(self, make: Make, request: Request) -> tuple[Response, str]:
        if not is_plain_host(request.headers.get("host", ""), self.host):
            return _message(421, "This page is asked for by a name that is not its own.", "Open it by its address."), "other_host"
        if self._waiting >= MOST_WAITING:
            return _message(503, "Many pages are asked for at the moment.", "Try again in a few seconds."), "busy"
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, make, request)
        work.add_done_callback(lambda _: self._done())
        try:
            return await asyncio.wait_for(asyncio.shield(work), MOST_SECONDS), "shown"
        except NotThere as missing:
            return _message(404, missing.what, missing.next_step), "not_there"
        except TimeoutError:
            return _message(503, "The ledger takes long to answer.", "Try again in a few seconds."), "timeout"
        except MitbatchError as problem:
            return _message(503, problem.what, problem.next_step), problem.code
        except Exception as error:  # noqa: BLE001 - whoever looks is told so, and the server goes on
            return _message(500, "This page could not be made.", "Report it; mitbatch status says how things stand."), _named(
                error
            )

    def _done(self) -> None:
        self._waiting -= 1

    def _page(self, template: str, view: dict[str, object]) -> Response:
        return render(template, {**self.views.frame(), **view})

    def _download(self, request: Request) -> Response:
        found = self.views.files.download(request.path_params["date"], request.path_params["name"])
        if found is None:
            raise NotThere("There is no such file.", "The page of its date lists all that there are.")
        return FileResponse(found.path, headers=dict(_HEADERS), media_type=found.media_type, filename=found.path.name)

    def _report(self, request: Request) -> Response:
        found = self.views.files.report(request.path_params["date"])
        if found is None:
            raise NotThere("That date has no report.", "The page of files lists the dates that have one.")
        return Response(found, 200, {**_HEADERS, "Content-Security-Policy": REPORT_POLICY}, "text/html; charset=utf-8")


def is_plain_host(given: str, own: str) -> bool:
    """Whether a page was asked for by address, or by a name of this machine.

    A page of somebody else's that a browser here has open could otherwise read the dashboard, under a name of its own that
    leads here (DNS rebinding).
    """
    name = given.rpartition(":")[0] if given.rpartition(":")[2].isdigit() and not given.endswith("]") else given
    name = name.lower().strip("[]")
    if name in _LOCAL_NAMES or (name and name == own.lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _named(error: Exception) -> str:
    return f"internal_{type(error).__name__}"


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        raise NotThere("There is no such file.", "")
    content = files("jobs.serve").joinpath("static", name).read_bytes()
    return Response(content, 200, {**_HEADERS, "Cache-Control": "max-age=300"}, f"{_STATIC[name]}; charset=utf-8")


def _message(status: int, what: str, next_step: str) -> Response:
    response = render("message.html", {"title": "Not shown", "here": "", "what": what, "next_step": next_step}, status)
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response
