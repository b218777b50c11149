"""What a run works with: the edges, ready-made, and the settings. Only `jobs` puts it together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from batch.departures import Departures
from batch.export import ExportFolder
from batch.ledger import Batch, Ledger
from batch.source import OrderSource
from batch.writeback import OrderWriter
from schemas.settings import Settings

if TYPE_CHECKING:  # commands that only look at the ledger start without what a run needs
    from batch.api_sends import ProviderSends
    from batch.provider_reads import ProviderReads
    from batch.sftp import ProviderFolder
    from schemas.decline_codes import DeclineCodes
    from schemas.network_rules import NetworkRules
    from schemas.profile import Profile


class Clock(Protocol):
    """Time, as a run is given it."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Progress(Protocol):
    """Whoever watches: told what is being done, and how far it has got. Nothing depends on it."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins."""
        ...

    def advance(self, steps: int = 1) -> None:
        """So many more are done."""
        ...

    def trouble(self, sentence: str) -> None:
        """A problem was met; whoever watches is told at once."""
        ...


SideBySide = Callable[[Callable[[Batch], None], Sequence[Batch]], None]
"""Runs one function for several batches at a time, and returns when all are done; what it raises first is raised."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """Everything that a flow may touch. Tests hand in the same edges on other clocks, folders and servers."""

    settings: Settings
    profile: "Profile"
    network_rules: "NetworkRules"
    decline_codes: "DeclineCodes"
    ledger: Ledger
    source: OrderSource
    writer: OrderWriter
    folder: "ProviderFolder"
    api: "ProviderReads"
    sends: "ProviderSends"
    export: ExportFolder
    departures: Departures
    clock: Clock
    new_batch_id: Callable[[], str]
    scrub_key: bytes
    side_by_side: SideBySide
    progress: Progress
