"""What every look is given: the settings, the way outside, and what the command line asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from batch.equipment import Clock
from batch.ledger import Ledger
from jobs.assembly import api_url, load_profile
from jobs.databases import look_at_ledger
from jobs.doctor.finding import Group
from jobs.surroundings import Surroundings
from schemas.settings import Settings

if TYPE_CHECKING:
    from batch.sftp_connection import SftpAccess


@dataclass(slots=True)
class Examination:
    """One doctor's round. `groups` are those that are looked at; `is_offline` lets nothing leave the machine.

    `may_probe` allows the probe file in production; `shows_key` prints the host key that the server shows. `access` is what
    the look at the keys leaves for the look at the server.
    """

    config: Path
    settings: Settings
    around: Surroundings
    groups: tuple[Group, ...] = tuple(Group)
    is_offline: bool = False
    may_probe: bool = False
    shows_key: bool = False
    access: "SftpAccess | None" = None
    shown_keys: list[str] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """The machine's clock, or the one of a test."""
        return self.around.clock

    @property
    def api_url(self) -> str:
        """The provider's API. Raises PathMissing, ConfigurationError when the profile is of no use."""
        return api_url(self.settings, load_profile(self.settings))

    def looks_at(self, group: Group) -> bool:
        """Whether a group is part of this round, so that what it finds need not be said twice."""
        return group in self.groups

    @contextmanager
    def ledger(self) -> Iterator[Ledger | None]:
        """The ledger as it lies there, which nothing here can change; None while there is none."""
        engine = look_at_ledger(self.settings.ledger.url, make_engine=self.around.make_engine)
        if engine is None:
            yield None
            return
        try:
            yield Ledger(engine, mid=self.settings.provider.mid, clock=self.clock, lease_seconds=self.settings.lease.seconds)
        finally:
            engine.dispose()
