"""T12's reading of what coverage measured."""

from typing import Any

from tests.house.source import ROOT
from tests.long.branches import AREAS, TESTS, handlers, judge

SOURCE = """\
try:
    work()
except OSError:
    first()
    second(
        1,
    )
except ValueError: third()
"""


def measured(missing_lines: list[int], missing_branches: list[list[int]]) -> dict[str, Any]:
    """What coverage writes about one file with ten branches."""
    taken = 10 - len(missing_branches)
    return {
        "missing_lines": missing_lines,
        "missing_branches": missing_branches,
        "summary": {"num_branches": 10, "covered_branches": taken},
    }


def test_an_error_handler_is_its_body() -> None:
    """The lines of every `except` body are found, also where it stands on the line of its `except`."""
    assert list(handlers(SOURCE)) == [{4, 5, 6, 7}, {8}]


def test_a_branch_that_no_test_takes_is_told() -> None:
    """In the modules of the areas each missing branch and line is a sentence, and the counts say how many there are."""
    figures, missed = judge({"batch/build.py": measured([3], [[7, -5], [8, 9]])}, {"batch/build.py": "x = 1\n"})

    assert figures == {"branches": 10, "branches taken": 8, "handlers": 0, "handlers reached": 0}
    assert missed == [
        "batch/build.py:7: no test goes from here to the function's end",
        "batch/build.py:8: no test goes from here to line 9",
        "batch/build.py:3: no test reaches this line",
    ]


def test_elsewhere_only_error_handlers_count() -> None:
    """Outside the areas a missing branch is no matter, a line of an error handler is."""
    figures, missed = judge({"batch/poll.py": measured([2, 5], [[7, 8]])}, {"batch/poll.py": SOURCE})

    assert figures == {"branches": 0, "branches taken": 0, "handlers": 2, "handlers reached": 1}
    assert missed == ["batch/poll.py:5: no test reaches this line of an error handler"]


def test_every_pattern_and_test_is_there() -> None:
    """No area names a module that is gone, and no tests are missing."""
    assert [pattern for patterns in AREAS.values() for pattern in patterns if not list(ROOT.glob(pattern))] == []
    assert [place for place in TESTS if not (ROOT / place).exists()] == []
