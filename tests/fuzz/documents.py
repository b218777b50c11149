"""The provider's documents, right and wrong, as JSON texts (CONTRACT 2, 6.4, 9)."""

import json
from typing import Any

from tests.fuzz.dice import Dice

MID = "3f1c09ab-5a52-4f0e-9c1d-2b7e6a90c4d1"
FILE = "evaluate_3f1c09ab_20261123_0a1b2c3d4e5f.json"
ORDER, PROVIDER_ORDER = "000471", "ec6d1f4e-7a51-4a3f-8f30-6c8d8f0a1b2c"
WORDS = (
    "SUBMITTED draft Processing Onhold CHALLENGE CAPTUREREQUIRED APPROVED Completed DECLINED Cancelled EXPIRED Problem Returned"
    " Chargeback NOTFOUND SUCCESS FAILED QUANTUM"
).split()
_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1e99999999999999999999",
    "0.1",
    "-0",
    "-0.0",
    "1E2",
    "01",
    "9" * 64,
    "9" * 65,
)
_RAW = "\x07raw\x07"


def token(dice: Dice) -> Any:  # noqa: ANN401 - JSON
    """The answer of the token call."""
    ends: Any = dice.choice([1795415400000, "1795415400000", 0, -1, 10**30, "9" * 4301, "٣", 1.5, True, None])
    return {
        "accessToken": dice.choice(["eyJ.abc", "eyJ." + "x" * 4096, "é", "", dice.text(), 7]),
        "expires": ends,
        "success": True,
    }


def order(dice: Dice) -> dict[str, Any]:
    """One order as the provider shows it, mostly ours, with a status of any kind."""
    made: dict[str, Any] = {"id": PROVIDER_ORDER, "externalOrderId": ORDER, "amount": 1999, "currencyCode": "USD"}
    if not dice.one_in(4):
        made["statusName"] = dice.choice(WORDS) if not dice.one_in(4) else dice.text()
    if not dice.one_in(3):
        codes: list[Any] = [*range(-1, 9), "7", "٧", "9" * 4301, 10**60, True, 2.0, 7.5, None, [7]]
        made["status"] = dice.choice(codes)
    for name in ("id", "externalOrderId", "amount", "currencyCode"):
        if dice.one_in(8):
            made[name] = value(dice)
    if dice.one_in(6):
        made["amountRefunded"] = dice.choice([0, 1999, -1, 10**15, "1999", 19.99, True, None])
    if dice.one_in(10):
        made |= {"orderSessionKey": PROVIDER_ORDER, "referenceNumber": dice.text()}
    return made


def page(dice: Dice) -> Any:  # noqa: ANN401 - JSON
    """A page of a listing."""
    rows = [order(dice) if not dice.one_in(6) else value(dice) for _ in range(dice.randint(0, 3))]
    return {"orders": rows, "hasNextPage": dice.choice([True, False, None, "true", 1]), "totalItemCount": 2}


def acknowledgement(dice: Dice) -> Any:  # noqa: ANN401 - JSON
    """The answer to a batch file."""
    rows = [_row(dice, number) if not dice.one_in(8) else value(dice) for number in range(1, dice.randint(1, 4))]
    verdict = dice.choice(["success", "success", "Success ", "failed", "maybe", None])
    return {"file": FILE, "kind": "evaluate", "mid": MID, "result": verdict, "errors": _errors(dice), "responses": rows}


def outcomes(dice: Dice) -> Any:  # noqa: ANN401 - JSON
    """A file of news."""
    rows = [
        {"orderSessionKey": dice.choice([PROVIDER_ORDER, "", dice.text()]), "orderId": ORDER, "status": dice.choice(WORDS)}
        if not dice.one_in(6)
        else value(dice)
        for _ in range(dice.randint(0, 3))
    ]
    return {"mid": dice.choice([MID, MID, dice.text()]), "outcomes": rows}


def webhook(dice: Dice) -> Any:  # noqa: ANN401 - JSON
    """What the provider tells by itself."""
    events = ["order.completed", "Order.Expired", "payout.created", "x", "", dice.text(), 7, None]
    made: dict[str, Any] = {"Event": dice.choice(events), "ExternalOrderId": ORDER, "OrderId": PROVIDER_ORDER}
    made |= {"EventData": None, "IsTestMode": dice.choice([False, False, True, None, "false", 0]), "IsResent": False}
    if dice.one_in(3):
        made[dice.choice([*made, "EVENT", "orderid"])] = value(dice)
    if dice.one_in(4):
        del made[dice.choice(list(made))]
    return made


def _row(dice: Dice, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {"sequenceNumber": dice.choice([str(number), number]), "orderId": f"000{number}"}
    made |= {"orderSessionKey": PROVIDER_ORDER[:-1] + str(number), "status": dice.choice(WORDS), "result": "Success"}
    made["errors"] = _errors(dice)
    if dice.one_in(3):
        made |= {"result": dice.choice(["Failed", "FAILED", "x", 1]), "orderSessionKey": dice.choice(["", None, "key"])}
    if dice.one_in(4):
        made[dice.choice([*made, "ORDERID", "transmitId"])] = value(dice)
    return made


def _errors(dice: Dice) -> Any:  # noqa: ANN401 - JSON
    made: list[Any] = [[], [dice.text()], [{"item1": dice.text(), "item2": "E", "item4": True}], [{"item1": "a", "ITEM1": "b"}]]
    return dice.choice([*made, dice.text(), None, [dice.text()] * 9])


def value(dice: Dice, depth: int = 3) -> Any:  # noqa: ANN401 - JSON
    """Any JSON value; numbers that JSON modules do not write stand as marked texts."""
    kind = dice.randrange(8)
    if kind == 0 and depth:
        return {dice.choice(["id", "ID", "status", dice.odd_text(1)]): value(dice, depth - 1) for _ in range(dice.randint(0, 3))}
    if kind == 1 and depth:
        return [value(dice, depth - 1) for _ in range(dice.randint(0, 3))]
    if kind == 2:
        return _RAW + dice.choice(_NUMBERS)
    if kind == 3:
        return dice.choice([0, 1, -1, 2**63, 10**40])
    return dice.choice([None, True, False]) if kind == 4 else dice.text()


def written(dice: Dice, document: Any) -> bytes:  # noqa: ANN401 - JSON
    """The document as bytes: in one of many spellings, sometimes with a name twice, or wrapped deep, or of odd numbers."""
    text = json.dumps(
        document,
        ensure_ascii=dice.one_in(2),
        indent=dice.choice([None, None, 1]),
        separators=dice.choice([None, (",", ":")]),
    )
    for number in _NUMBERS:
        text = text.replace(f'"{json.dumps(_RAW)[1:-1]}{number}"', number)
    if dice.one_in(40):
        text = text.replace("{", '{"mid": 1, "extra": 2, "extra": 3, ', 1)
    if dice.one_in(40):
        deep = dice.choice([20, 62, 63, 64, 65, 500, 5000])
        text = text.replace("{", '{"x":' + "[" * deep + "]" * deep + ", ", 1)
    if dice.one_in(20):
        text = "".join(sign.upper() if dice.one_in(2) else sign for sign in text)
    return text.encode("utf-8", "surrogatepass")
