"""A mistake of our own in a round: its trace lies in the merchant's own log, not in the scratch folder that goes at the end."""

from pathlib import Path
from secrets import token_hex

from batch.disk import Disk
from jobs.trace_log import write_trace
from schemas.errors import InternalError

_NEXT = "Report it, then run the same command again."


def mistake_of(error: Exception, folder: Path, disk: Disk) -> InternalError:
    """An internal error outside any run, and its trace."""
    try:
        trace = str(write_trace(disk, folder, token_hex(4), error))
        where = f"the trace is in {trace}"
    except OSError as refusal:
        trace, where = "", f"its trace could not be written ({refusal.strerror or refusal})"
    problem = InternalError(f"An internal error ({type(error).__name__}) broke this off; {where}.", next_step=_NEXT)
    problem.trace = trace
    return problem


def kept_mistake(problem: InternalError, folder: Path, disk: Disk) -> InternalError:
    """The internal error of a run, its trace copied to this folder; one without a trace stays as it is."""
    content = disk.read(Path(problem.trace)) if problem.trace else None
    if content is None:
        return problem
    path = folder / Path(problem.trace).name
    try:
        disk.make_folder(folder, 0o700)
        file = disk.create(path, 0o600)
        file.write(content)
        file.close()
    except OSError as refusal:
        return InternalError(f"{problem.what} It could not be kept ({refusal.strerror or refusal}).", next_step=_NEXT)
    kept = InternalError(problem.what.replace(problem.trace, str(path)), now=problem.now, next_step=problem.next_step)
    kept.trace = str(path)
    return kept
