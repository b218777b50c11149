"""A second, slow and separate reading of the provider's JSON, to compare the program's own with (CONTRACT 2, 6.4, 9)."""

import json
import re
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

ANY_ANSWER = object()
"""Stands for a document where the contract leaves open whether it is read or refused."""


class Unfit(Exception):
    """The document must be refused."""


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


def _word(text: str) -> str:
    return text if not text or re.fullmatch("[A-Za-z][A-Za-z0-9 _-]{0,31}", text) else "UNREADABLE"


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
    """One order: its id, our id, code, word, amount, currency."""
    named = fields(tree)
    code, amount = named.get("status"), named.get("amount")
    if isinstance(code, bool) or (isinstance(code, str) and re.fullmatch("[0-9]{19,}", code)):
        return ANY_ANSWER
    if isinstance(code, str) and re.fullmatch("[0-9]+", code):
        code = int(code)
    code = code if _is_whole(code) else None
    key, word = _text(named, "id", "ordersessionkey"), _text(named, "statusname")
    if not key or (not word and code is None) or (amount is not None and not _is_whole(amount)):
        raise Unfit
    ours = _text(named, "externalorderid", "referencenumber")
    return key, ours, code, _word(word), amount, _text(named, "currencycode").upper()


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
    key = _text(named, "ordersessionkey", "transmitid")
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
        except Unfit:
            odd += 1
            continue
        news = _text(inner, "ordersessionkey"), _text(inner, "orderid"), _text(inner, "status")
        if news[0] or news[1]:
            read.append(news)
        else:
            odd += 1
    return _text(named, "mid"), read, odd
