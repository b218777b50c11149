"""What the tests of reconciliation need: comparisons in this process, and each side's books changed by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from batch.compared import Compared
from jobs.output import Options
from jobs.reconcile import reconcile_with
from jobs.running import RunReport
from tests.night.house import House


def compare(
    house: House,
    *,
    settlement: Path | None = None,
    everything: bool = False,
    surroundings: Any = None,  # noqa: ANN401 - as run_with takes it
) -> tuple[RunReport, Compared]:
    """Compare the books as the command does, on the house's clock."""
    options = Options(config=house.config, quiet=True)
    report, compared = reconcile_with(
        house.settings, options, clock=house.clock, settlement=settlement, everything=everything, surroundings=surroundings
    )
    assert compared is not None
    return report, compared


def differing(house: House) -> dict[str, tuple[str, str]]:
    """What the latest comparison says of each order: match and explanation."""
    rows = house.ledger(
        "SELECT order_id, match, explanation FROM comparison_row WHERE comparison_id ="
        " (SELECT comparison_id FROM comparison ORDER BY compared_at DESC, rowid DESC LIMIT 1)"
    )
    return {row["order_id"]: (row["match"], row["explanation"]) for row in rows}


def lose_at_provider(house: House, order_id: str) -> None:
    """The provider has lost an order."""
    brain = house.sandbox._brain
    for key in [key for key, found in brain._orders.items() if found.order_id == order_id]:
        del brain._orders[key]


def change_at_provider(house: House, order_id: str, **changed: Any) -> None:  # noqa: ANN401 - fields of its orders
    """The provider has something else of an order."""
    brain = house.sandbox._brain
    for key, found in list(brain._orders.items()):
        if found.order_id == order_id:
            brain._orders[key] = replace(found, **changed)


def add_at_provider(house: House, like: str, **changed: Any) -> None:  # noqa: ANN401 - fields of its orders
    """The provider has an order more, which looks like another one but for these fields."""
    brain = house.sandbox._brain
    found = next(found for found in brain._orders.values() if found.order_id == like)
    more = replace(found, **changed)
    brain._orders[more.order_session_key] = more
