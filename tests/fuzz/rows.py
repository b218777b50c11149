"""Fuzzed rows of the order system: refused with a sentence, or carried to the provider and to finance byte for byte."""

import csv
import io
import json
import re
from functools import cache

from batch.audit_csv import Marks, RowRenderer, unguard
from batch.build import BatchRow, canonical_csv, evaluate_record, file_name, idempotency_key, render, rows_digest, transmit_record
from batch.card_numbers import has_card_number
from batch.gate import Gate, Verdict
from batch.order_rows import Malformed, read_order
from schemas.audit_columns import ROW_FILES
from schemas.order import Order, OrderRow
from schemas.reasons import Reason
from schemas.states import State
from tests.fuzz.dice import CARDS, Dice, shows_card
from tests.fuzz.targets import Judged, Target
from tests.pure.samples import GOOD_CELLS, MID, NOW, SITE, TOKEN, gate_under, profile, settings

_AMOUNTS = (
    "0",
    "-1",
    "19.99",
    "1e3",
    "٣",
    "１９９９",
    "1999 ",
    "+1999",
    "9" * 18,
    "9" * 19,
    "NaN",
    "Infinity",
    "",
    "None",
    "1,999",
    "0x1",
)
_TIMES = (
    "2026-11-22T22:15:09",
    "2026-11-22 22:15:09.123456789Z",
    "2026-02-30T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
_PLAIN_CARD = re.compile("|".join(r"(?<![0-9A-Za-z-])" + "[ \u00a0\u2013-]?".join(card) + r"(?![0-9A-Za-z -])" for card in CARDS))
_BEARER = "eyJ.bearer"
_EXPIRES = "2026-12-14T06:30:01Z"


@cache
def _gate() -> Gate:
    return gate_under(settings())


def _made(dice: Dice) -> bytes:
    cells = dict(GOOD_CELLS)
    for _ in range(dice.choice([0, 1, 1, 1, 2, 3])):
        column = dice.choice(list(cells))
        if column in {"amount_minor", "attempts_30d", "exp_month", "exp_year"}:
            cells[column] = dice.choice([*_AMOUNTS, "1,5", "1.5", "=1"])
        elif column == "charged_at":
            cells[column] = dice.choice(_TIMES)
        else:
            cells[column] = dice.text() if not dice.one_in(8) else dice.choice(["", dice.card(plain=True)])
    past = dice.choice([None] * 6 + list(State))
    row = {"cells": cells, "past": past, "hold": "" if not dice.one_in(20) else dice.text()}
    return json.dumps(row).encode()


def _judge(content: bytes) -> Judged:
    try:
        case = json.loads(content)
        cells, past = case["cells"], State(case["past"]) if case["past"] else None
    except (ValueError, KeyError, TypeError):
        return Judged([], is_deep=False)
    row = OrderRow(cells, "declined", "", case["hold"])
    order = read_order(row)
    verdict = _gate().judge(row, past)
    complaints = _judge_refusal(order, cells) if isinstance(order, Malformed) else _judge_order(order, cells)
    if verdict is not None:
        complaints += _judge_verdict(verdict, cells)
        complaints += _judge_sheet(verdict)
        if verdict.selected and verdict.order is not None:
            complaints += _judge_files(verdict.order, cells)
    return Judged(complaints, is_deep=isinstance(order, Order))


def _judge_refusal(refusal: Malformed, cells: dict[str, str]) -> list[str]:
    named = set(refusal.columns) <= set(cells)
    return [] if named and refusal.sentence and not shows_card(refusal.sentence) else ["a refusal names no column"]


def _judge_order(order: Order, cells: dict[str, str]) -> list[str]:
    complaints = []
    if type(order.amount_minor) is not int or not re.fullmatch("[+-]?[0-9]{1,18}", cells["amount_minor"], re.ASCII):
        complaints.append("an amount is read that is no whole number of minor units")
    texts = {name for name in cells if name not in {"origin", "charged_at"} and isinstance(getattr(order, name), str)}
    if any(getattr(order, name) != cells[name] for name in texts):
        complaints.append("a text of the order is not what stood in the row")
    if not order.order_id or len(order.order_id) > 255 or re.search("[\x00\ud800-\udfff]", order.order_id):
        complaints.append("an order id is taken that no database keeps")
    return complaints


def _judge_verdict(verdict: Verdict, cells: dict[str, str]) -> list[str]:
    complaints = []
    with_card = [text for text in cells.values() if _PLAIN_CARD.search(text)]
    if with_card and verdict.reason is not Reason.PAN_FOUND:
        complaints.append("a card number in a row is overlooked")
    if with_card and shows_card(repr(verdict)):
        complaints.append("a card number is shown in a verdict")
    if verdict.reason is not Reason.PAN_FOUND and len(cells["order_id"]) <= 255 and cells["order_id"].isprintable():
        complaints += [] if verdict.order_id == cells["order_id"] else ["an order id is changed"]
    shown = [verdict.order_id, verdict.site, verdict.reason_text, *verdict.cells.values()]
    if any(re.search("[\x00\ud800-\udfff]", text) for text in shown):
        complaints.append("a verdict cannot be stored")
    if verdict.selected and (verdict.amount_minor is None or not verdict.amount_minor > 0 or verdict.currency != "USD"):
        complaints.append("an order is selected for an amount that may not be charged")
    return complaints


def _judge_sheet(verdict: Verdict) -> list[str]:
    """The line of `declines.csv` that finance reads about it."""
    columns, marks = ROW_FILES["declines"], Marks()
    cells = dict.fromkeys(columns, "") | verdict.cells
    own = {"order_id": verdict.order_id, "site": verdict.site, "currency": verdict.currency, "reason_text": verdict.reason_text}
    row = {**cells, **own, "amount_minor": verdict.amount_minor}
    (read,) = csv.reader(io.StringIO(RowRenderer(columns, marks).render(row).line, newline=""))
    if len(read) != len(columns):
        return ["a line for finance has more cells than columns"]
    back = {name: unguard(text) for name, text in zip(columns, read, strict=True)}
    same = all(back[name] == text for name, text in row.items() if isinstance(text, str) and name not in {"amount", "row_check"})
    return [] if same else ["a line for finance does not say what was stored"]


def _judge_files(order: Order, cells: dict[str, str]) -> list[str]:
    """The batch files that would carry the order."""
    names = profile()
    record = evaluate_record(
        order,
        mid=MID,
        site=SITE,
        profile=names,
        idempotency_key=idempotency_key(MID, order.order_id, 1),
        expires_at=_EXPIRES,
    )
    rows = [BatchRow(1, record)]
    kept = canonical_csv("evaluate", rows, mid=MID, expires_at=_EXPIRES, profile=names)
    travels = {
        kind: render("evaluate", kind, rows, mid=MID, token=_BEARER, expires_at=_EXPIRES, profile=names)
        for kind in ("json", "csv")
    }
    (sent,) = json.loads(travels["json"])["transactionRequests"]
    (line,) = csv.DictReader(io.StringIO(kept.decode(), newline=""))
    complaints = []
    if not sent["orderId"] == line["orderId"] == cells["order_id"]:
        complaints.append("an order id does not travel byte for byte")
    if type(sent["transaction"]["amount"]) is not int or sent["transaction"]["amount"] != int(cells["amount_minor"]):
        complaints.append("an amount does not travel as it is")
    if any(
        shows_card(text) for text in (kept.decode(), travels["json"].decode(), travels["csv"].decode()) if has_card_number(text)
    ):
        complaints.append("a card number travels")
    if _BEARER.encode() in kept or len(rows_digest(kept)) != 64:
        complaints.append("the bearer token stands in what is kept")
    if TOKEN in json.dumps(transmit_record(order, mid=MID, site=SITE, profile=names)) and TOKEN not in _others(cells):
        complaints.append("a copy carries the payment token")
    called = file_name(
        "evaluate", mid=MID, business_date=NOW.date().isoformat(), batch_id="0a1b2c3d4e5f", extension="json", profile=names
    )
    return complaints if re.fullmatch("[A-Za-z0-9._-]{1,128}", called) else [*complaints, "a batch file is not called plainly"]


def _others(cells: dict[str, str]) -> str:
    return "\n".join(text for name, text in cells.items() if name != "payment_token")


ROW = Target("row", _made, _judge)
