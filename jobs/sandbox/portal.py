"""The page at /_sandbox/: the provider's view for a person, who can watch a night happen and move the clock.

It reads without JavaScript; its buttons are forms. Nothing on it comes from elsewhere.
"""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.sandbox.control_api import Controls, control
from jobs.sandbox.control_guard import refusal
from jobs.sandbox.faults import CATALOGUE
from jobs.sandbox.http_faults import Answer
from jobs.sandbox.portal_view import view_of
from jobs.sandbox.widget import shown_widget

_STATIC = {"static/portal.css": "text/css", "static/portal.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STEPS = (("10 minutes later", 600), ("An hour later", 3600), ("A day later", 86400), ("A week later", 7 * 86400))
_HOME = "/_sandbox/"


def visited(controls: Controls, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]) -> Answer:
    """Answer whatever comes under /_sandbox/: the page, its forms, its style, or a control call in JSON."""
    refused = refusal(method, headers)
    if refused is not None:
        return refused
    if method == "GET" and path == "":
        return _page(controls, query)
    if method == "GET" and path in _STATIC:
        content = files("jobs.sandbox").joinpath(path).read_bytes()
        return Answer(200, content, _STATIC[path], dict(_HEADERS))
    if path.startswith("widget/"):
        return shown_widget(controls, method, path.removeprefix("widget/"), body)
    if method == "POST" and path.startswith("page/"):
        return _pressed(controls, path.removeprefix("page/"), body)
    return control(controls, method, path, query, body)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("jobs.sandbox"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _page(controls: Controls, query: dict[str, str], problem: str = "") -> Answer:
    view = {**view_of(controls, query), "steps": STEPS, "problem": problem}
    text = _templates().get_template("portal.html").render(view)
    return Answer(400 if problem else 200, text.encode("utf-8", "replace"), "text/html", dict(_HEADERS))


def _pressed(controls: Controls, name: str, body: bytes) -> Answer:
    try:
        given = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        given = {}
    problem = _done(controls, name, given)
    if problem:
        return _page(controls, {}, problem)
    return Answer(303, headers={**_HEADERS, "Location": _HOME})


def _done(controls: Controls, name: str, given: dict[str, str]) -> str:
    """Do what a button asks for; what is wrong with it, or nothing."""
    if name == "clock":
        seconds = given.get("seconds", "")
        if seconds not in {str(step) for _, step in STEPS}:
            return "The clock moves by the steps on the buttons."
        controls.advance(timedelta(seconds=int(seconds)))
    elif name == "faults" and given.get("name") in CATALOGUE:
        if given.get("switch") == "on":
            controls.faults.switch_on(given["name"])
        else:
            controls.faults.switch_off(given["name"])
    elif name == "webhooks":
        return _registered(controls, given.get("url", ""))
    else:
        return "There is no such button."
    return ""


def _registered(controls: Controls, url: str) -> str:
    if not url:
        controls.webhooks.forget()
        return ""
    try:
        controls.webhooks.register(url)
    except ValueError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""
