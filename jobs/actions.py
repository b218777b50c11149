"""Running what people ask of the provider for single orders: under the lease, with finance's files, one result for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from batch.asking import Asked
from batch.equipment import Clock, Equipment
from batch.findings import Findings, Standing, attempt, exit_code, gravest
from batch.ledger import Run
from batch.outstanding import note_outstanding
from batch.pace import business_date
from batch.purposes import close_reached
from batch.results import write_back
from jobs.assembly import assemble
from jobs.output import Options
from jobs.running import RunReport, run_job
from jobs.surroundings import Surroundings, of_this_machine
from jobs.watching import watched
from schemas.errors import AnotherRunActive, ExitCode, InternalError, MitbatchError, Stopped, UsageRefused
from schemas.operations import OperationKind
from schemas.settings import Settings

Make = Callable[[Equipment, Run], Asked]


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a command: the order that it is about, and how it is made; or why it cannot be made at all."""

    order_id: str
    make: Make | None
    problem: MitbatchError | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request: what the ledger says of it, and the problem, if there is one."""

    order_id: str
    asked: Asked | None
    problem: MitbatchError | None

    @property
    def code(self) -> ExitCode:
        """The exit code of this request alone."""
        return ExitCode.CLEAN if self.problem is None else self.problem.exit_code


def run_requests(
    settings: Settings,
    options: Options,
    kind: OperationKind,
    requests: Sequence[Request],
    *,
    clock: Clock,
    surroundings: Surroundings | None = None,
) -> tuple[RunReport, list[Result]]:
    """Make every request, one after the other, and write the results to the order rows; one that fails stops no other.

    Raises AnotherRunActive when another run holds the lease: then nothing was done.
    """
    around, results = surroundings or of_this_machine(clock), list[Result]()

    def work(equipment: Equipment, run: Run, findings: Findings) -> None:
        try:
            for request in requests:
                results.append(_made(request, equipment, run))
        finally:
            for result in results:
                if result.problem is not None and not isinstance(result.problem, UsageRefused):
                    findings.add(result.problem)
        attempt(findings, lambda: close_reached(equipment, run))
        attempt(findings, lambda: write_back(equipment, run))
        attempt(findings, lambda: note_outstanding(equipment, run, findings))

    today = business_date(clock.now(), settings.schedule.timezone)
    with (
        around.stop.listening(),
        watched(options, clock, settings.progress_interval_seconds) as progress,
        assemble(settings, around, progress=progress) as workshop,
    ):
        report = run_job(workshop, kind.value, today, work, lambda findings, standing: _code(findings, standing, results))
    return report, results


def _made(request: Request, equipment: Equipment, run: Run) -> Result:
    if request.make is None:
        return Result(request.order_id, None, request.problem)
    try:
        asked = request.make(equipment, run)
    except (AnotherRunActive, Stopped, InternalError):
        raise
    except MitbatchError as problem:
        return Result(request.order_id, None, problem)
    return Result(request.order_id, asked, asked.problem)


def _code(findings: Findings, standing: Standing, results: Sequence[Result]) -> ExitCode:
    """The gravest of this command's own results; what else stands open in the ledger is the next poll's to say.

    A row that is wrong is usage only where nothing at all was asked for; beside others that were, a person must mend it.
    """
    codes = [result.code for result in results]
    if codes and set(codes) == {ExitCode.USAGE} and not findings.problems:
        return ExitCode.USAGE
    mended = [ExitCode.NEEDS_PERSON if code is ExitCode.USAGE else code for code in codes]
    return gravest([exit_code(findings, Standing(0, standing.new_items, 0)), *mended])
