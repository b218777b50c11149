"""`python -m tests.world hunt FROM TO [--until ID]` tries seeds, `trace SEED` prints a hash of all that happened.

`traces FROM TO [--twice] [--plainly]` prints it for many seeds. `replay SEED-OR-JSON` lets one schedule happen again and makes it
short, `judge JSON` only says what it breaks.
"""

import argparse
import sys

from tests.world import statements
from tests.world.campaign import traces
from tests.world.schedule import Schedule, from_json, schedule_of
from tests.world.shrink import ids_of, shrunk, trace_of, violations_of
from tests.world.world import leave_ground


def main() -> int:
    """Run the command; 1 when an invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    hunt = commands.add_parser("hunt")
    hunt.add_argument("first", type=int)
    hunt.add_argument("end", type=int)
    hunt.add_argument("--until", default="", help="stop at the first seed that breaks this invariant")
    trace = commands.add_parser("trace")
    trace.add_argument("seed", type=int)
    traces_of_many = commands.add_parser("traces")
    traces_of_many.add_argument("first", type=int)
    traces_of_many.add_argument("end", type=int)
    traces_of_many.add_argument("--twice", action="store_true", help="once more, backwards")
    traces_of_many.add_argument("--plainly", action="store_true", help="each statement as SQLAlchemy executes it by itself")
    judge = commands.add_parser("judge")
    judge.add_argument("schedule")
    replay = commands.add_parser("replay")
    replay.add_argument("schedule")
    asked = parser.parse_args()
    try:
        if asked.command == "replay":
            return _replay(from_json(asked.schedule) if asked.schedule.startswith("{") else schedule_of(int(asked.schedule)))
        if asked.command == "judge":
            violations = violations_of(from_json(asked.schedule))
            _say("judged:", *violations)
            return int(bool(violations))
        if asked.command == "trace":
            _say(trace_of(schedule_of(asked.seed)))
            return 0
        if asked.command == "traces":
            statements.is_plain[0] = asked.plainly
            for line in traces(range(asked.first, asked.end), twice=asked.twice):
                _say(line)
            return 0
        return _hunt(asked.first, asked.end, asked.until)
    finally:
        leave_ground()


def _replay(schedule: Schedule) -> int:
    violations = violations_of(schedule)
    _say(schedule.as_json(), *violations)
    if violations:
        _say("shrunk:", shrunk(schedule).as_json())
    return int(bool(violations))


def _hunt(first: int, end: int, until: str) -> int:
    broken = 0
    for seed in range(first, end):
        violations = violations_of(schedule_of(seed))
        if violations:
            broken += 1
            _say(f"seed {seed}: {schedule_of(seed).as_json()}", *violations)
        if until in ids_of(violations):
            return 1
    _say(f"{end - first} schedules, {broken} broken")
    return int(bool(broken))


def _say(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
