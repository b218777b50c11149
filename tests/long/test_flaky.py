"""Which tests count as flaky."""

from pathlib import Path

from tests.long.flaky import compared, passed_or_not


def test_a_test_that_passes_only_sometimes_is_flaky() -> None:
    """A test with different ends in different runs is told with the command for the run in which it did not pass."""
    figures, violations = compared([{"tests.a::x": "passed"}, {"tests.a::x": "failure"}], [11, 12])

    assert (figures["flaky tests"], figures["failing tests"]) == (1, 0)
    assert violations == ["tests.a::x: passed, failure [again: PYTHONHASHSEED=12 python -m pytest 'tests/a.py::x']"]


def test_a_test_that_never_passes_is_no_flaky_one() -> None:
    """A test that fails in every run is told as failing."""
    figures, violations = compared([{"tests.a::x": "error"}, {"tests.a::x": "failure"}], [11, 12])

    assert (figures["flaky tests"], figures["failing tests"], len(violations)) == (0, 1, 1)


def test_a_test_that_is_not_always_there_is_told() -> None:
    """A test that is missing from one run, or skipped in one only, is flaky."""
    runs = [{"a::x": "passed", "a::y": "skipped"}, {"a::y": "passed"}]

    assert compared(runs, [1, 2])[0]["flaky tests"] == 2


def test_what_always_passes_or_is_always_skipped_is_fine() -> None:
    """Nothing is told of them."""
    runs = [{"a::x": "passed", "a::y": "skipped"}] * 2
    figures, violations = compared(runs, [1, 2])

    assert (figures["tests"], figures["tests that always passed"], violations) == (2, 1, [])


def test_the_ends_are_read_from_real_runs(tmp_path: Path) -> None:
    """A run of real tests tells which passed, which failed and which were skipped."""
    path = tmp_path / "test_three.py"
    path.write_text(
        "import pytest\n"
        "def test_a() -> None: ...\n"
        "def test_b() -> None: assert False\n"
        "def test_c() -> None: pytest.skip('why')\n",
        encoding="utf-8",
    )

    fates = passed_or_not(1, [str(path)])

    assert {name.partition("::")[2]: fate for name, fate in fates.items()} == {
        "test_a": "passed",
        "test_b": "failure",
        "test_c": "skipped",
    }
