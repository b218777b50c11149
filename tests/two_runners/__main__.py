"""`python -m tests.two_runners NUMBER SEED` lets one interleaving happen again and says what it breaks."""

import os
import sys

from tests.two_runners.campaign import tell


def main(number: str, seed: str) -> int:
    """1 when something is broken."""
    told = tell(int(seed), int(number))
    sys.stdout.write("\n".join([str(told.figures), *told.violations]) + "\n")
    sys.stdout.flush()
    return int(bool(told.violations))


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))  # a runner of a broken interleaving may stand still for ever
