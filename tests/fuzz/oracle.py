"""A second, slow and separate reading of the provider's JSON, to compare the program's own with (CONTRACT 2, 6.4, 9)."""

import json
import re
import unicodedata
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

from tests.fuzz.dice import shows_card

ANY_ANSWER = object()
"""Stands for a document where the contract leaves open whether it is read or refused."""


class Unfit(Exception):
    """The document must be refused."""


class Unsure(Exception):
    """The contract leaves open whether the document is read or refused."""


class _Pairs(list[tuple[str, Any]]):
    """An object before its names are looked at."""


class _Number(str):
    """A number as it is spelt."""

    __slots__ = ()


def reading(content: bytes, max_bytes: int, max_depth: int = 64) -> Any:  # noqa: ANN401 - JSON
    """What the bytes say as strict JSON. Raises Unfit where RFC 8259 or a limit forbids it."""
    if len(content) > max_bytes or content.startswith(b"\xef\xbb\xbf"):
        raise Unfit
    try:
        tree = json.loads(
            content.decode("utf-8"),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_constant,
            object_pairs_hook=_Pairs,
        )
    except (ValueError, RecursionError):
        raise Unfit from None
    return _checked(tree, max_depth)


def _constant(_name: str) -> NoReturn:
    raise Unfit


def _checked(tree: Any, room: int) -> Any:  # noqa: ANN401 - JSON
    if isinstance(tree, _Number):
        return _number(tree)
    if isinstance(tree, str):
        if "\x00" in tree or re.search("[\ud800-\udfff]", tree):
            raise Unfit
        return tree
    if not isinstance(tree, list):
        return tree
    if room == 0:
        raise Unfit
    if not isinstance(tree, _Pairs):
        return [_checked(inner, room - 1) for inner in tree]
    names = [_checked(name, room) for name, _ in tree]
    if len(set(names)) != len(names):
        raise Unfit
    return {name: _checked(inner, room - 1) for name, inner in tree}


def _number(spelt: str) -> int | Decimal:
    if len(spelt) > 64:
        raise Unfit
    if re.fullmatch("-?[0-9]+", spelt):
        return int(spelt)
    try:
        number = Decimal(spelt)
    except DecimalException:
        raise Unfit from None
    if abs(number.adjusted()) > 64:
        raise Unfit
    return number


def fields(tree: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An object by names in lower case. Raises Unfit when it is none, or two names are then the same."""
    if not isinstance(tree, dict) or len({name.lower() for name in tree}) != len(tree):
        raise Unfit
    return {name.lower(): inner for name, inner in tree.items()}


def _text(named: dict[str, Any], *names: str) -> str:
    for name in names:
        found = named.get(name)
        if isinstance(found, str) and 0 < len(found) <= 256:
            return found
    return ""


_GUID = "-".join(f"[0-9a-fA-F]{{{length}}}" for length in (8, 4, 4, 4, 12))


def _key(named: dict[str, Any], *names: str) -> str:
    """An id of the provider's, by the first name that has a text. Unsure where enough digits stand for a card number."""
    text = next((named[name] for name in names if isinstance(named.get(name), str) and named[name]), "")
    if not text or re.fullmatch(_GUID, text):
        return str(text)
    kinds = [unicodedata.category(sign)[0] for sign in text.replace(" ", "x")]
    is_formula = text[0] in "=+-@'" or unicodedata.normalize("NFKC", text[0]) in set("=+-@")
    if len(text) > 128 or {"C", "Z"} & {*kinds} or text[0] == " " or text[-1] == " " or is_formula or shows_card(text):
        raise Unfit
    if sum(unicodedata.digit(sign, None) is not None for sign in text) > 12 or "@" in text or text[0] in "﹢﹣﹦﹫⁺⁻⁼₊₋₌﬩":
        raise Unsure
    return str(text)


def _word(text: str) -> str:
    is_word = re.fullmatch("[A-Za-z][A-Za-z0-9 _-]{0,31}", text) and not shows_card(text)
    return text if not text or is_word else "UNREADABLE"


def _is_whole(found: Any) -> bool:  # noqa: ANN401 - JSON
    return type(found) is int


def token(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """The bearer token and its end, clamped to the years that a date can have."""
    named = fields(tree)
    bearer, ends = named.get("accesstoken"), named.get("expires")
    if not isinstance(bearer, str) or not re.fullmatch("[\x21-\x7e]{1,4096}", bearer):
        raise Unfit
    if isinstance(ends, str) and re.fullmatch("[0-9]+", ends):
        if len(ends) > 18:
            return ANY_ANSWER
        ends = int(ends)
    if not isinstance(ends, int) or not _is_whole(ends):
        raise Unfit
    return bearer, min(max(ends, 0), 253402300799000)


def order(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """One order: its id, our id, code, word, amount, currency, and what was given back where that is a plain amount."""
    named = fields(tree)
    code, amount = named.get("status"), named.get("amount")
    if isinstance(code, bool) or (isinstance(code, str) and re.fullmatch("[0-9]{19,}", code)):
        return ANY_ANSWER
    if isinstance(code, str) and re.fullmatch("[0-9]+", code):
        code = int(code)
    code = code if _is_whole(code) else None
    key, word = _key(named, "id", "ordersessionkey"), _text(named, "statusname")
    if not key or (not word and code is None) or (amount is not None and not _is_whole(amount)):
        raise Unfit
    if any(figure is not None and len(str(abs(figure))) > most for figure, most in ((code, 9), (amount, 12))):
        raise Unfit
    ours = _text(named, "externalorderid", "referencenumber")
    back = named.get("amountrefunded")
    back = back if type(back) is int and 0 <= back < 10**12 else None
    return key, ours, code, _word(word), amount, _text(named, "currencycode").upper(), back


def page(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """A page: its readable orders, and whether more follow."""
    named = fields(tree)
    if not isinstance(named.get("orders"), list):
        raise Unfit
    orders = []
    for row in named["orders"]:
        try:
            orders.append(order(row))
        except Unfit:
            continue
    return ANY_ANSWER if ANY_ANSWER in orders else (orders, named.get("hasnextpage") is True)


def acknowledgement(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """An acknowledgement: file, mid, verdict, rows, and how many rows are odd. One odd row leaves its neighbours readable."""
    named = fields(tree)
    verdict, rows = _verdict(named), named.get("responses", [])
    if verdict is None or not isinstance(rows, list):
        raise Unfit
    read, odd = [], 0
    for row in rows:
        try:
            read.append(_acknowledged(row))
        except Unfit:
            odd += 1
    return _text(named, "file"), _text(named, "mid"), verdict, read if verdict else [], odd


def _acknowledged(tree: Any) -> tuple[Any, ...]:  # noqa: ANN401 - JSON
    named = fields(tree)
    verdict, number = _verdict(named), named.get("sequencenumber")
    key = _key(named, "ordersessionkey", "transmitid")
    if verdict is None or (verdict and not key) or not (number is None or isinstance(number, str) or _is_whole(number)):
        raise Unfit
    return "" if number is None else str(number), _text(named, "orderid"), verdict, key, _word(_text(named, "status"))


def _verdict(named: dict[str, Any]) -> bool | None:
    word = named.get("result")
    return {"success": True, "failed": False}.get(word.strip().lower()) if isinstance(word, str) else None


def outcomes(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """A file of news: mid, rows that name an order, and how many name none."""
    named = fields(tree)
    if not isinstance(named.get("outcomes"), list):
        raise Unfit
    read, odd = [], 0
    for row in named["outcomes"]:
        try:
            inner = fields(row)
            news = _key(inner, "ordersessionkey"), _text(inner, "orderid"), _text(inner, "status")
        except Unfit:
            odd += 1
            continue
        if news[0] or news[1]:
            read.append(news)
        else:
            odd += 1
    return _text(named, "mid"), read, odd


def webhook(tree: Any) -> Any:  # noqa: ANN401 - JSON
    """A webhook: its event in lower case, our id, the provider's, and whether it is plainly live (CONTRACT 12)."""
    named = fields(tree)
    event = named.get("event")
    if not isinstance(event, str) or not re.fullmatch("[a-z][a-z0-9._-]{0,63}", event.lower()):
        raise Unfit
    ids = [named.get("externalorderid"), named.get("orderid")]
    if any(each is not None and (not isinstance(each, str) or len(each) > 256) for each in ids):
        raise Unfit
    key = _key(named, "orderid")
    if len(re.findall("[0-9]", event)) > 11:
        return ANY_ANSWER  # it may be taken for a card number
    return event.lower(), ids[0] or "", key, "istestmode" in named and named["istestmode"] is not False
