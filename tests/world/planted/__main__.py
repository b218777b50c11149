"""`python -m tests.world.planted SLUG ...` plants bugs, one after the other, and says whether each is caught; 1 if one is not."""

import argparse
import sys

from tests.world.planted import PLANTED
from tests.world.planted.verdicts import aimed, hunted


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.planted", description=__doc__)
    parser.add_argument("slug", nargs="*", help="which bugs; all without one")
    parser.add_argument("--seeds", nargs=2, type=int, metavar=("FIRST", "MOST"), help="let fresh seeds look for it")
    asked = parser.parse_args()
    wanted = [bug for bug in PLANTED if not asked.slug or bug.slug in asked.slug]
    missed = 0
    for bug in wanted:
        verdict = hunted(bug, *asked.seeds) if asked.seeds else aimed(bug)
        missed += not verdict.caught
        found = f" after {verdict.seeds} seeds" if verdict.seeds else ""
        heard = "" if verdict.caught and not asked.slug else "".join(f"\n  {words[-1500:]}" for words in verdict.said)
        line = f"{bug.invariant} {bug.slug}: {'caught' if verdict.caught else 'MISSED'}{found} ({verdict.seconds:.1f} s){heard}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return int(missed > 0 or not wanted)


if __name__ == "__main__":
    sys.exit(main())
