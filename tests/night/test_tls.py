"""A provider whose certificate cannot be believed is not spoken to (H-18)."""

import ssl
from pathlib import Path

import pytest
from httpx_aiohttp import AiohttpTransport

from batch.api import ApiAccess, ProviderApi
from jobs.assembly import load_profile
from jobs.clock import SystemClock
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
        transport = AiohttpTransport(trust_env=False)
        api = ProviderApi(access, transport, profile=load_profile(house.settings), clock=SystemClock())
        try:
            with pytest.raises(ApiUnreachable):
                api.fresh_token()
            assert sandbox.journal() == []
        finally:
            api.close()
