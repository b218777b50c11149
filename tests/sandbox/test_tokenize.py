"""CONTRACT 3: `POST tokenize`, by query keys, by bearer, or by both."""

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import api, curl, decline, http, sync_api

SUCCESS, CHALLENGE, OTHER = "4000002760003184", "4111111111111111", "5555555555554444"


def card(number: object = CHALLENGE, **changed: object) -> dict[str, Any]:
    """The body of CONTRACT 3."""
    fields = {"first_name": "Ada", "last_name": "Byron", "number": number, "month": "09", "year": "2030"}
    return {"payment_method": {"credit_card": {**fields, "verification_value": "123", **changed}, "email": "ada@acme.example"}}


def keys(sandbox: Sandbox) -> dict[str, str]:
    """The two query parameters."""
    return {"mid": sandbox.mid, "environment": sandbox.tokenization_key}


def token_of(answer: httpx.Response) -> str:
    """The token of a good answer."""
    assert answer.status_code == 200, answer.text
    return str(answer.json()["transaction"]["payment_method"]["token"])


def test_the_answer_has_every_field_of_the_contract(sandbox: Sandbox) -> None:
    """CONTRACT 3: the token stands at transaction.payment_method.token; first_six_digits holds eight; status is null."""
    with http(sandbox) as client:
        found = client.post("tokenize", params=keys(sandbox), json=card()).json()
    transaction = found.pop("transaction")
    method = transaction["payment_method"]

    assert found == {
        "cardBinInfo": None,
        "success": True,
        "result": None,
        "status": None,
        "statusCode": None,
        "errors": [],
        "customProperties": {},
    }
    assert (transaction["succeeded"], transaction["on_test_gateway"]) == (True, True)
    assert transaction["created_at"] == transaction["updated_at"] == method["created_at"]
    assert str(uuid.UUID(method["token"])) == method["token"]
    assert (method["last_four_digits"], method["first_six_digits"]) == ("1111", "41111111")
    assert (method["month"], method["year"], method["first_name"], method["email"]) == (9, 2030, "Ada", "ada@acme.example")


def test_query_keys_or_bearer_or_both_will_do(sandbox: Sandbox) -> None:
    """CONTRACT 3: documented without a bearer, seen with a bearer and no query; both ways give the same token."""
    with http(sandbox) as client:
        by_query = token_of(client.post("tokenize", params=keys(sandbox), json=card()))
    with api(sandbox) as client:
        by_bearer = token_of(client.post("tokenize", json=card()))
        by_both = token_of(client.post("tokenize", params=keys(sandbox), json=card()))

    assert by_query == by_bearer == by_both


@pytest.mark.parametrize(
    "query",
    [{}, {"mid": "MID"}, {"environment": "KEY"}, {"mid": "MID", "environment": "wrong"}, {"mid": "other", "environment": "KEY"}],
)
def test_wrong_keys_are_401(sandbox: Sandbox, query: dict[str, str]) -> None:
    """Without a bearer both query keys are needed, and have to be right."""
    known = {"MID": sandbox.mid, "KEY": sandbox.tokenization_key}
    with http(sandbox) as client:
        answer = client.post("tokenize", params={name: known.get(value, value) for name, value in query.items()}, json=card())

    assert (answer.status_code, answer.content) == (401, b"")


def test_a_bearer_and_the_keys_of_another_account_are_401(sandbox: Sandbox) -> None:
    """What is given has to be of one account."""
    with sync_api(sandbox) as client:
        other = client.post("tokenize", params=keys(sandbox), json=card()).status_code
        own = {"mid": sandbox.sync_mid, "environment": sandbox.sync_tokenization_key}
        fine = client.post("tokenize", params=own, json=card()).status_code
        client.headers["Authorization"] = "Bearer stale"
        stale = client.post("tokenize", params=own, json=card()).status_code

    assert (other, fine, stale) == (401, 200, 401)


def test_a_token_follows_from_seed_card_and_expiry(tmp_path: Path) -> None:
    """The same card has the same token in another run of the same seed, and another one for another seed or expiry."""
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        with Sandbox(tmp_path / name, options=SandboxOptions(seed=seed)) as sandbox, api(sandbox) as client:
            found.append([token_of(client.post("tokenize", json=card(n))) for n in (SUCCESS, CHALLENGE, OTHER)])
            found.append([token_of(client.post("tokenize", json=card(OTHER, year=2031)))])

    assert found[0] == found[2]
    assert found[1] == found[3]
    assert len({token for row in found for token in row}) == 8


def test_month_and_year_may_be_numbers(sandbox: Sandbox) -> None:
    """CONTRACT 3: `MM` in the documentation, an integer on the wire."""
    with api(sandbox) as client:
        as_text = token_of(client.post("tokenize", json=card()))
        as_number = token_of(client.post("tokenize", json=card(month=9, year=2030)))

    assert as_text == as_number


@pytest.mark.parametrize("name", ["first_name", "last_name", "number", "month", "year"])
def test_a_required_field_is_named(sandbox: Sandbox, name: str) -> None:
    """A card without a required field is refused with the field's name."""
    with api(sandbox) as client:
        answer = client.post("tokenize", json=card(**{name: None}))

    assert answer.status_code == 400
    assert set(answer.json()) == {"TraceId", f"payment_method.credit_card.{name}"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("number", "4111"), ("number", 4111111111111111), ("month", 13), ("month", "x"), ("year", 30), ("year", True)],
)
def test_a_bad_field_is_named(sandbox: Sandbox, name: str, value: object) -> None:
    """A number, month or year that is none is refused."""
    with api(sandbox) as client:
        assert set(client.post("tokenize", json=card(**{name: value})).json()) == {
            "TraceId",
            f"payment_method.credit_card.{name}",
        }


def test_a_card_number_is_kept_nowhere(tmp_path: Path) -> None:
    """Neither number nor CVV nor token nor tokenization key reaches the journal, its file or the memory of orders."""
    with Sandbox(tmp_path) as sandbox:
        with http(sandbox) as client:
            token = token_of(client.post("tokenize", params=keys(sandbox), json=card(OTHER)))
        with api(sandbox) as client:
            client.post("evaluate", json=decline(sandbox, "o", token))
        rows = json.dumps(sandbox.journal())
        orders = repr(sandbox._brain.orders())
        tokenized = [row for row in sandbox.journal() if row["event"] == "tokenized"]
    written = (tmp_path / "journal.jsonl").read_text()

    for text in (rows, orders, written):
        assert OTHER not in text
        assert "verification" not in text
        assert token not in text
        assert sandbox.tokenization_key not in text
        assert "environment" not in text
    assert [row["last_four_digits"] for row in tokenized] == ["4444"]


def test_curl_gets_the_same_token(sandbox: Sandbox) -> None:
    """curl, with the query keys and the media type of the documentation, gets the token that httpx gets."""
    with api(sandbox) as client:
        expected = token_of(client.post("tokenize", json=card()))
    query = httpx.QueryParams(keys(sandbox))
    status, text = curl(sandbox, "POST", f"tokenize?{query}", body=card())

    assert (status, json.loads(text)["transaction"]["payment_method"]["token"]) == (200, expected)
