"""An order that was refused once goes out again only after the provider was asked, and does not have it (I1, I2, I12)."""

from collections import Counter
from typing import Any

import pytest
from pytest_mock import MockerFixture

from batch import choosing, second_attempts
from batch.api import ProviderApi
from batch.holding import claim
from batch.ledger import Batch
from batch.provider_reads import Answer
from schemas.errors import ApiLoginRefused, ApiUnreachable, ExitCode
from tests.night.house import CANCELLED, COMPLETED, ONHOLD, House, order
from tests.night.test_corrections import REFUSED, mended
from tests.night.test_repeat_call import Killed, dying
from tests.night.test_review import decide, the_item

FOREVER = 999
CHANNELS: dict[str, dict[str, str]] = {
    "json": {"evaluate": "sftp", "evaluate_format": "json"},
    "csv": {"evaluate": "sftp", "evaluate_format": "csv"},
    "api": {"evaluate": "api"},
}
CONTRADICTED = [("contradiction", "order:a")]


def denied(house: House, *order_ids: str, **changed: object) -> House:
    """The provider has these orders, and the only answer to their file that appears says that it refused them."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(*(order(each, **{"payment_token": ONHOLD, **changed}) for each in order_ids))
    house.run()
    name, answer = house.acknowledgement()
    refusal = {"orderSessionKey": None, "result": "Failed", "status": "FAILED", "errors": ["no"]}
    house.put_outbound(name, {**answer, "responses": [{**row, **refusal} for row in answer["responses"]]})
    house.run("poll")
    assert house.states() == dict.fromkeys(order_ids, "rejected")
    assert house.accepted() == Counter(order_ids)
    return house


def refused(house: House, *order_ids: str) -> House:
    """The provider refuses these orders, and does not have them."""
    house.add(*(order(each, payment_token=REFUSED) for each in order_ids))
    house.run()
    assert house.states() == dict.fromkeys(order_ids, "rejected")
    return house


def asked(house: House) -> list[str]:
    """Which orders the provider was asked about by our id, in order."""
    queries = (str(row["query"]) for row in house.sandbox.journal() if row["event"] == "answered")
    return [query.partition("query=")[2].partition("&")[0] for query in queries if "query=" in query]


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_the_provider_has_is_not_sent_again(channel: str, house: House) -> None:
    """Its false refusal is found out before the claim: it is under review, held at once, and nothing goes twice."""
    denied(house, "a")
    mended(house, "a")
    house.set(channels=CHANNELS[channel])
    assert house.run().code == ExitCode.NEEDS_PERSON
    assert (house.accepted(), house.state("a"), house.items()) == (Counter("a"), "review", CONTRADICTED)
    assert not house.retry_takes("a")
    assert house.reasons()["a"] == ("skipped", "already_active")
    assert "a person decides" in house.audit("declines")[0]["reason_text"]
    (claim,) = house.ledger("SELECT attempt, provider_order_id FROM submission")
    assert (claim["attempt"], bool(claim["provider_order_id"])) == (1, True)
    house.run()
    house.run("poll")
    assert (house.accepted(), house.state("a"), house.items()) == (Counter("a"), "review", CONTRADICTED)


def test_it_is_held_before_anything_else_goes(house: House, mocker: MockerFixture) -> None:
    """A run may be long: the merchant's own retry cannot take it meanwhile (I1)."""
    denied(house, "a")
    mended(house, "a")
    house.add(order("b", payment_token=ONHOLD))
    rows: list[dict[str, Any]] = []

    def watched(*of: Any, **more: Any) -> Batch:  # noqa: ANN401 - as the real one
        rows.append(house.row("a"))
        return claim(*of, **more)

    mocker.patch.object(choosing, "claim", watched)
    house.run()
    assert [(row["status"], row["hold_reference"] is None) for row in rows] == [("review", False)]
    assert house.accepted() == Counter("ab")


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_the_provider_does_not_have_goes_once(channel: str, house: House) -> None:
    """It is asked about before it is claimed, and only then."""
    refused(house, "a")
    mended(house, "a")
    house.add(order("b", payment_token=ONHOLD))
    house.set(channels=CHANNELS[channel])
    assert (asked(house), [subject for _, subject in house.items()]) == ([], ["order:a"])
    house.run()
    assert (asked(house), house.items()) == (["a"], []), "nobody has to look any more at a refusal that was mended"
    assert (house.accepted(), house.states()) == (Counter("ab"), {"a": "pending", "b": "pending"})
    house.run()
    assert (house.accepted(), asked(house)) == (Counter("ab"), ["a"])


def test_an_order_that_has_ended_there_is_not_sent_again(house: House) -> None:
    """A rescue of it did start: whatever became of it, a second one is never begun (CONTRACT 7.6)."""
    denied(house, "a", payment_token=CANCELLED)
    mended(house, "a")
    house.pass_time(hours=2)
    assert [row["status"] for row in house.sandbox.orders()] == ["Cancelled"]
    house.run()
    assert (house.accepted(), house.state("a")) == (Counter("a"), "review")


@pytest.mark.parametrize("fault", ["server_error_before", "forbidden", "too_many_requests", "html_answer"])
@pytest.mark.parametrize("is_there", [True, False])
def test_without_an_answer_it_waits(fault: str, *, is_there: bool, house: House) -> None:
    """It is not claimed, its row stays as it is, the run's result names it; everything else goes; the next run asks again."""
    (denied if is_there else refused)(house, "a")
    mended(house, "a")
    row = house.row("a")
    house.sandbox.faults.switch_on(fault, where="orders", times=FOREVER)
    report = house.run()
    assert report.code == ExitCode.NOTHING_SENT
    assert any("'a'" in problem.what and "could not be learnt" in problem.what for problem in report.findings.problems)
    assert (house.state("a"), house.row("a"), house.reasons()["a"]) == ("rejected", row, ("skipped", "already_active"))
    house.add(order("b", payment_token=COMPLETED))
    assert house.run().code == ExitCode.NEEDS_PERSON
    assert house.accepted() == Counter({"a": is_there, "b": 1} if is_there else {"b": 1})
    house.sandbox.faults.clear()
    house.run()
    assert house.accepted() == Counter("ab")
    assert house.state("a") == ("review" if is_there else "pending")


def test_an_attempt_that_was_withdrawn_in_between_hides_no_refusal(house: House) -> None:
    """The third attempt of an order that was refused at its first is asked about as well."""
    denied(house, "a")
    mended(house, "a")
    house.sandbox.faults.switch_on("refuse_login", times=FOREVER)
    house.set(outcomes={"ask": "off"})
    decide(house, the_item(house), "noted")
    house.run()
    house.set(switches={"mit": False})
    house.run()
    assert house.state("a") == "withdrawn"
    house.sandbox.faults.clear()
    house.set(outcomes={"ask": "orders"}, switches={"mit": True})
    assert house.run().code == ExitCode.NEEDS_PERSON
    assert (house.accepted(), house.state("a")) == (Counter("a"), "review")
    assert not house.retry_takes("a")


@pytest.mark.parametrize(("channel", "before", "after"), [("json", "sending", "pending"), ("api", "held", "review")])
def test_what_is_shown_before_it_leaves_stays(channel: str, before: str, after: str, house: House, mocker: MockerFixture) -> None:
    """The listing showed it too late for the claim: the run that would send it asks again, and everything else goes."""
    denied(house, "a")
    mended(house, "a")
    house.add(order("b", payment_token=ONHOLD))
    house.set(channels=CHANNELS[channel])
    nothing = [Answer("a", b"", None, "it is not there", is_absent=True)]
    mocker.patch.object(ProviderApi, "find_orders", return_value=nothing)
    fault = ("refuse_login", "") if channel == "json" else ("too_many_requests", "evaluate")
    house.sandbox.faults.switch_on(fault[0], where=fault[1], times=FOREVER)
    house.run()
    assert house.states() == {"a": before, "b": before}
    mocker.stopall()
    house.sandbox.faults.clear()
    house.run()
    house.pass_time(hours=2)
    house.run()
    assert (house.accepted(), house.states()) == (Counter("ab"), {"a": after, "b": "pending"})
    assert not house.retry_takes("a")


def test_when_nobody_answers_no_more_are_asked_about(house: House, mocker: MockerFixture) -> None:
    """A provider that is away costs one set of questions; all are named, some by their ids."""
    refused(house, *"abcdefgh")
    for each in "abcdefgh":
        mended(house, each)
    mocker.patch.object(second_attempts, "AT_A_TIME", 3)
    house.sandbox.faults.switch_on("server_error_before", where="orders", times=FOREVER)
    (problem,) = (each for each in house.run().findings.problems if isinstance(each, ApiUnreachable) and "8 refused" in each.what)
    assert "('a', 'b', 'c', 'd', 'e', ...)" in problem.what
    assert asked(house) == ["a", "b", "c"]
    house.sandbox.faults.clear()
    house.run()
    assert house.accepted() == Counter("abcdefgh")


def test_refused_credentials_are_named_as_such(house: House) -> None:
    """Nothing is asked, nothing is claimed, and the page of the error is that of the login."""
    refused(house, "a")
    mended(house, "a")
    house.sandbox.faults.switch_on("unauthorized_once", where="orders", times=FOREVER)
    problems = house.run().findings.problems
    assert any(isinstance(each, ApiLoginRefused) and "'a'" in each.what for each in problems)
    assert (house.state("a"), house.accepted()) == ("rejected", Counter())


@pytest.mark.parametrize("ask", ["outcome", "off"])
@pytest.mark.parametrize("is_file", [False, True])
def test_where_orders_may_not_be_read_a_person_looks(ask: str, *, is_file: bool, house: House) -> None:
    """Nobody can be asked (CONTRACT 8): what was refused and mended waits until the item of its refusal is noted, and goes."""
    if is_file:
        house.sandbox.faults.switch_on("refuse_file")
        house.add(order("a", payment_token=ONHOLD))
        house.run()
        house.sandbox.faults.clear()
    else:
        refused(house, "a")
    house.set(outcomes={"ask": ask, "trust_files": True})
    mended(house, "a")
    for _ in range(2):
        house.run()
        assert (house.accepted(), house.reasons()["a"]) == (Counter(), ("skipped", "already_active"))
    assert "note the item" in house.audit("declines")[0]["reason_text"]
    assert [kind for kind, _ in house.items()] == ["file_refused" if is_file else "row_refused"]
    assert decide(house, the_item(house), "noted") == ExitCode.CLEAN
    house.run()
    house.run()
    assert (house.accepted(), asked(house), house.state("a")) == (Counter("a"), [], "pending")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 7))
def test_killed_at_any_commit_what_is_there_goes_once(house: House, mocker: MockerFixture, at: int, after: bool) -> None:
    """The lease, our turn, the review, the row: whoever runs next ends with the same, and the row is held."""
    denied(house, "a")
    mended(house, "a")
    killed(house, mocker, at, after=after)
    assert house.run().code == ExitCode.NEEDS_PERSON or house.items() == CONTRADICTED
    assert (house.accepted(), house.state("a"), house.items()) == (Counter("a"), "review", CONTRADICTED)
    assert not house.retry_takes("a")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 10))
def test_killed_at_any_commit_what_is_not_there_goes_once(house: House, mocker: MockerFixture, at: int, after: bool) -> None:
    """Asked and not yet claimed, claimed and not yet held, held and not yet sent: it goes, and once."""
    refused(house, "a")
    mended(house, "a")
    killed(house, mocker, at, after=after)
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert (house.accepted(), house.state("a")) == (Counter("a"), "pending")


def killed(house: House, mocker: MockerFixture, at: int, *, after: bool) -> None:
    """The night dies at this commit; its lease runs out."""
    commits = dying(mocker, at, after=after)
    with pytest.raises(Killed):
        house.run()
    assert len(commits) == at
    mocker.stopall()
    house.pass_time(minutes=16)
