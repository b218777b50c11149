"""`mitbatch holds`: what is held, whether one order may be charged in-house, and the view that says so to every job."""

from batch.ledger import Ledger
from batch.ledger.reading import attempts_of, open_submissions
from batch.order_rows import is_storable
from batch.pace import business_date, utc_text
from batch.source import OrderSource
from jobs.assembly import open_books
from jobs.banner import banner
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from schemas.errors import EXIT_MEANINGS, ExitCode, UsageRefused
from schemas.money import people_text


def list_holds(options: Options) -> int:
    """Print every order inside the books' closing line: one line each, or one JSON object each and a result."""
    settings, count = load_settings(options.config), 0
    with open_books(settings, clock=SystemClock()) as (ledger, _, _), ledger.reading() as connection:
        for held in open_submissions(connection, ledger.mid):
            count += 1
            amount = people_text(held.amount_minor, held.currency)
            say(options, [f"{held.order_id!r:<28} {held.state:<17} {amount:>16}   until {held.expires_at}"])
            answer(
                options,
                {
                    "schema": "mitbatch.hold/1",
                    "type": "hold",
                    "environment": settings.environment,
                    "order_id": held.order_id,
                    "state": held.state.value,
                    "hold_reference": held.hold_reference,
                    "until": held.expires_at,
                    "amount_minor": held.amount_minor,
                    "currency": held.currency,
                },
            )
    say(options, [f"{count:,} {'order is' if count == 1 else 'orders are'} held"])
    answer(
        options,
        {
            "schema": "mitbatch.holds/1",
            "type": "result",
            "command": "holds list",
            "run_id": "",
            "generated_at": utc_text(SystemClock().now()),
            "environment": settings.environment,
            "orders": count,
        },
    )
    return int(ExitCode.CLEAN)


def check_order_id(order_id: str) -> None:
    """Raise UsageRefused for an id that no database holds: bytes of a command line that are not UTF-8."""
    if not is_storable(order_id):
        raise UsageRefused(f"{order_id!r} is no order id: it is not UTF-8.")


def check_hold(options: Options, order_id: str) -> int:
    """Say whether the merchant's own retry may charge an order: true exactly when its row is in `retryable_orders`.

    An id that is in neither place may be charged, with the reason `unknown_order`. Exit 0 = may, 30 = must not.
    """
    settings = load_settings(options.config)
    check_order_id(order_id)
    with open_books(settings, clock=SystemClock()) as (ledger, source, _):
        found = hold_check(ledger, source, order_id, environment=settings.environment)
    may_charge, until = found["may_charge"], found["until"]
    words = "may be charged" if may_charge else "must not be charged"
    reason = found["reason"]
    say(options, [f"Order {order_id!r} {words} by your own retry: {reason}" + (f", until {until}" if until else "") + "."])
    answer(options, found)
    return int(ExitCode.CLEAN if may_charge else ExitCode.REFUSED)


def hold_check(ledger: Ledger, source: OrderSource, order_id: str, *, environment: str) -> dict[str, object]:
    """Whether the merchant's own retry may charge an order, as the object that `--json` prints and `serve` answers."""
    free = source.may_charge(order_id)
    row = source.written([order_id]).get(order_id)
    with ledger.reading() as connection:
        attempts = attempts_of(connection, ledger.mid, order_id)
    latest = attempts[-1] if attempts else None
    may_charge = free is not False and not (free is None and latest is not None)
    state = latest.state.value if latest else ""
    reason = "unknown_order" if free is None and latest is None else _reason(row, may_charge=may_charge)
    until = (row or {}).get("hold_until", "") if not may_charge and (row or {}).get("status") != "completed" else ""
    return {
        "schema": "mitbatch.hold_check/1",
        "type": "result",
        "command": "holds check",
        "run_id": "",
        "generated_at": utc_text(ledger.now()),
        "environment": environment,
        "order_id": order_id,
        "may_charge": may_charge,
        "state": state,
        "reason": reason,
        "until": until,
    }


def show_view(options: Options, *, create: bool) -> int:
    """Print the SQL of the view, or make it."""
    settings = load_settings(options.config)
    with open_books(settings, clock=SystemClock()) as (_, _, writer):
        statement = writer.view_statement()
        if create:
            writer.create_view()
    if create:
        first = banner("holds view", business_date(SystemClock().now(), settings.schedule.timezone), settings)
        say(options, [first, "The view retryable_orders stands.", f"EXIT 0 {EXIT_MEANINGS[ExitCode.CLEAN]}"])
    else:
        say(options, [f"{statement};"])
    answer(
        options,
        {
            "schema": "mitbatch.hold_view/1",
            "type": "result",
            "command": "holds view",
            "run_id": "",
            "generated_at": utc_text(SystemClock().now()),
            "environment": settings.environment,
            "created": create,
            "sql": statement,
        },
    )
    return int(ExitCode.CLEAN)


def _reason(row: dict[str, str] | None, *, may_charge: bool) -> str:
    if may_charge:
        return "free"
    if row is None:
        return "not in the order system"
    if row["hold_reference"]:
        return "held" if row["status"] != "completed" else "completed"
    return "in_house_retry" if row["retry_state"] else f"status_{row['status']}"
