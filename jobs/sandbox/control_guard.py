"""Who may use the controls and the page: programs on this machine, and a browser only from the page itself. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from jobs.sandbox.http_faults import Answer, json_answer

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def refusal(method: str, headers: Mapping[str, str]) -> Answer | None:
    """403 for a call that comes by another name or from another site's page, None for one that may go on.

    `headers` has lower-case names. A foreign page's browser says so in Origin or Sec-Fetch-Site; a name that leads
    here by somebody else's DNS shows in Host.
    """
    host = headers.get("host", "")
    if _name(host) not in _LOOPBACK:
        return _refused("the Host is not this machine's own name")
    if method == "GET":
        return None
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return _refused("the call comes from another site's page")
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return _refused("the call comes from another site's page")
    return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _refused(why: str) -> Answer:
    return json_answer(403, {"error": why})
