"""CONTRACT 2: `POST oauth2/token`, and 401 for what is no good bearer."""

import base64
import json
from datetime import timedelta

import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, curl, decline, http


def test_token_answer_has_every_field_of_the_capture(sandbox: Sandbox) -> None:
    """The answer holds the fields of CONTRACT 2 and the envelope of CONTRACT 4; expires is epoch milliseconds."""
    with http(sandbox) as client:
        answer = client.post("oauth2/token", json={"AppKey": sandbox.app_key, "AppSecret": sandbox.app_secret})
    found = answer.json()
    head, claims, signature = found["accessToken"].split(".")
    padded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert found["expires"] == int((sandbox.clock.now().timestamp() + 600) * 1000)
    assert {"refreshToken", "id", "session", "daysToEnforceMFA", "skipAvailable"} < set(found)
    assert (found["success"], found["result"], found["errors"], found["customProperties"]) == (True, None, [], {})
    assert padded["exp"] - padded["nbf"] == 600
    assert padded["custom:mid"] == sandbox.mid
    assert "eligibility-sftp" in padded["aud"]
    assert head
    assert signature


@pytest.mark.parametrize("names", [("appKey", "appSecret"), ("APPKEY", "APPSECRET")])
def test_names_are_read_in_any_case(sandbox: Sandbox, names: tuple[str, str]) -> None:
    """Property names are matched case-insensitively (CONTRACT 1)."""
    body = dict(zip(names, (sandbox.app_key, sandbox.app_secret), strict=True))
    with http(sandbox) as client:
        assert client.post("oauth2/token", json=body).status_code == 200


@pytest.mark.parametrize("body", [{}, {"AppKey": "x", "AppSecret": "y"}, {"AppKey": "\u00e9", "AppSecret": 1}])
def test_bad_credentials_are_400(sandbox: Sandbox, body: dict[str, object]) -> None:
    """Bad AppKey or AppSecret is HTTP 400, not 401."""
    with http(sandbox) as client:
        assert client.post("oauth2/token", json=body).status_code == 400


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic eDp5", "bearer  "])
def test_what_is_no_token_of_ours_is_401(sandbox: Sandbox, header: str) -> None:
    """A missing, foreign or malformed bearer is 401 on every call, and nothing is accepted."""
    headers = {"Authorization": header.strip()} if header else {}
    with http(sandbox) as client:
        client.headers.update(headers)
        found = [
            client.post("evaluate", json=decline(sandbox)).status_code,
            client.post("transmit", json={}).status_code,
            client.get("orders").status_code,
            client.get("orders/x").status_code,
        ]

    assert found == [401, 401, 401, 401]
    assert sandbox.accepted("evaluate") == []


def test_a_token_ends_after_ten_minutes_of_sandbox_time(sandbox: Sandbox) -> None:
    """A bearer is good for 599 seconds and answered with an empty 401 after 600."""
    with api(sandbox) as client:
        sandbox.advance(timedelta(seconds=599))
        before = client.get("orders").status_code
        sandbox.advance(timedelta(seconds=1))
        after = client.get("orders")

    assert (before, after.status_code, after.content) == (200, 401, b"")


def test_curl_logs_in_and_uses_its_token(sandbox: Sandbox) -> None:
    """curl gets a bearer, and the bearer opens the orders."""
    status, text = curl(sandbox, "POST", "oauth2/token", body={"AppKey": sandbox.app_key, "AppSecret": sandbox.app_secret})
    bearer = json.loads(text)["accessToken"]

    assert status == 200
    assert curl(sandbox, "GET", "orders", f"Bearer {bearer}")[0] == 200
    assert curl(sandbox, "GET", "orders", f"Bearer {bearer}x") == (401, "")


def test_each_account_has_its_own_mid_in_the_token(sandbox: Sandbox) -> None:
    """CONTRACT 2: the claim custom:mid is the account's; one account's key does not go with the other's secret."""
    mids = []
    with http(sandbox) as client:
        for key, secret in ((sandbox.app_key, sandbox.app_secret), (sandbox.sync_app_key, sandbox.sync_app_secret)):
            token = client.post("oauth2/token", json={"AppKey": key, "AppSecret": secret}).json()["accessToken"]
            claims = token.split(".")[1]
            mids.append(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["custom:mid"])
        mixed = client.post("oauth2/token", json={"AppKey": sandbox.app_key, "AppSecret": sandbox.sync_app_secret}).status_code

    assert (mids, mixed) == ([sandbox.mid, sandbox.sync_mid], 400)
