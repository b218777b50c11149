"""What leaves: each order once, claimed and held before its first byte, by the one writer, repeated only with proof."""

import csv
import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from tests.world.oracle_decisions import proven_missing, released_by_hand
from tests.world.oracle_evidence import Evidence
from tests.world.oracle_forced import wrong_in_repeat
from tests.world.oracle_payloads import payload_of
from tests.world.witness import Send

_CLAIMED = ("sending", "in_doubt", "pending", "capture_required", "review", "completed", "declined", "expired", "cancelled")
"""States of an order whose bytes may be leaving, or may have left."""


def i2_send_once(seen: Evidence) -> Iterator[str]:
    """The provider takes each order at most once, over every channel; a repetition that it noticed itself counts."""
    for order_id, count in Counter(row["order_id"] for row in seen.accepted).items():
        if count > 1:
            yield f"I2: the provider was given {order_id} {count} times"
    copies = [row for row in seen.journal if row["event"] in ("accepted", "deduplicated") and row["kind"] == "transmit"]
    for order_id, count in Counter(row["order_id"] for row in copies).items():
        if count > 1:
            yield f"I2: the provider was given the copy of {order_id} {count} times"


def i2_one_payload(seen: Evidence) -> Iterator[str]:
    """Each order has one payload at the provider, each file name one arrival."""
    payloads: dict[str, set[str]] = defaultdict(set)
    for row in seen.accepted:
        payloads[row["order_id"]].add(row.get("payload_sha256") or row["idempotency_key"])
    for order_id, found in payloads.items():
        if len(found) > 1:
            yield f"I2: the provider was given {len(found)} payloads of {order_id}"
    for name, count in Counter(row["file"] for row in seen.journal if row["event"] == "file_received").items():
        if count > 1:
            yield f"I2: the file {name} arrived {count} times"


def i2_older_ledger_is_refused(seen: Evidence) -> Iterator[str]:
    """No run goes on with a ledger that knows nothing of a file whose rename was asked for, or not that it was verified."""
    known = {row["file_name"] for row in seen.batches if row["step"] not in ("claimed", "sending", "empty")}
    left = {send.name for send in seen.sends if send.kind == "rename" and send.content}
    if seen.restored and left - known and seen.runs and not seen.runs[-1][1].killed and seen.runs[-1][1].code != 30:
        yield f"I2: a {seen.runs[-1][0]} ended with {seen.runs[-1][1].code} although the ledger is behind {sorted(left - known)}"


def i4_write_ahead(seen: Evidence) -> Iterator[str]:
    """Whenever bytes of a file leave, a power cut at that moment would leave each of its orders claimed and held.

    A run that stood still just before its part may write it after another run has sent the file and heard the answer. It is
    never renamed (I11, I12), so that one that the provider has refused meanwhile does not leave by it.
    """
    for send in seen.sends:
        records = payload_of(send.content)
        if send.left is None or not records:
            continue
        step = send.left.batch.get("step")
        if step in (None, "claimed", "empty") or (step == "sending" and send.kind == "rename"):
            yield f"I4: {send.name}: a {send.kind} while a power cut would leave its batch {step or 'unknown'}"
        for record in records:
            order_id = record["orderId"]
            claim = send.left.orders.get(order_id)
            if claim is not None and claim["state"] == "rejected" and send.kind == "write" and _is_stale(send):
                continue
            if claim is None or claim["state"] not in _CLAIMED:
                state = claim["state"] if claim else "unknown"
                yield f"I4: {order_id} leaves in {send.name} while a power cut would leave it {state}"
            elif seen.is_left_free(send, order_id, claim):
                yield f"I4: {order_id} leaves in {send.name} while a power cut would leave its row without our hold"


def i11_one_writer(seen: Evidence) -> Iterator[str]:
    """No run writes an event after a run with a later fencing token has written one."""
    latest = 0
    for row in seen.events:
        if row["fencing_token"] < latest:
            yield f"I11: {row['subject']} was written by the run with token {row['fencing_token']} after one with {latest}"
        latest = max(latest, row["fencing_token"])


def i11_no_stale_send(seen: Evidence) -> Iterator[str]:
    """A run that lost the lease finishes at most the step of the one file that it had its turn for."""
    stale: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for send in seen.sends:
        if _is_stale(send):
            stale[send.process].add(("rename" if send.kind == "rename" else "part", send.name))
    for process, sends in stale.items():
        if len(sends) > 1:
            yield f"I11: process {process} went on sending after another run had taken over: {sorted(sends)}"


def _is_stale(send: Send) -> bool:
    return send.left is not None and send.left.lease_pid != send.process


def i12_repeats_have_proof(seen: Evidence) -> Iterator[str]:
    """Once a rename was asked for, a part is made anew only after the old one was seen there and removed, with the same rows.

    Where support says that the file never arrived, it goes anew too, less what was withdrawn since (`oracle_forced`).
    A run that was paused just before its part, and lost the lease meanwhile, may make it (I11 lets it do nothing more): it
    is never renamed, because its bytes are not those that the ledger has verified.
    """
    asked: dict[str, bytes] = {}
    asker: dict[str, int] = {}
    proven: set[str] = set()
    forced: dict[str, tuple[bytes, int]] = {}
    by_word = {each.file_name: proven_missing(seen, each.file_name) for each in seen.decided}
    for number, send in enumerate(seen.sends):
        words = [decided_at for decided_at in by_word.get(send.name, ()) if decided_at <= number]
        if words and send.name in asked:
            forced[send.name] = (asked.pop(send.name), words[-1])
            by_word[send.name] = [decided_at for decided_at in by_word[send.name] if decided_at > number]
        is_overtaken = send.process < asker.get(send.name, 0)
        if send.kind == "removed":
            proven.add(send.name)
        elif send.kind == "open" and send.creates and send.name in asked and send.name not in proven and not is_overtaken:
            yield f"I12: a part of {send.name} was made anew although a rename was asked for and nothing proves that it failed"
        elif send.kind == "rename" and send.content:
            proven.discard(send.name)
            asker[send.name] = send.process
            before, at = forced.pop(send.name, (b"", 0))
            wrong = wrong_in_repeat(seen, send, before, at) if before else ()
            yield from (f"I12: {send.name} never arrived, and goes again with {words}" for words in wrong)
            before = asked.setdefault(send.name, send.content)
            if rows_digest(send) != rows_digest(send, before):
                yield f"I12: {send.name} was repeated with other rows than before"


def i12_one_file_per_order(seen: Evidence) -> Iterator[str]:
    """An order whose file may have arrived leaves in no other file, unless the provider refused it before."""
    refused = {(row["file"], row.get("order_id")) for row in seen.journal if row["event"] in ("row_refused", "file_refused")}
    by_hand = released_by_hand(seen)
    gone: dict[str, str] = {}
    for send in seen.sends:
        if send.kind != "rename":
            continue
        for order_id in (str(record.get("orderId")) for record in payload_of(send.content)):
            before = gone.setdefault(order_id, send.name)
            if before != send.name and order_id not in by_hand and not {(before, order_id), (before, None)} & refused:
                yield f"I12: {order_id} leaves in {send.name} although {before} may have arrived with it"
            gone[order_id] = send.name


def rows_digest(send: Send, content: bytes | None = None) -> str:
    """A digest over a file's rows, their order and their expiry, without the token."""
    whole = send.content if content is None else content
    try:
        document = json.loads(whole)
    except ValueError:
        text = whole.decode("utf-8", "replace")
        document = {"rows": [_without_token(row) for row in csv.DictReader(io.StringIO(text, newline=""))]}
    else:
        document = {name: _without_token(part) if isinstance(part, dict) else part for name, part in document.items()}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _without_token(part: Mapping[str, object]) -> dict[str, object]:
    return {str(name): value for name, value in part.items() if str(name).lower() not in ("authorization", "authorizationtoken")}


def i25_stop(seen: Evidence) -> Iterator[str]:
    """Asked to stop, a run ends with the step in hand: once it has begun another, no byte leaves any more."""
    for process, asked_at in seen.stops:
        end = next((mark.points[1] for mark in seen.marks if mark.process == process), len(seen.labels))
        steps = [at for at in range(asked_at, end) if seen.labels[at] == "before commit ledger"]
        if len(steps) < 2:
            continue
        late = [send for send in seen.sends if send.process == process and send.point > steps[1] and send.kind != "removed"]
        yield from (f"I25: {send.name}: a {send.kind} after the run was asked to stop" for send in late)


def i25_switched_off(seen: Evidence) -> Iterator[str]:
    """A run for which a kind of order or a site is switched off begins to send none of them; outcomes are still collected."""
    began: set[str] = set()
    off = {mark.process: mark.switched_off for mark in seen.marks}
    for send in seen.sends:
        if send.kind == "rename":
            began.update(str(record.get("orderId")) for record in payload_of(send.content))
        is_new = send.kind == "write" and send.left is not None and send.left.batch.get("step") == "sending"
        if not is_new or not off.get(send.process):
            continue
        for order_id in (str(record.get("orderId")) for record in payload_of(send.content)):
            row = seen.given.get(order_id, {})
            if order_id not in began and {row.get("origin"), f"site:{row.get('site')}"} & set(off[send.process]):
                yield f"I25: {order_id} leaves in {send.name} although it is switched off"
