"""A merchant whose sandbox and production are both pretend providers on this machine.

Production's settings name the provider's own hosts, because a loopback address is refused there: `lead_here` stands in place of
the name service and of the authority that signs the provider's certificate. Everything else is as it is.
"""

import socket
import ssl
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from jobs import http_transport
from jobs.clock import ShiftedClock
from jobs.sample_orders import fill_orders
from jobs.sandbox import Sandbox, SandboxOptions, tls_certificates
from jobs.settings_file import load_settings
from schemas.settings import Settings
from tests.settings.settings_folder import toml

API, SFTP = "api.flexfactor.io", "sftp.flexfactor.io"


def lead_here(authority: Path, patch: pytest.MonkeyPatch) -> None:
    """Let production's names lead to this machine, and its certificate be believed by this authority's word."""
    resolve = socket.getaddrinfo

    def found(host: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - the system's own
        return resolve("127.0.0.1" if host in (API, SFTP, API.encode(), SFTP.encode()) else host, *more, **named)

    patch.setattr(socket, "getaddrinfo", found)
    patch.setattr(http_transport, "trusted_authorities", lambda: ssl.create_default_context(cafile=str(authority)))


class TwoSandboxes:
    """The settings `test/mitbatch.toml` and `live/mitbatch.toml`, each in a folder of its own, and the provider behind each."""

    def __init__(self, root: Path, test: Sandbox, live: Sandbox) -> None:
        self.root, self.test, self.live = root, test, live
        self.sandbox, self.production = (root / name / "mitbatch.toml" for name in ("test", "live"))
        before, after = self._values(test, "test"), self._values(live, "live")
        known_hosts = root / "live" / "known_hosts_by_name"
        known_hosts.write_text(live.known_hosts_path.read_text().replace("127.0.0.1", SFTP))
        after["environment"] = "production"
        after["provider"]["api_url"] = live.https_url.replace("127.0.0.1", API)
        after["sftp"].update(host=SFTP, known_hosts=str(known_hosts))
        after["switches"] = {"mit": True, "cit_website": True}
        del after["certify"]
        self.sandbox.write_text(toml(before), encoding="utf-8")
        self.production.write_text(toml(after), encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """The sandbox's settings."""
        return load_settings(self.sandbox)

    @property
    def live_settings(self) -> Settings:
        """Production's settings."""
        return load_settings(self.production)

    def _values(self, provider: Sandbox, name: str) -> dict[str, Any]:
        orders = self.root / name / "orders.db"
        orders.touch(0o600)
        fill_orders(f"sqlite:///{orders}", (), reference_is_now=provider.clock.now())
        found = tomllib.loads(provider.settings_toml("var", f"sqlite:///{orders}"))
        del found["webhook"]
        return found


@contextmanager
def two_sandboxes(root: Path) -> Iterator[TwoSandboxes]:
    """Both providers at work; production's certificate is for its own name."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tls_certificates, "_LOOPBACK", x509.DNSName(API))
        options = {"test": SandboxOptions(), "live": SandboxOptions(seed=7, https=True)}
        test, live = (
            stack.enter_context(Sandbox(root / name / "provider", clock=ShiftedClock(), options=each))
            for name, each in options.items()
        )
        yield TwoSandboxes(root, test, live)
