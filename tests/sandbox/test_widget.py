"""The widget's stand-in: SUBMITTED until the customer has answered, and what each answer does, by read and by webhook."""

from datetime import timedelta

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import api, cit, http, token_ending
from tests.sandbox.receiver import listening

SUCCESS, CHALLENGE, DECLINED = "4000002760003184", "4111111111111111", "4000300011112220"


def asked(sandbox: Sandbox, card: str = SUCCESS, sense_key: str = "widget-1", **changed: object) -> dict[str, str]:
    """The answer to the evaluate of a customer whose page carries the widget."""
    with api(sandbox) as client:
        answer = client.post("evaluate", json={**cit(sandbox, card=card), "senseKey": sense_key, **changed})
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def status_of(sandbox: Sandbox, key: str) -> str:
    """How the order reads."""
    with api(sandbox) as client:
        return str(client.get(f"orders/{key}").json()["statusName"])


def answer(sandbox: Sandbox, key: str, headers: dict[str, str] | None = None, **given: str) -> httpx.Response:
    """The widget's form, as the customer sends it."""
    with http(sandbox) as client:
        return client.post(f"{sandbox.control_url}widget/{key}", data=given, headers=headers)


@pytest.mark.parametrize(
    ("card", "given", "name", "state"),
    [
        (SUCCESS, {"code": "999"}, "COMPLETED", "passed"),
        (SUCCESS, {"code": " 999 "}, "COMPLETED", "passed"),
        (SUCCESS, {"code": "123"}, "CANCELLED", "failed"),
        (SUCCESS, {"code": "999", "answer": "no"}, "CANCELLED", "failed"),
        (SUCCESS, {}, "CANCELLED", "failed"),
        (DECLINED, {"code": "999"}, "CANCELLED", "failed"),
    ],
)
def test_the_answer_ends_the_order(sandbox: Sandbox, card: str, given: dict[str, str], name: str, state: str) -> None:
    """Evaluate says SUBMITTED, the order is worked on until the customer answers, and a second answer changes nothing."""
    evaluated = asked(sandbox, card)
    before = status_of(sandbox, evaluated["orderId"])
    shown = answer(sandbox, evaluated["orderId"], None, **given)
    answer(sandbox, evaluated["orderId"], code="999")

    assert (evaluated["status"], before) == ("SUBMITTED", "PROCESSING")
    assert (status_of(sandbox, evaluated["orderId"]), f'data-state="{state}"' in shown.text) == (name, True)


def test_a_challenge_is_answered_in_the_same_place(sandbox: Sandbox) -> None:
    """A CHALLENGE of the standard flow passes in the widget; the token that always fails fails with the right code too."""
    for last, name in (("b003", "COMPLETED"), ("b004", "CANCELLED")):
        record = cit(sandbox, last)
        record["paymentMethod"]["cardNumber"] = token_ending(last)
        with api(sandbox) as client:
            evaluated = client.post("evaluate", json=record).json()
        answer(sandbox, evaluated["orderId"], code="999")

        assert (evaluated["status"], status_of(sandbox, evaluated["orderId"])) == ("CHALLENGE", name)


def test_without_an_answer_it_ends_by_itself(sandbox: Sandbox) -> None:
    """Ten minutes later a success card is completed and a declined card cancelled, and the widget asks no more."""
    good, bad = asked(sandbox), asked(sandbox, DECLINED, orderId="other")
    sandbox.advance(timedelta(minutes=10))
    late = answer(sandbox, good["orderId"], code="123")

    assert [status_of(sandbox, each["orderId"]) for each in (good, bad)] == ["COMPLETED", "CANCELLED"]
    assert 'data-state="passed"' in late.text


def test_it_is_told_by_webhook(sandbox: Sandbox) -> None:
    """The customer's answer is told at once: the challenge, and then the order's end, once each."""
    with listening() as receiver:
        sandbox.register_webhook(receiver.url)
        evaluated = asked(sandbox)
        answer(sandbox, evaluated["orderId"], code="999")
        answer(sandbox, evaluated["orderId"], code="999")
        assert sandbox.webhooks.settle()
        told = [row["webhook"] for row in sandbox.webhooks.deliveries()]

    assert told == ["challenge.presented", "challenge.passed", "order.completed"]


def test_an_authorisation_waits_for_its_capture(sandbox: Sandbox) -> None:
    """What is confirmed in the widget and was only authorised waits for a capture."""
    evaluated = asked(sandbox, transactionType="AUTHORIZATION")
    answer(sandbox, evaluated["orderId"], code="999")

    assert status_of(sandbox, evaluated["orderId"]) == "CAPTUREREQUIRED"


def test_no_other_page_answers_for_the_customer(sandbox: Sandbox) -> None:
    """A form from another site is refused, an order that asks nothing has no widget, and only shops on loopback frame it."""
    evaluated, plain = asked(sandbox), asked(sandbox, sense_key="real-key", orderId="plain")
    refused = answer(sandbox, evaluated["orderId"], {"Origin": "https://attacker.example"}, code="999")
    with http(sandbox) as client:
        page = client.get(f"{sandbox.control_url}widget/{evaluated['orderId']}")
        codes = [client.get(f"{sandbox.control_url}widget/{key}").status_code for key in (plain["orderId"], "no-such")]
    broken = answer(sandbox, "no-such", code="&" * 5000)

    assert (refused.status_code, codes, broken.status_code) == (403, [404, 404], 404)
    assert status_of(sandbox, evaluated["orderId"]) == "PROCESSING"
    assert "frame-ancestors 'self' http://127.0.0.1:*" in page.headers["content-security-policy"]
    assert "<script" not in page.text
