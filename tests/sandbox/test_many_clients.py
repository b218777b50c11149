"""Two hundred clients at once: every order is there once, nothing fails, and memory grows by little for each order.

The number of orders is small so that the suite stays fast; SANDBOX_ORDERS=20000 runs the full size of the promise.
"""

import asyncio
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, decline

CLIENTS = 200
ORDERS = int(os.environ.get("SANDBOX_ORDERS", "1000"))
BYTES_FOR_EACH_ORDER = 16_000
BYTES_FOR_CONNECTIONS = 64 * 1024 * 1024


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str, body: bytes) -> tuple[int, bytes]:
    """One request over a connection that stays open: status and body."""
    writer.write(
        f"{head}\r\nHost: sandbox\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    told = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(int(line.partition(":")[2]) for line in told.split("\r\n") if line.lower().startswith("content-length:"))
    return int(told.split(" ", 2)[1]), await reader.readexactly(length)


async def client(sandbox: Sandbox, number: int) -> list[tuple[int, str, str]]:
    """Log in, submit this client's share of the orders, and read each once."""
    address = urlsplit(sandbox.api_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    keys = json.dumps({"AppKey": sandbox.app_key, "AppSecret": sandbox.app_secret}).encode()
    _, answer = await exchange(reader, writer, "POST /v1/oauth2/token HTTP/1.1", keys)
    bearer = f"Authorization: Bearer {json.loads(answer)['accessToken']}"
    found = []
    for n in range(number, ORDERS, CLIENTS):
        record = json.dumps(decline(sandbox, f"o-{n}")).encode()
        status, answer = await exchange(reader, writer, f"POST /v1/evaluate HTTP/1.1\r\n{bearer}", record)
        key = json.loads(answer)["orderSessionKey"]
        _, answer = await exchange(reader, writer, f"GET /v1/orders/{key} HTTP/1.1\r\n{bearer}", b"")
        found.append((status, key, json.loads(answer)["externalOrderId"]))
    writer.close()
    await writer.wait_closed()
    return found


async def all_clients(sandbox: Sandbox) -> list[tuple[int, str, str]]:
    """Every client at once."""
    answers = await asyncio.gather(*(client(sandbox, number) for number in range(CLIENTS)))
    return [row for rows in answers for row in rows]


def resident_bytes() -> int:
    """The memory of this process that is in use now."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_two_hundred_clients_at_once(tmp_path: Path, clock: MovableClock) -> None:
    """No call fails, every order is accepted once under its own key, pages show them all, and memory stays in bounds."""
    with Sandbox(tmp_path, clock) as sandbox:
        before = resident_bytes()
        found = asyncio.run(all_clients(sandbox))
        grown = resident_bytes() - before
        accepted = [row["order_id"] for row in sandbox.accepted("evaluate")]
        with api(sandbox) as reader:
            pages = -(-ORDERS // 500)
            shown = [
                row["id"]
                for page in range(1, pages + 1)
                for row in reader.get("orders", params={"pageSize": 500, "pageNumber": page}).json()["orders"]
            ]

    assert {status for status, _, _ in found} == {200}
    assert sorted(order_id for _, _, order_id in found) == sorted(f"o-{n}" for n in range(ORDERS)) == sorted(map(str, accepted))
    assert sorted(shown) == sorted({key for _, key, _ in found})
    assert grown < BYTES_FOR_CONNECTIONS + ORDERS * BYTES_FOR_EACH_ORDER
