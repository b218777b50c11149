"""What a person decides about may be gone by the time their run has its turn: it is refused with a code, not broken off."""

from batch.review import Decision
from jobs.review import carry_out
from jobs.surroundings import of_this_machine
from schemas.resolutions import Resolution
from tests.night.house import House


def test_an_item_that_closed_since_is_a_usage_error(house: House) -> None:
    """Another run closed it after the command had looked: nothing is decided, and the run ends with 2 in the ledger as well."""
    house.run("poll")
    decision = Decision("order:000471", Resolution.NOTED, "looked at it", "ada@desk")
    report, sentence = carry_out(house.settings, of_this_machine(house.clock), decision)
    assert (int(report.code), sentence) == (2, "")
    (run,) = house.ledger("SELECT exit_code FROM run WHERE job = 'review'")
    assert run["exit_code"] == 2
