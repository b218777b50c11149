"""News of outcomes as files in the outbound folder: what changed since the last file (CONTRACT 6.4)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from jobs.sandbox.brain import Brain
from jobs.sandbox.fates import outcome_word
from jobs.sandbox.journal import Journal
from jobs.sandbox.mailbox import Mailbox
from jobs.sandbox.moments import as_text


@dataclass
class OutcomeFiles:
    """Remember what has been told, and tell the rest when asked."""

    mid: str
    brain: Brain
    mailbox: Mailbox
    journal: Journal
    _told: dict[str, str] = field(default_factory=dict)
    _written: int = 0

    def reset(self) -> None:
        """Forget what has been told."""
        self._told.clear()

    def write(self, now: datetime) -> None:
        """Write one file with every order whose outcome is final and not told yet; no news, no file."""
        with self.brain.lock:
            rows = []
            for order in self.brain.orders():
                standing = self.brain.standing(order, now)
                word = outcome_word(standing.name, expired=standing.expired)
                if word is None or self._told.get(order.order_session_key) == word:
                    continue
                self._told[order.order_session_key] = word
                rows.append(
                    {
                        "orderSessionKey": order.order_session_key,
                        "orderId": order.order_id,
                        "status": word,
                        "timestampUtc": as_text(now),
                    }
                )
            if not rows:
                return
            self._written += 1
            stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
            name = f"outcomes_{self.mid[:8]}_{stamp}_{self._written}.json"
            document: dict[str, object] = {"mid": self.mid, "outcomes": rows}
            self.mailbox.outbox.send("outcomes", name, document, now, lambda told, at: self._written_down(told, at, len(rows)))

    def _written_down(self, name: str, now: datetime, rows: int) -> None:
        self.journal.record("outcomes_written", now, file=name, rows=rows)
