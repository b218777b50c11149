"""A rehearsal: a run over a copy of the ledger, in a folder of its own that is gone when it has ended.

The run is the real one, so that what it tells is what the real one would tell. The ledger, its lease, finance's files, the
marks, the metrics and the log stay as they are; a run that is at work beside it is neither waited for nor disturbed. What it
asks of the order system and the provider must be questions alone: that is for the run to know.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert, select, update

from batch.departures import Departures
from batch.ledger import Ledger
from jobs.assembly import check_departures, open_ledger_alone
from jobs.databases import open_ledger
from jobs.surroundings import Surroundings, no_log
from schemas.errors import FileNotWritten
from schemas.ledger_tables import lease, metadata
from schemas.settings import Settings

_ROWS = 1000


@contextmanager
def rehearsal(settings: Settings, around: Surroundings) -> Iterator[tuple[Settings, Surroundings]]:
    """Settings and surroundings of a copy, for one run. Raises LedgerBehind as the real run would."""
    try:
        # beside the ledger, where what it holds may lie; elsewhere only before the first run, when it holds nothing
        apart = tempfile.TemporaryDirectory(
            prefix="rehearsal-", dir=settings.data_dir if settings.data_dir.is_dir() else None, ignore_cleanup_errors=True
        )
    except OSError as error:
        raise FileNotWritten(f"No copy of the ledger could be made ({error.strerror or error}).") from error
    with apart as folder:
        copy = settings.model_copy(
            update={
                "data_dir": Path(folder),
                "ledger": settings.ledger.model_copy(update={"url": f"sqlite:///{Path(folder) / 'ledger.db'}"}),
            }
        )
        with open_ledger_alone(settings, clock=around.clock, make_engine=around.make_engine) as ledger:
            check_departures(ledger, Departures(settings.data_dir / "sent", around.disk))
            _copy(ledger, copy, around)
        yield copy, replace(around, event_log=no_log, page=None)


def _copy(ledger: Ledger, settings: Settings, around: Surroundings) -> None:
    """Every row of one moment, but for who has the lease: the copy has nobody else at work."""
    engine = open_ledger(settings.ledger.url)
    made = Ledger(engine, mid=ledger.mid, clock=around.clock, lease_seconds=settings.lease.seconds)
    try:
        with ledger.reading() as there, made.unguarded() as here:
            for table in metadata.sorted_tables:
                rows = there.execute(select(table).execution_options(yield_per=_ROWS))
                for part in rows.mappings().partitions(_ROWS):
                    here.execute(insert(table), [dict(row) for row in part])
            here.execute(update(lease).values(run_id=None, wanted_by=None))
    finally:
        engine.dispose()
