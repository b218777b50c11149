"""What waits for a person is told to finance: each item once, with its reason, on the day it stands open."""

from collections.abc import Iterator

from tests.world.oracle_evidence import Evidence

_OURS = ("run_missed", "unusual_night", "no_response", "switched_off")


def _is_ours(kind: str, subject: str) -> bool:
    """Whether neither the provider nor the order system has said why: the ledger tells it, behind the state or the subject."""
    return kind in _OURS or subject.startswith(("reconcile", "settlement", "charge:"))


def i5_review_complete(seen: Evidence) -> Iterator[str]:
    """The last review.csv has one row for each item that was open at the end of its day, as the ledger has it, and no other."""
    dates = sorted(date for date, name in seen.tables if name == "review")
    if not dates or any(date >= dates[-1] for date in seen.edited):
        return
    standing = sorted(
        (row["item_id"], row["kind"])
        for row in seen.items
        if row["opened_date"] <= dates[-1] and (row["closed_at"] is None or row["closed_date"] > dates[-1])
    )
    rows = [row for row in seen.tables[dates[-1], "review"] if not row["closed_at"]]
    told = sorted((row["review_id"], row["kind"]) for row in rows)
    if standing != told:
        yield f"I5: the items {standing} stood open on {dates[-1]}, review.csv names {told}"
    late = sorted(row["item_id"] for row in seen.items if row["opened_date"] > dates[-1])
    if late:
        yield f"I5: finance is told nothing of the items {late}: the last review.csv is that of {dates[-1]}"
    subjects = {row["item_id"]: row["subject"] for row in seen.items}
    for row in rows:
        is_ours = _is_ours(row["kind"], subjects.get(row["review_id"], ""))
        if not (row["ledger_says"].partition(": ")[2] if is_ours else row["provider_says"] or row["orders_say"]):
            yield f"I5: review.csv of {dates[-1]} says of item {row['review_id']} not why it waits"
