"""A house for each test, its metrics, and a server that shows them."""

from collections.abc import Iterator

import pytest

from tests.night.conftest import house, make_house, running_house, stop_later
from tests.night.house import CANCELLED, ONHOLD, REFUSED, House, order, paid
from tests.webhooks.serving import Reached, served

__all__ = ["house", "make_house", "reached", "running_house", "stop_later"]


@pytest.fixture
def reached(house: House) -> Iterator[Reached]:
    """A server of a house that has had a night, and a poll two hours later."""
    house.add(
        order("a"),
        order("b", payment_token=CANCELLED, currency="EUR", site="acme-eu"),
        order("c", payment_token=ONHOLD),
        order("d", payment_token=REFUSED),
        order("e/<b>é", payment_token=ONHOLD),
        order("old", charged_at="2026-11-20T03:00:00Z"),
        paid(),
    )
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    with served(house) as found:
        yield found
