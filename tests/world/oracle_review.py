"""What waits for a person is told to finance: each item once, with its reason, on the day it stands open."""

from collections.abc import Iterator

from tests.world.oracle_evidence import Evidence


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
    for row in rows:
        if not row["provider_says"] and not row["orders_say"]:
            yield f"I5: review.csv of {dates[-1]} says of item {row['review_id']} not why it waits"
