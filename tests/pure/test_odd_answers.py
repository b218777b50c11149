"""Answers that once broke a poll, hid a card number, or went unnoticed."""

import pytest

from batch.audit_csv import Marks, RowRenderer
from batch.conclusions import Facts, conclude
from batch.provider_words import WITHHELD, fit_to_show
from batch.responses import OrderRead, read_acknowledgement, read_order_answer, read_token
from schemas.errors import AnswerUnreadable, ConfigurationError
from schemas.profile import parse_profile
from schemas.reasons import ItemKind
from schemas.states import State
from tests.pure.samples import profile

_CARD = "4111", "1111", "1111", "1111"


def _read(word: str, amount_minor: int = 1999, currency: str = "USD") -> OrderRead:
    return OrderRead("key-1", "o-1", None, word, amount_minor, currency)


def _facts(state: State) -> Facts:
    return Facts("o-1", "key-1", state, 1999, "USD", is_past_expiry=False, was_called_expired=False)


@pytest.mark.parametrize("digits", ["9" * 4301, "\u0667", "\u00b2"])
def test_a_status_that_is_no_plain_number_is_unreadable(digits: str) -> None:
    """Digits of another script, or thousands of them, are no status code."""
    with pytest.raises(AnswerUnreadable):
        read_order_answer(f'{{"id":"a","status":"{digits}"}}'.encode(), profile())


@pytest.mark.parametrize("number", ["1e9999999999999999999", "1E-9999999999999999999", "0.0e99999999999999999999"])
def test_a_number_that_no_decimal_can_hold_is_unreadable(number: str) -> None:
    """An exponent beyond all bounds makes the answer unreadable, and ends nothing else."""
    with pytest.raises(AnswerUnreadable):
        read_order_answer(f'{{"id":"a","status":7,"amount":{number}}}'.encode(), profile())


def test_a_token_with_thousands_of_digits_is_unreadable() -> None:
    """An expiry that no clock can show makes the token's answer unreadable."""
    with pytest.raises(AnswerUnreadable):
        read_token(b'{"accessToken":"t","expires":"' + b"9" * 4301 + b'"}')


@pytest.mark.parametrize("between", ["\x01", "    ", "\u2028", "\r\n\t \x00"])
def test_a_card_number_that_cleaning_would_join_is_withheld(between: str) -> None:
    """What becomes a card number once it stands on one line is withheld."""
    assert fit_to_show(between.join(_CARD)) == WITHHELD


def test_a_row_with_a_name_twice_leaves_its_neighbours_alone() -> None:
    """A row in which two names differ only in case is odd, and the rows beside it are read."""
    good = '{"sequenceNumber":"1","orderId":"a","orderSessionKey":"k","status":"SUBMITTED","result":"Success","errors":[]}'
    odd = '{"sequenceNumber":"2","orderId":"b","ORDERID":"c","orderSessionKey":"l","result":"Success"}'
    document = f'{{"file":"f","mid":"m","result":"success","errors":[],"responses":[{good},{odd}]}}'

    answer = read_acknowledgement(document.encode(), profile())

    assert [row.order_id for row in answer.rows] == ["a"]
    assert answer.odd_rows == 1


def test_a_text_with_a_comma_in_a_number_column_stays_one_cell() -> None:
    """A text that only looks like a number in another country's spelling is quoted."""
    line = RowRenderer(["attempts_30d", "site"], Marks()).render({"attempts_30d": "1,5", "site": "x"}).line

    assert line == '"1,5","x"\n'


@pytest.mark.parametrize("state", [State.COMPLETED, State.REFUNDED, State.CHARGEBACK])
@pytest.mark.parametrize("word", ["Cancelled", "EXPIRED"])
def test_what_was_recovered_and_then_is_not_goes_to_review(state: State, word: str) -> None:
    """Two final answers that disagree are for a person, also after a refund or a chargeback."""
    conclusion = conclude(_facts(state), _read(word), profile())

    assert (conclusion.path, conclusion.item) == ((State.REVIEW,), ItemKind.CONTRADICTION)


@pytest.mark.parametrize(("amount_minor", "currency"), [(1998, "USD"), (1999, "EUR")])
@pytest.mark.parametrize("state", [State.COMPLETED, State.REFUNDED, State.PENDING])
def test_a_completion_for_another_amount_is_never_silent(state: State, amount_minor: int, currency: str) -> None:
    """Whether it is the first completion or a second one: another amount goes to review."""
    conclusion = conclude(_facts(state), _read("Completed", amount_minor, currency), profile())

    assert (conclusion.path, conclusion.item) == ((State.REVIEW,), ItemKind.AMOUNT_DIFFERS)


def test_the_same_completion_again_changes_nothing() -> None:
    """A completion that is known already moves nothing and opens nothing."""
    conclusion = conclude(_facts(State.COMPLETED), _read("Completed"), profile())

    assert (conclusion.path, conclusion.item) == ((), None)


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, "a = " + "9" * 5000, "a = 99999999999999999999"])
def test_a_profile_with_absurd_values_is_refused_in_a_sentence(text: str) -> None:
    """Endless nesting and endless digits are a configuration error like any other."""
    with pytest.raises(ConfigurationError):
        parse_profile(text)


@pytest.mark.parametrize("figure", ['"status": 1000000000', f'"status": "{"".join(_CARD)}"', '"status": -10000000000000'])
def test_a_status_that_is_too_long_for_a_code_is_unreadable(figure: str) -> None:
    """Nine digits may be a code that nobody knows; more may be a card number, whatever word stands beside them."""
    with pytest.raises(AnswerUnreadable):
        read_order_answer(f'{{"id": "a", "statusName": "Completed", {figure}}}'.encode(), profile())


@pytest.mark.parametrize("amount", [10**12, -(10**12), int("".join(_CARD))])
def test_an_amount_beyond_all_bounds_is_unreadable(amount: int) -> None:
    """A figure of 13 digits is no amount of one charge, and may be a card number."""
    with pytest.raises(AnswerUnreadable):
        read_order_answer(f'{{"id": "a", "status": 7, "amount": {amount}}}'.encode(), profile())
    read = read_order_answer(f'{{"id": "a", "status": 7, "amount": 1, "amountRefunded": {amount}}}'.encode(), profile())
    assert read.refunded_minor is None
