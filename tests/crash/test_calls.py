"""Kill -9 in a night by calls, on real sockets: at a share of its points, and while a call has been taken and not answered."""

import re

import pytest

from tests.crash.pool import Pool
from tests.crash.world import Case

EVERY = 9
MUST_CROSS = (
    "; before HTTP POST /v1$",  # intended, not called
    "after HTTP POST /v1 in",  # taken, and the ledger does not know
)


def test_a_night_by_calls_may_be_killed_at_its_points(pool: Pool) -> None:
    """Each order is taken once at most; what nobody can know is held, in doubt and told of; the rest goes on."""
    points = pool.labels["calls"][0]
    assert [part for part in MUST_CROSS if not any(re.search(part, label) for label in points)] == []
    at = {
        *range(3, len(points) + 1, EVERY),
        *(n for n, label in enumerate(points, 1) if re.search("HTTP POST /v1( in|$)", label)),
    }
    verdicts = pool.try_all([Case("calls", 0, each, engine=True) for each in sorted(at)])
    assert [verdict.words() for verdict in verdicts if verdict.violations] == []
    assert len(verdicts) >= len(at)


@pytest.mark.parametrize("taken", [1, 3])
def test_a_night_is_killed_while_a_call_is_in_flight(pool: Pool, taken: int) -> None:
    """The provider has the order, its answer never left, the process is gone: the next run asks, and calls no more."""
    assert pool.ask_one({"taken": taken})["violations"] == []
