"""A real ledger with a provider's folder in memory that answers each step as it is told: for branches no wire reaches at will."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from batch.delivery import Delivery
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Batch
from batch.ledger.batches import batch_by_id
from batch.ledger.moves import Move, move_orders
from batch.sftp import ProviderFolder
from schemas.errors import MitbatchError
from schemas.states import State
from tests.ledger.room import MID, Room
from tests.pure.samples import decline_codes, network_rules, profile, settings


@dataclass
class Folder:
    """An inbound folder. `trouble` names, by step, what is raised instead of it; `before` what happens before it."""

    files: dict[str, bytes] = field(default_factory=dict)
    trouble: dict[str, list[MitbatchError]] = field(default_factory=lambda: defaultdict(list))
    before: dict[str, Callable[[], None]] = field(default_factory=dict)

    def _meet(self, step: str) -> None:
        self.before.pop(step, lambda: None)()
        if self.trouble[step]:
            raise self.trouble[step].pop(0)

    def write_part(self, name: str, content: bytes) -> None:
        """Write a new part."""
        self._meet("write_part")
        self.files[name] = content

    def rewrite_part(self, name: str, content: bytes, on_proof: Callable[[], None]) -> None:
        """Replace a part's content under the proof."""
        self._meet("rewrite_part")
        on_proof()
        self.files[name] = content

    def size_of(self, name: str) -> int | None:
        """The size of a file, or that it is not there."""
        self._meet("size_of")
        return len(self.files[name]) if name in self.files else None

    def publish(self, part: str, name: str) -> None:
        """Rename the part."""
        self._meet("publish")
        self.files[name] = self.files.pop(part)

    def sha256_of(self, name: str, limit: int) -> str | None:
        """The digest of a file."""
        self._meet("sha256_of")
        content = self.files.get(name)
        return hashlib.sha256(content[:limit]).hexdigest() if content is not None else None


class _Api:
    def __init__(self) -> None:
        self._minted = 0

    def fresh_token(self) -> str:
        """A token that was never given before."""
        self._minted += 1
        return f"token {self._minted}"


class _Export:
    def write(self, *_: object) -> Path:
        """Keep nothing."""
        return Path()


class _Marks:
    def mark(self, *_: object) -> None:
        """Mark nothing."""


class _Progress:
    def stage(self, name: str, total: int | None = None) -> None:
        """Nobody watches."""

    def advance(self, steps: int = 1) -> None:
        """Nobody watches."""

    def trouble(self, sentence: str) -> None:
        """Nobody watches."""


class _Rows:
    """The order system: every row bears our hold."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def written(self, order_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What the rows show."""
        shown = {}
        for order_id in order_ids:
            claim = self._room.submission(order_id)
            shown[order_id] = {"hold_reference": claim.hold_reference, "status": "pending", "retry_state": ""}
            shown[order_id] |= {"amount_minor": str(claim.amount_minor), "currency": claim.currency}
        return shown


class Desk:
    """One run of deliveries over a real ledger."""

    def __init__(self, room: Room, **sections: dict[str, object]) -> None:
        self.room = room
        self.folder = Folder()
        self.findings = Findings()

        def one_after_another(work: Callable[[Batch], None], batches: Iterable[Batch]) -> None:
            for batch in batches:
                work(batch)

        unused = cast("Any", None)
        self.equipment = Equipment(
            settings=settings(**sections),
            profile=profile(),
            network_rules=network_rules(),
            decline_codes=decline_codes(),
            ledger=room.ledger,
            source=cast("Any", _Rows(room)),
            writer=unused,
            folder=cast("ProviderFolder", self.folder),
            api=cast("Any", _Api()),
            sends=unused,
            export=cast("Any", _Export()),
            departures=cast("Any", _Marks()),
            clock=room.clock,
            new_batch_id=unused,
            scrub_key=b"",
            side_by_side=one_after_another,
            progress=_Progress(),
        )

    def held(self, batch_id: str, *order_ids: str) -> Batch:
        """A file whose orders are held and not sent."""
        batch = self.room.claim(batch_id, *order_ids)
        self.move(State.HELD, *order_ids)
        return batch

    def move(self, to: State, *order_ids: str, **changes: object) -> None:
        """Move orders on."""
        moves = [Move(self.room.submission(each), to, "send", "so", changes=changes) for each in order_ids]
        with self.room.ledger.writing(self.room.run) as writing:
            move_orders(writing, moves)

    def deliver(self, *batches: Batch) -> list[str]:
        """Deliver, in a run of its own; returns what was found, by its codes."""
        self.findings = Findings()
        Delivery(self.equipment, self.room.run, self.findings).deliver(batches)
        return [problem.code for problem in self.findings.problems]

    def batch(self, batch_id: str) -> Batch:
        """A file as the ledger has it."""
        with self.room.ledger.reading() as connection:
            found = batch_by_id(connection, MID, batch_id)
        assert found is not None
        return found

    def states(self, *order_ids: str) -> list[str]:
        """Where orders stand."""
        return [self.room.submission(each).state.value for each in order_ids]
