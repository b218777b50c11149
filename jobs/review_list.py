"""`mitbatch review list`: what waits for a person, by when, and the decisions that fit."""

from collections.abc import Mapping, Sequence

from batch.fitting import fitting
from batch.ledger.calls import kinds_of_groups
from batch.ledger.items import Item, open_items
from batch.pace import business_date, utc_text
from jobs.assembly import open_books
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from schemas.errors import ExitCode
from schemas.reasons import ItemKind
from schemas.resolutions import Resolution


def list_review(options: Options) -> int:
    """Print every open item, oldest first: what it is about, by when, and the decisions that fit."""
    settings, clock = load_settings(options.config), SystemClock()
    with open_books(settings, clock=clock) as (ledger, _, _), ledger.reading() as connection:
        items = open_items(connection, ledger.mid)
        calls = {f"batch:{batch_id}": kind for batch_id, kind in kinds_of_groups(connection, ledger.mid).items()}
    today = business_date(clock.now(), settings.schedule.timezone)
    for item in items:
        late = "   OVERDUE" if item.due_date < today else ""
        say(
            options,
            [
                f"{item.item_id}  {item.kind:<24}{item.subject}   by {item.due_date}{late}",
                f"              {item.explanation}",
                f"              decide --as {' | '.join(fitting(item.kind, item.subject, calls))}",
                *([_EACH_ORDER] if _is_about_orders(item, calls) else []),
            ],
        )
        answer(
            options,
            {
                "schema": "mitbatch.review_item/1",
                "type": "item",
                "environment": settings.environment,
                **_object(item, fitting(item.kind, item.subject, calls), is_overdue=bool(late)),
            },
        )
    say(options, [_closing(len(items))])
    answer(
        options,
        {
            "schema": "mitbatch.review/1",
            "type": "result",
            "command": "review list",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "items": len(items),
        },
    )
    return int(ExitCode.CLEAN)


_OF_EACH = (Resolution.REPEAT_CALL, Resolution.NO_RESCUE)
_EACH_ORDER = f"              or about each order in doubt: order:ID --as {' | '.join(_OF_EACH)}"


def _is_about_orders(item: Item, calls: Mapping[str, str]) -> bool:
    """Whether orders of a group of calls are in doubt, each of which is decided about alone."""
    return calls.get(item.subject) == "evaluate" and item.kind is ItemKind.MISSING_ACKNOWLEDGEMENT


def _closing(count: int) -> str:
    if not count:
        return "nothing needs a person"
    how = 'mitbatch review resolve ITEM --as DECISION --reason "..." --dry-run'
    return f"{count:,} {'item needs' if count == 1 else 'items need'} a person; see what a decision does with: {how}"


def _object(item: Item, decisions: Sequence[Resolution], *, is_overdue: bool) -> dict[str, object]:
    return {
        "item_id": item.item_id,
        "kind": item.kind.value,
        "subject": item.subject,
        "opened_at": item.opened_at,
        "due_date": item.due_date,
        "overdue": is_overdue,
        "explanation": item.explanation,
        "evidence_id": item.evidence_id,
        "decisions": [each.value for each in decisions],
    }
