"""What was switched off by hand: events of a chain per switch, on top of the settings file, written outside the lease.

A person who turns something off must not have to wait for the run that is to stop. So this takes no lease; it locks the
lease's row, as every step of a run does, and comes to lie between two of them: a step that was committed before knows
nothing of it, every later one does. Nothing about orders is written here. Dying before the commit: nothing has happened;
after it: it holds, and its date waits for the next run to write finance's files.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select

from batch.books import FIRST_HASH
from batch.ledger.events import event_row
from batch.ledger.lease import lease_row
from batch.ledger.records import Run
from batch.ledger.transaction import Ledger, Writing
from batch.pace import utc_text
from batch.switching import SwitchedOff
from schemas.exit_codes import ExitCode
from schemas.ledger_tables import among, event
from schemas.ledger_tables import run as run_table

ON, OFF = "on", "off"


@dataclass(frozen=True, slots=True)
class SwitchWanted:
    """What a person wants of a switch."""

    name: str
    on: bool
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class SwitchRun:
    """The run that stands for the command in the ledger."""

    run_id: str
    job: str
    business_date: str


_SUBJECT = "switch:"
_COLUMNS = ("subject", "seq", "at", "to_state", "reason", "detail", "hash", "business_date")
_NEW_EVENT, _NEW_RUN = insert(event), insert(run_table)


@cache
def _events_of(names: tuple[str, ...]) -> Select[Any]:
    """Their events, oldest first; made once for the same names, because it runs before every call."""
    chains = among(event.c.subject, [_SUBJECT + name for name in names])
    columns = [event.c[name] for name in _COLUMNS]
    return select(*columns).where(event.c.mid == bindparam("mid"), chains).order_by(event.c.subject, event.c.seq)


def switched_off(connection: Connection, mid: str, names: tuple[str, ...]) -> dict[str, SwitchedOff]:
    """Those of these switches that are off by hand now."""
    found: dict[str, SwitchedOff] = {}
    for row in connection.execute(_events_of(names), {"mid": mid}):
        name = row.subject.removeprefix(_SUBJECT)
        if row.to_state == OFF:
            found[name] = SwitchedOff(row.at, json.loads(row.detail)["by"], row.reason)
        else:
            found.pop(name, None)
    return found


def turn(ledger: Ledger, command: SwitchRun, wanted: SwitchWanted) -> bool:
    """Write down that a switch is on or off from now on. Returns whether that changed anything.

    What stands so already is not written again. The command's own run gets no end: the next run writes finance's files.
    """
    with ledger.unguarded() as connection:
        token: int = lease_row(connection, ledger.mid)["token"]
        last = connection.execute(_events_of((wanted.name,)), {"mid": ledger.mid}).all()
        before = last[-1].to_state if last else ON
        after = ON if wanted.on else OFF
        if before == after:
            return False
        now = utc_text(ledger.now())
        run = Run(command.run_id, command.job, command.business_date, token)
        told = event_row(
            Writing(connection, ledger.mid, run, now),
            subject=_SUBJECT + wanted.name,
            seq=last[-1].seq + 1 if last else 1,
            previous_hash=last[-1].hash if last else FIRST_HASH,
            previous_date=last[-1].business_date if last else "",
            kind="switch",
            from_state=before,
            to_state=after,
            source="operator",
            reason=wanted.reason,
            detail={"by": wanted.by},
        )
        connection.execute(_NEW_EVENT, [told])
        connection.execute(_NEW_RUN, _as_row(ledger.mid, run, now))
    return True


def _as_row(mid: str, run: Run, now: str) -> Mapping[str, object]:
    return {
        "mid": mid,
        "run_id": run.run_id,
        "job": run.job,
        "business_date": run.business_date,
        "fencing_token": run.token,
        "started_at": now,
        "exit_code": int(ExitCode.CLEAN),
    }
