"""The shop's calls to the provider, and what each answer proves (CONTRACT 2, 3, 7.5, 9 and 13)."""

from dataclasses import dataclass
from typing import Literal

import httpx

from jobs.sandbox.checkout.cards import Card
from jobs.sandbox.checkout.shop import Shop

Proof = Literal["taken", "refused", "nothing_sent", "unknown"]
"""What is certain after an evaluate: the provider has it; it said what is wrong; it has done nothing; or nothing is."""

_NOTHING_DONE = (401, 403, 429)
ANSWER_SECONDS = 35.0
"""A little longer than the provider's own gateway is believed to wait (CONTRACT 1)."""


@dataclass(frozen=True)
class Evaluated:
    """What an evaluate proved, the provider's id and word where it was taken, and a few words of what happened."""

    proof: Proof
    key: str = ""
    word: str = ""
    happened: str = ""


class Provider:
    """One shop's connection to the provider. A bearer is kept until it is refused (CONTRACT 2)."""

    def __init__(self, shop: Shop, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._shop = shop
        each_anew = httpx.Limits(max_keepalive_connections=0)  # one that the server has just closed would look like a lost answer
        wait = httpx.Timeout(10, read=answer_seconds)
        self._client = httpx.Client(base_url=shop.api_url, timeout=wait, limits=each_anew, trust_env=False)
        self._bearer = ""

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def tokenize(self, card: Card) -> str:
        """A payment token for the card, or an empty text where there is none to be had."""
        given = {
            "first_name": card.first_name,
            "last_name": card.last_name,
            "number": card.number,
            "month": f"{card.month:02}",
            "year": str(card.year),
            "verification_value": card.cvv,
        }
        keys = {"mid": self._shop.mid, "environment": self._shop.tokenization_key}
        try:
            answer = self._client.post("tokenize", params=keys, json={"payment_method": {"credit_card": given}})
        except httpx.HTTPError:
            return ""
        method = _inside(_inside(_document(answer), "transaction"), "payment_method")
        token = method.get("token")
        return token if answer.is_success and isinstance(token, str) else ""

    def evaluate(self, record: dict[str, object]) -> Evaluated:
        """Ask for a rescue, once. Only an answer that proves that nothing was done lets a refused bearer be replaced."""
        for attempt in (1, 2):
            if not self._has_bearer():
                return Evaluated("nothing_sent", happened="no bearer token was given")
            try:
                answer = self._client.post("evaluate", json=record, headers={"Authorization": f"Bearer {self._bearer}"})
            except (httpx.ConnectError, httpx.ConnectTimeout):
                return Evaluated("nothing_sent", happened="no connection")
            except httpx.HTTPError:
                return Evaluated("unknown", happened="the answer was lost")
            if answer.status_code != 401 or attempt == 2:
                return proved(answer.status_code, _document(answer))
            self._bearer = ""
        raise AssertionError  # the second attempt has returned

    def status_of(self, key: str, order_id: str) -> str:
        """How the order reads, in upper case; empty where it cannot be read, or is another's."""
        found = self._read(f"orders/{key}", {})
        name, named = found.get("statusName"), found.get("externalOrderId") or found.get("referenceNumber")
        return name.upper() if isinstance(name, str) and named in (order_id, None) else ""

    def look_for(self, order_id: str) -> str:
        """The provider's id of our order, if it shows exactly one; by our own id, because its answer was lost."""
        rows = self._read("orders", {"query": order_id, "pageSize": "50"}).get("orders")
        found = [row for row in rows if isinstance(row, dict) and _ours(row) == order_id] if isinstance(rows, list) else []
        key = found[0].get("id") if len(found) == 1 else None
        return key if isinstance(key, str) else ""

    def _read(self, path: str, query: dict[str, str]) -> dict[str, object]:
        for _ in range(2):
            if not self._has_bearer():
                return {}
            try:
                answer = self._client.get(path, params=query, headers={"Authorization": f"Bearer {self._bearer}"})
            except httpx.HTTPError:
                return {}
            if answer.status_code != 401:
                return _document(answer) if answer.is_success else {}
            self._bearer = ""
        return {}

    def _has_bearer(self) -> bool:
        if not self._bearer:
            given = {"AppKey": self._shop.app_key, "AppSecret": self._shop.app_secret}
            try:
                answer = self._client.post("oauth2/token", json=given)
            except httpx.HTTPError:
                return False
            token = _document(answer).get("accessToken")
            self._bearer = token if answer.is_success and isinstance(token, str) else ""
        return bool(self._bearer)


def proved(http_status: int, document: dict[str, object]) -> Evaluated:
    """What the answer to an evaluate proves. Pure: whatever is not plainly one thing is unknown."""
    if http_status in _NOTHING_DONE:
        return Evaluated("nothing_sent", happened=f"HTTP {http_status}")
    if http_status == 400 and document:
        return Evaluated("refused", happened="HTTP 400")
    key, word = document.get("orderSessionKey"), document.get("status")
    if 200 <= http_status < 300 and document.get("success") is True and isinstance(key, str) and key and isinstance(word, str):
        return Evaluated("taken", key, word.upper(), word.upper())
    return Evaluated("unknown", happened=f"HTTP {http_status}, which proves nothing")


def _ours(row: dict[str, object]) -> object:
    return row.get("externalOrderId") or row.get("referenceNumber")


def _document(answer: httpx.Response) -> dict[str, object]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _inside(document: dict[str, object], name: str) -> dict[str, object]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}
