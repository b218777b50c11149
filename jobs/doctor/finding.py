"""What one look has found: its mark, what was measured, and below a warning or a failure why, and what to do."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.errors import ExitCode, MitbatchError


class Mark(StrEnum):
    """How a look ended. `skip` says that it was not made, and why."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Group(StrEnum):
    """The groups that a command line can name, in the order in which they are looked at."""

    CONFIG = "config"
    SECRETS = "secrets"
    DATABASE = "database"
    LEDGER = "ledger"
    SFTP = "sftp"
    API = "api"
    WEBHOOK = "webhook"
    DISK = "disk"
    CLOCK = "clock"
    SCHEDULE = "schedule"
    PING = "ping"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, with the measured value. `problem` is there for a warning and a failure."""

    look: str
    mark: Mark
    measured: str
    problem: MitbatchError | None = None

    @property
    def is_about_identity(self) -> bool:
        """Whether it is a failure of the kind that means another server, environment or ledger than the one that was meant."""
        return self.mark is Mark.FAIL and self.problem is not None and self.problem.exit_code is ExitCode.REFUSED


def good(look: str, measured: str) -> Finding:
    """What was looked at is as it must be."""
    return Finding(look, Mark.OK, measured)


def skipped(look: str, why: str) -> Finding:
    """What was not looked at, and why that says nothing against it."""
    return Finding(look, Mark.SKIP, why)


def warned(look: str, measured: str, problem: MitbatchError) -> Finding:
    """The night would work, and a person should do something all the same."""
    return Finding(look, Mark.WARN, measured, problem)


def failed(look: str, measured: str, problem: MitbatchError) -> Finding:
    """The night would be refused, or would do harm."""
    return Finding(look, Mark.FAIL, measured, problem)
