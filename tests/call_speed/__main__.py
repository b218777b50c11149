"""`python -m tests.call_speed [ORDERS]`: orders handed over by calls, against a server that takes 50 ms for each.

What latency allows at 64 calls at a time is 1,280 a second. Printed are the whole of the program's way (claims and holds done,
then intent, mark, call, answer and ledger, synced to disk), the same without the look at the switches before each call, the
calls alone, and two simpler ways: one call after the other, and 64 at a time with httpx's own transport. It is a measurement
and no test: a busy machine gives other figures.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import httpx

from batch import api_evaluates
from batch.api_delivery import deliver_calls
from batch.api_line import AT_A_TIME, Call, Called
from batch.choosing import choose
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.ledger.batches import unsent_batches
from batch.ledger.lease import LeaseTerms, take_lease
from batch.pace import business_date, utc_text
from batch.permission import switches_now
from batch.switching import Switches
from jobs.assembly import Workshop, assemble
from jobs.clock import ShiftedClock
from jobs.http_transport import MachineTransport
from jobs.sandbox import Sandbox
from jobs.surroundings import of_this_machine
from tests.call_speed.server import SECONDS
from tests.night.house import House, order

MOST = AT_A_TIME / SECONDS
"""Calls a second that latency allows."""
BODY = b"{" + b" " * 1500 + b"}"


@contextmanager
def server() -> Iterator[str]:
    """A server in a process of its own, and its API's address."""
    with subprocess.Popen([sys.executable, "-m", "tests.call_speed.server"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1/"
        finally:
            process.kill()


@contextmanager
def workshop(url: str, folder: Path, orders: int) -> Iterator[Workshop]:
    """A merchant with so many declined orders, whose provider is that server."""
    clock = ShiftedClock()
    with Sandbox(folder / "provider", clock=clock) as sandbox:  # it makes the keys, and is not called
        house = House(folder, sandbox, clock)
    charged = utc_text(datetime.now(UTC) - timedelta(hours=1))
    house.add(*(order(f"{number:07}", charged_at=charged) for number in range(orders)))
    house.set(provider={"api_url": url}, channels={"evaluate": "api", "transmit": "off"})
    with assemble(house.settings, of_this_machine(clock)) as found:
        yield found


def leased(found: Workshop) -> Run:
    """A nightly run that holds the ledger's lease."""
    equipment, around = found.equipment, found.surroundings
    return take_lease(
        equipment.ledger,
        run_id=around.new_run_id(),
        job="nightly",
        business_date=business_date(equipment.clock.now(), equipment.settings.schedule.timezone),
        owner=around.this_process(),
        terms=LeaseTerms(900, 0),
        is_alive=around.is_alive,
        sleep=equipment.clock.sleep,
    )


def whole_way(url: str, orders: int) -> tuple[float, float]:
    """Orders a second from the first intent to the last answer in the ledger, and seconds of the processor for each."""
    with tempfile.TemporaryDirectory() as folder, workshop(url, Path(folder), orders) as found:
        equipment, run = found.equipment, leased(found)
        choose(equipment, run)
        with equipment.ledger.reading() as connection:
            batches = unsent_batches(connection, equipment.ledger.mid)
        equipment.sends.be_ready()
        findings = Findings()
        began, worked = time.perf_counter(), time.process_time()
        deliver_calls(equipment, run, findings, batches)
        seconds, work = time.perf_counter() - began, time.process_time() - worked
        assert (findings.called, findings.doubtful) == (orders, 0)
        return orders / seconds, work / orders


def unlooking(url: str, orders: int) -> tuple[float, float]:
    """The whole way again, except that the switches are looked at once, and not before each call: what that look costs."""
    seen: list[Switches] = []

    def once(equipment: Equipment) -> Switches:
        if not seen:
            seen.append(switches_now(equipment))
        return seen[0]

    with patch.object(api_evaluates, "switches_now", once):
        return whole_way(url, orders)


def calls_alone(url: str, count: int) -> tuple[float, float]:
    """Calls a second through the same line, without a ledger, and seconds of the processor for each."""
    with tempfile.TemporaryDirectory() as folder, workshop(url, Path(folder), 1) as found:
        sends, left = found.equipment.sends, [count]
        before = datetime.now(UTC) + timedelta(hours=1)
        sends.be_ready()

        def turn(_back: list[Called]) -> list[Call]:
            given, left[0] = min(left[0], 128), max(left[0] - 128, 0)
            return [Call("x", BODY, before)] * given

        began, worked = time.perf_counter(), time.process_time()
        sends.call_all("evaluate", turn, lambda _call: "")  # type: ignore[arg-type]
        return count / (time.perf_counter() - began), (time.process_time() - worked) / count


def one_by_one(url: str, count: int) -> tuple[float, float]:
    """Calls a second, one after the other, and seconds of the processor for each."""
    with httpx.Client(base_url=url) as client:
        began, worked = time.perf_counter(), time.process_time()
        for _ in range(count):
            client.post("evaluate", content=BODY)
        return count / (time.perf_counter() - began), (time.process_time() - worked) / count


def plain(url: str, count: int, transport: Callable[[], httpx.AsyncBaseTransport]) -> tuple[float, float]:
    """Calls a second with httpx's client, 64 at a time, and seconds of the processor for each."""

    async def work() -> tuple[float, float]:
        async with httpx.AsyncClient(base_url=url, transport=transport(), timeout=60) as client:
            gate = asyncio.Semaphore(AT_A_TIME)

            async def one() -> None:
                async with gate:
                    await client.post("evaluate", content=BODY)

            began, worked = time.perf_counter(), time.process_time()
            await asyncio.gather(*(one() for _ in range(count)))
            return count / (time.perf_counter() - began), (time.process_time() - worked) / count

    return asyncio.run(work())


def main(orders: int) -> None:
    """Measure and print."""
    with server() as url:
        for what, (rate, work) in (
            ("handed over: intent, mark, call, answer, ledger", whole_way(url, orders)),
            ("the same without the look at the switches", unlooking(url, orders)),
            ("the calls alone", calls_alone(url, orders)),
            ("httpx's client on the same transport", plain(url, orders, MachineTransport)),
            ("httpx's client on its own transport", plain(url, min(orders, 500), httpx.AsyncHTTPTransport)),
            ("one call after the other", one_by_one(url, 40)),
        ):
            figures = f"{rate:>8,.0f} a second   {rate / MOST:.2f} of what latency allows   {work * 1000:.2f} ms of work each"
            sys.stdout.write(f"{what:<50}{figures}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
