"""`python -m tests.crash_points SCENARIO STEP AT CUT AGAIN` lets one death, or two, happen again and says what it breaks."""

import sys

from tests.crash_points.exploring import crash_free, die_once, die_twice, only
from tests.crash_points.scenarios import SCENARIOS
from tests.world.world import ground


def main(name: str, *numbers: str) -> int:
    """1 when something is broken."""
    scenario, (step, at, cut, again) = SCENARIOS[name], map(int, numbers)
    try:
        expected = crash_free(scenario)
        if again:
            found = die_twice(scenario, step, at, only(again), expected)
        else:
            found = die_once(scenario, step, only(at), expected, cut=bool(cut))
    finally:
        ground().leave()
    sys.stdout.write("\n".join([f"{found.deaths} deaths", *found.violations]) + "\n")
    return int(bool(found.violations))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
