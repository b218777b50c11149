"""The event chain checked from the outside: from the rows and the daily digests alone, with no code of the ledger."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping

EventRow = dict[str, str | int | None]

FIRST = "0" * 64
SEALED = (
    "mid",
    "subject",
    "seq",
    "at",
    "business_date",
    "run_id",
    "kind",
    "from_state",
    "to_state",
    "source",
    "reason",
    "evidence_id",
    "detail",
)
"""What the seal of an event covers, beside the seal before it."""

COLUMNS = (*SEALED, "previous_hash", "hash")


def seal(row: EventRow) -> str:
    """SHA-256 over the hash before, a line feed, and the sealed columns as JSON: names sorted, no blanks, letters as they are."""
    sealed = {name: row[name] for name in SEALED}
    text = json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{row['previous_hash']}\n{text}".encode()).hexdigest()


def digest(rows: Iterable[EventRow], business_date: str) -> str:
    """The anchor of a date: over a JSON line for each chain, its subject, last number and last hash, subjects by their bytes."""
    last: dict[str, tuple[int, str]] = {}
    for row in rows:
        subject, seq = str(row["subject"]), int(row["seq"] or 0)
        if str(row["business_date"]) <= business_date and seq >= last.get(subject, (0, ""))[0]:
            last[subject] = (seq, str(row["hash"]))
    whole = hashlib.sha256()
    for subject in sorted(last, key=lambda text: text.encode("utf-8", "surrogatepass")):
        line = json.dumps([subject, *last[subject]], separators=(",", ":"), ensure_ascii=False)
        whole.update(f"{line}\n".encode())
    return whole.hexdigest()


def faults(rows: list[EventRow], anchors: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with these events; `anchors` are the digests that were kept elsewhere, by business date."""
    chains: dict[str, list[EventRow]] = defaultdict(list)
    for row in rows:
        chains[str(row["subject"])].append(row)
    found = [problem for subject in chains for problem in _chain_faults(subject, chains[subject])]
    return found + [f"the digest of {date} differs" for date, kept in anchors.items() if digest(rows, date) != kept]


def _chain_faults(subject: str, chain: list[EventRow]) -> list[str]:
    found, before, booked = [], FIRST, ""
    for place, row in enumerate(sorted(chain, key=lambda each: int(each["seq"] or 0)), start=1):
        where = f"{subject} {place}"
        if row["seq"] != place:
            found.append(f"{where}: it is numbered {row['seq']}")
        if row["previous_hash"] != before:
            found.append(f"{where}: it does not follow the event before it")
        if row["hash"] != seal(row):
            found.append(f"{where}: its seal is broken")
        if str(row["business_date"]) < booked:
            found.append(f"{where}: it is booked before the event before it")
        before, booked = str(row["hash"]), str(row["business_date"])
    return found
