"""What follows from the provider's words: completed only by it, by permitted ways only, from stored evidence alone."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

from tests.table.rules import ENTERED_FROM, STEP_ENTERED_FROM, said
from tests.world.oracle_decisions import BY_HAND, amounts_by_hand
from tests.world.oracle_evidence import AT_PROVIDER, RECOVERED, Evidence, Row
from tests.world.oracle_words import answer_in

STEPS_BY_HAND = {"sending": ("in_doubt", "delivered"), "delivered": ("sending",), "calling": ("acknowledged",)}
"""What only a person may do besides: let a file go again, say that somebody uploaded it, have a call made once more."""
_FROM_PROVIDER = (*AT_PROVIDER, "rejected")
_ACTED_UPON = ("completed", "declined", "expired", "cancelled", "rejected", "withdrawn", "sending", "refunded", "chargeback")


def i3_no_false_completion(seen: Evidence) -> Iterator[str]:
    """What the rows or the ledger show as completed is completed at the provider, for the same amount and currency."""
    shown = {key for key, row in seen.rows.items() if row["status"] == "completed"}
    shown |= {row["order_id"] for row in seen.submissions if row["state"] == "completed"}
    other_amount = amounts_by_hand(seen)
    for order_id in sorted(shown) if not seen.lied_to else ():
        known, claim = seen.provider.get(order_id), seen.latest.get(order_id)
        ours = (claim["amount_minor"], claim["currency"]) if claim else None
        is_accepted = known is not None and order_id in other_amount
        theirs = (claim["amount_minor"] if claim and is_accepted else known["amount"], known["currency"]) if known else None
        if known is None or known["status"] not in RECOVERED or theirs != ours:
            yield f"I3: {order_id} shows as completed with {ours}, the provider says {known}"


def i3_never_too_early(seen: Evidence) -> Iterator[str]:
    """Nothing was called completed before the provider called it so; a clock that was put back does not unsay it."""
    reached = _reached(seen)
    for row in seen.events:
        if row["kind"] == "transition" and row["to_state"] == "completed":
            order_id = row["subject"].partition(":")[2]
            at = datetime.fromisoformat(row["at"])
            word = seen.word_at(order_id, max(at, reached.get(row["run_id"], at)))
            if word not in RECOVERED and not seen.lied_to:
                yield f"I3: {order_id} was called completed at {row['at']}, when the provider said {word or 'nothing'}"


def _reached(seen: Evidence) -> dict[str, datetime]:
    """By run: how late it had ever been, by the common clock, when it began."""
    found: dict[str, datetime] = {}
    for mark, (_, ended) in zip(seen.marks, seen.runs, strict=True):
        if ended.report is not None:
            begun = [each.times[0] for each in seen.marks if each.points[0] <= mark.points[0]]
            over = [each.times[1] for each in seen.marks if each.points[1] <= mark.points[0]]
            found[ended.report.run_id] = max([*begun, *over])
    return found


def i3_files_and_reports(seen: Evidence) -> Iterator[str]:
    """Each recovery in finance's files, and the sum in each report, is one that the provider has, to the cent."""
    paid = {key: (row["amount"], row["currency"]) for key, row in seen.provider.items() if row["status"] in RECOVERED}
    for (date, name), rows in seen.tables.items() if not seen.lied_to else ():
        for row in rows:
            says_completed = row.get("state") == "completed" or row.get("state_to") == "completed"
            if name == "summary" or not (says_completed or row.get("recovered_minor", "") not in ("", "0")):
                continue
            recovered = int(row.get("recovered_minor") or row["amount_minor"])
            by_hand = row["order_id"] in amounts_by_hand(seen)
            was_held = name in ("holds", "submissions") and by_hand  # they show what was held and handed over, not what came
            was_accepted = by_hand and recovered == seen.provider.get(row["order_id"], {}).get("read_as")
            if paid.get(row["order_id"]) != (abs(recovered), row["currency"]) and not (was_held or was_accepted):
                yield f"I3: {name}.csv of {date} shows {row['order_id']} recovered with {recovered}, the provider does not"
    most: dict[str, int] = {}
    for amount, currency in paid.values():
        most[currency] = most.get(currency, 0) + amount
    for job, ended in seen.runs if not seen.lied_to else ():
        for currency, total in (ended.report.figures.recovered if ended.report else {}).items():
            if total.amount_minor > most.get(currency, 0):
                yield f"I3: a {job} reports {total.amount_minor} {currency} recovered, the provider has {most.get(currency, 0)}"


def i3_live_mode(seen: Evidence) -> Iterator[str]:
    """No completion rests on evidence that calls itself a test, or that is of another merchant account."""
    by_id = {row["evidence_id"]: row for row in seen.pieces}
    for row in seen.events:
        if row["to_state"] == "completed" and row["evidence_id"] in by_id:
            answer = _object(by_id[row["evidence_id"]]["content"])
            is_test = any(key.lower() == "istestmode" and value is not False for key, value in answer.items())
            if is_test or str(answer.get("mid", seen.identity[2])).lower() != seen.identity[2].lower():
                yield f"I3: {row['subject']} was completed by the word of a test, or of another account"


def i6_edges(seen: Evidence) -> Iterator[str]:
    """Each order and each file goes only permitted ways, each step from where it stood, and stands where its last step led."""
    for subject, chain in seen.chains.items():
        kind = subject.partition(":")[0]
        if kind not in ("order", "batch"):
            continue
        allowed = ENTERED_FROM if kind == "order" else STEP_ENTERED_FROM
        stands = ""
        for row in chain:
            old, new = row["from_state"] or "", row["to_state"] or ""
            again = kind == "order" and new == "claimed" and not old
            if old != stands and not (again and stands in ("", "withdrawn", "rejected")):
                yield f"I6: {subject} stood at {stands or 'nothing'}, event {row['seq']} begins at {old or 'nothing'}"
            by_hand = STEPS_BY_HAND if row["source"] == BY_HAND and kind == "batch" else {}
            if row["kind"] in ("transition", "step") and old and old not in (*allowed.get(new, ()), *by_hand.get(new, ())):
                yield f"I6: {subject} went from {old} to {new}"
            if row["kind"] not in ("transition", "step") and old != new:
                yield f"I6: {subject} went from {old} to {new} by an event of kind {row['kind']}"
            stands = new
        yield from _stands(seen, subject, stands)


def _stands(seen: Evidence, subject: str, stands: str) -> Iterator[str]:
    kind, _, name = subject.partition(":")
    known = [row["step"] for row in seen.batches if row["batch_id"] == name] if kind == "batch" else []
    if kind == "order" and name in seen.latest:
        known = [seen.latest[name]["state"]]
    if known and known != [stands]:
        yield f"I6: {subject} stands at {known[0]}, its events led to {stands}"


def i7_evidence(seen: Evidence) -> Iterator[str]:
    """What follows from the provider's words cites them, stored whole, not later than the change, and about that order."""
    by_id = {row["evidence_id"]: row for row in seen.pieces}
    for row in seen.events:
        cited = row["evidence_id"]
        if not cited and row["source"] == BY_HAND and row["to_state"] == "rejected":
            continue  # a person's word is the proof, and i7_decided_by_somebody judges it
        if not cited:
            if row["kind"] == "transition" and row["subject"].startswith("order:") and row["to_state"] in _FROM_PROVIDER:
                yield f"I7: {row['subject']} became {row['to_state']}, and no evidence is cited"
            continue
        piece = by_id.get(cited)
        if piece is None:
            yield f"I7: {row['subject']} event {row['seq']} cites {cited}, which is not stored"
        elif piece["source"] == row["source"] and _came_later(seen, piece, row):
            yield f"I7: {row['subject']} event {row['seq']} of {row['at']} cites words received at {piece['received_at']}"
        elif row["to_state"] not in ("in_doubt", "held") and not _speaks_of(
            piece, row["subject"], seen
        ):  # a mere failure names nobody
            yield f"I7: {row['subject']} event {row['seq']} cites {cited}, which does not speak of it"
    for piece in seen.pieces:
        true_hash = hashlib.sha256(piece["content"]).hexdigest()
        true_id = hashlib.sha256(f"{piece['source']}\n{true_hash}".encode()).hexdigest()[:32]
        if (true_hash, true_id) != (piece["content_hash"], piece["evidence_id"]):
            yield f"I7: evidence {piece['evidence_id']} is not what its hash says"


def _came_later(seen: Evidence, piece: Row, event: Row) -> bool:
    """Whether words were stored after an event: by what was there when the clock was put back, else by their moments."""
    for each in seen.put_back:
        was_there = (piece["evidence_id"], piece["received_at"]) in each.words
        if was_there is not (event["hash"] in each.events):
            return not was_there
    return bool(piece["received_at"] > event["at"])


def _speaks_of(piece: Row, subject: str, seen: Evidence) -> bool:
    kind, _, name = subject.partition(":")
    if kind != "order" or piece["subject"] == subject:
        return True
    claim = seen.latest.get(name)
    marks = [name, json.dumps(name)[1:-1], *([claim["provider_order_id"] or name, *_files_of(seen, name)] if claim else [])]
    return any(mark.encode() in piece["content"] for mark in marks)


def _files_of(seen: Evidence, order_id: str) -> list[str]:
    batches = {row["batch_id"] for row in seen.submissions if row["order_id"] == order_id}
    return [row["file_name"] for row in seen.batches if row["batch_id"] in batches]


def i16_unknown_words(seen: Evidence) -> Iterator[str]:
    """An answer that says nothing certain ends, releases and repeats nothing, and an item tells of it."""
    told = {(item["kind"], item["subject"]) for item in seen.items}
    acted = {row["evidence_id"]: row for row in seen.events if row["kind"] == "transition" and row["to_state"] in _ACTED_UPON}
    for piece in seen.pieces:
        if piece["source"] not in ("poll", "outcome"):
            continue
        answer = _object(answer_in(piece))
        if "orders" in answer:
            continue  # a listing: its rows are no read of one order
        number = answer.get("status") if isinstance(answer.get("status"), int) else None
        word = answer.get("statusName") or (answer.get("status") if number is None else "") or ""
        if said(str(word), number) is not None or number == 404:
            continue  # an absence says nothing at all, and is asked about again
        if piece["evidence_id"] in acted:
            row = acted[piece["evidence_id"]]
            yield f"I16: {row['subject']} became {row['to_state']} by the answer {word or number!r}, which says nothing"
        if not {("unknown_status", piece["subject"]), ("quarantine", piece["subject"])} & told:
            yield f"I16: the provider answered {word or number!r} about {piece['subject']}, and no item was opened"


def _object(content: bytes) -> Row:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
