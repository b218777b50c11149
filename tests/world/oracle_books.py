"""What is written down: nothing lost or counted twice, ids and amounts exact to the byte, no event changed, no lie told."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.table.chain import COLUMNS, faults
from tests.world.oracle_decisions import amounts_by_hand
from tests.world.oracle_evidence import AT_PROVIDER, OPEN, Evidence
from tests.world.oracle_payloads import payload_of
from tests.world.traits import TRAITS

Counts = dict[tuple[str, str], tuple[int, int]]
_ENDS = ("withdrawn", "rejected", "declined", "expired", "cancelled", "completed")


def i5_one_state(seen: Evidence) -> Iterator[str]:
    """Each decline that the merchant left alone was looked at in some night, and at most one claim of an order stands."""
    decided = {row["order_id"] for row in seen.decisions}
    unseen = [order_id for order_id in seen.given if order_id not in {*seen.latest, *seen.changed, *decided}]
    hidden = sum(order_id.startswith("pan:") for order_id in decided)
    yield from (f"I5: {order_id} was never chosen" for order_id in unseen[hidden:])
    standing: dict[str, int] = defaultdict(int)
    for row in seen.submissions:
        standing[row["order_id"]] += row["state"] not in ("withdrawn", "rejected")
    yield from (f"I5: {order_id} stands in {count} claims at once" for order_id, count in standing.items() if count > 1)


def i5_provider_agrees(seen: Evidence) -> Iterator[str]:
    """The provider has exactly the orders that the ledger says it has, count and amount in each currency.

    Of an order that is pending where nobody may ask, the amount is the one that was handed over: how it ended was not heard.
    """
    for order_id in seen.provider:
        if order_id not in seen.latest:
            yield f"I5: the provider has {order_id}, the ledger does not know it"
    ours, theirs = defaultdict(list), defaultdict(list)
    other_amount = amounts_by_hand(seen)
    handed_over = {row["order_id"]: row["amount"] for row in seen.accepted} if "off" in seen.hears else {}
    for order_id, row in seen.latest.items():
        if row["state"] in AT_PROVIDER:
            ours[row["currency"]].append((order_id, row["amount_minor"]))
            if order_id in seen.provider:
                known = seen.provider[order_id]
                is_unheard = row["state"] == "pending" and order_id in handed_over
                shown = handed_over[order_id] if is_unheard else known["amount"]
                amount = row["amount_minor"] if order_id in other_amount else shown
                theirs[known["currency"]].append((order_id, amount))
    for currency in sorted({*ours, *theirs}):
        if ours[currency] != theirs[currency]:
            yield f"I5: in {currency} the ledger has {ours[currency]} at the provider, the provider {theirs[currency]}"


def i5_rows_agree(seen: Evidence) -> Iterator[str]:
    """An order row that the merchant left alone shows what the ledger says, once the ledger calls it written."""
    shown = {"declined": "not_recovered", "expired": "not_recovered", "rejected": "not_recovered", "in_doubt": "pending"}
    shown |= {"cancelled": "not_recovered", "capture_required": "pending"}
    charged = {charge.order_id for charge in seen.charges}
    for order_id, row in seen.latest.items():
        if order_id in seen.changed or order_id not in seen.rows or row["written_version"] != row["row_version"]:
            continue
        status = seen.rows[order_id]["status"]
        is_shown = row["state"] in {"pending", "completed", "review", *shown}
        differs = is_shown and status != shown.get(row["state"], row["state"])
        if differs and not (order_id in charged and status == "paid"):
            yield f"I5: {order_id} is {row['state']} in the ledger and written, its row says {status}"


def i5_books_close(seen: Evidence) -> Iterator[str]:
    """Each summary closes, each opens as the one before closed, and the last shows what the ledger holds."""
    closed: Counts = {}
    dates = sorted(date for date, name in seen.tables if name == "summary")
    for date in dates:
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        opening: Counts = {}
        closing: Counts = {}
        for row in seen.tables[date, "summary"]:
            if row["section"] != "held":
                continue
            key, total = (row["site"], row["currency"]), (int(row["orders"]), int(row["amount_minor"]))
            sums[key][0] += int(row["sign"]) * total[0]
            sums[key][1] += int(row["sign"]) * total[1]
            if total != (0, 0):
                opening |= {key: total} if row["line"] == "opening" else {}
                closing |= {key: total} if row["line"] == "closing" else {}
        if any(sum_ != [0, 0] for sum_ in sums.values()):
            yield f"I5: the books of {date} do not close: {dict(sums)}"
        if date != dates[0] and opening != closed and not seen.edited:
            yield f"I5: the books of {date} open with {opening}, the day before closed with {closed}"
        closed = closing
    held: Counts = {}
    for row in seen.submissions:
        if row["state"] in OPEN:
            before = held.get((row["site"], row["currency"]), (0, 0))
            held[row["site"], row["currency"]] = (before[0] + 1, before[1] + row["amount_minor"])
    if dates and closed != held and not any(date > dates[-1] for date in seen.edited):
        yield f"I5: the books close with {closed}, the ledger holds {held}"


def i5_files_complete(seen: Evidence) -> Iterator[str]:
    """Finance's files name each claim once, and each end of an order once, with its amount: nothing lost, nothing twice."""
    claims = sorted(
        (row["order_id"], row["attempt"], row["currency"], row["amount_minor"])
        for row in seen.submissions
        if row["business_date"] not in seen.edited
    )
    named = sorted(
        (row["order_id"], int(row["attempt"]), row["currency"], int(row["amount_minor"]))
        for (_, name), rows in seen.tables.items()
        if name == "submissions"
        for row in rows
    )
    if claims != named:
        yield f"I5: the ledger has the claims {claims}, submissions.csv {named}"
    for state in _ENDS[1:]:
        ends = sorted(
            row["subject"].partition(":")[2]
            for row in seen.events
            if row["kind"] == "transition" and row["to_state"] == state and row["business_date"] not in seen.edited
        )
        told = sorted(
            row["order_id"]
            for (_, name), rows in seen.tables.items()
            if name == "outcomes"
            for row in rows
            if row["state_to"] == state
        )
        if ends != told:
            yield f"I5: {ends} became {state}, outcomes.csv names {told}"


def i17_exact(seen: Evidence) -> Iterator[str]:
    """Order ids are the same bytes, and amounts the same integers, from the order row to the provider and to every file."""
    rows = {order_id: (row["amount_minor"], row["currency"]) for order_id, row in seen.given.items()}
    for row in seen.submissions:
        yield from _same(rows, seen, "the ledger", row["order_id"], row["amount_minor"], row["currency"])
        record = json.loads(row["record_json"])
        yield from _same(rows, seen, "the kept record", *_of_record(record))
    for send in seen.sends:
        for record in payload_of(send.content):
            yield from _same(rows, seen, f"the payload {send.name}", *_of_record(record))
    for taken in seen.accepted:
        yield from _same(rows, seen, "the provider's journal", taken["order_id"], taken["amount"], taken["currency"])
    for (date, name), lines in seen.tables.items():
        for line in lines:
            if "row_check" not in line:
                continue
            amount = int(line["amount_minor"]) if line["amount_minor"] else None
            is_of_no_amount = name == "review" and amount is None  # it is about a file, or about an order that was never judged
            yield from (
                () if is_of_no_amount else _same(rows, seen, f"{name}.csv of {date}", line["order_id"], amount, line["currency"])
            )
            cells = "\x1f".join(cell for column, cell in line.items() if column != "row_check")
            if line["row_check"] != hashlib.sha256(cells.encode()).hexdigest()[:8]:
                yield f"I17: {name}.csv of {date}: the row_check of {line['order_id']} is not over its cells"
            if amount is not None and line["amount"] != f"{amount / 100:.2f}" and line["currency"] in ("USD", "EUR"):
                yield f"I17: {name}.csv of {date}: {line['order_id']} has {amount} and {line['amount']}"


def _of_record(record: dict[str, Any]) -> tuple[object, object, object]:
    transaction = record.get("transaction", {})
    return record.get("orderId"), transaction.get("amount"), transaction.get("currency")


def _same(
    rows: dict[str, tuple[int, str]], seen: Evidence, place: str, order_id: object, amount: object, currency: object
) -> Iterator[str]:
    if str(order_id).startswith("pan:"):
        return
    if order_id not in rows:
        yield f"I17: {place} names {order_id!r}, which is no order id of the merchant's"
        return
    trait = TRAITS.get(seen.traits.get(str(order_id), ""))
    if trait is not None and not trait.goes and place.startswith("declines.csv"):
        return  # what cannot be read is left empty there, or stands as the row has it
    changed = seen.changed.get(str(order_id), "")
    if (amount, currency) != rows[str(order_id)] and changed not in ("amount", "currency"):
        yield f"I17: {place} has {order_id!r} with {amount!r} {currency}, the order row {rows[str(order_id)]}"
    if isinstance(amount, bool) or not isinstance(amount, int):
        yield f"I17: {place} has {order_id!r} with the amount {amount!r}, which is no integer"


def i19_chain(seen: Evidence) -> Iterator[str]:
    """Each event's hash holds, each follows the one before, and each day's manifest anchors the chains as they are."""
    manifests = {path.parent.name: json.loads(content) for path, content in seen.files.items() if path.name == "manifest.json"}
    events = [{name: row[name] for name in COLUMNS} for row in seen.events]
    anchors = {date: manifest["chain_digest"] for date, manifest in manifests.items() if date not in seen.edited}
    yield from (f"I19: {problem}" for problem in faults(events, anchors))
    heads = {subject: (chain[-1]["seq"], chain[-1]["hash"]) for subject, chain in seen.chains.items()}
    for row in seen.latest.values():
        if heads.get(f"order:{row['order_id']}") != (row["event_seq"], row["event_hash"]):
            yield f"I19: the chain of {row['order_id']} does not end where its claim says"


def i19_manifests(seen: Evidence) -> Iterator[str]:
    """Each manifest names the files of its day as they are, and the manifest of the day before it as that is."""
    by_date = {path.parent.name: path for path in seen.files if path.name == "manifest.json"}
    before = ""
    for date in sorted(by_date):
        content = seen.files[by_date[date]]
        manifest = json.loads(content)
        for file in manifest["files"]:
            found = seen.files.get(by_date[date].with_name(file["name"]))
            if date not in seen.edited and (found is None or hashlib.sha256(found).hexdigest() != file["sha256"]):
                yield f"I19: {file['name']} of {date} is not the file that its manifest names"
        if manifest["previous_manifest_sha256"] != before and not seen.edited:
            yield f"I19: the manifest of {date} does not name the manifest before it"
        before = hashlib.sha256(content).hexdigest()
