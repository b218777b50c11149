"""Bugs in cancels, captures and refunds: money given back twice, in another unit, or above what is left; races untold."""

from tests.world.planted.bug import Fails, Happens, Planted, quiet
from tests.world.schedule import Deed, Schedule

_COMPLETES = tuple(Deed("row", 0, number, "completes") for number in range(4))
_TWO_WORDS = Deed("fault", 0, 0, "contradictory_rows")
_IN_VAIN = (
    _TWO_WORDS,
    Deed("row", 0, 0, "completes"),
    Deed("merchant", 0, 1, "paid", "after commit orders"),
    Deed("fault", 1, 0, "server_error_before*2"),
    Deed("job", 1, 0, "cancel"),
)
"""One order comes under review as its row is changed; then its cancel is asked for, gets no clear answer, and has no effect."""
_STOPPED = (
    _TWO_WORDS,
    Deed("row", 0, 0, "expires"),
    Deed("job", 1, 0, "cancel"),
    Deed("merchant", 2, 0, "paid", "before commit ledger"),
    Deed("job", 2, 0, "resolve provider-is-right"),
)
_RETURNED = (Deed("row", 0, 0, "returned"), Deed("job", 2, 0, "refund"), Deed("fault", 2, 1, "server_error_before*2"))
_LOST_ANSWER = (Deed("job", 2, 0, "refund part"), Deed("fault", 2, 1, "gateway_timeout_after"))


def _with(*deeds: Deed) -> Happens:
    """Four orders that complete after an hour, and what is done about them."""
    return Happens(Schedule(1, 4, (*_COMPLETES, *deeds)).as_json())


ACTIONS = (
    Planted(
        "refund-in-cents",
        "a refund goes to the provider in cents, a hundred times too much",
        "batch/api_actions.py",
        "orjson.Fragment(decimal_text(amount_minor, currency).encode())",
        'orjson.Fragment(decimal_text(amount_minor, "JPY" if currency else currency).encode())',
        "I17",
        Fails("tests/pure/test_action_answers.py::test_a_refund_goes_in_dollars_with_every_digit"),
    ),
    Planted(
        "amount-as-float",
        "what a person typed goes through a float",
        "schemas/money.py",
        '    return int(whole + (cents if mark else "0" * places)) or None',
        "    return int(float(text) * 10**places) or None",
        "I17",
        Fails("tests/pure/test_refund_rows.py::test_an_amount_is_exact"),
    ),
    Planted(
        "refund-sent-again",
        "a refund whose answer is lost is sent again at once",
        "batch/asking.py",
        "        answer = call()\n",
        "        answer = call()\n        answer = call() if answer.verdict is Verdict.UNCLEAR else answer\n",
        "I2",
        _with(*_LOST_ANSWER),
    ),
    Planted(
        "refund-in-doubt-is-forgotten",
        "an equal refund in doubt does not count, and is asked for again",
        "batch/refund_requests.py",
        "recent and each.may_have_happened:",
        "recent and each.settled_at and each.may_have_happened:",
        "I2",
        Fails("tests/night/test_refund.py::test_what_never_happened_is_refused_after_the_window"),
    ),
    Planted(
        "returned-otherwise-taken-for-our-refund",
        "a refund in doubt counts as done when the provider returned the order by itself and shows that our refund gave nothing",
        "batch/action_rules.py",
        "    if is_all and meaning is Meaning.REFUNDED and gone is None:",
        "    if is_all and meaning is Meaning.REFUNDED:",
        "I2",
        Happens(Schedule(100631, 1, _RETURNED, "soon").as_json()),
    ),
    Planted(
        "request-id-ignored",
        "a request id is not looked for among the refunds of before",
        "batch/refund_requests.py",
        "        if request.request_id:\n",
        "        if not mid:\n",
        "I2",
        Fails("tests/night/test_refund.py::test_a_request_id_names_one_refund"),
    ),
    Planted(
        "total-not-checked",
        "each part is compared with what was captured, and not with what is left of it",
        "batch/action_rules.py",
        "    if amount_minor > money.left:\n",
        "    if amount_minor > money.captured:\n",
        "I3",
        Fails("tests/night/test_refund.py::test_the_sum_of_parts_is_what_is_checked"),
    ),
    Planted(
        "replayed-answer-believed",
        "a success that the provider gives again for an earlier refund counts as a new one",
        "batch/refunding.py",
        "        if any(each.transaction_id == answer.transaction_id for each in earlier):",
        "        if any(each.transaction_id == answer.words for each in earlier):",
        "I3",
        Fails("tests/night/test_refund.py::test_an_answer_that_is_an_old_one_gave_nothing_back"),
    ),
    Planted(
        "too-late-and-not-told",
        "an order that completed although its cancel had been asked for is simply completed",
        "batch/conclusions.py",
        "    if facts.cancel_wanted and facts.state not in NEVER_AGAIN:",
        "    if facts.cancel_wanted and facts.state in NEVER_AGAIN:",
        "I6",
        _with(Deed("job", 1, 0, "cancel")),
        hunted=True,
    ),
    Planted(
        "another-item-taken-for-the-news",
        "that the merchant changed the row counts as having told that the cancel of an order under review came too late",
        "batch/applying.py",
        "is_late_cancel = conclusion.item is ItemKind.DOUBLE_CHARGE and not conclusion.path",
        "is_late_cancel = conclusion.item is ItemKind.DOUBLE_CHARGE and bool(conclusion.path)",
        "I6",
        Happens(Schedule(0, 1, (*_IN_VAIN, Deed("job", 2, 0, "poll all")), "soon").as_json()),
    ),
    Planted(
        "who-decides-is-told-of-something-else",
        "the ledger keeps of whoever decides that they were told of the changed row, and not of the cancel that came too late",
        "batch/deciding.py",
        "words, evidence_id, is_news=True)",
        "words, evidence_id, is_news=not words)",
        "I6",
        Happens(Schedule(0, 1, (*_IN_VAIN, Deed("job", 2, 0, "resolve provider-is-right")), "soon").as_json()),
    ),
    Planted(
        "an-earlier-word-covers-a-later-cancel",
        "what a person said before a cancel was asked for counts as said of its coming too late",
        "batch/ledger/completed_by_hand.py",
        "    return any(word.attempt == submission.attempt and word.at >= newest for word in words)\n",
        "    return any(word.attempt == submission.attempt and bool(newest) for word in words)\n",
        "I6",
        Fails("tests/table/test_taken_for_right.py::test_a_word_of_another_claim_or_from_before_the_cancel_is_of_something_else"),
    ),
    Planted(
        "a-stopped-row-keeps-our-hold",
        "the row of an order whose cancel a person took for right bears our hold for ever where the merchant changed it",
        "batch/deciding.py",
        "shows=is_ours or (to is State.CANCELLED and held is not None),",
        "shows=is_ours,",
        "I13",
        Happens(Schedule(0, 1, _STOPPED, "soon").as_json()),
    ),
    Planted(
        "cancel-believed-without-a-read",
        "an order whose cancel was asked for is released although the provider still works on it",
        "batch/applying.py",
        "    conclusion = _unless_taken(writing, submission, read, conclusion)\n",
        "    conclusion = _unless_taken(writing, submission, read, conclusion)\n"
        "    cancels = operations_of(writing.connection, writing.mid, submission.order_id, OperationKind.CANCEL)\n"
        "    if cancels and submission.state is State.PENDING and not conclusion.path:\n"
        "        return Conclusion((State.CANCELLED,), 'its cancel was asked for')\n",
        "I1",
        Fails("tests/night/test_cancel.py::test_what_had_no_effect_is_told_after_the_window"),
    ),
    Planted(
        "every-decline-is-called-cancelled",
        "code 2 reads as cancelled although nobody asked for that",
        "batch/conclusions.py",
        "    if meaning is Meaning.NOT_RECOVERED and facts.may_be_cancelled and facts.state not in _ENDED:",
        "    if meaning is Meaning.NOT_RECOVERED and facts.state not in _ENDED:",
        "I7",
        quiet(),
        hunted=True,
    ),
    Planted(
        "paid-and-not-stopped",
        "an order that the merchant marked paid is left to the provider",
        "batch/held_rows.py",
        "    cancel_changed(equipment, run, changed)\n",
        "    del changed\n",
        "I1",
        Fails("tests/night/test_cancel.py::test_a_row_that_the_merchant_changed_is_stopped"),
    ),
    Planted(
        "dead-request-asked-again",
        "a request whose run died is forgotten instead of being read about",
        "batch/pipeline.py",
        "    attempt(findings, lambda: settle_operations(equipment, run))\n",
        "",
        "I13",
        Fails("tests/night/test_refund.py::test_a_death_at_any_commit_refunds_once"),
    ),
)
"""Each breaks a promise about what people ask of the provider."""
