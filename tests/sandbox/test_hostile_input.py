"""What nobody should send: each is refused with a status, and the sandbox lives on."""

import json
from urllib.parse import urlsplit

import httpx
import pytest

from jobs.sandbox import Sandbox
from jobs.sandbox.http_api import ROUTES
from tests.sandbox.merchant import api, curl, decline

KEY = "00000000-0000-4000-8000-000000000000"
DEEP = 100_000
POSTED = [path.removeprefix("/v1/") for _, path, method in ROUTES if method == "POST"]

BODIES = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep inside": b'{"orderId": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "half": b'{"orderId": "x',
    "no UTF-8": b'{"orderId": "\xff"}',
    "NaN": b'{"amount": NaN}',
    "twice": b'{"orderId": "a", "ORDERID": "b"}',
    "list": b"[1]",
    "surrogate": b'{"orderId": "\\ud800"}',
    "NUL": b'{"orderId": "a\x00"}',
    "long number": b'{"amount": ' + b"9" * 100_000 + b"}",
}


def filled(path: str) -> str:
    """A route's path with an id in it."""
    return path.replace("{key:path}", KEY).replace("{key}", KEY)


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("name", list(BODIES))
def test_a_hostile_body_is_refused_everywhere(sandbox: Sandbox, path: str, name: str) -> None:
    """Every endpoint answers 400 to text that is no strict, shallow JSON object, and then works."""
    with api(sandbox) as client:
        answer = client.post(filled(path), content=BODIES[name], headers={"Content-Type": "application/json"})
        alive = client.post("evaluate", json=decline(sandbox)).status_code

    assert (answer.status_code, alive) == (400, 200)


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("chunked", [True, False])
def test_ten_megabytes_are_413_everywhere(sandbox: Sandbox, path: str, chunked: bool) -> None:
    """A body of ten megabytes is refused, announced or in chunks."""
    piece = b" " * 1_000_000
    with api(sandbox) as client:
        body = iter([piece] * 10) if chunked else piece * 10
        headers = {"Content-Type": "application/json"}
        try:
            status = client.post(filled(path), content=body, headers=headers).status_code
        except httpx.WriteError:
            status = 413
        alive = client.get("orders").status_code

    assert (status, alive) == (413, 200)


@pytest.mark.parametrize("path", [path for path in POSTED if "cancel" not in path])
@pytest.mark.parametrize("media", ["text/plain", "", "application/xml", "multipart/form-data"])
def test_another_media_type_is_415(sandbox: Sandbox, path: str, media: str) -> None:
    """Only JSON is read."""
    with api(sandbox) as client:
        answer = client.post(filled(path), content=b"{}", headers={"Content-Type": media} if media else {})

    assert answer.status_code == 415


@pytest.mark.parametrize(("name", "path", "method"), ROUTES)
def test_without_a_good_bearer_it_is_401(sandbox: Sandbox, name: str, path: str, method: str) -> None:
    """Every endpoint but the login refuses a missing, foreign or malformed bearer with an empty 401."""
    with api(sandbox) as client:
        token = client.headers.pop("Authorization").partition(" ")[2]
        for authorization in (None, token, f"Basic {token}", "Bearer x", "Bearer", f"Bearer {token}x"):
            headers = {"Authorization": authorization} if authorization else {}
            answer = client.request(method, filled(path).removeprefix("/v1/"), json={}, headers=headers)
            expected = (400, False) if name == "token" else (401, True)
            assert (answer.status_code, answer.content == b"") == expected


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v2/orders", "/v1/orders/", "/v1/orders/x/y", "/../etc/passwd", "/%2e%2e/x"]
)
def test_an_unknown_path_is_404(sandbox: Sandbox, path: str) -> None:
    """There is nothing else at that port."""
    with api(sandbox) as client:
        base = urlsplit(sandbox.api_url)
        assert client.get(f"{base.scheme}://{base.netloc}{path}").status_code in (307, 404)


def test_another_method_is_405(sandbox: Sandbox) -> None:
    """CONTRACT 13 lists 405."""
    with api(sandbox) as client:
        assert [client.get("evaluate").status_code, client.delete("orders").status_code] == [405, 405]


def test_curl_sends_what_is_too_deep(sandbox: Sandbox) -> None:
    """curl's deep JSON is refused as well."""
    body: object = {}
    for _ in range(40):
        body = {"a": body}
    with api(sandbox) as client:
        authorization = str(client.headers["Authorization"])
    status, text = curl(sandbox, "POST", "evaluate", authorization, body)

    assert status == 400
    assert "deeper" in json.loads(text)["$"][0]
