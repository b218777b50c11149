"""Which stage of its way a run is at, told by the production code's own calls, which go on unchanged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from batch import api
from batch.api import ProviderApi
from batch.api_sends import ApiSends
from batch.sftp_channel import SftpChannel

OnStage = Callable[[str], None]

SFTP_STAGES = ("connect", "write", "verify", "rename", "collect")
HTTPS_STAGES = ("token", "order", "listing", "call")
API_DEADLINE = 1.5


def _told(original: Callable[..., Any], stage: Callable[..., str], tell: OnStage) -> Callable[..., Any]:
    def call(self: object, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the method takes and gives
        if name := stage(*given):
            tell(name)
        return original(self, *given, **named)

    return call


def _of_open(path: str, mode: str = "r", *_: object) -> str:
    return "write" if "w" in mode or "+" in mode else ("collect" if "/outbound" in f"/{path}" else "")


def _of_request(_method: str, path: str, *_: object) -> str:
    if path.startswith("oauth2"):
        return "token"
    return "order" if path.startswith("orders/") else "listing"


@contextmanager
def watched_sftp(tell: OnStage) -> Iterator[None]:
    """Tell when a file is written, verified, renamed, and when answers are collected."""
    stages: dict[str, Callable[..., str]] = {
        "open": _of_open,
        "stat": lambda *_: "verify",
        "rename": lambda *_: "rename",
        "entries": lambda *_: "collect",
    }
    changed: dict[str, Any] = {name: _told(getattr(SftpChannel, name), stage, tell) for name, stage in stages.items()}
    with mock.patch.multiple(SftpChannel, **changed):
        yield


@contextmanager
def watched_api(tell: OnStage) -> Iterator[None]:
    """Tell when a token is asked for, an order, or a listing, and when an order is called; with a deadline that fits a test."""
    with (
        mock.patch.object(ProviderApi, "_send", _told(ProviderApi._send, _of_request, tell)),
        mock.patch.object(ApiSends, "_post", _told(ApiSends._post, lambda *_: "call", tell)),
        mock.patch.object(api, "ApiAccess", partial(api.ApiAccess, timeout_seconds=API_DEADLINE)),
    ):
        yield
