"""Asking the code what follows from one case, by way of the bytes that the provider would send."""

import itertools
import json
from collections.abc import Iterable, Iterator

from batch.conclusions import Conclusion, Facts, conclude
from batch.responses import OrderRead, read_order_answer
from schemas.states import EDGES, State
from tests.pure.samples import profile
from tests.table.rules import NUMBERS_SEEN, SILENT_WORDS, STATES, WORDS, Case, Outcome, outcome

ORDER_ID, PROVIDER_ID, AMOUNT, CURRENCY = "000471", "5f2c", 1999, "USD"
ALL_WORDS = ("", *WORDS, *(word.upper() for word in WORDS), *(word.title() for word in WORDS), *SILENT_WORDS)
CALLED = tuple(itertools.product((False, True), repeat=2))
_ONE_EACH = (
    *((word, None) for word in ("submitted", "onhold", "capturerequired", "completed", "declined", "cancelled", "expired")),
    *((word, None) for word in ("returned", "chargeback", "notfound", "recovered")),
    *(("", number) for number in (2, 3, 7, 8)),
)


def every_wording() -> Iterator[Case]:
    """Every state times every word in three kinds of letters times every number, near and past the expiry."""
    for state, word, number, (past, called) in itertools.product(STATES, ALL_WORDS, NUMBERS_SEEN, CALLED):
        if word or number is not None:
            yield Case(state, word, number, is_past_expiry=past, was_called_expired=called)


def one_wording_of_each() -> Iterator[Case]:
    """Every state times one wording of each meaning, alone and with a number that says more, near and past the expiry."""
    numbers = (None, 2, 7)
    for state, (word, number), more, (past, called) in itertools.product(STATES, _ONE_EACH, numbers, CALLED):
        yield Case(state, word, more if number is None else number, is_past_expiry=past, was_called_expired=called)
        yield Case(state, word, number, "other", "other", "absent", "unknown", past, called)


def every_identity() -> Iterator[Case]:
    """Every state times one wording of each meaning times every agreement of amount, currency and ids."""
    same_or_not = ("absent", "same", "other")
    ids = ("absent", "ours", "other")
    axes = itertools.product(STATES, _ONE_EACH, same_or_not, same_or_not, ids, ("unknown", "ours", "other"), CALLED)
    for state, (word, number), amount, currency, order_id, provider_id, (past, called) in axes:
        yield Case(state, word, number, amount, currency, order_id, provider_id, past, called)


def answer_of(case: Case) -> bytes:
    """The answer of `GET /orders/{id}` in this case (CONTRACT 9)."""
    fields: dict[str, object] = {"id": "other" if case.provider_id == "other" else PROVIDER_ID}
    if case.number is not None:
        fields["status"] = case.number
    if case.word:
        fields["statusName"] = case.word
    if case.order_id != "absent":
        fields["externalOrderId"] = ORDER_ID if case.order_id == "ours" else "000472"
    if case.amount != "absent":
        fields["amount"] = AMOUNT if case.amount == "same" else AMOUNT - 1
    if case.currency != "absent":
        fields["currencyCode"] = CURRENCY if case.currency == "same" else "EUR"
    return json.dumps(fields).encode()


def read_of(case: Case) -> OrderRead:
    """The answer, as the code reads it."""
    return read_order_answer(answer_of(case), profile())


def facts_in(case: Case) -> Facts:
    """What our side knows of the order in this case."""
    return Facts(
        order_id=ORDER_ID,
        provider_order_id="" if case.provider_id == "unknown" else PROVIDER_ID,
        state=State(case.state),
        amount_minor=AMOUNT,
        currency=CURRENCY,
        is_past_expiry=case.is_past_expiry,
        was_called_expired=case.was_called_expired,
    )


def conclusion(case: Case) -> Conclusion:
    """What the code concludes."""
    return conclude(facts_in(case), read_of(case), profile())


def disagreements(cases: Iterable[Case]) -> tuple[int, list[str]]:
    """How many cases were asked, and what was concluded otherwise than the rules say, one sentence each."""
    count, found = 0, []
    for case in cases:
        count += 1
        made = conclusion(case)
        if problem := _fault(case, made, outcome(case)):
            found.append(f"{case}: {problem}")
    return count, found


def _fault(case: Case, made: Conclusion, wanted: Outcome) -> str:
    end = made.path[-1] if made.path else State(case.state)
    item = made.item.value if made.item else ""
    if (end.value, item) != (wanted.state, wanted.item):
        return (
            f"concluded {end.value} {item or 'without an item'}, the rules say {wanted.state} {wanted.item or 'without an item'}"
        )
    place = State(case.state)
    for step in made.path:
        if step not in EDGES[place]:
            return f"concluded {place} -> {step}, which no edge allows"
        place = step
    if made.understood is (item in ("quarantine", "unknown_status")):
        return f"understood is {made.understood} beside the item {item!r}"
    return "" if made.path or made.item or not made.explanation else "explains what it does not do"
