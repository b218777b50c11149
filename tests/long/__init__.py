"""The long tests: `python -m tests.long` runs every campaign at its full size, `--ci` at the size that fits a landing."""
