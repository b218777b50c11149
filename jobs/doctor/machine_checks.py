"""The groups `disk` and `clock`: this machine."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from batch.ledger.reading import last_runs
from batch.pace import business_date, from_utc_text
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, failed, good, skipped, warned
from schemas.errors import ClockWrong, DiskUnfit, MitbatchError

LEAST_BYTES, FEW_BYTES = 256 << 20, 1 << 30
SLOW_SECONDS = 1.0
BACKWARDS = timedelta(seconds=5)


def look_at_disk(round_: Examination) -> Iterator[Finding]:
    """Where the ledger and finance's files lie: rights, room, and whether what is synced is synced in good time."""
    wanted = round_.settings.data_dir
    folder = next(path for path in (wanted, *wanted.parents) if path.is_dir())
    is_made = folder == wanted
    mode = stat.S_IMODE(folder.stat().st_mode)
    where = str(wanted) if is_made else f"{wanted} (will be made in {folder})"
    if is_made and mode & 0o022:
        problem = DiskUnfit(f"Others can write in {folder}.", next_step=f"Run: chmod go-w {folder}")
        yield failed("data_dir", f"{where}, mode {mode:04o}", problem)
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield failed("data_dir", where, DiskUnfit(f"{folder} cannot be written.", next_step=f"Run: chmod u+rwx {folder}"))
        return
    else:
        yield good("data_dir", f"{where}, mode {mode:04o}" if is_made else where)
    yield _room(folder)
    yield _sync(folder)


def _room(folder: Path) -> Finding:
    free, names = shutil.disk_usage(folder).free, os.statvfs(folder)
    measured = f"{free / (1 << 30):,.1f} GiB free"
    if names.f_files and not names.f_favail:
        return failed("room", measured, DiskUnfit("The file system has no room for another file.", next_step="Free the disk."))
    if free >= FEW_BYTES:
        return good("room", measured)
    problem = DiskUnfit(f"The disk of {folder} is nearly full ({measured}).", next_step="Free the disk, or move data_dir.")
    return (failed if free < LEAST_BYTES else warned)("room", measured, problem)


def _sync(folder: Path) -> Finding:
    """A file without a name is written and synced: nothing of it is left, whatever happens."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"mitbatch doctor\n" * 256)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            seconds = time.perf_counter() - began
    except OSError as error:
        words = f"A file in {folder} could not be written and synced ({error.strerror})."
        return failed("sync", str(folder), DiskUnfit(words, next_step="Correct the rights of data_dir, or free the disk."))
    measured = f"fsync took {seconds * 1000:,.1f} ms"
    if seconds <= SLOW_SECONDS:
        return good("sync", measured)
    return warned("sync", measured, DiskUnfit("The disk syncs very slowly.", next_step="Move data_dir to a local disk."))


def look_at_clock(round_: Examination) -> Iterator[Finding]:
    """The time here, the business date that it gives, and that it lies after everything in the ledger."""
    now, zone = round_.clock.now(), round_.settings.schedule.timezone
    local = now.astimezone(ZoneInfo(zone))
    yield good("time", f"{now:%Y-%m-%dT%H:%M:%SZ}, {local:%H:%M %Z} in {zone}: business date {business_date(now, zone)}")
    latest = max((begun_at(run) for run in runs_of(round_).values()), default=None)
    if latest is None:
        yield skipped("ledger time", "no run yet to compare the clock with")
    elif latest > now + BACKWARDS:
        problem = ClockWrong(
            f"The ledger's last run began at {latest:%Y-%m-%dT%H:%M:%SZ}, which is yet to come: the clock was set back.",
            next_step="Let NTP set it: timedatectl set-ntp true",
        )
        yield failed("ledger time", f"{now:%Y-%m-%dT%H:%M:%SZ}", problem)
    else:
        yield good("ledger time", "after everything that the ledger has seen")


def begun_at(run: dict[str, Any]) -> datetime:
    """When a run began."""
    return from_utc_text(run["started_at"])


def runs_of(round_: Examination) -> dict[str, dict[str, Any]]:
    """The last run of each job; none where the ledger cannot be read, which is its own group's to say."""
    with suppress(MitbatchError), round_.ledger() as ledger:
        if ledger is not None:
            with ledger.reading() as connection:
                return last_runs(connection, ledger.mid)
    return {}
