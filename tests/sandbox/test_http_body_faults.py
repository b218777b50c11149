"""Every fault in the body of an answer, as the client sees it; the order is accepted each time."""

import gzip
import http.client
import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, decline


def struck(sandbox: Sandbox, name: str, after: int | None = None) -> httpx.Response:
    """The answer to an evaluate that is spoilt by this fault."""
    with api(sandbox) as client:
        sandbox.faults.switch_on(name, after=after)
        found = client.post("evaluate", json=decline(sandbox))
    assert (found.status_code, sandbox.faults.fired(name), len(sandbox.accepted("evaluate"))) == (200, 1, 1)
    return found


def test_malformed_json(sandbox: Sandbox) -> None:
    """A colon is missing."""
    with pytest.raises(json.JSONDecodeError):
        struck(sandbox, "malformed_json").json()


def test_truncated_json(sandbox: Sandbox) -> None:
    """Half of the text is there, and Content-Length agrees with it."""
    found = struck(sandbox, "truncated_json")

    assert int(found.headers["content-length"]) == len(found.content)
    with pytest.raises(json.JSONDecodeError):
        found.json()


def test_not_utf8_json(sandbox: Sandbox) -> None:
    """The text cannot be decoded."""
    with pytest.raises(UnicodeDecodeError):
        struck(sandbox, "not_utf8_json").content.decode("utf-8")


def test_duplicate_key_json(sandbox: Sandbox) -> None:
    """One property occurs twice with two values, which a lax reader does not notice."""
    pairs: list[tuple[str, object]] = json.loads(struck(sandbox, "duplicate_key_json").content, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    (twice,) = {name for name in names if names.count(name) == 2}

    assert len({value for name, value in pairs if name == twice and isinstance(value, str)}) == 2


@pytest.mark.parametrize(("after", "depth"), [(None, 100_000), (50, 50)])
def test_deep_json(sandbox: Sandbox, after: int | None, depth: int) -> None:
    """A list is nested that deep."""
    assert struck(sandbox, "deep_json", after).content.count(b"[" * depth) == 1


def test_huge_json(sandbox: Sandbox) -> None:
    """The text has that many mebibytes, and is sound."""
    found = struck(sandbox, "huge_json", after=8)

    assert len(found.content) > 8 * 1024 * 1024
    assert found.json()["status"] == "SUBMITTED"


def test_failure_in_200(sandbox: Sandbox) -> None:
    """Success is false beside the status of a success."""
    found = struck(sandbox, "failure_in_200").json()

    assert (found["success"], found["result"], found["status"]) == (False, "Failed", "SUBMITTED")


def test_success_and_declined(sandbox: Sandbox) -> None:
    """Status and success disagree about an evaluate."""
    found = struck(sandbox, "success_and_declined").json()

    assert (found["success"], found["status"]) == (False, "APPROVED")


def test_two_faults_at_once(sandbox: Sandbox) -> None:
    """A fault that needs JSON leaves alone what another has already turned into a page."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("html_answer")
        sandbox.faults.switch_on("failure_in_200")
        found = [client.post("evaluate", json=decline(sandbox, f"o-{n}")) for n in range(2)]

    assert found[0].text.startswith("<!DOCTYPE html>")
    assert found[1].json()["success"] is False


def test_gzip_bomb(sandbox: Sandbox) -> None:
    """A small body unpacks to that many mebibytes."""
    with api(sandbox) as client:
        authorization = str(client.headers["Authorization"])
    sandbox.faults.switch_on("gzip_bomb", after=16)
    address = urlsplit(sandbox.api_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
    connection.request("GET", "/v1/orders", headers={"Authorization": authorization})
    answer = connection.getresponse()
    packed = answer.read()
    connection.close()

    assert answer.getheader("Content-Encoding") == "gzip"
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 16 * 1024 * 1024


def test_endless_body(sandbox: Sandbox) -> None:
    """Chunks come until the client hangs up; then the sandbox answers others as before."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("endless_body")
        received = 0
        with client.stream("GET", "orders") as answer:
            chunked = answer.headers["transfer-encoding"]
            for chunk in answer.iter_raw():
                received += len(chunk)
                if received > 4 * 1024 * 1024:
                    break
        alive = client.get("orders").status_code

    assert (chunked, alive) == ("chunked", 200)


def test_it_stops_while_a_body_is_endless(tmp_path: Path) -> None:
    """A client that reads on for ever does not keep the sandbox from stopping."""
    with Sandbox(tmp_path) as sandbox, api(sandbox) as client:
        sandbox.faults.switch_on("endless_body")
        with client.stream("GET", "orders") as answer:
            next(answer.iter_raw())
            started = time.monotonic()
            sandbox.stop()
            took = time.monotonic() - started

    assert took < 20


def test_a_client_that_never_reads_holds_nobody_up(sandbox: Sandbox) -> None:
    """An endless body waits for its reader, and others are served meanwhile."""
    with api(sandbox) as client:
        sandbox.faults.switch_on("endless_body")
        address = urlsplit(sandbox.api_url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as line:
            line.sendall(
                f"GET /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: {client.headers['Authorization']}\r\n\r\n".encode()
            )
            line.recv(1000)
            found = [client.get("orders").status_code for _ in range(20)]

    assert found == [200] * 20
