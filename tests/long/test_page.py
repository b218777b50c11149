"""The page: made of the results alone, and readable."""

from dataclasses import replace

from tests.long.invented import part
from tests.long.outcome import Outcome
from tests.long.page import page_of
from tests.long.parts import Amount, left_out
from tests.long.tables import grouped, in_columns, table, time_of
from tests.long.verdict import SHOWN

GOOD = Outcome(
    "T1",
    "T1",
    "good",
    10,
    7,
    commit="abc",
    date="2026-11-26",
    machine="one core",
    seconds=65.0,
    cpu_seconds=100.0,
    figures={"things": 10, "fired: N-01": 3, "fired: N-02": 4, "fired: N-03": 5},
    notes=("what was not\ntried: <none>",),
)


def test_the_same_results_give_the_same_bytes() -> None:
    """A page depends on nothing but the results."""
    assert page_of([part("good")], {"T1": GOOD}, is_ci=True) == page_of([part("good")], {"T1": replace(GOOD)}, is_ci=True)


def test_the_page_says_what_was_run() -> None:
    """Commit, day, seed, machine, figures by what they count, time and notes stand there."""
    page = page_of([part("good")], {"T1": GOOD}, is_ci=True)

    for words in ("Commit: abc", "Day: 2026-11-26", "Seed: 7", "Machine: one core", "1 min 5 s", "| 10 things |"):
        assert words in page
    assert "| fired | count | fired | count | fired | count |" in page
    assert "* what was not tried: &lt;none>" in page
    assert "**No violation. All 1 parts" in page


def test_a_part_that_was_not_run_is_wrong() -> None:
    """The page of a run that lacks a part says so at its beginning."""
    page = page_of([part("good"), part("good", "T2")], {"T1": GOOD}, is_ci=True)

    assert "* T2 was not run." in page
    assert "No violation." not in page


def test_the_worlds_are_summed_up_in_a_sentence() -> None:
    """Schedules, nights, years and faults stand near the top, where worlds were run."""
    figures = {"schedules": 2000, "nights": 8000, "simulated days": 36_525, "faults fired": 5000}

    page = page_of([part("good")], {"T1": replace(GOOD, figures=figures)}, is_ci=True)

    assert "2,000 seeded worlds lived through 8,000 nights in 100 simulated years, in which 5,000 faults struck." in page
    assert "seeded worlds" not in page_of([part("good")], {"T1": GOOD}, is_ci=True)


def test_what_was_not_asked_for_is_told() -> None:
    """Parts that run at length only and the soak are named at the end of a page without them."""
    parts = [part("good"), replace(part("good", "T14"), size=Amount(0, 9))]

    assert left_out(parts, is_ci=True, soaked=False) == [
        "T14, good: only at length.",
        "T15, the soak: it is asked for by `--soak HOURS`.",
    ]
    assert left_out(parts, is_ci=False, soaked=True) == []
    page = page_of([part("good")], {"T1": GOOD}, is_ci=True, left_out=["T15 was not run."])
    assert page.endswith("## Not run\n\n* T15 was not run.\n")


def test_of_many_violations_the_first_are_shown() -> None:
    """The page names some violations and says how many more there are, and counts all."""
    many = replace(GOOD, violations=tuple(f"I2: order {number}" for number in range(SHOWN + 5)))

    page = page_of([part("good")], {"T1": many}, is_ci=True)

    assert f"**{SHOWN + 5} violations." in page
    assert f"I2: order {SHOWN - 1}" in page
    assert f"I2: order {SHOWN}\n" not in page
    assert "and 5 more violations; T1.json has all." in page


def test_figures_with_one_beginning_are_one_group() -> None:
    """Three figures or more that share a beginning are shown together, fewer stand alone."""
    figures = {"a": 1, "b: x": 2, "b: y": 3, "c: x": 4, "c: y": 5, "c: z": 6}

    assert grouped(figures) == ({"a": 1, "b: x": 2, "b: y": 3}, {"c": {"x": 4, "y": 5, "z": 6}})


def test_columns_are_read_from_top_to_bottom() -> None:
    """Names stand beside each other in columns, the last of which may be shorter."""
    assert in_columns("id", {"a": 1, "b": 2000, "c": 3}, across=2).splitlines() == [
        "| id  | count | id  | count |",
        "| --- | ----: | --- | ----: |",
        "| a   |     1 | c   |     3 |",
        "| b   | 2,000 |     |       |",
    ]


def test_no_cell_breaks_a_table() -> None:
    """A bar or a line's end in a cell stays in the cell."""
    assert table(["a"], [["x|y\nz"]]).splitlines()[2] == "| x\\|y z |"


def test_times_are_said_as_people_do() -> None:
    """Seconds, minutes and hours."""
    assert [time_of(seconds) for seconds in (7.6, 192, 7500)] == ["8 s", "3 min 12 s", "2 h 5 min"]
