"""How outcomes are heard of: by reads, by the older call, by files that are believed, and never by anything else."""

import csv
import io
import json
from collections.abc import Iterator
from functools import cache

from tests.table.rules import said
from tests.world.oracle_evidence import Evidence, Row
from tests.world.oracle_words import SAYS


def may_end(seen: Evidence) -> set[str]:
    """The sources by which an order may end, as the merchant has set it at some time."""
    sources = {"poll"}
    if "outcome" in seen.hears:
        sources.add("outcome")
    if "files" in seen.hears:
        sources.add("file")
    return sources


def i7_files_say_so(seen: Evidence) -> Iterator[str]:
    """The outcomes file that is cited for an order's end has a row about that very order that says so."""
    by_id = {row["evidence_id"]: row for row in seen.pieces}
    for row in seen.events:
        if row["kind"] != "transition" or row["source"] != "file" or row["to_state"] not in SAYS:
            continue
        order_id = row["subject"].partition(":")[2]
        key = seen.latest[order_id]["provider_order_id"] if order_id in seen.latest else ""
        words = _words(by_id.get(row["evidence_id"]), order_id, key)
        if not words & set(SAYS[row["to_state"]]):
            yield f"I7: {order_id} became {row['to_state']} and cites a file whose rows about it say {sorted(words)}"


def i7_the_older_call_says_so(seen: Evidence) -> Iterator[str]:
    """The answer of the older call that is cited for an order's end was asked about that order, and says so."""
    by_id = {row["evidence_id"]: row for row in seen.pieces}
    for row in seen.events:
        if row["kind"] != "transition" or row["source"] != "outcome" or row["to_state"] not in SAYS:
            continue
        order_id = row["subject"].partition(":")[2]
        asked, answered = _asked_and_answered(by_id.get(row["evidence_id"]))
        word = str(answered.get("status") or "")
        if asked.get("orderSessionKey") != seen.latest[order_id]["provider_order_id"]:
            yield f"I7: {order_id} became {row['to_state']} by an answer about {asked.get('orderSessionKey')}"
        if said(word, None) not in SAYS[row["to_state"]] or answered.get("success") is not True:
            yield f"I7: {order_id} became {row['to_state']} and cites an answer of the older call that says {word!r}"


def _words(piece: Row | None, order_id: str, key: str) -> set[str]:
    """What a file's rows about an order say; those that name another order beside it do not count."""
    found = set()
    for row in _rows(piece["content"]) if piece is not None else []:
        named = {"orderId": row.get("orderId") or "", "orderSessionKey": row.get("orderSessionKey") or ""}
        is_its = named["orderId"] in ("", order_id) and named["orderSessionKey"] in ("", key)
        if is_its and any(named.values()) and (says := said(str(row.get("status") or ""), None)):
            found.add(says)
    return found


@cache
def _rows(content: bytes) -> list[Row]:
    """The rows of an outcomes file, in JSON or in CSV."""
    text = content.decode("utf-8-sig")
    try:
        document = json.loads(text)
    except ValueError:
        return list(csv.DictReader(io.StringIO(text, newline="")))
    return [row for row in document.get("outcomes", []) if isinstance(row, dict)]


def _asked_and_answered(piece: Row | None) -> tuple[Row, Row]:
    """The older call's answer names no order: what was asked is kept as its first line."""
    asked, _, answered = (piece["content"] if piece is not None else b"").partition(b"\n")
    try:
        return json.loads(asked), json.loads(answered)
    except ValueError:
        return {}, {}
