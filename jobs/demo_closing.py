"""How the demo ends: its checks, and a table of where everything stands."""

from collections import Counter
from typing import TYPE_CHECKING

from batch.ledger.reading import count_by_state
from batch.source import OrderSource
from jobs.assembly import open_books
from jobs.output import answer, say
from jobs.running import RunReport
from schemas.counted import counted
from schemas.money import people_text
from schemas.reasons import REASON_TEXTS, Reason

if TYPE_CHECKING:
    from jobs.demo import Demo


def checks_of(demo: "Demo", second: RunReport) -> dict[str, bool]:
    """What must be true at the end, each as a sentence, and whether it is: told by the provider's journal and the order rows."""
    accepted = Counter(str(each["order_id"]) for each in demo.sandbox.accepted("evaluate"))
    copies = Counter(str(each["order_id"]) for each in demo.sandbox.accepted("transmit"))
    with open_books(demo.settings, clock=demo.clock) as (ledger, source, _), ledger.reading() as connection:
        states = count_by_state(connection, ledger.mid)
        completed = sum(orders for orders, _ in states.get("completed", {}).values())
        shown = _completed_rows(source, list(accepted))
    told = sum(order["status"] == "Completed" or order.get("code") == 7 for order in demo.sandbox.orders())
    all_sent = f"the provider has each of {counted(len(accepted), 'order')} exactly once"
    all_copied = f"the provider has each of {counted(len(copies), 'copy', 'copies')} exactly once"
    agreed = f"{counted(completed, 'order is', 'orders are')} completed in the ledger, in the order system and at the provider"
    return {
        all_sent: bool(accepted) and set(accepted.values()) == {1},
        all_copied: bool(copies) and set(copies.values()) == {1},
        "the second night sent nothing": not second.findings.delivered,
        agreed: completed == shown == told,
        "the books balance": all(report.audit is not None and report.audit.balanced for report in demo.reports),
    }


def _completed_rows(source: OrderSource, order_ids: list[str]) -> int:
    return sum(row["status"] == "completed" for row in source.written(order_ids).values())


def print_closing(demo: "Demo", checks: dict[str, bool], seconds: float) -> None:
    """Print the table, the checks, and where to look."""
    first, audit = demo.reports[0], demo.settings.data_dir / "audit"
    with open_books(demo.settings, clock=demo.clock) as (ledger, source, _), ledger.reading() as connection:
        states, free = count_by_state(connection, ledger.mid), source.count_retryable()
    rows = [("sent: " + state, sum(n for n, _ in totals.values()), _money(totals)) for state, totals in states.items()]
    for reason, totals in sorted(first.figures.not_sent.items()):
        amounts = {currency: (total.orders, total.amount_minor) for currency, total in totals.items()}
        rows.append((f"not sent: {reason}", sum(t.orders for t in totals.values()), _money(amounts)))
    rows.append(("your own retry may take now", sum(n for n, _ in free.values()), _money(free)))
    say(demo.options, ["== Where everything stands"])
    say(demo.options, _table(rows))
    say(demo.options, ["", *(f"{'ok  ' if good else 'FAIL'}  {words}" for words, good in checks.items()), ""])
    codes = ", ".join(f"{report.job} {int(report.code)}" for report in demo.reports)
    places = {
        "exit codes": f"{codes} (10: an item needs a person, here card numbers and refused rows on purpose)",
        "settings": demo.folder / "mitbatch.toml",
        "finance's CSV": audit,
        **({"the report": last.page} if (last := demo.reports[-1].audit) is not None and last.page else {}),
        "sent rows": demo.settings.data_dir / "export",
        "the provider": demo.folder / "provider" / "journal.jsonl",
        "try": f"mitbatch --config {demo.folder / 'mitbatch.toml'} explain 000471",
    }
    say(demo.options, [*(f"{name:<16}{place}" for name, place in places.items()), f"took            {seconds:.0f} s"])
    answer(
        demo.options,
        {
            "schema": "mitbatch.demo/1",
            "type": "result",
            "command": "demo",
            "environment": demo.settings.environment,
            "checks": checks,
            "folder": str(demo.folder),
            "runs": [{"job": report.job, "exit_code": int(report.code)} for report in demo.reports],
        },
    )


def _money(totals: dict[str, tuple[int, int]]) -> str:
    return "   ".join(people_text(minor, currency) for currency, (_, minor) in sorted(totals.items()) if currency)


def _table(rows: list[tuple[str, int, str]]) -> list[str]:
    explained = {f"not sent: {reason.value}": REASON_TEXTS[reason] for reason in Reason}
    width = max(len(name) for name, _, _ in rows)
    amounts = max(len(money) for _, _, money in rows)
    return [
        f"{name:<{width}}  {count:>5,}  {money:>{amounts}}   {explained.get(name, '')}".rstrip() for name, count, money in rows
    ]
