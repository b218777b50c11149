"""Houses for the schedule: on the machine's own time, and on a clock that stands still."""

import pytest

from tests.night.conftest import house, make_house, running_house, stop_later
from tests.night.house import House

__all__ = ["house", "make_house", "running_house", "stop_later"]


@pytest.fixture
def house_done(house: House) -> House:
    """A house whose night is done."""
    house.run()
    return house


@pytest.fixture
def house_late(house: House) -> House:
    """A house whose last night was three days ago; it is seven hours past the time of today's."""
    house.run()
    house.pass_time(days=3, hours=7)
    return house
