"""What words are worth: an answer that is cited says what followed, and only a whole file gets its name."""

import csv
import io
import json
from collections.abc import Collection, Iterator

from tests.table.rules import said
from tests.world.oracle_evidence import Evidence, Row
from tests.world.oracle_payloads import payload_of

SAYS = {
    "completed": ("money",),
    "declined": ("no money: declined", "no money: ended"),
    "expired": ("no money: expired", "no money: ended"),
}
"""Into each end of an order: what the answer that is cited for it must say."""


def i7_words_fit(seen: Evidence) -> Iterator[str]:
    """The answer that is cited for an order's end says so itself."""
    by_id = {row["evidence_id"]: row for row in seen.pieces}
    for row in seen.events:
        if row["kind"] != "transition" or row["source"] not in ("poll", "operator") or row["to_state"] not in SAYS:
            continue
        piece = by_id.get(row["evidence_id"])
        answer = _document(answer_in(piece)) if piece is not None else None
        if not answer or "orders" in answer:
            continue
        status = answer.get("status")
        number = status if isinstance(status, int) else None
        word = str(answer.get("statusName") or (status if number is None else "") or "")
        says = said(word, number)
        if says is None or says not in SAYS[row["to_state"]]:
            yield f"I7: {row['subject']} became {row['to_state']} and cites an answer that says {word or number!r}"


def i12_only_whole_files(seen: Evidence) -> Iterator[str]:
    """Only a part that is whole is given its final name, whatever size the server shows."""
    for send in seen.sends:
        if send.kind == "rename" and send.content and send.name.endswith(".json") and _document(send.content) is None:
            yield f"I12: {send.name} was renamed although its part was not whole ({len(send.content)} bytes)"


def was_refused(seen: Evidence, order_id: str, before: int | None = None) -> bool:
    """Whether a run had read, by a point, that the provider refused the order, or the file with it."""
    files = {
        send.name
        for send in seen.sends
        if send.kind in ("write", "rename") and any(str(record.get("orderId")) == order_id for record in payload_of(send.content))
    }
    heard = (each for each in seen.heard if before is None or each.point < before)
    return any(_refuses(each.content, order_id, files) for each in heard)


def _refuses(content: bytes, order_id: str, files: Collection[str]) -> bool:
    """Whether an acknowledgement (JSON or CSV) says only that this order, or the whole of one of these files, was refused."""
    text = content.decode("utf-8-sig", "replace")
    try:
        found = _document(text.encode())
        rows = list(csv.DictReader(io.StringIO(text, newline=""))) if found is None else found.get("responses", [found])
    except (RecursionError, csv.Error):
        return False
    head = found or {}
    about = [
        row
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
        and (row.get("orderId") == order_id or (not row.get("orderId") and row.get("file", head.get("file")) in files))
    ]
    results = {str(row.get("result")).lower() for row in about if row.get("orderSessionKey") or row.get("result") != "Success"}
    return "failed" in results and "success" not in results


def answer_in(piece: Row) -> bytes:
    """What the provider answered: of the older call the question is kept before it."""
    content: bytes = piece["content"]
    return content.partition(b"\n")[2] if piece["source"] == "outcome" else content


def _document(content: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
