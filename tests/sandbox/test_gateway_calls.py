"""The calls of the widespread third-party gateway client (tag AM of the contract), as it makes them, against the sandbox."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import expiry, http

SUCCESS, CHALLENGE = "4000002760003184", "4111111111111111"
REQUIRED = {
    "OrderId",
    "Transaction.Id",
    "Transaction.ResponseCode",
    "Transaction.ResponseCodeSource",
    "Transaction.AvsResultCode",
    "Transaction.CvvResultCode",
    "Transaction.CavvResultCode",
}


class Gateway:
    """That client, as far as the contract records it: a cached token, dropped at a 401, and one method for each call."""

    def __init__(self, client: httpx.Client, mid: str, keys: tuple[str, str], site: str) -> None:
        self._client = client
        self._mid, self._keys, self._site = mid, keys, site
        self.logins = 0
        self._token: str | None = None
        self._expires = "0"

    def send(self, path: str, body: dict[str, Any] | None, now: float, method: str = "POST") -> httpx.Response:
        """One call with the cached token; a 401 drops it, so that the next call logs in again."""
        if self._token is None or int(self._expires) <= now * 1000:
            self._log_in()
        answer = self._client.request(method, path, json=body, headers={"Authorization": f"Bearer {self._token}"})
        if answer.status_code == 401:
            self._token = None
        return answer

    def _log_in(self) -> None:
        key, secret = self._keys
        found = self._client.post("oauth2/token", json={"AppKey": key, "AppSecret": secret})
        assert found.status_code == 200
        self.logins += 1
        self._token, self._expires = found.json()["accessToken"], str(found.json()["expires"])

    def purchase(self, order: dict[str, Any], now: float) -> httpx.Response:
        """evaluate with the account's ids."""
        return self.send("evaluate", {"siteId": self._site, "mid": self._mid, **order}, now)


@pytest.fixture
def managed(sandbox: Sandbox) -> Iterator[Gateway]:
    """The client with the managed account's credentials."""
    with http(sandbox) as client:
        yield Gateway(client, sandbox.mid, (sandbox.app_key, sandbox.app_secret), sandbox.site_ids["acme-us"])


@pytest.fixture
def sync(sandbox: Sandbox) -> Iterator[Gateway]:
    """The client with the sync account's credentials."""
    with http(sandbox) as client:
        keys = (sandbox.sync_app_key, sandbox.sync_app_secret)
        yield Gateway(client, sandbox.sync_mid, keys, sandbox.sync_site_ids["acme-us"])


def payment(number: str = "", cvv: str = "", token: str = "") -> dict[str, Any]:
    """paymentMethod with a raw card, or with a stored token and nothing else."""
    if token:
        return {"Token": True, "cardNumber": token}
    method = {
        "holderName": "Cure Tester",
        "cardType": "CREDIT",
        "cardBrand": "VISA",
        "expirationMonth": 9,
        "expirationYear": 2030,
    }
    digits = {"cardBinNumber": number[:6], "cardLast4Digits": number[-4:], "cardNumber": number, "Token": False}
    return {**method, **digits, **({"verificationValue": cvv} if cvv else {})}


def order(method: dict[str, Any], phone: object = "", **changed: object) -> dict[str, Any]:
    """The evaluate object as that client sends it: its own casing, no timestamp, the offset as text."""
    reference = str(uuid.uuid4())
    return {
        "isDeclined": True,
        "orderId": reference,
        "idempotencyKey": str(uuid.uuid4()),
        "senseKey": None,
        "Source": "Spreedly",
        "ExtraData": "",
        "isMIT": False,
        "isRecurring": False,
        "transactionType": "Purchase",
        "transaction": {
            "id": reference,
            "dynamicDescriptor": "MyShoesStore",
            "timezoneUtcOffset": "-5",
            "amount": 100,
            "currency": "USD",
            "responseCode": "100",
            "responseCodeSource": "nmi",
            "avsResultCode": "200",
            "cvvResultCode": "111",
            "cavvResultCode": "111",
            "cardNotPresent": False,
        },
        "paymentMethod": method,
        "billingInformation": {
            "firstName": "Cure",
            "lastName": "Tester",
            "country": "CA",
            "countryCode": "CA",
            "zipCode": "K1C2N6",
        },
        "payer": {"email": "test@acme.example", **({"phone": phone} if phone else {})},
        **changed,
    }


def test_the_token_is_cached_until_its_end(sandbox: Sandbox, managed: Gateway) -> None:
    """Many calls need one login; after `expires` there is another, before any 401."""
    now = sandbox.clock.now().timestamp()
    found = [managed.send("orders", None, now, "GET").status_code for _ in range(5)]
    once = managed.logins
    sandbox.advance(timedelta(seconds=600))
    found.append(managed.send("orders", None, sandbox.clock.now().timestamp(), "GET").status_code)

    assert (found, once, managed.logins) == ([200] * 6, 1, 2)


def test_a_401_drops_the_token_and_the_next_call_logs_in(sandbox: Sandbox, managed: Gateway) -> None:
    """A client whose clock is wrong meets 401 once and goes on."""
    wrong_clock = sandbox.clock.now().timestamp()
    managed.send("orders", None, wrong_clock, "GET")
    sandbox.advance(timedelta(minutes=11))
    found = [managed.purchase(order(payment(SUCCESS)), wrong_clock).status_code for _ in range(2)]

    assert (found, managed.logins) == ([401, 200], 2)


def test_wrong_credentials_are_400(sandbox: Sandbox) -> None:
    """A login with a wrong secret fails with 400."""
    with http(sandbox) as client:
        answer = client.post("oauth2/token", json={"AppKey": sandbox.app_key, "AppSecret": "SOMETHING/WRONG+="})

    assert answer.status_code == 400


def test_a_purchase_by_mit(sandbox: Sandbox, managed: Gateway, sync: Gateway) -> None:
    """A sync account approves the success card at once and needs no expiry; a managed one submits it and does."""
    mit = {"isMIT": True, "isRecurring": False}
    approved = sync.purchase(order(payment(SUCCESS), **mit), 0).json()
    submitted = managed.purchase(order(payment(SUCCESS), **mit, expiryDateUtc=expiry(sandbox)), 0).json()
    missing = managed.purchase(order(payment(SUCCESS), **mit), 0)

    assert (approved["success"], approved["status"], submitted["status"]) == (True, "APPROVED", "SUBMITTED")
    assert missing.status_code == 400
    assert missing.json()["ExpiryDateUtc"] == ["The field ExpiryDateUtc is invalid."]


@pytest.mark.parametrize("cvv", ["999", ""])
def test_a_purchase_by_cit_is_challenged(managed: Gateway, cvv: str) -> None:
    """The challenge card with the documented phone answers CHALLENGE, with or without CVV."""
    found = managed.purchase(order(payment(CHALLENGE, cvv), "+99.2001a/+99.2001b"), 0).json()

    assert (found["status"], found["orderId"]) == ("CHALLENGE", found["orderSessionKey"])


def test_a_purchase_by_cit_is_declined_in_a_200(managed: Gateway) -> None:
    """Neither phone nor CVV: DECLINED, and no HTTP error."""
    answer = managed.purchase(order(payment(CHALLENGE)), 0)

    assert (answer.status_code, answer.json()["status"]) == (200, "DECLINED")


def authorize(gateway: Gateway) -> dict[str, Any]:
    """An authorisation with the documented card and phone."""
    found: dict[str, Any] = gateway.purchase(order(payment(SUCCESS), "998888", transactionType="Authorization"), 0).json()
    assert found["status"] == "CAPTUREREQUIRED"
    return found


def test_authorise_and_capture(managed: Gateway) -> None:
    """The capture of the full amount in cents has the status SUCCESS."""
    key = authorize(managed)["orderSessionKey"]
    body = {"idempotencyKey": str(uuid.uuid4()), "orderId": key, "amount": 100, "currency": "USD"}

    assert managed.send("capture", body, 0).json()["status"] == "SUCCESS"


def test_a_void_answers_nothing(managed: Gateway) -> None:
    """Cancel with `{}`: 200, and nothing in the body."""
    answer = managed.send(f"orders/{authorize(managed)['orderSessionKey']}/cancel", {}, 0)

    assert (answer.status_code, answer.json()) == (200, {})


def test_store_and_then_purchase_with_the_token(sync: Gateway) -> None:
    """tokenize by bearer and without a query; the token with `Token: true` alone is a payment method."""
    card = {"first_name": "Cure", "last_name": "Tester", "month": 9, "year": 2030, "number": SUCCESS, "verification_value": "123"}
    stored = sync.send("tokenize", {"payment_method": {"credit_card": card}}, 0).json()
    token = stored["transaction"]["payment_method"]["token"]
    found = sync.purchase(order(payment(token=token), isMIT=True), 0).json()

    assert (stored["success"], stored["status"], found["status"]) == (True, None, "APPROVED")


def test_purchase_and_refund(sync: Gateway) -> None:
    """The refund is in dollars; its status is SUCCESS, its message APPROVED; more than that fails with 2001."""
    key = sync.purchase(order(payment(SUCCESS), isMIT=True), 0).json()["orderSessionKey"]
    over = sync.send(f"orders/{key}/refund", {"amountToRefund": 2.0}, 0).json()
    found = sync.send(f"orders/{key}/refund", {"amountToRefund": 1.0}, 0).json()

    assert (found["status"], found["responseMessage"]) == ("SUCCESS", "APPROVED")
    assert (over["success"], over["responseCode"], over["errors"][0]["item1"]) == (False, "2001", over["responseMessage"])


def test_inquire(managed: Gateway) -> None:
    """A read tells statusName in upper case; an unknown id fails."""
    key = authorize(managed)["orderSessionKey"]
    found = managed.send(f"orders/{key}", None, 0, "GET").json()
    unknown = managed.send(f"orders/{uuid.uuid4()}", None, 0, "GET")

    assert found["statusName"] == "CAPTUREREQUIRED"
    assert unknown.status_code == 404


def test_required_fields_are_exactly_seven(managed: Gateway) -> None:
    """A purchase with hardly any option is a 400 with a flat map of exactly the seven keys and TraceId."""
    bare = order(payment(CHALLENGE, "999"), orderId=None, payer={}, billingInformation={})
    bare["transaction"] = {"amount": 100, "currency": "USD"}
    answer = managed.purchase(bare, 0)

    assert answer.status_code == 400
    assert set(answer.json()) - {"TraceId"} == REQUIRED
