"""Fuzzed answers of the provider: whatever is accepted really says what was read, and nothing ends an order by mistake."""

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import orjson

from batch import responses, strict_json, webhooks
from batch.conclusions import Facts, conclude
from batch.responses import OrderRead
from schemas.errors import AnswerUnreadable
from schemas.states import TERMINAL, State
from tests.fuzz import documents, oracle
from tests.fuzz.dice import Dice, shows_card
from tests.fuzz.targets import Judged, Target
from tests.pure.samples import profile

_FINAL_WORDS = {
    State.COMPLETED: {"approved", "completed", "order approved", "order completed"},
    State.DECLINED: {"declined", "cancelled"},
    State.EXPIRED: {"expired", "cancelled"},
    State.REFUNDED: {"returned"},
    State.CHARGEBACK: {"chargeback"},
}
_FINAL_CODES = {State.COMPLETED: {7}, State.DECLINED: {2}, State.EXPIRED: {2}, State.REFUNDED: {6}, State.CHARGEBACK: set[int]()}


def told_of_outcomes(content: bytes) -> tuple[str, tuple[responses.OutcomeNews, ...], int]:
    """What an outcomes file says, and how many rows of it could not be read."""
    mid, news, odd = responses.read_outcomes(content, profile())
    return mid, news, len(odd)


def _target(  # noqa: C901 - one case after another
    name: str, make: Callable[[Dice], Any], read: Callable[[bytes], Any], says: Callable[[Any], Any], most_bytes: int
) -> Target:
    """A target that reads with `read`, compared with what `says` the tree of the same bytes."""

    def made(dice: Dice) -> bytes:
        kind = dice.randrange(20)
        if kind == 0:
            return dice.randbytes(dice.randint(0, 60))
        document = documents.value(dice) if kind == 1 else make(dice)
        content = documents.written(dice, document)
        return dice.mutated(content) if kind < 9 else content

    def judge(content: bytes) -> Judged:
        complaints = []
        try:
            tree, is_json = oracle.reading(content, most_bytes), True
        except oracle.Unfit:
            tree, is_json = None, False
        complaints += _compare_parsers(content, tree, is_json, most_bytes)
        expected: Any = None
        if is_json:
            try:
                expected = says(tree)
            except oracle.Unfit:
                expected = None
            except oracle.Unsure:
                expected = oracle.ANY_ANSWER
        try:
            found = read(content)
        except AnswerUnreadable as error:
            if expected is not None and expected is not oracle.ANY_ANSWER:
                complaints.append("a good document is refused")
            return Judged([*complaints, *leaks(str(error))], is_json)
        if expected is None:
            complaints.append("a document that must be refused is accepted")
        elif expected is not oracle.ANY_ANSWER and repr(plain(found)) != repr(expected):
            complaints.append("the document is read as something else than it says")
        return Judged([*complaints, *shown(found)], is_json)

    return Target(name, made, judge)


def _compare_parsers(content: bytes, tree: object, is_json: bool, most_bytes: int) -> list[str]:
    """The strict parser against the oracle's tree, and against a third parser that shares no code with either."""
    try:
        parsed = strict_json.parse(content, max_bytes=most_bytes)
    except AnswerUnreadable as error:
        return [*(["good JSON is refused"] if is_json else []), *leaks(str(error))]
    if not is_json:
        return ["JSON that must be refused is parsed"]
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return ["a text is parsed that another parser does not take for JSON"]
    return [] if repr(parsed) == repr(tree) else ["the parsed tree is not what stands in the text"]


def plain(found: Any) -> Any:  # noqa: ANN401 - any answer
    """An answer in the oracle's shape."""
    if isinstance(found, responses.OrderPage):
        return [astuple(order) for order in found.orders], found.has_next
    if isinstance(found, responses.Acknowledgement):
        rows = [astuple(row)[:-1] for row in found.rows]
        return found.file, found.mid, found.accepted, rows, found.odd_rows
    if isinstance(found, tuple):
        mid, news, odd = found
        return mid, [(each.provider_order_id, each.order_id, each.status) for each in news], odd
    return astuple(found)


def shown(found: Any) -> list[str]:  # noqa: ANN401 - any answer
    """Faults in what an accepted answer would show or do."""
    if isinstance(found, webhooks.WebhookNews):
        return leaks(found.provider_order_id)
    if isinstance(found, tuple):
        return [complaint for each in found[1] for complaint in leaks(each.provider_order_id)]
    if isinstance(found, OrderRead):
        return _concluded(found)
    if isinstance(found, responses.OrderPage):
        return [complaint for order in found.orders for complaint in _concluded(order)]
    if not isinstance(found, responses.Acknowledgement):
        return []
    words = [found.error_text, *(word for row in found.rows for word in (row.error_text, row.status, row.provider_id))]
    complaints = [complaint for word in words for complaint in leaks(word)]
    if any(len(word) > 1100 or not (word.isprintable() or not word) for word in words):
        complaints.append("the provider's words are shown on more than one line or without end")
    return complaints


def _concluded(read: OrderRead) -> list[str]:
    complaints = leaks(f"{read.provider_order_id}\n{read.code}\n{read.amount_minor}\n{read.refunded_minor}")
    for state in (State.PENDING, State.SENDING, State.CAPTURE_REQUIRED):
        facts = Facts(
            documents.ORDER, documents.PROVIDER_ORDER, state, 1999, "USD", is_past_expiry=False, was_called_expired=False
        )
        conclusion = conclude(facts, read, profile())
        complaints += leaks(f"{conclusion.reason}\n{conclusion.explanation}")
        for to in conclusion.path:
            if to in TERMINAL and not _is_final(read, to):
                complaints.append(f"{state} becomes {to} without an answer that says so")
    return complaints


def _is_final(read: OrderRead, to: State) -> bool:
    word = read.status.lower()
    if read.external_id not in ("", documents.ORDER) or read.provider_order_id != documents.PROVIDER_ORDER:
        return False
    if to is State.COMPLETED and (read.amount_minor not in (None, 1999) or read.currency not in ("", "USD")):
        return False
    codes = _FINAL_CODES.get(to, set()) | ({2} if to is State.EXPIRED else set())
    if word:
        return word in _FINAL_WORDS.get(to, set()) and (read.code is None or read.code in codes)
    return read.code in codes


def leaks(text: str) -> list[str]:
    """A complaint if a text of ours shows a planted card number."""
    return ["a card number is shown"] if shows_card(text) else []


TOKEN = _target("token", documents.token, responses.read_token, oracle.token, responses.MOST_ANSWER_BYTES)
ORDER = _target(
    "order",
    documents.order,
    lambda content: responses.read_order_answer(content, profile()),
    oracle.order,
    responses.MOST_ANSWER_BYTES,
)
PAGE = _target(
    "page", documents.page, lambda content: responses.read_order_page(content, profile()), oracle.page, responses.MOST_PAGE_BYTES
)
ACKNOWLEDGEMENT = _target(
    "acknowledgement",
    documents.acknowledgement,
    lambda content: responses.read_acknowledgement(content, profile()),
    oracle.acknowledgement,
    responses.MOST_FILE_BYTES,
)
OUTCOMES = _target(
    "outcomes",
    documents.outcomes,
    told_of_outcomes,
    oracle.outcomes,
    responses.MOST_FILE_BYTES,
)
WEBHOOK = _target("webhook", documents.webhook, webhooks.read_webhook, oracle.webhook, webhooks.MOST_BODY_BYTES)
