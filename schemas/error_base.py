"""The roots of the error tree, one for each exit code that an error can end with; `schemas.errors` is the whole tree."""

from schemas.exit_codes import ExitCode
from schemas.plain_text import one_line


class MitbatchError(Exception):
    """Something that a person must be told, in four parts: what happened, how things stand, what to do next, where to look.

    `what` names the order or file; `now` says whether anything was sent; `next_step` is a command that exists;
    without one the code's own page is named.
    As text it is one line, whatever stood in the file or answer that it quotes.
    """

    code = "MB-INTERNAL"
    exit_code = ExitCode.INTERNAL
    now = ""
    next_step = ""

    def __init__(self, what: str, *, now: str | None = None, next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.now = self.now if now is None else now
        self.next_step = self.next_step if next_step is None else next_step

    def __str__(self) -> str:
        next_step = self.next_step or f"See: mitbatch explain {self.code}"
        return one_line(" ".join(part for part in (self.what, self.now, next_step, f"[{self.code}]") if part))


class UsageRefused(MitbatchError):
    """The command line asks for something that does not exist or cannot be meant. Nothing was done."""

    code = "MB-USAGE"
    exit_code = ExitCode.USAGE


class ConfigurationError(MitbatchError):
    """The settings or the machine are not fit to run. Correct what the sentence names; nothing was sent."""

    code = "MB-CONFIG"
    exit_code = ExitCode.CONFIGURATION
    now = "Nothing was sent."


class SafetyRefusal(MitbatchError):
    """Going on could mix environments or talk to the wrong server. Find out why before anything else; nothing was sent."""

    code = "MB-REFUSED"
    exit_code = ExitCode.REFUSED
    now = "Nothing was sent."


class AnotherRunActive(MitbatchError):
    """Another run holds the lease. Wait until it has ended; `mitbatch status` shows it. Nothing was done by this one."""

    code = "MB-LEASE-HELD"
    exit_code = ExitCode.ANOTHER_RUN
    next_step = "Wait until it has ended: mitbatch status shows it."


class NothingSent(MitbatchError):
    """Something outside could not be reached or said no. Orders keep their holds; running again is safe."""

    code = "MB-NOTHING-SENT"
    exit_code = ExitCode.NOTHING_SENT
    now = "Orders keep their holds."


class InternalError(MitbatchError):
    """A mistake in this program. The ledger is consistent; running again is safe. Report it with the run id.

    `trace` is the file that says where it happened, if one could be written.
    """

    code = "MB-INTERNAL"
    now = "The ledger is consistent."
    trace = ""
