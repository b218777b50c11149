"""What a person decides: about orders under review and files without an answer, with evidence, a reason and a second look."""

import json
from collections import Counter

import pytest
from pytest_mock import MockerFixture

from batch.departures import Departures
from jobs.output import Options
from jobs.review import resolve
from jobs.review_list import list_review
from schemas.errors import DecisionRefused, ExitCode, UsageRefused
from tests.night.conftest import MakeHouse
from tests.night.house import ONHOLD, OTHER_AMOUNT, House, order
from tests.night.requests import asked, completed, refund, steps
from tests.night.test_conclusions import provider_changes_its_mind, released_then_completed

FOREVER = 9999
WHY = "support confirmed, ticket 4711"


def decide(house: House, about: str, word: str, *, dry_run: bool = False, reason: str = WHY) -> int:
    """Run `mitbatch review resolve` on the house's clock."""
    return resolve(Options(house.config), about, word, reason, yes=True, dry_run=dry_run, clock=house.clock)


def the_item(house: House) -> str:
    """The id of the only open item."""
    (found,) = house.ledger("SELECT item_id FROM item WHERE closed_at IS NULL")
    return str(found["item_id"])


def by_hand(house: House, subject: str) -> list[tuple[str, str]]:
    """State and reason of what people decided about one subject."""
    rows = house.ledger("SELECT to_state, reason FROM event WHERE subject=? AND source='operator' ORDER BY seq", [subject])
    return [(row["to_state"], row["reason"]) for row in rows]


def late_completion(house: House) -> None:
    """An order under review: released after a cancelled read, then completed after all."""
    released_then_completed(house)
    provider_changes_its_mind(house)
    house.pass_time(hours=7)
    house.run("poll")
    assert house.state() == "review"


def vanished_file(house: House) -> str:
    """A file that counts as delivered and never came: its part was removed by somebody. Returns its batch id."""
    house.add(order("a"), order("b", amount_minor=500))
    house.sandbox.faults.switch_on("refuse_rename", times=FOREVER)
    house.run()
    house.sandbox.faults.clear()
    (part,) = house.sandbox.inbound.iterdir()
    part.unlink()
    house.run()
    house.pass_time(hours=2)
    assert house.run("poll").code == ExitCode.IN_DOUBT
    assert house.states() == {"a": "in_doubt", "b": "in_doubt"}
    (batch,) = house.ledger("SELECT batch_id FROM batch")
    return str(batch["batch_id"])


def balances(house: House) -> None:
    """The books of the day close."""
    assert house.run("poll").audit is not None
    report = house.run("poll")
    assert report.audit is not None
    assert report.audit.balanced


def test_what_the_provider_says_now_settles_a_review(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A second look changes nothing; then the order is completed, its row says so, and who decided why is kept."""
    late_completion(house)
    item, before = the_item(house), house.ledger_rows()

    assert decide(house, item, "provider-is-right", dry_run=True) == ExitCode.CLEAN
    assert house.ledger_rows() == before
    assert "DRY RUN  Order '000471' goes from review to completed" in capsys.readouterr().out

    assert decide(house, item[:6], "provider-is-right") == ExitCode.CLEAN
    assert (house.state(), house.row()["status"], house.items()) == ("completed", "completed", [])
    ((state, reason),) = by_hand(house, "order:000471")
    assert state == "completed"
    assert reason.startswith(f"provider-is-right: {WHY} (")
    (closed,) = house.ledger("SELECT resolution, closed_by, resolution_reason FROM item")
    assert (closed["resolution"], closed["resolution_reason"]) == ("provider-is-right", WHY)
    assert "@" in closed["closed_by"]
    (told,) = house.audit("review", max(path.name for path in (house.settings.data_dir / "audit").iterdir()))
    assert (told["review_id"], told["resolution"], told["resolution_reason"]) == (item, "provider-is-right", WHY)
    assert (told["closed_by"], told["ledger_says"], told["command"]) == (closed["closed_by"], "completed", "")
    assert not house.retry_takes()
    balances(house)


def test_an_order_that_goes_on_after_a_review_shows_pending_again(house: House) -> None:
    """The provider still works on it: the row leaves `review` as well, nobody is accused of having changed it, and it ends."""
    house.sandbox.faults.switch_on("contradictory_rows")
    house.add(order(payment_token=ONHOLD))
    house.run()
    assert (house.state(), house.row()["status"]) == ("review", "review")
    assert decide(house, "order:000471", "provider-is-right") == ExitCode.CLEAN
    assert (house.state(), house.row()["status"], house.items()) == ("pending", "pending", [])
    assert not house.retry_takes()


def test_an_order_under_review_is_not_merely_noted(house: House) -> None:
    """It stays under review until somebody decides what it is."""
    late_completion(house)
    with pytest.raises(DecisionRefused, match="noting it is not enough"):
        decide(house, the_item(house), "noted")
    assert house.state() == "review"


def test_another_amount_must_be_accepted_by_name(house: House) -> None:
    """It does not complete as if nothing were; accepted, the books have what came in, and the next read is no news."""
    house.add(order(payment_token=OTHER_AMOUNT))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert (house.state(), house.items()) == ("review", [("amount_differs", "order:000471")])
    item = the_item(house)
    with pytest.raises(DecisionRefused, match="other-amount-accepted"):
        decide(house, item, "provider-is-right")

    assert decide(house, item, "other-amount-accepted") == ExitCode.CLEAN
    assert (house.state(), house.row()["status"], house.items()) == ("completed", "completed", [])
    (move,) = house.ledger("SELECT detail FROM event WHERE source='operator'")
    recovered = json.loads(move["detail"])["recovered_minor"]
    assert recovered != house.row()["amount_minor"]
    assert [row["recovered_minor"] for row in house.audit("outcomes") if row["state_to"] == "completed"] == [str(recovered)]

    told = house.sandbox.orders()[0]
    news = [{"orderSessionKey": told["order_session_key"], "orderId": "000471", "status": "COMPLETED"}]
    house.put_outbound("outcomes_x_1.json", {"mid": house.sandbox.mid, "outcomes": news})
    house.pass_time(hours=1)
    assert house.run("poll").code == ExitCode.CLEAN
    assert house.state() == "completed"
    balances(house)


def test_an_order_that_the_provider_shows_is_not_released(house: House) -> None:
    """Not on anybody's word (I1)."""
    late_completion(house)
    with pytest.raises(DecisionRefused, match="The provider shows order '000471': COMPLETED"):
        decide(house, the_item(house), "support-confirmed-no-rescue")
    house.sandbox.faults.switch_on("server_error_before", times=FOREVER, where="order")
    with pytest.raises(DecisionRefused, match="cannot be asked"):
        decide(house, the_item(house), "support-confirmed-no-rescue")
    assert (house.state(), house.row()["status"]) == ("review", "review")


def test_an_order_of_which_no_rescue_runs_is_released(house: House) -> None:
    """Support confirms it and the provider shows nothing: the merchant's own retry may take it."""
    vanished_file(house)
    assert decide(house, "order:a", "support-confirmed-no-rescue") == ExitCode.IN_DOUBT
    assert (house.states(), house.row("a")["status"]) == ({"a": "rejected", "b": "in_doubt"}, "not_recovered")
    assert house.retry_takes("a")
    assert not house.retry_takes("b")
    balances(house)


def test_a_file_that_never_came_is_sent_again_once(house: House) -> None:
    """Same name and rows; the mark does not stand in its way, and the provider has each order once."""
    batch = vanished_file(house)
    name = house.ledger("SELECT file_name FROM batch")
    assert decide(house, f"batch:{batch}", "support-confirmed-never-arrived") == ExitCode.CLEAN
    assert (house.steps(), house.states()) == (["sending"], {"a": "sending", "b": "sending"})
    assert house.run().code == ExitCode.CLEAN
    assert house.accepted() == Counter({"a": 1, "b": 1})
    assert house.ledger("SELECT file_name FROM batch") == name
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.run().code == ExitCode.CLEAN
    assert house.accepted() == Counter({"a": 1, "b": 1})
    balances(house)


def test_forcing_a_file_out_again_needs_evidence_a_reason_and_a_word(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the word of support lets it go again; without a reason, or a yes, nothing changes (O-03)."""
    about = f"batch:{vanished_file(house)}"
    before = house.ledger_rows()
    for word in ("noted", "provider-is-right", "repeat-call", "force"):
        with pytest.raises((UsageRefused, DecisionRefused)):
            decide(house, about, word)
    with pytest.raises(UsageRefused, match="needs its reason"):
        decide(house, about, "support-confirmed-never-arrived", reason="")
    options, never = Options(house.config), "support-confirmed-never-arrived"
    with pytest.raises(UsageRefused, match="--yes"):
        resolve(options, about, never, WHY, yes=False, dry_run=False, clock=house.clock)
    assert decide(house, about, never, dry_run=True) == ExitCode.CLEAN
    assert "(2 orders) is sent again by the next run." in capsys.readouterr().out
    assert house.ledger_rows() == before
    assert house.run().code == ExitCode.IN_DOUBT
    assert house.accepted() == Counter()
    decide(house, about, never)
    ((state, reason),) = by_hand(house, about)
    assert state == "sending"
    assert reason.startswith(f"{never}: {WHY} (")
    assert "@" in reason


def test_dying_before_the_ledger_says_so_sends_nothing(house: House, mocker: MockerFixture) -> None:
    """The mark is gone and the decision was not recorded: nothing changes, every job works, and it can be decided again."""
    batch = vanished_file(house)
    mocker.patch("batch.deciding.move_batch", side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        decide(house, f"batch:{batch}", "support-confirmed-never-arrived")
    mocker.stopall()
    assert (house.steps(), house.states()) == (["delivered"], {"a": "in_doubt", "b": "in_doubt"})
    house.pass_time(minutes=16)  # the lease of the one that died
    assert house.run().code == ExitCode.IN_DOUBT
    assert house.accepted() == Counter()
    assert decide(house, f"batch:{batch}", "support-confirmed-never-arrived") == ExitCode.CLEAN
    house.run()
    assert house.accepted() == Counter({"a": 1, "b": 1})


def test_without_taking_the_mark_away_every_job_would_be_refused(house: House, mocker: MockerFixture) -> None:
    """The mark is what tells a ledger that is older than what was sent: it must go before the file goes again."""
    batch = vanished_file(house)
    mocker.patch.object(Departures, "unmark")
    decide(house, f"batch:{batch}", "support-confirmed-never-arrived")
    with pytest.raises(Exception, match="older than what was sent"):
        house.run()


def test_a_file_that_is_not_taken_frees_its_orders(house: House) -> None:
    """Its orders are released; an acceptance that comes all the same brings them under review."""
    batch = vanished_file(house)
    assert decide(house, batch and f"batch:{batch}", "support-confirmed-not-taken") == ExitCode.CLEAN
    assert (house.steps(), house.states()) == (["refused"], {"a": "rejected", "b": "rejected"})
    assert house.row("a")["status"] == "not_recovered"
    balances(house)
    name, document = house.acknowledgement()
    document["responses"][0]["orderSessionKey"] = "9b2f77aa-0000-4000-8000-000000000001"
    document["responses"][1]["orderSessionKey"] = "9b2f77aa-0000-4000-8000-000000000002"
    house.put_outbound(name, document)
    house.pass_time(minutes=5)
    assert house.run("poll").code == ExitCode.NEEDS_PERSON
    assert house.states() == {"a": "review", "b": "review"}


def test_a_file_that_did_come_is_not_sent_again(house: House) -> None:
    """Whoever says that it never came is shown which order of it the provider has (I2)."""
    house.add(order("a"), order("b"))
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.run()
    house.sandbox.faults.switch_on("server_error_before", times=FOREVER, where="orders")
    house.pass_time(hours=2)
    assert house.run("poll").code == ExitCode.IN_DOUBT
    house.sandbox.faults.clear()
    (batch,) = house.ledger("SELECT batch_id FROM batch")
    for word in ("support-confirmed-never-arrived", "support-confirmed-not-taken"):
        with pytest.raises(DecisionRefused, match="the provider knows 'a', 'b' of it"):
            decide(house, f"batch:{batch['batch_id']}", word)
    assert house.states() == {"a": "in_doubt", "b": "in_doubt"}


def test_a_file_that_lies_in_the_folder_is_not_sent_again(house: House) -> None:
    """As long as the provider may still take it, nobody says that it never came (I2)."""
    batch = vanished_file(house)
    (name,) = (row["file_name"] for row in house.ledger("SELECT file_name FROM batch"))
    (house.sandbox.inbound / f"{name}.part").write_bytes(b"{}")
    with pytest.raises(DecisionRefused, match="lies in the provider's inbound folder"):
        decide(house, f"batch:{batch}", "support-confirmed-never-arrived")
    assert house.steps() == ["delivered"]


def test_a_file_that_was_uploaded_by_hand_is_not_sent_again(house: House) -> None:
    """It counts as delivered, and the acknowledgement settles it."""
    house.add(order("a"))
    house.sandbox.faults.switch_on("refuse_write", times=FOREVER)
    assert house.run().code == ExitCode.NOTHING_SENT
    house.sandbox.faults.clear()
    (batch,) = house.ledger("SELECT batch_id FROM batch")
    assert decide(house, f"batch:{batch['batch_id']}", "uploaded-by-hand") == ExitCode.CLEAN
    assert (house.steps(), house.states()) == (["delivered"], {"a": "sending"})
    assert by_hand(house, f"batch:{batch['batch_id']}")[0][1].startswith(f"uploaded-by-hand: {WHY}")
    assert house.run().code == ExitCode.CLEAN
    assert (house.received(), house.accepted()) == ([], Counter())
    name, document = house.acknowledgement()
    house.put_outbound(name, document)
    house.run("poll")
    assert house.states() == {"a": "pending"}


def test_other_items_are_noted(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A row that was refused, once looked at, waits for nobody any more; the list says what fits each."""
    house.add(order("a", last_name="4111 1111 1111 1111"))
    assert house.run().code == ExitCode.NEEDS_PERSON
    capsys.readouterr()
    list_review(Options(house.config))
    shown = capsys.readouterr().out
    assert "pan_found" in shown
    assert "decide --as noted" in shown
    assert decide(house, the_item(house), "noted", reason="told the shop team") == ExitCode.CLEAN
    assert house.items() == []


@pytest.mark.parametrize(
    ("about", "word", "reason", "words"),
    [
        ("ffffffffffff", "noted", WHY, "no open item"),
        ("order:nobody", "provider-is-right", WHY, "no open item"),
        ("order:000471", "believe-me", WHY, "is no decision"),
        ("order:000471", "provider-is-right", "", "needs its reason"),
        ("order:000471", "provider-is-right", "it was 4111 1111 1111 1111", "card number"),
        ("order:000471", "uploaded-by-hand", WHY, "about a file"),
        ("order:000471", "noted", WHY, "stands open"),
    ],
)
def test_bad_input_changes_nothing(house: House, about: str, word: str, reason: str, words: str) -> None:
    """One clear sentence, exit 2, nothing changed."""
    house.add(order())
    house.run()
    before = house.ledger_rows()
    with pytest.raises(UsageRefused, match=words):
        decide(house, about, word, reason=reason)
    assert house.ledger_rows() == before


def test_an_order_that_is_not_under_review_is_not_decided_about(house: House) -> None:
    """A pending order ends by the provider's word alone."""
    house.add(order())
    house.run()
    with pytest.raises(DecisionRefused, match="is pending"):
        decide(house, "order:000471", "provider-is-right")


def test_what_moved_meanwhile_is_not_decided_about(house: House, mocker: MockerFixture) -> None:
    """Between the look and the transaction somebody else closed the item: refused, to be looked at again."""
    late_completion(house)
    mocker.patch("batch.deciding.found", side_effect=lambda writing, case: type(case)(()))
    with pytest.raises(DecisionRefused, match="Something moved"):
        decide(house, the_item(house), "provider-is-right")
    assert house.state() == "review"


def doubtful_refund(house: House) -> str:
    """A refund of which no read can tell whether it happened. Returns its item."""
    completed(house)
    house.sandbox.faults.switch_on("gateway_timeout_after", where="refund")
    assert refund(house, "5.00")[0] == ExitCode.IN_DOUBT
    house.pass_time(days=1)
    assert house.run("poll").code == ExitCode.IN_DOUBT
    return the_item(house)


def test_a_refund_that_support_confirms_counts(house: House) -> None:
    """It counts as given back, the row says so, nothing is asked for, and no later run is in doubt."""
    item = doubtful_refund(house)
    assert decide(house, item, "support-confirmed-it-happened") == ExitCode.CLEAN
    assert (steps(house), asked(house, "/refund")) == ([("refund", "done")], 1)
    assert (house.state(), house.row()["refunded_minor"]) == ("partially_refunded", 500)
    (said,) = house.ledger("SELECT reason FROM event WHERE subject LIKE 'operation:%' AND source='operator' AND to_state='done'")
    assert said["reason"].startswith(f"support-confirmed-it-happened: {WHY}")
    assert house.run("poll").code == ExitCode.CLEAN
    assert house.items() == []
    balances(house)


def test_a_refund_that_support_denies_may_be_asked_for_again(house: House) -> None:
    """Nothing was given back by our books, and a new request is another one."""
    item = doubtful_refund(house)
    assert decide(house, item, "support-confirmed-it-did-not") == ExitCode.CLEAN
    assert (steps(house), house.state()) == ([("refund", "refused")], "completed")
    assert house.run("poll").code == ExitCode.CLEAN
    with pytest.raises(UsageRefused, match="no open item"):
        decide(house, item, "support-confirmed-it-happened")


def test_what_the_provider_shows_of_a_refund_is_not_overruled(make_house: MakeHouse) -> None:
    """Whoever says that it did not happen is shown that it did."""
    house = make_house(shows_refunds=True)
    completed(house)
    house.sandbox.faults.switch_on("gateway_timeout_after", where="refund")
    house.sandbox.faults.switch_on("server_error_before", where="order", times=FOREVER, skip=1)
    assert refund(house, "5.00")[0] == ExitCode.IN_DOUBT
    house.pass_time(days=1)
    house.run("poll")
    item = the_item(house)
    with pytest.raises(DecisionRefused, match="does not say now"):
        decide(house, item, "support-confirmed-it-did-not")
    house.sandbox.faults.clear()
    with pytest.raises(DecisionRefused, match="shows otherwise"):
        decide(house, item, "support-confirmed-it-did-not")
    assert steps(house) == [("refund", "in_doubt")]
    with pytest.raises(UsageRefused, match="about a request"):
        decide(house, "order:000471", "support-confirmed-it-happened")
