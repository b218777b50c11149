"""`mitbatch`, also `python -m jobs`: runs one command and ends with its exit code, whatever happens."""

import sys

from jobs.cli import run


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
