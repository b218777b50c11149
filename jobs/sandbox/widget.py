"""The widget: the provider's own page inside a shop's page, where the customer confirms a payment.

The real one is a script of the provider's that the shop includes (SenseJS, CONTRACT 1); what it shows is not published.
This stand-in is a page to be framed by a shop on this machine, which asks for the code of the provider's demo shop. It has
no script, and whatever is answered here the provider tells by reads and webhooks.
"""

from functools import cache
from importlib.resources import files
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.sandbox.control_api import Controls
from jobs.sandbox.courses import Order, step_at
from jobs.sandbox.deeds import answered
from jobs.sandbox.http_faults import Answer

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STYLE = "widget.css"
_STATES = {"Processing": "asking", "Cancelled": "failed"}


def shown_widget(controls: Controls, method: str, key: str, body: bytes) -> Answer:
    """The widget of one order, by its session key; a POST is the customer's answer."""
    if key == _STYLE:
        return Answer(200, files("jobs.sandbox").joinpath(f"static/{_STYLE}").read_bytes(), "text/css", dict(_HEADERS))
    if method == "POST":
        _take_answer(controls, key.lower(), body)
    order = controls.brain.order(key.lower())
    if order is None or order.fate.challenge == "none":
        return _page(None, "unknown", 404)
    return _page(order, _STATES.get(step_at(order, controls.clock.now()).name, "passed"))


def _take_answer(controls: Controls, key: str, body: bytes) -> None:
    """Let the customer's answer end the order, once; a second answer changes nothing."""
    brain, now, code = controls.brain, controls.clock.now(), _code_in(body)
    with brain.lock:
        order = brain.order(key)
        changed = answered(order, code, now) if order else None
        for step in changed.deeds if changed else ():
            if changed and step.event is not None and step.at <= now:
                brain.change(changed, now, step.event)
    brain.catch_up(now)


def _code_in(body: bytes) -> str:
    """The code that was typed; none where the customer pressed that it cannot be given, or the form cannot be read."""
    try:
        given = dict(parse_qsl(body[:2000].decode("utf-8", "replace"), max_num_fields=10))
    except ValueError:
        return ""
    return "" if given.get("answer") == "no" else given.get("code", "").strip()


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("jobs.sandbox"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _page(order: Order | None, state: str, status: int = 200) -> Answer:
    amount = f"{order.amount // 100}.{order.amount % 100:02} {order.currency}" if order else ""
    text = _templates().get_template("widget.html").render(order=order, state=state, amount=amount)
    return Answer(status, text.encode("utf-8", "replace"), "text/html", dict(_HEADERS))
