"""A call in doubt, made once more because a person decided so: its own key, at most once at the provider, killed anywhere."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_mock import MockerFixture
from sqlalchemy import Connection

from batch.api import ProviderApi
from batch.api_sends import ApiSends
from batch.ledger import Ledger
from batch.provider_reads import Answer
from jobs.output import Options
from jobs.review_list import list_review
from schemas.errors import ApiUnreachable, DecisionRefused, ExitCode, UsageRefused
from tests.night.conftest import MakeHouse
from tests.night.house import ONHOLD, House, order, paid
from tests.night.requests import cancel
from tests.night.test_review import FOREVER, WHY, balances, by_hand, decide, vanished_file
from tests.webhooks.keeping import about, keep

API = {"evaluate": "api", "transmit": "off"}


def doubted(house: House, fault: str = "service_unavailable", *, hours: float = 2) -> House:
    """Order `a` was called once and nobody can tell what became of it; `b` was taken. So many hours ago."""
    house.set(channels=API)
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on(fault, where="evaluate")
    house.run()
    house.sandbox.faults.clear()
    house.pass_time(hours=hours)
    return house


def hidden(mocker: MockerFixture) -> None:
    """The provider's listing shows no order of ours, whatever it has."""
    absent = Answer("a", b'{"orders": []}', None, "it is not there", is_absent=True)
    mocker.patch.object(ProviderApi, "find_order", return_value=absent)


def bodies(mocker: MockerFixture) -> list[dict[str, Any]]:
    """The bodies of the calls that are made from now on."""
    seen: list[dict[str, Any]] = []
    real = ApiSends._post

    async def post(self: ApiSends, url: Any, call: Any, token: str) -> Any:  # noqa: ANN401 - as the real one
        seen.append(json.loads(call.body))
        return await real(self, url, call, token)

    mocker.patch.object(ApiSends, "_post", post)
    return seen


def test_a_call_that_never_came_is_made_once_more(
    house: House, mocker: MockerFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second look changes nothing; then the very call is made, is taken once, and who decided why is kept."""
    seen = bodies(mocker)
    doubted(house)
    assert house.run("poll").code == ExitCode.IN_DOUBT
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
    before = house.ledger_rows()
    assert decide(house, "order:a", "repeat-call", dry_run=True) == ExitCode.CLEAN
    assert (house.ledger_rows(), len(seen)) == (before, 1)
    assert "DRY RUN  Order 'a' is called once more, with its own key and bytes" in capsys.readouterr().out

    assert decide(house, "order:a", "repeat-call") == ExitCode.CLEAN
    assert "Order 'a' was called once more with its own key; the provider has it: SUBMITTED." in capsys.readouterr().out
    assert (house.accepted(), house.state("a"), house.items()) == (Counter("a"), "pending", [])
    assert seen[0] == seen[1]
    assert not house.retry_takes("a")
    ((state, reason),) = by_hand(house, "order:a")
    assert state == "sending"
    assert reason.startswith(f"repeat-call: {WHY} (")
    (item,) = house.ledger("SELECT resolution, closed_by, resolution_reason FROM item")
    assert (item["resolution"], item["resolution_reason"]) == ("repeat-call", WHY)
    assert house.steps() == ["acknowledged"]
    assert house.run().code == ExitCode.CLEAN
    assert house.accepted() == Counter("a")
    balances(house)


def test_a_call_that_was_taken_all_the_same_is_one_order(make_house: MakeHouse, mocker: MockerFixture) -> None:
    """The provider took it and does not show it: by its key the repeat is known, and starts nothing (I2)."""
    house = make_house(deduplicate="key_24h")
    hidden(mocker)
    doubted(house, "server_error_after", hours=22)
    assert decide(house, "order:a", "repeat-call") == ExitCode.CLEAN
    assert (house.accepted(), house.state("a")) == (Counter("a"), "pending")
    mocker.stopall()
    (known,) = house.sandbox.orders()
    assert house.ledger("SELECT provider_order_id FROM submission")[0]["provider_order_id"] == known["order_session_key"]


@pytest.mark.parametrize(
    ("hours", "words"), [(0.5, "may not be shown yet"), (23, "forgotten its key"), (48, "forgotten its key")]
)
def test_neither_too_early_nor_when_the_key_may_be_forgotten(house: House, hours: float, words: str) -> None:
    """An order may be taken long before it is shown; and once its key is forgotten, a repeat would be another order."""
    doubted(house, hours=hours)
    with pytest.raises(DecisionRefused, match=words):
        decide(house, "order:a", "repeat-call")
    assert (house.accepted(), house.state("a"), house.row("a")["status"]) == (Counter(), "in_doubt", "pending")


def test_the_key_is_as_old_as_the_first_call(house: House) -> None:
    """A repeat does not make the key any younger: 12 hours and 12 hours after the first call it is too late."""
    doubted(house, hours=12)
    house.sandbox.faults.switch_on("service_unavailable", where="evaluate")
    assert decide(house, "order:a", "repeat-call") == ExitCode.IN_DOUBT
    house.pass_time(hours=12)
    with pytest.raises(DecisionRefused, match="forgotten its key"):
        decide(house, "order:a", "repeat-call")


def test_a_repeat_that_stays_in_doubt_leaves_the_row_alone(house: House) -> None:
    """The row shows a held order before and after: neither the intent nor a doubtful answer is a result to be written."""
    doubted(house)
    house.run("poll")
    row, shown = house.row("a"), house.ledger("SELECT row_version, written_version FROM submission")
    house.sandbox.faults.switch_on("service_unavailable", where="evaluate")
    assert decide(house, "order:a", "repeat-call") == ExitCode.IN_DOUBT
    assert house.state("a") == "in_doubt"
    house.run("poll")
    assert (house.row("a"), house.ledger("SELECT row_version, written_version FROM submission")) == (row, shown)


def test_what_the_provider_shows_is_not_called_again(house: House) -> None:
    """It was taken, and its answer was lost: whoever wants it called again is shown that, or that nobody can be asked."""
    house.sandbox.faults.switch_on("server_error_before", times=FOREVER, where="orders")
    house.set(channels=API)
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("server_error_after", where="evaluate")
    house.run()
    house.pass_time(hours=2)
    with pytest.raises(ApiUnreachable):
        decide(house, "order:a", "repeat-call")
    house.sandbox.faults.clear()
    with pytest.raises(DecisionRefused, match="The provider shows order 'a'"):
        decide(house, "order:a", "repeat-call")
    assert house.accepted() == Counter("a")


def test_what_stands_against_it_on_our_side(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that the merchant changed, a switch that is off, a cancel that was asked for, no right to read orders: refused."""
    doubted(house)
    house.change("a", status="paid")
    with pytest.raises(DecisionRefused, match="its status is 'paid'"):
        decide(house, "order:a", "repeat-call")
    house.change("a", status="pending")
    for name, value, words in (("SWITCHES__MIT", "false", "switches.mit is off"), ("OUTCOMES__ASK", "outcome", "outcomes.ask")):
        with monkeypatch.context() as environment:
            environment.setenv(f"MITBATCH_{name}", value)
            with pytest.raises(DecisionRefused, match=words):
                decide(house, "order:a", "repeat-call")
    cancel(house, "a", external=True)
    with pytest.raises(DecisionRefused, match="cancel of order 'a' was asked for"):
        decide(house, "order:a", "repeat-call")
    assert house.accepted() == Counter()


@pytest.mark.parametrize("applied", [True, False])
def test_what_the_provider_has_told_of_is_not_called_again(house: House, mocker: MockerFixture, applied: bool) -> None:
    """It was taken, no read shows it, and a webhook named it: applied by a poll, or still waiting, it says that it is there."""
    hidden(mocker)
    doubted(house, "server_error_after")
    keep(house, about(house, "a", "order.completed"))
    if applied:
        house.run("poll")
    with pytest.raises(DecisionRefused, match="told of order 'a' by itself"):
        decide(house, "order:a", "repeat-call")
    assert (house.accepted(), house.state("a")) == (Counter("a"), "in_doubt")


def test_only_calls_are_repeated(house: House) -> None:
    """An order in a file, a file, an order that is not in doubt, a group of orders: each refused with what to do."""
    batch = vanished_file(house)
    with pytest.raises(DecisionRefused, match="in_doubt in a file"):
        decide(house, "order:a", "repeat-call")
    with pytest.raises(UsageRefused, match="a decision about a call"):
        decide(house, f"batch:{batch}", "repeat-call")
    house.set(channels=API)
    house.add(order("c", payment_token=ONHOLD))
    house.run()
    with pytest.raises(DecisionRefused, match="is pending"):
        decide(house, "order:c", "repeat-call")
    (group,) = house.ledger("SELECT batch_id FROM batch WHERE format='api'")
    with pytest.raises(UsageRefused, match="one by one"):
        decide(house, f"batch:{group['batch_id']}", "repeat-call")


@pytest.mark.parametrize("fault", ["service_unavailable", "too_many_requests", "order_invalid", "forbidden", "empty_answer"])
def test_a_repeat_that_proves_nothing_leaves_it_in_doubt(house: House, fault: str) -> None:
    """Not made, refused, or without an answer: it says nothing of the first call, so it stays held and told (I12)."""
    doubted(house)
    house.run("poll")
    hide = fault == "empty_answer"
    house.sandbox.faults.switch_on(fault, where="evaluate", times=2)
    code = decide(house, "order:a", "repeat-call")
    house.sandbox.faults.clear()
    assert code == ExitCode.IN_DOUBT
    assert (house.state("a"), house.steps()) == ("in_doubt", ["acknowledged"])
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
    assert not house.retry_takes("a")
    house.run("poll")
    assert house.state("a") == ("pending" if hide else "in_doubt")
    assert house.accepted() == (Counter("a") if hide else Counter())


def test_a_provider_that_is_away_changes_nothing(house: House, mocker: MockerFixture) -> None:
    """No token can be had: nothing is intended, and it can be decided again."""
    doubted(house)
    house.run("poll")
    before = house.ledger_rows()
    mocker.patch.object(ApiSends, "be_ready", side_effect=ApiUnreachable("Nobody is there."))
    with pytest.raises(ApiUnreachable):
        decide(house, "order:a", "repeat-call")
    after = house.ledger_rows()
    assert [after[name] for name in ("submission", "batch", "event", "item")] == [
        before[name] for name in ("submission", "batch", "event", "item")
    ]


class Killed(BaseException):
    """The process is no more."""


def dying(mocker: MockerFixture, at: int, *, after: bool) -> list[int]:
    """The process dies right before or after its at-th commit of the ledger (from 1). The list grows with each."""
    commits: list[int] = []
    real = Ledger.unguarded

    @contextmanager
    def unguarded(self: Ledger) -> Iterator[Connection]:
        number = len(commits) + 1
        commits.append(number)
        with real(self) as connection:
            yield connection
            if number == at and not after:
                raise Killed
        if number == at and after:
            raise Killed

    mocker.patch.object(Ledger, "unguarded", unguarded)
    return commits


LEASE, INTENT, ANSWER, CLOSED = 1, 2, 3, 4
"""The first commits of a repeat: the lease, the intent, the answer, the group's end."""


@pytest.mark.parametrize("first", ["service_unavailable", "server_error_after"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 8))
def test_killed_at_any_commit_it_is_handed_over_at_most_once(
    make_house: MakeHouse, mocker: MockerFixture, at: int, after: bool, first: str
) -> None:
    """Whatever became of the first call: the next runs settle it by asking, it is held all the time, and may be decided again."""
    house = make_house(deduplicate="key_24h")
    hidden(mocker)
    doubted(house, first)
    house.run("poll")
    commits = dying(mocker, at, after=after)
    with pytest.raises(Killed):
        decide(house, "order:a", "repeat-call")
    assert len(commits) == at
    mocker.stopall()
    was_called = at > INTENT or (at == INTENT and after and house.accepted() != Counter())
    expected = {(INTENT, True): "sending", (ANSWER, False): "sending"}
    answered = (at, after) >= (ANSWER, True)
    assert house.state("a") == expected.get((at, after), "pending" if answered else "in_doubt")
    assert not house.retry_takes("a")
    assert house.accepted()["a"] <= 1
    house.pass_time(minutes=16)  # the lease of the one that died
    house.run("poll")
    house.run()
    if first == "service_unavailable" and not was_called:
        assert house.state("a") == "in_doubt"
        assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
        house.pass_time(hours=1)
        assert decide(house, "order:a", "repeat-call") == ExitCode.CLEAN
    assert (house.accepted(), house.state("a"), house.steps()) == (Counter("a"), "pending", ["acknowledged"])
    assert house.run().code == ExitCode.CLEAN
    assert house.items() == []
    assert house.accepted() == Counter("a")


def doubted_copies(house: House, *order_ids: str, times: int = 1) -> str:
    """Copies that were called, so many of them without a clear answer. Returns the subject of their group."""
    house.set(channels={"evaluate": "api", "transmit": "api"})
    house.add(*(paid(each) for each in order_ids))
    house.sandbox.faults.switch_on("service_unavailable", where="transmit", times=times)
    house.run("transmit")
    house.sandbox.faults.clear()
    (group,) = house.ledger("SELECT batch_id FROM batch WHERE kind='transmit'")
    return f"batch:{group['batch_id']}"


def results(house: House) -> Counter[str]:
    """How the copies stand."""
    return Counter(row["result"] for row in house.ledger("SELECT result FROM transmission"))


@pytest.mark.parametrize("at_a_time", [1, 128])
def test_copies_in_doubt_are_sent_once_more(
    at_a_time: int, house: House, capsys: pytest.CaptureFixture[str], mocker: MockerFixture
) -> None:
    """Exactly those in doubt, as they were, in one set or in many; a person is told that nobody can be asked about them."""
    mocker.patch("batch.api_delivery.SET", at_a_time)
    group = doubted_copies(house, *"abc", times=2)
    assert results(house) == {"success": 1, "in_doubt": 2}
    list_review(Options(house.config))
    assert "decide --as repeat-call | noted\n" in capsys.readouterr().out
    before = house.ledger_rows()
    decide(house, group, "repeat-call", dry_run=True)
    assert house.ledger_rows() == before
    assert "any that it has already, it then has twice" in capsys.readouterr().out
    assert decide(house, group, "repeat-call") == ExitCode.CLEAN
    assert "2 copies were sent once more: the provider has 2 of them now, 0 stay in doubt." in capsys.readouterr().out
    assert (results(house), house.items(), house.steps()) == ({"success": 3}, [], ["acknowledged"])
    assert house.accepted("transmit") == Counter("abc")
    assert by_hand(house, group)[0][1].startswith(f"repeat-call: {WHY}")
    (closed,) = house.ledger("SELECT resolution, resolution_reason FROM item WHERE kind = 'missing_acknowledgement'")
    assert closed == {"resolution": "repeat-call", "resolution_reason": WHY}
    with pytest.raises(DecisionRefused, match="No copy of"):
        decide(house, group, "repeat-call")


@pytest.mark.parametrize(
    ("order_ids", "words"),
    [
        ("a", "1 copy was sent once more: the provider has 0 of them now, 1 stays in doubt."),
        ("ab", "2 copies were sent once more: the provider has 0 of them now, 2 stay in doubt."),
    ],
)
def test_a_repeat_of_copies_that_proves_nothing_leaves_them_in_doubt(
    order_ids: str, words: str, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """The item stays open, and each was called once more and no oftener."""
    group = doubted_copies(house, *order_ids, times=2)
    house.sandbox.faults.switch_on("service_unavailable", where="transmit", times=FOREVER)
    decide(house, group, "repeat-call")
    house.sandbox.faults.clear()
    assert words in capsys.readouterr().out
    assert (results(house), house.steps()) == ({"in_doubt": len(order_ids)}, ["acknowledged"])
    assert house.items() == [("missing_acknowledgement", group)]
    calls = [row for row in house.sandbox.journal() if row["event"] == "answered" and str(row["path"]).endswith("transmit")]
    assert len(calls) == 2 * len(order_ids)


@pytest.mark.parametrize("about", ["order", "copies"])
def test_what_moved_meanwhile_is_not_called_once_more(about: str, house: House, mocker: MockerFixture) -> None:
    """Between the look and the intent somebody else closed the item: nothing is called, and a person looks again."""
    subject = doubted_copies(house, "a") if about == "copies" else "order:a"
    if about == "order":
        doubted(house)
        house.run("poll")
    calls = len(house.sandbox.journal())
    mocker.patch("batch.repeating.found", side_effect=lambda writing, case: type(case)(()))
    with pytest.raises(DecisionRefused, match="Something moved"):
        decide(house, subject, "repeat-call")
    called = [row for row in house.sandbox.journal()[calls:] if str(row["path"]).endswith(("transmit", "evaluate"))]
    assert (called, house.accepted(), house.accepted("transmit")) == ([], Counter(), Counter())
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]


def test_copies_are_not_repeated_when_their_day_is_over(house: House) -> None:
    """The provider wants them within 24 hours of the charge: what is older is noted and not sent (CONTRACT 5)."""
    group = doubted_copies(house, "a", "b", times=2)
    house.pass_time(hours=20)
    assert decide(house, group, "repeat-call", dry_run=True) == ExitCode.CLEAN
    house.pass_time(hours=1)  # the charges are of three and a half hours before the night
    with pytest.raises(DecisionRefused, match="24 hours after the charge"):
        decide(house, group, "repeat-call")
    assert house.accepted("transmit") == Counter()
    assert decide(house, group, "noted") == ExitCode.CLEAN


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 6))
def test_killed_at_any_commit_copies_stay_in_doubt_or_are_known(
    house: House, mocker: MockerFixture, at: int, after: bool
) -> None:
    """No run sends a copy again by itself; what may have been sent is in doubt, and told."""
    group = doubted_copies(house, "a")
    dying(mocker, at, after=after)
    with pytest.raises(Killed):
        decide(house, group, "repeat-call")
    mocker.stopall()
    house.pass_time(minutes=16)
    house.run("transmit")
    house.run()
    known = (at, after) >= (ANSWER, True)
    assert results(house) == ({"success": 1} if known else {"in_doubt": 1})
    assert house.steps() == ["acknowledged"]
    assert house.accepted("transmit")["a"] <= 1
    assert house.items() == ([] if known else [("missing_acknowledgement", group)])
