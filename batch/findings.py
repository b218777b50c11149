"""What a run met on its way: problems, deliveries, refusals. The exit code is a function of this and of the ledger."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from schemas.errors import PRECEDENCE, AnotherRunActive, ExitCode, InternalError, MitbatchError, NothingSent, Stopped


@dataclass(slots=True)
class Findings:
    """Collected while a run goes on; each problem once, in the order in which it came.

    `asked` are the files that this run has asked the server to rename; `perhaps_sent` those of them whose part was not seen
    since, so that they may have arrived. `withheld` are the ids of those not renamed because something is switched off.
    `called` counts calls of this run that the provider answered for their order, `doubtful` those whose end nobody can tell,
    `uncalled` what had still to be called when the run left it.
    """

    problems: list[MitbatchError] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    not_repeated: list[str] = field(default_factory=list)
    perhaps_sent: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)
    left_unwritten: bool = False
    called: int = 0
    doubtful: int = 0
    uncalled: int = 0
    tell: Callable[[str], object] = field(default=str, compare=False)

    def add(self, problem: MitbatchError) -> None:
        """Remember a problem, and tell it to whoever watches, unless the very same sentence was remembered before."""
        if str(problem) not in {str(known) for known in self.problems}:
            self.problems.append(problem)
            self.tell(str(problem))


def attempt(findings: Findings, step: Callable[[], object]) -> None:
    """Do one step; a problem outside is remembered and the run goes on, one of our own ends it."""
    try:
        step()
    except (AnotherRunActive, Stopped, InternalError):
        raise
    except MitbatchError as problem:
        findings.add(problem)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger shows at the end of a run: orders in doubt, and items that are new or overdue."""

    in_doubt: int
    new_items: int
    overdue_items: int


def exit_code(findings: Findings, standing: Standing) -> ExitCode:
    """The one code that says it all: the gravest of everything that holds (README, "Exit codes").

    "Nothing sent" is only said when nothing can have arrived by this run and no result waits to be written; otherwise a
    person must know.
    """
    sent = findings.delivered or findings.perhaps_sent or findings.called or findings.doubtful
    needs_person = bool(sent) or findings.left_unwritten
    codes = {ExitCode.CLEAN, *_codes(findings.problems, needs_person=needs_person)}
    if standing.in_doubt:
        codes.add(ExitCode.IN_DOUBT)
    if standing.new_items or standing.overdue_items:
        codes.add(ExitCode.NEEDS_PERSON)
    return gravest(codes)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that wins when several hold."""
    return min(codes, key=PRECEDENCE.index)


def _codes(problems: Sequence[MitbatchError], *, needs_person: bool) -> set[ExitCode]:
    return {
        ExitCode.NEEDS_PERSON if needs_person and isinstance(problem, NothingSent) else problem.exit_code for problem in problems
    }
