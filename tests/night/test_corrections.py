"""The provider takes back what it said, a runner wakes up late, a row is odd: found by hostile readers, and kept."""

from typing import Any

import pytest
from pytest_mock import MockerFixture

from batch.sftp import SftpFolder
from schemas.errors import SftpRefused
from tests.night.house import ONHOLD, House, order

REFUSED = "5f0c2f6e-8d1b-4c55-9a7e-0000dcbaa005"


def mended(house: House, order_id: str) -> None:
    """The merchant corrects a refused row and sets it back to declined."""
    house.change(order_id, status="declined", payment_token=ONHOLD, provider_status=None, provider_order_id=None)


def corrected(house: House, batch_id: str, *order_ids: str) -> None:
    """The provider's answer to a file says now that these orders were accepted."""
    name, answer = house.acknowledgement(batch_id)
    rows: list[dict[str, Any]] = [row for row in answer["responses"] if row["orderId"] in order_ids]
    for number, row in enumerate(rows):
        row["orderSessionKey"] = f"00000000-0000-4000-8000-00000000000{number}"
    house.put_outbound(name, {**answer, "responses": rows})


def first_batch(house: House) -> str:
    """The id of the file that was claimed first."""
    return str(house.ledger("SELECT batch_id FROM batch ORDER BY rowid LIMIT 1")[0]["batch_id"])


def test_a_late_acceptance_keeps_the_second_claim_at_home(house: House) -> None:
    """An order whose earlier refusal is taken back is not sent again, although its second claim was waiting to go."""
    house.add(order("a", payment_token=REFUSED), order("b", payment_token=ONHOLD))
    house.run()
    assert house.states() == {"a": "rejected", "b": "pending"}
    first = first_batch(house)
    mended(house, "a")
    house.add(order("c", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("refuse_login", times=9)
    assert house.run().code == 20
    assert house.state("a") == "sending"
    house.sandbox.faults.switch_off("refuse_login")
    corrected(house, first, "a")

    assert house.run("poll").code == 10
    assert house.state("a") == "review"
    house.run()

    assert house.accepted() == {"b": 1, "c": 1}
    assert house.states() == {"a": "review", "b": "pending", "c": "pending"}
    assert not house.retry_takes("a")


def test_a_corrected_answer_is_heard_before_the_order_is_claimed_again(house: House) -> None:
    """The night reads the outbound folder before it claims an order that was refused once."""
    house.add(order("a", payment_token=REFUSED), order("b", payment_token=ONHOLD))
    house.run()
    corrected(house, first_batch(house), "a")
    mended(house, "a")

    assert house.run().code == 10

    assert house.state("a") == "review"
    assert house.accepted()["a"] == 0


def test_a_refused_file_that_is_accepted_after_all_holds_its_orders_again(house: House) -> None:
    """Orders that were released by a refusal are held again when the same file is accepted, even without rows."""
    house.sandbox.faults.switch_on("refuse_file")
    house.add(order("a"), order("b"))
    house.run()
    assert house.states() == {"a": "rejected", "b": "rejected"}
    name, answer = house.acknowledgement()
    house.put_outbound(name, {**answer, "responses": []})

    assert house.run("poll").code == 10

    assert house.states() == {"a": "review", "b": "review"}
    assert not house.retry_takes("a")


def test_a_file_that_was_accepted_releases_nobody_when_it_is_refused_later(house: House) -> None:
    """All orders of an accepted file go to review, and none back to the merchant, when it is refused afterwards."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    name, answer = house.acknowledgement()
    house.put_outbound(name, {**answer, "responses": answer["responses"][:1]})
    house.run("poll")
    house.put_outbound(name, {**answer, "result": "failed", "errors": ["no"], "responses": []})

    assert house.run("poll").code == 10

    assert house.states() == {"a": "review", "b": "review"}
    assert not house.retry_takes("b")


def test_two_orders_never_share_one_id_of_the_provider(house: House) -> None:
    """Two rows with the same session key prove nothing about either: both wait for a person."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(order("a"), order("b"))
    house.run()
    name, answer = house.acknowledgement()
    key = answer["responses"][0]["orderSessionKey"]
    house.put_outbound(name, {**answer, "responses": [{**row, "orderSessionKey": key} for row in answer["responses"]]})

    assert house.run("poll").code == 10

    assert house.states() == {"a": "review", "b": "review"}


def test_a_part_that_is_not_the_verified_one_is_not_renamed(house: House, mocker: MockerFixture) -> None:
    """A part that a late runner has put there proves nothing: the file is in doubt, and nothing is sent."""
    house.sandbox.faults.switch_on("refuse_rename", times=9)
    house.add(order("a"))
    assert house.run().code == 20
    (part,) = house.sandbox.inbound.iterdir()
    part.write_bytes(part.read_bytes().replace(b"bearer ", b"bearer x"))
    house.sandbox.faults.clear()

    assert house.run().code == 11

    assert house.state("a") == "in_doubt"
    assert house.accepted() == {}


def test_the_provider_is_searched_before_a_rename_is_asked_for_again(house: House, mocker: MockerFixture) -> None:
    """A server that copied the part and said no does not get it twice: the listing shows the order, so the file has arrived."""
    original = SftpFolder.publish

    def copies(folder: SftpFolder, part: str, name: str) -> None:
        content = (house.sandbox.inbound / part).read_bytes()
        original(folder, part, name)
        (house.sandbox.inbound / part).write_bytes(content)
        raise SftpRefused("no")

    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(order("a", payment_token=ONHOLD))
    mocker.patch.object(SftpFolder, "publish", copies)
    house.run()
    mocker.stopall()

    house.run()

    assert house.accepted() == {"a": 1}
    assert house.state("a") == "pending"


@pytest.mark.parametrize("status", ["Mars", "4111111111111111", "x" * 300])
def test_the_provider_s_words_are_fit_to_be_shown(house: House, status: str) -> None:
    """What a refusal or a status says is kept as evidence; rows, audit and messages show it only where it is harmless."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(order("a"), order("b"))
    house.run()
    name, answer = house.acknowledgement()
    refusal = {
        "result": "Failed",
        "errors": ["card 4111 1111 1111 1111 of ann@example.com"],
        "orderSessionKey": None,
        "status": status,
    }
    house.put_outbound(name, {**answer, "responses": [answer["responses"][0], {**answer["responses"][1], **refusal}]})
    house.run("poll")

    shown = repr(house.row("b")) + repr(house.ledger("SELECT * FROM event")) + repr(house.ledger("SELECT * FROM item"))
    shown += b"".join(house.audit_bytes().values()).decode()

    assert house.state("b") == "rejected"
    assert [word for word in ("4111 1111", "4111111111111111", "ann@example.com", "x" * 65) if word in shown] == []


def test_a_hold_that_nobody_owns_is_lifted(house: House) -> None:
    """A row that bears the hold of a withdrawn claim, placed by a runner that woke up late, is free again after the next run."""
    house.sandbox.faults.switch_on("refuse_login", times=9)
    house.add(order("a"))
    house.run()
    reference = house.row("a")["hold_reference"]
    house.set(switches={"mit": False})
    house.run()
    assert house.state("a") == "withdrawn"
    house.change("a", status="pending", hold_reference=reference)

    house.run("poll")

    assert house.retry_takes("a")


def test_a_row_that_looks_free_while_the_provider_works_is_held_again(house: House) -> None:
    """A merchant who clears our hold too early is told, and the order is held again in the same step."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    house.change("a", status="declined", hold_reference=None)

    assert house.run("poll").code == 10

    assert not house.retry_takes("a")
    assert ("write_back_conflict", "order:a") in house.items()


def test_items_close_when_their_cause_is_gone(house: House) -> None:
    """A row without its card number, and a refused order that goes out again, leave nothing for a person to do."""
    house.add(order("a", payment_token=REFUSED), order("b", first_name="4111 1111 1111 1111"))
    assert house.run().code == 10
    assert [kind for kind, _ in house.items()] == ["pan_found", "row_refused"]
    mended(house, "a")
    house.change("b", first_name="Ann", payment_token=ONHOLD)

    assert house.run().code == 0

    assert house.items() == []
    assert house.states() == {"a": "pending", "b": "pending"}


def test_a_corrected_answer_of_the_same_size_is_heard(house: House) -> None:
    """A correction that the listing does not show is read within the hour, although nobody waits for its name any more."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=REFUSED))
    house.run()
    assert house.states() == {"a": "pending", "b": "rejected"}
    name, answer = house.acknowledgement()
    house.put_outbound(name, {**answer, "note": "-"})
    house.run("poll")
    one, other = answer["responses"]
    for field in ("orderId", "sequenceNumber"):
        one[field], other[field] = other[field], one[field]
    house.put_outbound(name, {**answer, "note": "+"})
    house.pass_time(hours=2)

    assert house.run("poll").code == 10
    assert house.states() == {"a": "review", "b": "review"}
    assert not house.retry_takes("a")
