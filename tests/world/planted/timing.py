"""Bugs in when a night runs, and in what is told of it."""

from tests.world.planted.bug import Fails, Planted

_TIMES = "tests/schedule/test_times.py"

TIMING = (
    Planted(
        "a-night-that-is-done-runs-again",
        "who takes the lease does not look once more whether the night is done",
        "jobs/night.py",
        "unless=only.look if only is not None else always",
        "unless=always",
        "I10",
        Fails("tests/schedule/test_process.py::test_who_takes_the_lease_looks_once_more"),
    ),
    Planted(
        "sunday-is-monday",
        "days of the week are counted as APScheduler counts them",
        "jobs/schedule_times.py",
        'WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")',
        'WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")',
        "I10",
        Fails(f"{_TIMES}::test_days_of_the_week_are_crons[0]"),
    ),
    Planted(
        "the-second-of-two-equal-times",
        "a time that comes twice is due the second time",
        "jobs/schedule_times.py",
        "wall.replace(tzinfo=zone, fold=0)",
        "wall.replace(tzinfo=zone, fold=1)",
        "I10",
        Fails(f"{_TIMES}::test_the_moment_of_a_night[America/New_York-30 1 * * *-2026-11-01-2026-11-01T05:30:00Z]"),
    ),
    Planted(
        "the-ping-names-orders",
        "the body of a ping has the lines that name orders",
        "jobs/pinging.py",
        '    left_out = ("WARN", "NEED", "not repeated", "audit ")',
        '    left_out = ("WARN", "not repeated", "audit ")',
        "I18",
        Fails("tests/night/test_pings.py::test_a_night_that_needs_a_person_pings_its_code"),
    ),
)
