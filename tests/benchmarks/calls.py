"""Orders handed over by calls, 64 at a time, to a server that takes 50 ms for each: what latency allows is the limit."""

import asyncio
import time

import httpx

from batch.api_line import AT_A_TIME
from tests.benchmarks.figures import Cost, Figure, Goal
from tests.call_speed.__main__ import BODY, MOST, calls_alone, one_by_one, plain, server, whole_way

PART = "calls"
LIMIT, OURS, ALONE = "64 at a time, 50 ms each: the limit", "ours: intent, mark, call, answer, ledger", "ours: the calls alone"
HTTPX, GATED = "httpx.AsyncClient as it comes, at most 64 lines", "httpx.AsyncClient behind a gate of 64"
ONE = "httpx.Client, one after the other"
SLOW_CALLS = {HTTPX: 2000, GATED: 500, ONE: 40}
"""So many calls the slow ways are measured with; each costs the same."""


def calls(orders: int) -> list[Figure]:
    """The limit, ours, and the simple ways."""
    slow = {what: min(orders, count) for what, count in SLOW_CALLS.items()}
    with server() as url:
        rates = {
            OURS: (orders, whole_way(url, orders)),
            ALONE: (orders, calls_alone(url, orders)),
            HTTPX: (slow[HTTPX], all_at_once(url, slow[HTTPX])),
            GATED: (slow[GATED], plain(url, slow[GATED], httpx.AsyncHTTPTransport)),
            ONE: (slow[ONE], one_by_one(url, slow[ONE])),
        }
    found = [Figure(PART, LIMIT, Cost(orders / MOST), orders, "calls")]
    for what, (count, (rate, work)) in rates.items():
        found.append(Figure(PART, what, Cost(count / rate, work * count), count, "calls", 1, f"{rate / MOST:.2f} of the limit"))
    return found


def all_at_once(url: str, count: int) -> tuple[float, float]:
    """Calls a second where a script starts them all, and leaves it to the client to have at most 64 lines open."""

    async def work() -> tuple[float, float]:
        limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=AT_A_TIME)
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=600) as client:
            began, worked = time.perf_counter(), time.process_time()
            await asyncio.gather(*(client.post("evaluate", content=BODY) for _ in range(count)))
            return count / (time.perf_counter() - began), (time.process_time() - worked) / count

    return asyncio.run(work())


def goals(figures: list[Figure]) -> list[Goal]:
    """The shares that the mission asks for."""
    rate = {each.what: each.rate for each in figures}
    return [
        Goal(PART, "of the limit", rate[OURS] / rate[LIMIT], 0.75),
        Goal(PART, f"beside {HTTPX}", rate[OURS] / rate[HTTPX], 10),
    ]
