"""`python -m tests.webhooks` measures how fast `mitbatch serve` keeps webhooks, beside a receiver that commits each by itself.

Requests are sent at a steady rate whatever the answers do, and each is timed from the moment at which it was due: a
server that falls behind shows it. The ledger lies in a fresh folder under `--folder`, which should be on a real disk.
"""

import argparse
import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from batch.webhooks import PATH
from jobs.clock import ShiftedClock
from jobs.sandbox import Sandbox
from tests.night.house import House
from tests.ports import kept_port
from tests.webhooks.serving import Reached
from tests.webhooks.signing import payload

SENDERS = 64
NAIVE = "import jobs.serve.group_commit as g; g.MOST_AT_ONCE = 1; "
RUN = "import sys; from jobs.cli import run; sys.exit(run(sys.argv[1:]))"


@dataclass(frozen=True)
class Measured:
    """What one server did with what it was sent."""

    answered: int
    kept: int
    seconds: float
    cpu_seconds: float
    delays: tuple[float, ...]

    def line(self, name: str) -> str:
        """One line for people; times in milliseconds, from when a request was due until it was answered."""
        at = {share: 1000 * self.delays[min(len(self.delays) - 1, int(share * len(self.delays)))] for share in (0.5, 0.99)}
        worst, rate = 1000 * self.delays[-1], self.answered / self.seconds
        told = f"{self.answered} answered with 200 of {len(self.delays)}, {self.kept} kept"
        work = f"{1000 * self.cpu_seconds / len(self.delays):.2f} ms of processor time each"
        delays = f"p50 {at[0.5]:7.1f} ms   p99 {at[0.99]:7.1f} ms   most {worst:7.1f} ms"
        return f"{name:<24}{delays}   {rate:6.0f} a second   {work}   {told}"


def main() -> int:
    """Measure both, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.webhooks", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="requests a second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=None, help="where the ledgers lie; else where temporary files do")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mitbatch-webhooks-", dir=asked.folder) as folder:
        disk, load = _syncs(Path(folder) / "synced"), os.getloadavg()[0]
        sys.stdout.write(f"a sync of the disk takes {disk:.1f} ms; {os.cpu_count()} processors, load {load:.1f} before\n")
        for name, begin in (("commits groups", ""), ("commits each by itself", NAIVE)):
            home = Path(folder) / name.replace(" ", "-")
            home.mkdir()
            sys.stdout.write(_measured(home, begin + RUN, asked.rate, asked.seconds).line(name) + "\n")
            sys.stdout.flush()
    return 0


def _syncs(path: Path) -> float:
    """Milliseconds that one write and its sync take, on average of fifty."""
    with path.open("wb") as file:
        began = time.perf_counter()
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
        return 1000 * (time.perf_counter() - began) / 50


def _measured(folder: Path, program: str, rate: int, seconds: int) -> Measured:
    with kept_port() as port, Sandbox(folder / "provider", clock=ShiftedClock()) as sandbox:
        house = House(folder, sandbox, ShiftedClock())
        house._have_ledger()
        reached = Reached(house, port)
        environment = {"MITBATCH_WEBHOOK__LISTEN": reached.host, "MITBATCH_WEBHOOK__PUBLIC_HOST": reached.host}
        with subprocess.Popen(
            [sys.executable, "-c", program, "--config", str(house.config), "serve"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **environment},
        ) as server:
            assert server.stdout is not None
            assert any("Ctrl-C" in line for line in server.stdout)
            requests = [_request(reached, number) for number in range(rate * seconds)]
            try:
                before = _cpu_seconds(server.pid)
                found, took = asyncio.run(_send(reached.port, requests, rate))
                worked = _cpu_seconds(server.pid) - before
            finally:
                server.terminate()
        with closing(sqlite3.connect(house.ledger_path)) as ledger:
            (kept,) = ledger.execute("SELECT count(*) FROM webhook").fetchone()
    good = [delay for status, delay in found if status == 200]
    return Measured(len(good), kept, took, worked, tuple(sorted(delay for _, delay in found)))


def _cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _request(reached: Reached, number: int) -> bytes:
    delivery = reached.signed(payload(ConfirmationId=f"{number:08X}"), f"nonce-{number}", date=datetime.now(UTC))
    headers = {"Host": reached.host, "Content-Length": str(len(delivery.body)), **delivery.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + delivery.body


async def _send(port: int, requests: list[bytes], rate: int) -> tuple[list[tuple[int, float]], float]:
    """Send each at its moment, on a connection that is free by then; the answers' statuses with their delays in seconds."""
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    found: list[tuple[int, float]] = []
    began = time.perf_counter() + 0.2

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            moment, request = await due.get()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            found.append((int(head.split(b" ")[1]), time.perf_counter() - moment))
            due.task_done()

    senders = [asyncio.create_task(sender()) for _ in range(SENDERS)]
    for number, request in enumerate(requests):
        moment = began + number / rate
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait((moment, request))
    await due.join()
    took = time.perf_counter() - began
    for each in senders:
        each.cancel()
    return found, took


if __name__ == "__main__":
    sys.exit(main())
