"""What these tests would say of a product with a bug that no quiet night shows: a violation, in the words of the promise."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pytest

from tests.crash.planted import BUGS, Bug
from tests.crash.pool import Pool
from tests.crash.races import LEASE_OVER, RENAMES, Race
from tests.crash.world import Case, point_of


@dataclass(frozen=True)
class Aim:
    """Where a night dies, or (`seconds`) stands still for so long, so that a bug shows: at the first point of this label."""

    part: str
    seconds: int = 0
    second_runs: str = "before"
    scenario: str = "night"

    def question(self, labels: list[str]) -> dict[str, object]:
        """What a worker is asked."""
        at = point_of(labels, self.part)
        if not self.seconds:
            return asdict(Case(self.scenario, 0, at, engine=True))
        race = Race(0, "nightly", "nightly", at, late=False, delay_ms=0, pause_ms=0, seconds=self.seconds)
        return {**asdict(race), "second_runs": self.second_runs}


AIMS = {
    "hold-after-send": Aim("after SFTP rename"),
    "blind-resend": Aim("after SFTP rename"),
    "called-again": Aim("after HTTP POST /v1 in", scenario="calls"),
    "lease-unchecked": Aim("after commit ledger .*; before commit orders", LEASE_OVER),
    "old-token-is-renamed": Aim(f"{RENAMES}$", LEASE_OVER, second_runs="after"),
}


@pytest.fixture
def planted(pool: Pool) -> Iterator[Pool]:
    """The workers, whose runs are without a bug again afterwards."""
    yield pool
    pool.plant("", "night", "calls")


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_planted_bug_is_a_violation(planted: Pool, bug: Bug) -> None:
    """A night with the bug is right while nothing happens, and wrong at its aim, where a night without it is right."""
    aim = AIMS[bug.slug]
    sound = planted.ask_one(aim.question(planted.labels[aim.scenario][0]))["violations"]
    planted.plant(bug.slug, aim.scenario)
    found = planted.ask_one(aim.question(planted.labels[aim.scenario][0]))["violations"]
    assert sound == []
    assert [words for words in found if words.startswith(bug.violates)]
