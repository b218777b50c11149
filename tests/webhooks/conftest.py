"""A house and a ledger for each test."""

from tests.ledger.conftest import room
from tests.night.conftest import house, make_house, running_house, stop_later

__all__ = ["house", "make_house", "room", "running_house", "stop_later"]
