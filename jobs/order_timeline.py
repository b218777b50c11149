"""Everything that happened to one order, oldest first: verdicts of the gate, moves, its file, what was heard, what people did."""

from collections.abc import Iterator

from batch.ledger.order_story import OrderStory, Row, is_forgotten
from schemas.money import people_text

_KINDS = ("gate", "order", "file", "request", "item")
"""Which comes first of what happened in one second; a proof stands right before the first move that it
led to, a hint before all of them."""

Entry = tuple[str, str, int, str, str]
"""When, with what kind and number it is sorted at that moment, of what kind it is, and the words."""


def timeline(story: OrderStory) -> list[tuple[str, str, str]]:
    """Everything that happened: when (UTC text), of what kind, and in words; oldest first."""
    entries = [*_decided(story), *_heard(story), *_moved(story), *_asked(story), *_items(story)]
    in_order = sorted(entries, key=lambda entry: (entry[0], _KINDS.index(entry[1]), entry[2]))  # where equal, as gathered
    return [(at, kind, words) for at, _, _, kind, words in in_order]


def _decided(story: OrderStory) -> Iterator[Entry]:
    for each in story.decisions:
        rule = f", rule {each['rule_id']}" if each["rule_id"] else ""
        verdict = ", ".join(dict.fromkeys((each["decision"], each["reason"])))
        words = f"{verdict}: {each['reason_text']}   (date {each['business_date']}{rule})"
        yield each["decided_at"], "gate", 0, "gate", words


def _moved(story: OrderStory) -> Iterator[Entry]:
    lines = {each.batch_id: each.sequence_number for each in story.attempts}
    for event in story.events:
        kind, _, name = event["subject"].partition(":")
        trail = f"   ({event['source']}, run {event['run_id'][:8]}{_proof(event['evidence_id'])})"
        if kind == "batch":
            batch = story.batches[name]
            line = f", line {lines[name]}" if lines.get(name) else ""
            digest = (
                f", rows sha256 {batch['rows_digest'][:8]}" if batch["rows_digest"] and event["to_state"] != "claimed" else ""
            )
            words = f"{batch['file_name']}{line} {event['to_state']}: {event['reason']}{digest}"
            yield event["at"], "file", event["seq"], "calls" if batch["format"] == "api" else "file", words + trail
        elif kind == "operation":
            yield event["at"], "request", event["seq"], "request", f"{event['to_state']}: {event['reason']}{trail}"
        else:
            moves = event["kind"] == "transition"
            way = f"{event['from_state'] or 'new'} -> {event['to_state']}" if moves else event["kind"]
            yield event["at"], "order", event["seq"], "order", f"{way}: {event['reason']}{trail}"


def _heard(story: OrderStory) -> Iterator[Entry]:
    own = sorted(
        (event for event in story.events if event["subject"] == f"order:{story.order_id}"), key=lambda event: event["seq"]
    )
    led_to = {event["evidence_id"]: event["seq"] for event in reversed(own) if event["evidence_id"]}
    for each in story.evidence:
        name = story.file_names.get(each["evidence_id"], "")
        named = f" {name}" if name else ""
        words = f"{each['source']}{named}, {_size(each)}, sha256 {each['content_hash'][:8]}{_proof(each['evidence_id'])}"
        seq = led_to.get(each["evidence_id"])
        yield each["received_at"], "gate" if seq is None else "order", seq or 1, "heard", words


def _size(heard: Row) -> str:
    """How much was said; where it was emptied since (`retention.answer_days`), that."""
    return "forgotten after its time (retention.answer_days)" if is_forgotten(heard) else f"{heard['size']:,} bytes"


def _asked(story: OrderStory) -> Iterator[Entry]:
    for each in story.operations:
        amount = f" {people_text(each['amount_minor'], each['currency'])}" if each["kind"] == "refund" else ""
        yield (
            each["asked_at"],
            "request",
            0,
            "request",
            f"{each['kind']}{amount} asked for by {each['asked_by']}: {each['reason']}",
        )
    for each in story.copies:
        answered = f", {each['result']} {each['transmit_id'] or each['error_text'] or ''}".rstrip() if each["result"] else ""
        file = story.batches[each["batch_id"]]["file_name"]
        words = f"a copy of the good charge travels in {file}, line {each['sequence_number']}{answered}"
        yield each["charged_at"], "request", 0, "request", words


def _items(story: OrderStory) -> Iterator[Entry]:
    for each in story.items:
        yield each["opened_at"], "item", 0, "item", f"{each['kind']} opened, due {each['due_date']}: {each['explanation']}"
        if each["closed_at"]:
            by = f" by {each['closed_by']} ({each['resolution_reason']})" if each["closed_by"] else ""
            yield each["closed_at"], "item", 1, "item", f"{each['kind']} closed{by}: {each['resolution']}"


def _proof(evidence_id: str | None) -> str:
    return f", evidence {evidence_id[:8]}" if evidence_id else ""
