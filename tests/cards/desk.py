"""A merchant with untokenized orders, a provider behind TLS, and a pipe on which cards come."""

import contextlib
import dataclasses
import json
import os
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from httpx_aiohttp import AiohttpTransport

from jobs.output import Options
from jobs.surroundings import of_this_machine
from jobs.tokenize import run_tokenize
from tests.night.house import House

SUCCESS, CHALLENGE, DECLINED = "4000002760003184", "4111111111111111", "4000300011112220"
"""The provider's published test cards (CONTRACT 15)."""

CANARY, CANARY_CODE = "5555555555554444", "9182"
"""A card that is none of them, and a security code that stands nowhere else."""


def card(order_id: str = "000471", number: str = SUCCESS, **changed: object) -> dict[str, object]:
    """One line for an order."""
    fields = {"month": "09", "year": 2030, "first_name": "Ada", "last_name": "Byron"}
    return {"order_id": order_id, "number": number, **fields, **changed}


def line(order_id: str = "000471", number: str = SUCCESS, **changed: object) -> bytes:
    """One line as it travels."""
    return json.dumps(card(order_id, number) | changed).encode() + b"\n"


@contextmanager
def piped(content: bytes) -> Iterator[int]:
    """A pipe from which this can be read, fed by a thread of its own."""
    out, into = os.pipe()

    def feed() -> None:
        with os.fdopen(into, "wb", buffering=0) as file, contextlib.suppress(BrokenPipeError):
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield out
    finally:
        os.close(out)
        feeder.join()


def tokenize(house: House, lines: Sequence[bytes], *, replaces: bool = False, dry_run: bool = False, json: bool = True) -> int:
    """Run the command in this process on a pipe with these lines, over the house's TLS, and return its exit code."""
    authority = house.sandbox.authority_path
    trusted = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
    around = dataclasses.replace(
        of_this_machine(house.clock), http_transport=lambda: AiohttpTransport(verify=trusted, trust_env=False)
    )
    options = Options(config=house.config, json=json)
    with piped(b"".join(lines)) as descriptor:
        return run_tokenize(options, replaces=replaces, is_dry_run=dry_run, surroundings=around, descriptor=descriptor)
