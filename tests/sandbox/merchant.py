"""A merchant's client for the tests: plain httpx and paramiko, and records as CONTRACT 5 to 7 print them."""

import contextlib
import copy
import io
import json
import os
import shutil
import socket
import ssl
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import paramiko
import pytest

from jobs.sandbox import Sandbox

_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: the servers of these tests speak no TLS, and a context for each client costs more than a test."""


def expiry(sandbox: Sandbox) -> str:
    """An expiry 21 days from the sandbox's now."""
    return (sandbox.clock.now() + timedelta(days=21)).strftime("%Y-%m-%dT%H:%M:%SZ")


def http(sandbox: Sandbox) -> httpx.Client:
    """An HTTP client without a token."""
    return httpx.Client(base_url=sandbox.api_url, timeout=20, trust_env=False, verify=_CONTEXT)


def token_ending(last: str) -> str:
    """A payment token with this ending."""
    return f"5f0c2f6e-8d1b-4c55-9a7e-0000dcba{last}"


def decline(sandbox: Sandbox, order_id: str = "sub-88-2026-12", token: str = "") -> dict[str, Any]:
    """One evaluate record of CONTRACT 7 for a managed MIT."""
    return {
        "isDeclined": True,
        "idempotencyKey": str(uuid.uuid5(uuid.UUID(sandbox.mid), order_id)),
        "mid": sandbox.mid,
        "orderId": order_id,
        "siteId": sandbox.site_ids["acme-us"],
        "isMIT": True,
        "isRecurring": True,
        "expiryDateUtc": expiry(sandbox),
        "subscription": {"subscriptionId": "sub-88", "interval": "monthly", "price": "2599", "currency": "USD"},
        "transaction": {
            "id": order_id,
            "timestampUtc": "2026-11-23T00:30:00Z",
            "timezoneUtcOffset": 0,
            "amount": 2599,
            "currency": "USD",
            "responseCode": "51",
            "responseCodeSource": "nmi",
            "avsResultCode": "Y",
            "cvvResultCode": "NA",
            "cavvResultCode": "NA",
            "cardNotPresent": True,
        },
        "payer": {"email": "ada@acme.example"},
        "paymentMethod": {"token": True, "cardNumber": token or token_ending("ffff"), "cardLast4Digits": "1111"},
        "billingInformation": {
            "firstName": "Ada",
            "lastName": "Byron",
            "addressLine1": "1 Main St",
            "city": "Burlington",
            "zipcode": "01803",
            "country": "US",
            "countryCode": "US",
        },
    }


def charge(sandbox: Sandbox, order_id: str = "paid-1") -> dict[str, Any]:
    """One transmit record of CONTRACT 5: the copy of a charge that went well."""
    record = decline(sandbox, order_id)
    payment = {"holderName": "Ada Byron", "cardBinNumber": "411111", "cardLast4Digits": "1111"}
    del record["expiryDateUtc"], record["idempotencyKey"]
    return {**record, "isDeclined": False, "paymentMethod": payment}


def without(record: dict[str, Any], *paths: str) -> dict[str, Any]:
    """A copy of a record without these dotted paths."""
    copied = copy.deepcopy(record)
    for path in paths:
        *outer, last = path.split(".")
        inner = copied
        for step in outer:
            inner = inner[step]
        del inner[last]
    return copied


@contextmanager
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """An HTTP client that bears a fresh token."""
    with http(sandbox) as client:
        client.headers["Authorization"] = f"Bearer {login(sandbox, client)}"
        yield client


def login(sandbox: Sandbox, client: httpx.Client) -> str:
    """A new bearer token (CONTRACT 2)."""
    answer = client.post("oauth2/token", json={"AppKey": sandbox.app_key, "AppSecret": sandbox.app_secret})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["accessToken"])


def bearer(sandbox: Sandbox) -> str:
    """The text of the token field of a batch file (CONTRACT 6.4)."""
    with http(sandbox) as client:
        return f"bearer {login(sandbox, client)}"


@contextmanager
def ssh(sandbox: Sandbox) -> Iterator[paramiko.SSHClient]:
    """An SSH connection with the sandbox's key, to the known host only."""
    line = socket.create_connection(("127.0.0.1", sandbox.sftp_port), timeout=20)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = paramiko.SSHClient()
    client.load_host_keys(str(sandbox.known_hosts_path))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.connect(
            "127.0.0.1",
            sandbox.sftp_port,
            sandbox.sftp_username,
            key_filename=str(sandbox.client_key_path),
            look_for_keys=False,
            allow_agent=False,
            timeout=20,
            sock=line,
        )
        yield client
    finally:
        client.close()
        line.close()


@contextmanager
def sftp(sandbox: Sandbox) -> Iterator[paramiko.SFTPClient]:
    """An SFTP session."""
    with ssh(sandbox) as connection:
        session = connection.open_sftp()
        channel = session.get_channel()
        assert channel is not None
        channel.settimeout(20)
        try:
            yield session
        finally:
            # a session whose connection a fault has cut cannot say goodbye
            with contextlib.suppress(EOFError, OSError):
                session.close()


def batch_name(sandbox: Sandbox, kind: str = "evaluate", n: int = 1, ending: str = "json") -> str:
    """A file name as CONTRACT 6.4 forms it."""
    return f"{kind}_{sandbox.mid[:8]}_20261123_{n:012x}.{ending}"


def evaluate_file(sandbox: Sandbox, records: list[dict[str, Any]], authorization: str = "") -> bytes:
    """The JSON evaluate file of CONTRACT 6.4."""
    head = {
        "mid": sandbox.mid,
        "authorizationToken": authorization or bearer(sandbox),
        "expiryDateUtc": expiry(sandbox),
    }
    rows = [{"sequenceNumber": str(position), **record} for position, record in enumerate(records, start=1)]
    return json.dumps({"configuration": head, "transactionRequests": rows}).encode()


def transmit_file(sandbox: Sandbox, records: list[dict[str, Any]]) -> bytes:
    """The JSON transmit file of CONTRACT 6.4."""
    head = {"mid": sandbox.mid, "Authorization": bearer(sandbox)}
    rows = [{"sequenceNumber": str(position), **record} for position, record in enumerate(records, start=1)]
    return json.dumps({"header": head, "transactions": rows}).encode()


def deliver(session: paramiko.SFTPClient, name: str, content: bytes) -> None:
    """Upload under a name that is ignored, then rename."""
    session.putfo(io.BytesIO(content), f"inbound/{name}.part")
    session.rename(f"inbound/{name}.part", f"inbound/{name}")


def acknowledgement(session: paramiko.SFTPClient, name: str) -> dict[str, Any]:
    """The answer to a file."""
    with session.open(f"outbound/{name.rpartition('.')[0]}_response.json") as file:
        found: dict[str, Any] = json.loads(file.read())
    return found


def fails(act: Callable[[], object]) -> Exception:
    """The error with which a call fails as a lost connection or a refusal does."""
    try:
        act()
    except (OSError, EOFError, paramiko.SSHException, httpx.HTTPError) as error:
        return error
    message = "the call did not fail"
    raise AssertionError(message)


def cit(sandbox: Sandbox, order_id: str = "cit-1", card: str = "", phone: str = "", cvv: str = "") -> dict[str, Any]:
    """One evaluate record of CONTRACT 7 for a customer who is present, with a raw card if one is given."""
    record = without(decline(sandbox, order_id, token_ending("b001")), "expiryDateUtc", "isRecurring", "subscription")
    record.update({"isMIT": False, "customerIp": "192.0.2.7", "transactionType": "PURCHASE"})
    if card:
        record["paymentMethod"] = raw_card(card, cvv)
    if phone:
        record["payer"]["phone"] = phone
    return record


def raw_card(number: str, cvv: str = "") -> dict[str, Any]:
    """The paymentMethod of CONTRACT 7.3 with a card number instead of a token."""
    method: dict[str, Any] = {"token": False, "cardNumber": number, "expirationMonth": 12, "expirationYear": 2030}
    return {**method, "verificationValue": cvv} if cvv else method


def sync_decline(sandbox: Sandbox, order_id: str = "sync-1", token: str = "", card: str = "") -> dict[str, Any]:
    """One evaluate record for a MIT of the sync account: no expiry is sent (CONTRACT 7.6)."""
    record = without(decline(sandbox, order_id, token), "expiryDateUtc")
    record.update({"mid": sandbox.sync_mid, "siteId": sandbox.sync_site_ids["acme-us"]})
    return {**record, "paymentMethod": raw_card(card)} if card else record


@contextmanager
def sync_api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """An HTTP client that bears a fresh token of the sync account."""
    with http(sandbox) as client:
        body = {"AppKey": sandbox.sync_app_key, "AppSecret": sandbox.sync_app_secret}
        client.headers["Authorization"] = f"Bearer {client.post('oauth2/token', json=body).json()['accessToken']}"
        yield client


def curl(sandbox: Sandbox, method: str, path: str, authorization: str = "", body: object = None) -> tuple[int, str]:
    """One call made by curl: the HTTP status and the body. Skips where there is no curl, but not under CI."""
    program = shutil.which("curl")
    if program is None:
        assert not os.environ.get("CI"), "curl is not installed"
        pytest.skip("curl is not installed: no second client to speak with")
    command = [
        program,
        "-sS",
        "--max-time",
        "10",
        "--noproxy",
        "*",
        "-X",
        method,
        "-w",
        "\n%{http_code}",
        f"{sandbox.api_url}{path}",
    ]
    if authorization:
        command += ["-H", f"Authorization: {authorization}"]
    if body is not None:
        command += ["-H", "Content-Type: application/*+json", "-d", "@-"]
    text = "" if body is None else json.dumps(body)
    told = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    found, _, status = told.rpartition("\n")
    return int(status), found
