"""The HTTPS port: a certificate that may be believed, and three that must not (H-18)."""

import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.sandbox import Sandbox, SandboxOptions


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox with an HTTPS port."""
    with Sandbox(tmp_path, options=SandboxOptions(https=True)) as sandbox:
        yield sandbox


def _ask(sandbox: Sandbox) -> int:
    port = int(sandbox.https_url.split(":")[2].split("/")[0])
    context = ssl.create_default_context(cafile=str(sandbox.authority_path))
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    try:
        line.request("GET", "/v1/orders")
        return line.getresponse().status
    finally:
        line.close()


def test_the_good_certificate_is_believed(secure: Sandbox) -> None:
    """Whoever trusts the sandbox's authority speaks the same API over TLS."""
    assert _ask(secure) == 401


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("untrusted_certificate", "certificate verify failed"),
        ("expired_certificate", "expired"),
        ("wrong_host_certificate", "mismatch"),
    ],
)
def test_a_bad_certificate_is_refused_by_a_careful_client(secure: Sandbox, name: str, words: str) -> None:
    """Each bad certificate ends the handshake, strikes as often as it was told to, and then the good one is back."""
    secure.faults.switch_on(name)

    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        _ask(secure)

    assert secure.faults.fired(name) == 1
    assert _ask(secure) == 401


def test_without_the_option_there_is_no_port(tmp_path: Path) -> None:
    """HTTPS is only there when it is asked for."""
    with Sandbox(tmp_path) as sandbox:
        assert sandbox.https_url == "https://127.0.0.1:0/v1/"
        assert not sandbox.authority_path.exists()
