"""The machine on the dashboard: how thirty nights and the last run of each job ended."""

from collections.abc import Sequence
from datetime import date, timedelta

from batch.ledger.gauges import Row
from batch.pace import from_utc_text
from jobs.metrics.samples import Seen
from jobs.serve.recent_days import NIGHTS, View
from schemas.errors import EXIT_MEANINGS, ExitCode

NIGHTLY = ("nightly", "rerun")
_NO_NIGHT = {"tone": "none", "code": "", "words": "no nightly"}
TONES = {ExitCode.CLEAN: "good", ExitCode.NEEDS_PERSON: "wait"}
"""How an ending is coloured; the code stands beside it. Any other is bad."""


def nights(runs: Sequence[Row], today: date) -> list[View]:
    """One square for each of the last thirty dates: how its last nightly ended."""
    last = {row["business_date"]: row for row in runs if row["job"] in NIGHTLY}
    first, squares = min(last, default="9999"), []
    for back in reversed(range(NIGHTS)):
        day = (today - timedelta(days=back)).isoformat()
        row = last.get(day)
        if row is None:
            was_missed = first < day < today.isoformat()
            square = {"tone": "bad", "code": "–", "words": "no nightly: it was missed"} if was_missed else dict(_NO_NIGHT)
        elif row["exit_code"] is None:
            square = {"tone": "wait", "code": "…", "words": "has not ended"}
        else:
            code = ExitCode(row["exit_code"])
            square = {
                "tone": TONES.get(code, "bad"),
                "code": str(int(code)),
                "words": f"exit {int(code)}, {EXIT_MEANINGS[code]}",
            }
        squares.append({"day": day, **square})
    return squares


def last_runs(seen: Seen) -> list[View]:
    """How the last run of each job went."""
    last: dict[str, Row] = {}
    for row in seen.gauges.latest.values():
        if row["job"] not in last or row["fencing_token"] > last[row["job"]]["fencing_token"]:
            last[row["job"]] = row
    found = []
    for job, row in sorted(last.items()):
        code = None if row["exit_code"] is None else ExitCode(row["exit_code"])
        found.append(
            {
                "job": job,
                "began": row["started_at"],
                "took": _took(row),
                "code": "has not ended" if code is None else f"exit {int(code)}",
                "words": "" if code is None else EXIT_MEANINGS[code],
                "tone": "wait" if code is None else TONES.get(code, "bad"),
            }
        )
    return found


def _took(row: Row) -> str:
    if row["finished_at"] is None:
        return ""
    seconds = int((from_utc_text(row["finished_at"]) - from_utc_text(row["started_at"])).total_seconds())
    return f"{seconds // 60}m{seconds % 60:02d}s" if seconds >= 60 else f"{seconds}s"
