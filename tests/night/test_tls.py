"""A provider whose certificate cannot be believed is not spoken to (H-18)."""

import ssl
from pathlib import Path

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from batch.api import ApiAccess, ProviderApi
from jobs.assembly import load_profile
from jobs.clock import SystemClock
from jobs.http_transport import MachineTransport, trusted_authorities
from jobs.sandbox import Sandbox, SandboxOptions
from schemas.errors import ApiUnreachable
from tests.night.house import House


@pytest.mark.parametrize("name", ["", "untrusted_certificate", "expired_certificate", "wrong_host_certificate"])
def test_a_certificate_that_cannot_be_believed_ends_the_call(house: House, tmp_path: Path, name: str) -> None:
    """With the right authority the token comes; with a bad certificate nothing is asked, and no secret is shown."""
    with Sandbox(tmp_path / "secure", options=SandboxOptions(https=True)) as sandbox:
        if name:
            sandbox.faults.switch_on(name, times=5)
        access = ApiAccess(sandbox.https_url, lambda: sandbox.app_key, lambda: sandbox.app_secret, timeout_seconds=5)
        trusted = ssl.create_default_context(cafile=str(sandbox.authority_path))
        transport = AiohttpTransport(verify=trusted, trust_env=False)
        api = ProviderApi(access, transport, profile=load_profile(house.settings), clock=SystemClock())
        try:
            if name:
                with pytest.raises(ApiUnreachable):
                    api.fresh_token()
                assert sandbox.journal() == []
            else:
                assert api.fresh_token()
        finally:
            api.close()


def test_an_authority_that_nobody_installed_is_not_believed(house: House, tmp_path: Path) -> None:
    """The transport as a run uses it refuses a server whose authority the machine does not know."""
    with Sandbox(tmp_path / "secure", options=SandboxOptions(https=True)) as sandbox:
        access = ApiAccess(sandbox.https_url, lambda: "key", lambda: "secret", timeout_seconds=5)
        api = ProviderApi(access, MachineTransport(), profile=load_profile(house.settings), clock=SystemClock())
        try:
            with pytest.raises(ApiUnreachable):
                api.fresh_token()
            assert sandbox.journal() == []
        finally:
            api.close()


def test_authorities_are_read_when_the_first_request_leaves_and_never_again(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that ask nothing read none; all others of one process share what the first has read, and believe by it."""
    asked = []

    def authorities(**wanted: bool) -> ssl.SSLContext:
        asked.append(wanted)
        return ssl.create_default_context(cafile=str(sandbox.authority_path))

    monkeypatch.setattr(httpx, "create_ssl_context", authorities)
    trusted_authorities.cache_clear()
    try:
        with Sandbox(tmp_path / "secure", options=SandboxOptions(https=True)) as sandbox:
            access = ApiAccess(sandbox.https_url, lambda: sandbox.app_key, lambda: sandbox.app_secret, timeout_seconds=5)
            for runs in (0, 1, 1):
                api = ProviderApi(access, MachineTransport(), profile=load_profile(house.settings), clock=SystemClock())
                assert len([each for each in asked if "verify" not in each]) == runs
                assert api.fresh_token()
                api.close()
        assert [each for each in asked if "verify" not in each] == [{"trust_env": False}]
    finally:
        trusted_authorities.cache_clear()
