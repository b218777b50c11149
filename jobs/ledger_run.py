"""A short run under the lease that only changes the ledger itself; finance's files of the date follow."""

from collections.abc import Iterator
from contextlib import contextmanager

from batch.audit import AuditFolder
from batch.bookkeeping import Bookkeeping, Turn
from batch.ledger import Ledger, Run
from batch.ledger.lease import LeaseTerms, end_run, take_lease
from batch.ledger.reading import cut_off_dates
from batch.ledger_history import LedgerHistory
from batch.pace import business_date
from jobs.surroundings import Surroundings
from schemas.errors import ExitCode, FileNotWritten, MitbatchError
from schemas.settings import Settings


@contextmanager
def ledger_run(ledger: Ledger, settings: Settings, around: Surroundings, job: str) -> Iterator[Run]:
    """A run of its own under the lease. Whatever the block does, finance's files of the date follow, and the run ends.

    Cut off in between, the run stays without an end: the next one takes the lease over and writes those files.
    """
    run = take_lease(
        ledger,
        run_id=around.new_run_id(),
        job=job,
        business_date=business_date(around.clock.now(), settings.schedule.timezone),
        owner=around.this_process(),
        terms=LeaseTerms(settings.lease.seconds, settings.lease.wait_seconds),
        is_alive=around.is_alive,
        sleep=around.clock.sleep,
    )
    try:
        yield run
    except MitbatchError as problem:
        end_run(ledger, run, problem.exit_code)
        raise
    try:
        _write_books(ledger, settings, around, run)
    except OSError as error:
        end_run(ledger, run, ExitCode.NOTHING_SENT, left_books=False)
        words = f"Finance's files could not be written ({error.strerror or error})."
        raise FileNotWritten(words, now="What was asked for is done.") from error
    end_run(ledger, run, ExitCode.CLEAN)


def _write_books(ledger: Ledger, settings: Settings, around: Surroundings, run: Run) -> None:
    def still_ours() -> None:
        with ledger.writing(run, last=True):
            pass

    with ledger.reading() as connection:
        cut_off = cut_off_dates(connection, ledger.mid, run.token)
    folder = AuditFolder(settings.data_dir / "audit", around.disk)
    books = Bookkeeping(history=LedgerHistory(ledger.reading, ledger.mid), folder=folder, settings=settings)
    books.write_from(Turn(run.run_id, still_ours), run.business_date, *cut_off)
