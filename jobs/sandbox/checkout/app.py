"""The shop's addresses: pages and forms for the customer, the state for the page's script, and the webhook."""

from collections.abc import Callable
from datetime import UTC
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from jobs.sandbox.checkout.cards import read_form
from jobs.sandbox.checkout.notices import order_told
from jobs.sandbox.checkout.pages import Pages
from jobs.sandbox.checkout.stages import stage_of
from jobs.sandbox.checkout.till import Till
from jobs.sandbox.control_guard import refusal

MOST_BYTES = 16 * 1024
WEBHOOK_PATH = "/webhooks/flexfactor"

View = Callable[[Request, bytes], Response]


class Addresses:
    """Every address of the shop. The views run in worker threads, so that a provider that is slow stops nobody else."""

    def __init__(self, till: Till) -> None:
        self._till, self._pages = till, Pages(till.shop)

    def application(self) -> Starlette:
        """The shop as an application; each call has to come from this machine, by its own name, each form from its own page."""
        shown, sent = [("/", self.front), ("/orders/{order_id}", self.order)], [("/orders", self.place)]
        shown += [("/orders/{order_id}/state", self.state), ("/static/{name}", self.static)]
        sent += [("/orders/{order_id}/pay", self.pay), ("/orders/{order_id}/again", self.again), (WEBHOOK_PATH, self.webhook)]
        routes = [Route(path, _guarded(view), methods=["GET"]) for path, view in shown]
        return Starlette(routes=routes + [Route(path, _guarded(view), methods=["POST"]) for path, view in sent])

    def front(self, request: Request, body: bytes) -> Response:
        """What the shop sells, and the two ways to its checkout."""
        return self._pages.show("front", 200)

    def static(self, request: Request, body: bytes) -> Response:
        """The shop's style and script."""
        return self._pages.static(request.path_params["name"])

    def place(self, request: Request, body: bytes) -> Response:
        """A new order."""
        order_id = self._till.place(advanced=_form(body).get("flow") == "advanced", customer_ip=_address(request))
        return _to(order_id)

    def order(self, request: Request, body: bytes) -> Response:
        """One order as it stands: the form to pay, or what became of it."""
        return self._shown(request.path_params["order_id"])

    def state(self, request: Request, body: bytes) -> Response:
        """In which stage an order is, for the page that waits."""
        row = self._till.settle(request.path_params["order_id"])
        return JSONResponse({"stage": stage_of(row) if row else None}, 200 if row else 404, {"Cache-Control": "no-store"})

    def pay(self, request: Request, body: bytes) -> Response:
        """The customer pays. Whatever comes of it, the answer leads to the order's own address, so a reload repeats nothing."""
        order_id = request.path_params["order_id"]
        form = read_form(_form(body), self._till.clock.now().year)
        row = self._till.orders.find(order_id)
        if row is not None and row["status"] == "open" and form.card is None:
            return self._pages.order(row, self._till.steps[order_id], form, 422)
        self._till.pay(order_id, form)
        return _to(order_id) if row else self._pages.show("missing", 404)

    def again(self, request: Request, body: bytes) -> Response:
        """The customer pays with another card: another order, because an order id is handed over once."""
        order_id = request.path_params["order_id"]
        return _to(self._till.pay_otherwise(order_id, _address(request)) or order_id)

    def webhook(self, request: Request, body: bytes) -> Response:
        """The provider has news of an order: ask it."""
        shop, now = self._till.shop, self._till.clock.now().astimezone(UTC)
        order_id = order_told(request.headers, body, request.headers.get("host", ""), shop.subscriber_key, now)
        if order_id is None:
            return Response(status_code=401)
        self._till.settle(order_id)
        return Response(status_code=200)

    def _shown(self, order_id: str) -> Response:
        row = self._till.settle(order_id)
        return self._pages.order(row, self._till.steps[order_id]) if row else self._pages.show("missing", 404)


def _guarded(view: View) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        refused = refusal(request.method, request.headers)
        if refused is not None:
            return Response(refused.body, refused.status, media_type=refused.media_type)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return Response(status_code=413, headers={"Connection": "close"})
        return await run_in_threadpool(view, request, bytes(body))

    return endpoint


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        return {}


def _address(request: Request) -> str:
    return request.client.host if request.client else "127.0.0.1"


def _to(order_id: str) -> Response:
    return RedirectResponse(f"/orders/{order_id}", 303, {"Cache-Control": "no-store"})
