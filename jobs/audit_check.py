"""`mitbatch audit verify`: finance's files and the ledger, read again and compared; none of them is written."""

import os
import sys
from collections import Counter

from batch.audit import AuditFolder
from batch.ledger_history import LedgerHistory
from batch.ledger_seals import LedgerSeals
from batch.pace import business_date, utc_text
from batch.tampering import MOST_NAMED, Tampering
from batch.verifying import Verification, Verified
from jobs.assembly import open_ledger_alone
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.disk import MachineDisk
from jobs.night import checked_date
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from schemas.counted import counted
from schemas.errors import AnotherRunActive, AuditBroken, ExitCode
from schemas.settings import Settings

MOST_TRIES = 3


def verify_audit(options: Options, first: str, last: str) -> int:
    """Print what is not as it was written, each thing with its order or file. Exit 0 = all is, 30 = something is not.

    Exit 21 when other runs worked all the time, 10 when days are still to be written by the next run. Raises UsageRefused
    for a date that is none.
    """
    settings, clock = load_settings(options.config), SystemClock()
    checked_date(first, settings, clock.now())
    checked_date(last, settings, clock.now())
    disk = MachineDisk()
    with open_ledger_alone(settings, clock=clock) as ledger:
        folder = AuditFolder(settings.data_dir / "audit", disk)
        seals, history = LedgerSeals(ledger.reading, ledger.mid), LedgerHistory(ledger.reading, ledger.mid)
        verification = Verification(seals=seals, history=history, folder=folder, disk=disk, settings=settings)
        tries = (verification.verify(first, last or "9999-12-31") for _ in range(MOST_TRIES))
        found = next((found for found in tries if not found.is_disturbed), None)
    if found is None:
        raise AnotherRunActive(
            "Other runs worked while the books were looked at; nothing can be said.", next_step="Try again later."
        )
    if found.events or found.files:
        _note_for_metrics(disk, settings, is_ok=not found.tampering)
    code = ExitCode.REFUSED if found.tampering else ExitCode.NEEDS_PERSON if found.waiting else ExitCode.CLEAN
    if not (options.quiet and code is ExitCode.CLEAN):
        say(options, [banner("audit verify", business_date(clock.now(), settings.schedule.timezone), settings), *_lines(found)])
    if code is ExitCode.REFUSED:
        one = len(found.tampering) == 1
        are = "is not as it was" if one else "are not as they were"
        problem = AuditBroken(f"{counted(len(found.tampering), 'thing')} in the books {are} written.", now="")
        sys.stderr.write(f"{problem}\n")
    answer(
        options,
        {
            "schema": "mitbatch.audit_verify/1",
            "type": "result",
            "command": "audit verify",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "mid": settings.provider.mid,
            "events": found.events,
            "days": found.days,
            "files": found.files,
            "waiting": found.waiting,
            "tampering": [
                {"kind": each.kind.value, "subject": each.subject, "sentence": each.sentence} for each in found.tampering
            ],
            "exit_code": int(code),
        },
    )
    return int(code)


def _note_for_metrics(disk: MachineDisk, settings: Settings, *, is_ok: bool) -> None:
    from jobs.metrics.exposition import note_audit_ok

    try:
        note_audit_ok(disk, settings, is_ok=is_ok, writer=f"verify{os.getpid()}")
    except OSError as error:
        sys.stderr.write(f"The metrics cannot say what was found ({error.strerror or error}).\n")


def _lines(found: Verified) -> list[str]:
    first_day, last_day = (found.days[0], found.days[-1]) if found.days else ("", "")
    span = f"   {first_day} to {last_day}" if found.days else ""
    lines = [
        f"{'ledger':<16}{counted(found.events, 'event')}",
        f"{'dates':<16}{counted(len(found.days), 'date')} in {counted(found.files, 'file')}{span}",
    ]
    lines += [f"WARN  {date}: its run was cut off or is at work; the next run writes its files" for date in found.waiting]
    return [*lines, *_alike(found.tampering), *(["all is as it was written"] if not found.tampering else [])]


def _alike(tampering: list[Tampering]) -> list[str]:
    """The first few of each kind, and how many more there are; `--json` has all."""
    counts, lines = Counter(each.kind for each in tampering), list[str]()
    shown: Counter[str] = Counter()
    for each in tampering:
        shown[each.kind] += 1
        if shown[each.kind] <= MOST_NAMED:
            lines.append(f"WARN  {each.kind.value}: {each.sentence}")
    return [
        *lines,
        *(
            f"WARN  {kind.value}: {count - MOST_NAMED:,} more; --json has all"
            for kind, count in counts.items()
            if count > MOST_NAMED
        ),
    ]
