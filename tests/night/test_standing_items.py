"""The last lines of a summary say why a run that leaves items open ends as it does."""

from jobs.report_lines import people_lines
from jobs.report_object import machine_object
from tests.night.house import House, order


def test_the_summary_says_which_items_change_the_code(house: House) -> None:
    """New ones do, standing ones wait without a word of alarm, overdue ones are counted, and the JSON object counts the same."""
    house.add(order(), order("b", last_name="4111 1111 1111 1111"))
    said, counted = [], []
    for job, days in (("nightly", 0), ("poll", 0), ("poll", 9)):
        house.pass_time(days=days)
        report = house.run(job)
        lines = people_lines(report, house.settings)
        counted.append(machine_object(report, house.settings)["items"])
        (need,) = [line for line in lines if line.startswith("NEED")]
        said.append((need.partition(":")[0], lines[-1]))

    assert said == [
        ("NEED  1 item needs a person (1 new)", "EXIT 10 done, 1 item needs a person"),
        ("NEED  1 item needs a person (0 new)", "EXIT 0 clean; 1 item waits for a person, none new or overdue"),
        ("NEED  1 item needs a person (0 new, 1 overdue)", "EXIT 10 done, 1 item needs a person"),
    ]
    assert counted == [
        {"open": 1, "new": 1, "overdue": 0},
        {"open": 1, "new": 0, "overdue": 0},
        {"open": 1, "new": 0, "overdue": 1},
    ]
