"""The merchant's receiver of webhooks in the world: the product's own door and inbox, without a network between.

It keeps what it was sent and what it answered, for the oracle. Its host and key are the provider's, as a merchant has them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from batch.ledger import Ledger
from batch.ledger.webhook_inbox import Arrival, store_webhooks
from batch.webhooks import MOST_BODY_BYTES, PATH, Door, Refused, signing_key
from jobs.databases import open_ledger
from schemas.errors import MitbatchError

if TYPE_CHECKING:
    from tests.world.world import World

HOST = "127.0.0.1:9"


@dataclass(frozen=True)
class Delivered:
    """One delivery: when it came, its headers and body, and what was answered."""

    at: datetime
    headers: dict[str, str]
    body: bytes
    answer: int


@dataclass
class Receiver:
    """Answers as `serve` does, on the world's clock."""

    world: "World"
    delivered: list[Delivered] = field(default_factory=list)
    _nonces: int = 0

    def register(self) -> None:
        """Let the provider tell everything from now on."""
        self.world.provider.webhooks.register_inline(f"http://{HOST}{PATH}", self.carry, self._nonce)

    def _nonce(self) -> str:
        self._nonces += 1
        return f"{self.world.seed:x}-{self._nonces}"

    def carry(self, headers: dict[str, str], body: bytes) -> tuple[int | None, str]:
        """Take one delivery."""
        now = self.world.clock.now()
        answer = self._answer(headers, body, now)
        self.delivered.append(Delivered(now, dict(headers), body, answer))
        return answer, ""

    def _answer(self, headers: dict[str, str], body: bytes, now: datetime) -> int:
        if len(body) > MOST_BODY_BYTES:
            return 413
        door = Door(signing_key(self.world.provider.webhooks.key), HOST)
        judged = door.judge(body, [(name.encode(), value.encode()) for name, value in headers.items()], now)
        if isinstance(judged, Refused):
            return 401
        settings = self.world.settings
        try:
            engine = open_ledger(settings.ledger.url, make_engine=self.world.ground.make_engine)
            ledger = Ledger(engine, mid=settings.provider.mid, clock=self.world.clock, lease_seconds=1)
            store_webhooks(ledger, [Arrival(judged.nonce, judged.sent_at, now, body)])
        except MitbatchError:
            return 503
        return 200
