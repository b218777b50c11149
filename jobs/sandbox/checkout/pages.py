"""The shop's pages: escaped by themselves, with nothing from elsewhere but the widget's frame."""

from collections.abc import Iterable
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from jobs.sandbox.checkout.cards import CHALLENGE_PHONE, TEST_CARDS, Form
from jobs.sandbox.checkout.orders import Row
from jobs.sandbox.checkout.shop import CUSTOMER, ITEM, Shop, money
from jobs.sandbox.checkout.stages import stage_of

_STATIC = {"shop.css": "text/css", "shop.js": "text/javascript"}
_CARDS = (
    (TEST_CARDS[0], "", "rescued at once"),
    (TEST_CARDS[1], CHALLENGE_PHONE, "the bank asks for a confirmation"),
    (TEST_CARDS[2], "", "declined by the provider too"),
)
_EMPTY = Form(None, {"name": "Ada Marsh", "email": "ada@example.com", "phone": "", "month": "12", "year": ""}, {})


class Pages:
    """Render what one shop shows."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        policy = (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
            f"frame-src {shop.widget_origin}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        self._templates = Environment(
            loader=PackageLoader("jobs.sandbox.checkout"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, name: str, status: int, **view: object) -> Response:
        """One page by its template's name."""
        shown = {"item": ITEM, "price": money(), "address": CUSTOMER, **view}
        text = self._templates.get_template(f"{name}.html").render(shown)
        return Response(text.encode("utf-8", "replace"), status, self._headers, "text/html")

    def order(self, row: Row, steps: Iterable[tuple[str, str]], form: Form = _EMPTY, status: int = 200) -> Response:
        """An order's page, as its row stands."""
        stage = stage_of(row)
        view = {"row": row, "stage": stage, "steps": list(steps), "advanced": bool(row["sense_key"]), "flow": _flow(row)}
        widget = f"{self._shop.widget_url}{row['provider_order_id']}"
        name = "pay" if stage == "form" else "order"
        return self.show(name, status, form=form, cards=_CARDS, widget=widget, **view)

    def static(self, name: str) -> Response:
        """The style or the script, and no other file."""
        if name not in _STATIC:
            return Response(status_code=404)
        content = files("jobs.sandbox.checkout").joinpath(f"static/{name}").read_bytes()
        return Response(content, 200, self._headers, _STATIC[name])


def _flow(row: Row) -> str:
    return "advanced" if row["sense_key"] else "standard"
