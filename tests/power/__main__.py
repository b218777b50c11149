"""Run power cuts alone: `python -m tests.power SIZE SEED`, or one image again: `python -m tests.power --again NUMBER SEED`."""

import sys

from tests.power.campaign import campaign, judge_again


def main(words: list[str]) -> int:
    """Print what was counted and every violation; 1 if there is one."""
    if words[0] == "--again":
        violations, figures = tuple(judge_again(int(words[1]), int(words[2]))), {}
    else:
        outcome = campaign(int(words[0]), int(words[1]))
        violations, figures = outcome.violations, {**outcome.figures, "seconds": round(outcome.seconds)}
    lines = [f"{name}: {count}" for name, count in figures.items()]
    sys.stdout.write("\n".join([*lines, *violations, f"{len(violations)} violations"]) + "\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
