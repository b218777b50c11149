"""One is one: no line and no item says `1 orders` (the nouns agree with their numbers)."""

import re

from jobs.report_lines import people_lines
from jobs.running import RunReport
from tests.night.house import ONHOLD, House, order, paid

_WRONG = re.compile(r"(?<![\d.,-])1 (?!is\b|was\b|has\b)[a-z]+s\b")


def wrong(house: House, report: RunReport) -> list[str]:
    """Where one of something is called many."""
    words = [*people_lines(report, house.settings), *(row["explanation"] for row in house.ledger("SELECT explanation FROM item"))]
    return [line for line in words if _WRONG.search(line)]


def test_one_order_is_one_order(house: House) -> None:
    """Chosen, sent, and overdue a month later."""
    house.add(order("a", payment_token=ONHOLD))
    report = house.run()
    assert wrong(house, report) == []
    assert any(re.match(r"candidates +1 order +", line) for line in people_lines(report, house.settings))
    house.sandbox.faults.switch_on("server_error_before", where="order", times=999)
    house.pass_time(days=30)
    report = house.run("poll")
    assert any(re.match(r"overdue +1 order +", line) for line in people_lines(report, house.settings))
    assert wrong(house, report) == []


def test_one_copy_is_one_copy(house: House) -> None:
    """Refused in a file, in doubt as a call, and left behind while another went."""
    house.add(paid("a"), paid("b"))
    house.sandbox.faults.switch_on("refuse_row", after=2)
    assert wrong(house, house.run("transmit")) == []
    house.set(channels={"evaluate": "api", "transmit": "api"})
    house.add(paid("c"), paid("d"))
    house.sandbox.faults.switch_on("server_error_before", where="transmit")
    assert wrong(house, house.run("transmit")) == []
    house.add(order("e"), order("f"))
    house.sandbox.faults.switch_on("forbidden", where="evaluate", skip=1, times=99)
    assert wrong(house, house.run()) == []
    told = [row["explanation"] for row in house.ledger("SELECT explanation FROM item")]
    assert any("1 copy was refused" in words for words in told)
    assert any("of 1 copy of" in words for words in told)
    assert any(words.startswith("1 order or copy could not be sent") for words in told)
