"""A house whose `serve` answers, in this process on the house's clock, or in a process of its own on the machine's."""

import http.client
import io
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from batch.webhooks import PATH
from jobs.serve.server import Server
from tests.night.house import House
from tests.ports import kept_port
from tests.webhooks.signing import Delivery, signed


@dataclass
class Reached:
    """A server that can be called."""

    house: House
    port: int
    log: io.StringIO = field(default_factory=io.StringIO)

    @property
    def host(self) -> str:
        """The host that the provider signs for."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address that the provider is told."""
        return f"http://{self.host}{PATH}"

    @property
    def key(self) -> str:
        """The subscriber key."""
        return self.house.sandbox.subscriber_key_path.read_text()

    def signed(self, body: bytes, nonce: str, **changed: Any) -> Delivery:  # noqa: ANN401 - what `signed` takes
        """A delivery that this server believes, unless something of it is changed."""
        usual: dict[str, Any] = {"nonce": nonce, "date": self.house.clock.now(), "host": self.host, "key": self.key}
        return signed(body, **(usual | changed))

    def post(self, delivery: Delivery, path: str = PATH) -> tuple[int, bytes]:
        """Send it, and what is answered."""
        return self.call("POST", path, delivery.body, delivery.headers)

    def call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, path: str) -> tuple[int, Any]:
        """A question that is answered in JSON."""
        status, said = self.call("GET", path)
        return status, json.loads(said)

    def kept(self) -> list[tuple[str, bytes]]:
        """Nonce and content of every webhook that is in the ledger."""
        return [(row["nonce"], row["content"]) for row in self.house.ledger("SELECT nonce, content FROM webhook ORDER BY rowid")]


@contextmanager
def served(house: House) -> Iterator[Reached]:
    """`serve` in this process."""
    house._have_ledger()
    with kept_port() as port:
        house.set(webhook={"listen": f"127.0.0.1:{port}", "public_host": f"127.0.0.1:{port}"})
        reached = Reached(house, port)
        with Server(house.settings, house.clock, reached.log):
            yield reached


@contextmanager
def started(house: House, **environment: str) -> Iterator[tuple[Reached, "subprocess.Popen[str]"]]:
    """`mitbatch serve` in a process of its own, which is killed at the end if it still lives."""
    with kept_port() as port:
        reached = Reached(house, port)
        settings = {"MITBATCH_WEBHOOK__LISTEN": reached.host, "MITBATCH_WEBHOOK__PUBLIC_HOST": reached.host}
        with subprocess.Popen(
            house.command("serve"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **settings, **environment},
        ) as process:
            try:
                assert process.stdout is not None
                assert any("Ctrl-C" in line for line in process.stdout)
                yield reached, process
            finally:
                process.kill()
