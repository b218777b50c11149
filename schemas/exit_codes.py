"""The exit codes: what each means, and which one wins when several hold. All of it is public."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell is told. 0 means clean and nothing else; 1 never happens; treat an unknown code as failure."""

    CLEAN = 0
    USAGE = 2
    NEEDS_PERSON = 10
    IN_DOUBT = 11
    NOTHING_SENT = 20
    ANOTHER_RUN = 21
    REFUSED = 30
    INTERNAL = 70
    CONFIGURATION = 78
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_MEANINGS: dict[ExitCode, str] = {
    ExitCode.CLEAN: "clean",
    ExitCode.USAGE: "usage: the command line is wrong; nothing was done",
    ExitCode.NEEDS_PERSON: "done; new or overdue items need a person",
    ExitCode.IN_DOUBT: "done as far as possible; it is not known whether some orders were sent; they stay held",
    ExitCode.NOTHING_SENT: "nothing was sent; safe to run again",
    ExitCode.ANOTHER_RUN: "another run is active",
    ExitCode.REFUSED: "refused by a safety check (host key, environment, ledger identity), or: must not charge",
    ExitCode.INTERNAL: "internal error; the ledger is consistent, safe to run again",
    ExitCode.CONFIGURATION: "the settings or the machine are not fit; nothing was sent",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C); safe to run again",
    ExitCode.TERMINATED: "terminated (SIGTERM); safe to run again",
}
"""One sentence for each code, printed by `mitbatch help exit-codes` and by the last line of each run."""

PRECEDENCE = (
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.CONFIGURATION,
    ExitCode.REFUSED,
    ExitCode.USAGE,
    ExitCode.ANOTHER_RUN,
    ExitCode.IN_DOUBT,
    ExitCode.NEEDS_PERSON,
    ExitCode.NOTHING_SENT,
    ExitCode.CLEAN,
)
"""Which code wins when several hold. A run meets a usage error only where what a person named has gone since they looked."""
