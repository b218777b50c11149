"""A file of which the provider has one order by an earlier claim: it proves nothing of the file, nothing goes twice (I2, I12)."""

from collections import Counter

import pytest
from pytest_mock import MockerFixture

from batch.api import ProviderApi
from batch.provider_reads import Answer
from schemas.errors import DecisionRefused, ExitCode
from tests.night.house import ONHOLD, House, order
from tests.night.test_corrections import mended
from tests.night.test_repeat_call import Killed, dying
from tests.night.test_review import decide
from tests.night.test_second_attempts import FOREVER, denied

NEVER, NOT_TAKEN = "support-confirmed-never-arrived", "support-confirmed-not-taken"


def unrenamed(house: House, mocker: MockerFixture) -> str:
    """Its second claim shares a file with another order: the part is verified and its rename refused. The file's batch id.

    The listing did not show it when it was claimed, and does from now on.
    """
    denied(house, "a")
    mended(house, "a")
    house.add(order("b", payment_token=ONHOLD))
    mocker.patch.object(ProviderApi, "find_orders", return_value=[Answer("a", b"", None, "not there", is_absent=True)])
    house.sandbox.faults.switch_on("refuse_rename", times=FOREVER)
    house.run()
    assert (house.steps(), house.states()) == (["acknowledged", "part_verified"], {"a": "sending", "b": "sending"})
    mocker.stopall()
    house.sandbox.faults.clear()
    return str(house.ledger("SELECT batch_id FROM batch ORDER BY rowid DESC LIMIT 1")[0]["batch_id"])


def stays(house: House) -> None:
    """The file is not renamed and not taken for delivered; the provider's order counts, the other one is held."""
    assert (house.steps(), house.states()) == (["acknowledged", "in_doubt"], {"a": "pending", "b": "in_doubt"})
    assert [path.name.endswith(".json.part") for path in house.sandbox.inbound.iterdir()] == [True]
    assert house.accepted() == Counter("a")
    assert not house.retry_takes("b")


def removed(house: House) -> None:
    """The provider's support removes the part."""
    for path in house.sandbox.inbound.iterdir():
        path.unlink()


def test_an_earlier_rescue_proves_no_delivery(house: House, mocker: MockerFixture) -> None:
    """The part lies there: no rename happened, and none may, as the file would bring the first order a second time."""
    unrenamed(house, mocker)
    for _ in range(2):
        report = house.run()
        stays(house)
        assert [each.what for each in report.findings.problems if "is not renamed" in each.what and "'a'" in each.what]
    house.pass_time(hours=2)
    house.run()
    stays(house)
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"], "a person is told"


@pytest.mark.parametrize("by_poll", [False, True])
@pytest.mark.parametrize(("word", "then"), [(NEVER, "pending"), (NOT_TAKEN, "rejected")])
def test_a_person_frees_the_others(word: str, then: str, by_poll: bool, house: House, mocker: MockerFixture) -> None:
    """Once the part is gone the file may be decided about: it goes without what the provider has, or frees the others."""
    batch = unrenamed(house, mocker)
    house.run()
    with pytest.raises(DecisionRefused, match="Ask the provider's support to remove it first"):
        decide(house, f"batch:{batch}", word)
    removed(house)
    if by_poll:
        house.run()
        assert house.steps()[-1] == "delivered"
    assert decide(house, f"batch:{batch}", word) == ExitCode.CLEAN
    house.run()
    assert (house.state("a"), house.state("b")) == ("pending", then)
    assert house.accepted() == Counter("ab" if word == NEVER else "a")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 13))
def test_killed_at_any_commit_it_stays(at: int, after: bool, house: House, mocker: MockerFixture) -> None:
    """The lease, what was found, the doubt: whoever runs next ends with the same, and nothing has gone twice."""
    unrenamed(house, mocker)
    commits = dying(mocker, at, after=after)
    with pytest.raises(Killed):
        house.run()
    assert len(commits) == at
    mocker.stopall()
    house.pass_time(minutes=16)
    house.run()
    stays(house)
