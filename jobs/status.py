"""`mitbatch status`: orders by state, what is in doubt, what needs a person, how the last runs ended."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from batch.ledger.batches import unanswered_batches, unsent_batches
from batch.ledger.items import Item, open_items
from batch.ledger.reading import count_by_state, last_runs
from batch.pace import business_date, utc_text
from jobs.alert_lines import alert_lines, alert_objects
from jobs.assembly import open_books
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.switch_lines import switch_lines, switch_object, switches_of
from schemas.errors import ExitCode
from schemas.money import people_text
from schemas.states import OPEN

MOST_ITEMS = 20
_WIDEST_SUBJECT = 40


def show_status(options: Options) -> int:
    """Print where everything stands; reads only. With `--json`, `states` has orders and minor units by state."""
    settings, clock = load_settings(options.config), SystemClock()
    with open_books(settings, clock=clock) as (ledger, source, _), ledger.reading() as connection:
        states = count_by_state(connection, ledger.mid)
        items = open_items(connection, ledger.mid)
        runs = last_runs(connection, ledger.mid)
        files = _files(connection, ledger.mid)
        free = source.count_retryable()
        switches = switches_of(settings, connection)
    lines = [banner("status", business_date(clock.now(), settings.schedule.timezone), settings)]
    lines += [_state_line(state, totals) for state, totals in states.items()] or ["no order has been claimed yet"]
    lines += [f"{name:<20}{count:>8,}" for name, count in files.items() if count]
    lines.append(f"{'retry may take':<20}{_orders(free)}   {_money(free)}".rstrip())
    lines += last_run_lines(runs.values())
    lines += [*switch_lines(switches), *alert_lines(items)]
    lines += _item_lines(items)
    say(options, lines)
    answer(
        options,
        {
            "schema": "mitbatch.status/1",
            "type": "result",
            "command": "status",
            "run_id": "",
            "generated_at": utc_text(clock.now()),
            "environment": settings.environment,
            "mid": settings.provider.mid,
            "states": {state: _totals(totals) for state, totals in states.items()},
            "in_doubt": sum(orders for orders, _ in states.get("in_doubt", {}).values()),
            "review": sum(orders for orders, _ in states.get("review", {}).values()),
            "files": files,
            "retryable": _totals(free),
            "alerts": alert_objects(items),
            "switches": switch_object(switches),
            "items": [_item_object(item) for item in items],
            "last_runs": {job: _run_object(run) for job, run in runs.items()},
        },
    )
    return int(ExitCode.CLEAN)


def last_run_lines(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """How the last run of each job ended, the latest first; `runs` are rows of the ledger."""
    latest_first = sorted(runs, key=lambda run: str(run["started_at"]), reverse=True)
    return [f"last {run['job']:<15}{_ending(run)}" for run in latest_first]


def _files(connection: Connection, mid: str) -> dict[str, int]:
    unsent = unsent_batches(connection, mid)
    return {
        "files unsent": sum(batch.step != "in_doubt" and not batch.is_of_calls for batch in unsent),
        "files in doubt": sum(batch.step == "in_doubt" for batch in unsent),
        "groups of calls unsent": sum(batch.is_of_calls for batch in unsent),
        "files unanswered": len(unanswered_batches(connection, mid)),
    }


def _state_line(state: str, totals: dict[str, tuple[int, int]]) -> str:
    held = "held" if state in OPEN else ""
    return f"{state:<20}{_orders(totals)}   {_money(totals)}   {held}".rstrip()


def _orders(totals: dict[str, tuple[int, int]]) -> str:
    count = sum(orders for orders, _ in totals.values())
    return f"{count:>8,} {'order' if count == 1 else 'orders'}"


def _money(totals: dict[str, tuple[int, int]]) -> str:
    return "   ".join(people_text(minor, currency) for currency, (_, minor) in sorted(totals.items()) if currency)


def _totals(totals: dict[str, tuple[int, int]]) -> dict[str, Any]:
    return {
        "orders": sum(orders for orders, _ in totals.values()),
        "amount_minor": {currency: minor for currency, (_, minor) in sorted(totals.items())},
    }


def _ending(run: Mapping[str, Any]) -> str:
    if run["finished_at"] is None:
        began = f"began {run['started_at']}"
        no_files = f"{began}, ended with exit {run['exit_code']}, finance's files still to be written"
        return f"{began}, and has not ended" if run["exit_code"] is None else no_files
    return f"began {run['started_at']}, ended {run['finished_at']} with exit {run['exit_code']}"


def _item_lines(items: list[Item]) -> list[str]:
    if not items:
        return ["nothing needs a person"]
    lines = [f"{len(items):,} {'item needs' if len(items) == 1 else 'items need'} a person: mitbatch review list"]
    shown = items[:MOST_ITEMS]
    width = min(max(len(item.subject) for item in shown), _WIDEST_SUBJECT)
    lines += [f"  {item.kind.value:<24}{item.subject:<{width}}   by {item.due_date}   {item.explanation}" for item in shown]
    return [*lines, *([f"  and {len(items) - MOST_ITEMS:,} more; --json lists all"] if len(items) > MOST_ITEMS else [])]


def _item_object(item: Item) -> dict[str, str]:
    return {
        "item_id": item.item_id,
        "kind": item.kind.value,
        "subject": item.subject,
        "opened_at": item.opened_at,
        "due_date": item.due_date,
        "explanation": item.explanation,
    }


def _run_object(run: dict[str, Any]) -> dict[str, Any]:
    names = ("run_id", "business_date", "started_at", "finished_at", "exit_code")
    return {name: run[name] for name in names}
