"""Campaigns that only the tests of the command know: good ones, and one for each way to go wrong."""

import os
import time

from tests.long.campaign import Campaign
from tests.long.parts import Amount, Part

A_DAY = 86_400.0
"""What each says of its own time, which nobody takes its word for."""


def good(size: int, seed: int) -> Campaign:
    """All went well."""
    return Campaign("T1", "invented", {"things": size, "things: big": 1, "seed seen": seed}, (), A_DAY, ("calm",))


def violated(size: int, seed: int) -> Campaign:
    """A promise was broken."""
    return Campaign("T1", "invented", {"things": size}, (f"I2: twice [again: {seed}]",), A_DAY)


def too_few(size: int, seed: int) -> Campaign:
    """Fewer things than were asked for."""
    return Campaign("T1", "invented", {"things": size - 1, "seed seen": seed}, (), A_DAY)


def halving(size: int, seed: int) -> Campaign:
    """Of its things so many as the seed says are killed, and the others are named."""
    alive = tuple(f"alive: {seed}.{number}" for number in range(size - seed))
    return Campaign("T1", "invented", {"things": size, "killed": min(size, seed)}, (), A_DAY, alive)


def failing(size: int, seed: int) -> Campaign:
    """An error in the campaign itself."""
    message = f"the campaign has a bug at {size} {seed}"
    raise LookupError(message)


def dying(size: int, seed: int) -> Campaign:
    """An end without a word."""
    os._exit(3 + 0 * size * seed)


def endless(size: int, seed: int) -> Campaign:
    """Never ready."""
    time.sleep(600 + size + seed)
    return good(size, seed)


def part(function: str, name: str = "T1") -> Part:
    """A part that runs one of these campaigns, with ten things in CI and twenty at length."""
    size = Amount(10, 20)
    return Part(name, function, f"tests.long.invented:{function}", size, {"things": size})
