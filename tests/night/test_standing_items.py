"""The last lines of a summary say why a run that leaves items open ends as it does."""

from jobs.report_lines import people_lines
from tests.night.house import House, order


def test_the_summary_says_which_items_change_the_code(house: House) -> None:
    """New ones do, standing ones wait without a word of alarm, and overdue ones are counted where the code comes from them."""
    house.add(order(), order("b", last_name="4111 1111 1111 1111"))
    said = []
    for job, days in (("nightly", 0), ("poll", 0), ("poll", 9)):
        house.pass_time(days=days)
        lines = people_lines(house.run(job), house.settings)
        (need,) = [line for line in lines if line.startswith("NEED")]
        said.append((need.partition(":")[0], lines[-1]))

    assert said == [
        ("NEED  1 item needs a person (1 new)", "EXIT 10 done, 1 item needs a person"),
        ("NEED  1 item needs a person (0 new)", "EXIT 0 clean; 1 item waits for a person, none new or overdue"),
        ("NEED  1 item needs a person (0 new, 1 overdue)", "EXIT 10 done, 1 item needs a person"),
    ]
