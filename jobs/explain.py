"""`mitbatch explain`: the story of one order, or what a word of this program means."""

import difflib
import inspect
import json
from collections.abc import Iterator
from typing import Any

import schemas.errors as error_tree
from batch.ledger import Submission
from batch.ledger.batches import batch_by_id
from batch.ledger.decisions import decisions_of
from batch.ledger.reading import attempts_of, events_of, nearest_order_ids
from batch.pace import utc_text
from jobs.assembly import open_books
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from schemas.errors import ExitCode, MitbatchError, UsageRefused
from schemas.money import people_text
from schemas.reasons import ITEM_TEXTS, REASON_TEXTS
from schemas.states import NEVER_AGAIN, RELEASED, STATE_TEXTS, State


def show_explanation(options: Options, what: str) -> int:
    """Print the page of a reason, state, item kind or error code; everything else is taken for an order id."""
    page = word_page(what)
    if page is None:
        return _explain_order(options, what)
    say(options, [f"{what}: {page}"])
    answer(
        options,
        {
            "schema": "mitbatch.explain/1",
            "type": "result",
            "command": "explain",
            "run_id": "",
            "generated_at": utc_text(SystemClock().now()),
            "environment": "",
            "word": what,
            "page": page,
        },
    )
    return int(ExitCode.CLEAN)


def word_page(word: str) -> str | None:
    """What a stable word means; None when it is none of ours."""
    pages: dict[str, str] = {
        **{reason.value: text for reason, text in REASON_TEXTS.items()},
        **{kind.value: text for kind, text in ITEM_TEXTS.items()},
        **{state.value: text for state, text in STATE_TEXTS.items()},
        **{kind.code: inspect.cleandoc(kind.__doc__ or "") + f"\nExit code {int(kind.exit_code)}." for kind in error_kinds()},
        "MB-ROW-REJECTED": "The provider refused a row; no rescue started for that order, and its hold was released. "
        "Mend the row in the order system and set its status back to declined: it goes out again with the next nightly.",
    }
    return pages.get(word)


def error_kinds() -> Iterator[type[MitbatchError]]:
    """Every class of the error tree that has a code of its own."""
    for _, kind in inspect.getmembers(error_tree, inspect.isclass):
        if issubclass(kind, MitbatchError) and "code" in vars(kind) and (kind is MitbatchError or kind.code != "MB-INTERNAL"):
            yield kind


def _explain_order(options: Options, order_id: str) -> int:
    settings = load_settings(options.config)
    with open_books(settings, clock=SystemClock()) as (ledger, source, _):
        row = source.written([order_id]).get(order_id)
        with ledger.reading() as connection:
            attempts = attempts_of(connection, ledger.mid, order_id)
            events = events_of(connection, ledger.mid, f"order:{order_id}")
            decisions = decisions_of(connection, ledger.mid, order_id)
            batch = batch_by_id(connection, ledger.mid, attempts[-1].batch_id) if attempts else None
            near = nearest_order_ids(connection, ledger.mid, order_id) if not (attempts or decisions or row) else []
    if not (attempts or decisions or row):
        hint = (
            f"The nearest ids are: {', '.join(map(repr, difflib.get_close_matches(order_id, near, n=3) or near[:3]))}."
            if near
            else ""
        )
        raise UsageRefused(f"Order {order_id!r} is neither in the ledger nor in the order system.", next_step=hint)
    latest = attempts[-1] if attempts else None
    lines = [f"Order {order_id!r}: {_verdict(latest, row)}", ""]
    lines += [
        f"  {each['business_date']}            gate: {each['decision']}, {each['reason']}: {each['reason_text']}"
        for each in decisions
    ]
    lines += [_event_line(event) for event in events]
    if batch is not None:
        lines += ["", f"  file {batch.file_name}, line {latest.sequence_number if latest else ''}, {batch.step}"]
    lines += ["", *_three_views(latest, row)]
    say(options, lines)
    answer(options, _order_object(order_id, settings.environment, attempts, decisions, events, row))
    return int(ExitCode.CLEAN)


def _verdict(latest: Submission | None, row: dict[str, str] | None) -> str:
    if latest is None:
        return "it was never handed over."
    if latest.state is State.COMPLETED:
        return "recovered by the provider; nobody charges it again."
    if latest.state in NEVER_AGAIN:
        return f"{latest.state}; nobody charges it again."
    if latest.state in RELEASED:
        free = row is not None and not row["hold_reference"]
        return f"{latest.state}; " + ("your own retry may take it." if free else "its hold is kept.")
    return (
        f"{latest.state} since {latest.claimed_at}; your own retry is blocked until its outcome is known "
        f"(it expires at {latest.expires_at})."
    )


def _event_line(event: dict[str, Any]) -> str:
    way = f"{event['from_state'] or 'new'} -> {event['to_state']}" if event["kind"] == "transition" else event["kind"]
    proof = f"   evidence {event['evidence_id'][:8]}" if event["evidence_id"] else ""
    return f"  {event['at']}  {way}: {event['reason']}   ({event['source']}, run {event['run_id'][:8]}){proof}"


def _three_views(latest: Submission | None, row: dict[str, str] | None) -> list[str]:
    ledger = f"{latest.state}   {people_text(latest.amount_minor, latest.currency)}" if latest else "unknown"
    provider = f"{latest.provider_status or 'not heard of'}   {latest.provider_order_id}" if latest else "unknown"
    orders = (
        f"{row['status']}   hold {row['hold_reference'] or 'none'}   retry {row['retry_state'] or 'none'}"
        if row
        else "no such row"
    )
    return [f"  ledger        {ledger}", f"  provider      {provider}", f"  order system  {orders}"]


def _order_object(
    order_id: str,
    environment: str,
    attempts: list[Submission],
    decisions: list[dict[str, Any]],
    events: list[dict[str, Any]],
    row: dict[str, str] | None,
) -> dict[str, Any]:
    kept = ("seq", "at", "business_date", "run_id", "kind", "from_state", "to_state", "source", "reason", "evidence_id")
    return {
        "schema": "mitbatch.explain/1",
        "type": "result",
        "command": "explain",
        "run_id": "",
        "generated_at": utc_text(SystemClock().now()),
        "environment": environment,
        "order_id": order_id,
        "state": attempts[-1].state.value if attempts else "",
        "decisions": [
            {name: each[name] for name in ("business_date", "decision", "reason", "reason_text")} for each in decisions
        ],
        "events": [{**{name: event[name] for name in kept}, "detail": json.loads(event["detail"])} for event in events],
        "order_row": row,
    }
