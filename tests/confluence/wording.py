"""The provider's messages in full, as its contract lays them out (CONTRACT 6.4, 9)."""

import json

from tests.confluence.bench import BATCH_IDS, file_name, settings
from tests.confluence.kit import File, Said, Webhook
from tests.confluence.provider import order_answer

Row = tuple[str, bool, str]
"""One row of an acknowledgement: our order id, whether it is accepted, and the provider's id or its words of refusal."""


def key(order_id: str, number: int = 0) -> str:
    """The id that the provider gives to an order."""
    return f"{number:08x}-0000-4000-8000-{ord(order_id):012x}"


def accepted(*order_ids: str, number: int = 0) -> tuple[Row, ...]:
    """Rows that accept these orders."""
    return tuple((order_id, True, key(order_id, number)) for order_id in order_ids)


def refused(*order_ids: str, words: str = "no such token") -> tuple[Row, ...]:
    """Rows that refuse these orders."""
    return tuple((order_id, False, words) for order_id in order_ids)


def acknowledged(
    label: str,
    *rows: Row,
    file: int = 0,
    orders: str = "abc",
    word: str = "SUBMITTED",
    note: str = "",
    mid: str = "",
    numbered: bool = True,
) -> File:
    """The answer to the n-th file, row by row; `orders` are the file's orders in its order, `note` an extra field."""
    responses = [
        {
            "sequenceNumber": str(orders.index(order_id) + 1) if numbered and order_id in orders else None,
            "orderId": order_id,
            "orderSessionKey": told if is_accepted else None,
            "status": word if is_accepted else "FAILED",
            "result": "Success" if is_accepted else "Failed",
            "errors": [] if is_accepted else [told],
        }
        for order_id, is_accepted, told in rows
    ]
    document: dict[str, object] = {**_head(file, mid), "result": "success", "errors": [], "responses": responses}
    content = json.dumps(document | ({"note": note} if note else {})).encode()
    return File(label, _answer_name(file), content, tuple(order_id for order_id, is_accepted, _ in rows if is_accepted))


def file_refused(label: str, *, file: int = 0, words: str = "bad schema") -> File:
    """The n-th file is refused as a whole."""
    return File(label, _answer_name(file), json.dumps({**_head(file, ""), "result": "failed", "errors": [words]}).encode())


def beginning(of: File, label: str, length: int = 90) -> File:
    """The first bytes of a file that is still being written."""
    return File(label, of.name, of.content[:length], begins=True)


def _head(file: int, mid: str) -> dict[str, object]:
    return {"file": file_name(BATCH_IDS[file]), "kind": "evaluate", "mid": mid or settings().provider.mid}


def _answer_name(file: int) -> str:
    return file_name(BATCH_IDS[file]).removesuffix(".json") + "_response.json"


def news(label: str, number: int, *rows: tuple[str, str], by: str = "both", mid: str = "", note: str = "", keys: int = 0) -> File:
    """An outcomes file: (order, status word) rows, naming each order by our id, by the provider's (`key`), or by both."""
    outcomes = [
        {
            **({"orderSessionKey": key(order_id, keys)} if by in {"both", "key"} else {}),
            **({"orderId": order_id} if by in {"both", "ours"} else {}),
            "status": word,
        }
        for order_id, word in rows
    ]
    document: dict[str, object] = {"mid": mid or settings().provider.mid, "outcomes": outcomes}
    content = json.dumps(document | ({"note": note} if note else {})).encode()
    return File(label, f"outcomes_3f1c09ab_2026112{number}T080000Z_{number}.json", content)


def says(order_id: str, code: int | None, word: str = "", *, label: str = "", number: int = 0, **more: object) -> Said:
    """What the provider says about an order from now on."""
    amount = f" {more['amount']}" if "amount" in more else ""
    label = label or f"{order_id} is {word or code}{amount}{' ' + str(more['currencyCode']) if 'currencyCode' in more else ''}"
    provider_order_id = key(order_id, number)
    return Said(label, order_id, provider_order_id, order_answer(provider_order_id, order_id, code, word, **more))


def webhook(label: str, event: str, order_id: str, *, by: str = "both", **more: object) -> Webhook:
    """A webhook about one order, naming it by our id (`ours`), by the provider's (`key`), or by both (CONTRACT 12)."""
    fields: dict[str, object] = {
        "Event": event,
        "TimeStamp": "2026-11-23T06:31:00.000000Z",
        "EventData": None,
        "ExternalOrderId": order_id if by in {"both", "ours"} else None,
        "OrderId": key(order_id) if by in {"both", "key"} else None,
        "ConfirmationId": "22ACD1D9",
        "IsTestMode": False,
        "IsResent": False,
    }
    return Webhook(label, json.dumps(fields | more).encode())
