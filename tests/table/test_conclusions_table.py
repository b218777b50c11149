"""For every state and every kind of answer the conclusion is the one of the rules that are written down apart."""

import itertools
from dataclasses import replace

from batch.conclusions import MINDS_A_CANCEL, conclude, meaning_of
from batch.responses import OrderRead
from schemas.states import BATCH_EDGES, EDGES, BatchStep, State
from tests.pure.samples import profile
from tests.table.answers import conclusion, disagreements, every_identity, every_wording, facts_in, one_wording_of_each, read_of
from tests.table.rules import ENTERED_FROM, NUMBERS, STATES, STEP_ENTERED_FROM, STEPS, WORDS, Case, said


def test_the_rules_know_every_state_and_step() -> None:
    """The rules speak of exactly the states and steps that there are."""
    assert sorted(STATES) == sorted(State)
    assert sorted(STEPS) == sorted(BatchStep)
    assert sorted(ENTERED_FROM) == sorted(STATES)
    assert sorted(STEP_ENTERED_FROM) == sorted(STEPS)


def test_every_pair_of_states_is_as_the_rules_say() -> None:
    """A move is in the table exactly when the rules name where it comes from (I6)."""
    allowed = {(old.value, new.value) for old in State for new in EDGES[old]}
    assert allowed == {(old, new) for new, sources in ENTERED_FROM.items() for old in sources}


def test_every_pair_of_steps_is_as_the_rules_say() -> None:
    """A step of a file is in the table exactly when the rules name where it comes from."""
    allowed = {(old.value, new.value) for old in BatchStep for new in BATCH_EDGES[old]}
    assert allowed == {(old, new) for new, sources in STEP_ENTERED_FROM.items() for old in sources}


def test_one_wording_of_each_meaning_in_every_state() -> None:
    """The same as below in a tenth of the time, for whoever waits for a first word."""
    count, found = disagreements(one_wording_of_each())
    assert count == 16 * 15 * 3 * 4 * 2
    assert found[:5] == []


def test_every_wording_in_every_state() -> None:
    """16 states, every published and some unpublished words in any case, every number, near and past the expiry."""
    count, found = disagreements(every_wording())
    assert count > 40_000
    assert found[:5] == []


def test_every_amount_and_identity_in_every_state() -> None:
    """An answer about another order moves nothing; another amount or currency never completes (I3)."""
    count, found = disagreements(every_identity())
    assert count == 16 * 15 * 81 * 4
    assert found[:5] == []


def test_a_cancel_matters_only_where_it_is_looked_up() -> None:
    """Whatever was asked for, a read that means none of MINDS_A_CANCEL concludes the same: there nobody needs to look."""
    for case, (wanted, may_be) in itertools.product(every_wording(), ((True, False), (True, True))):
        if meaning_of(read_of(case), profile()) not in MINDS_A_CANCEL:
            facts = facts_in(case)
            asked = replace(facts, cancel_wanted=wanted, may_be_cancelled=may_be)
            assert conclude(asked, read_of(case), profile()) == conclude(facts, read_of(case), profile()), case


def test_nothing_unknown_completes_releases_or_resends() -> None:
    """Where word and number say nothing, every state stays what it is, and a person is told (I16)."""
    for case in every_wording():
        if said(case.word, case.number) is None:
            made = conclusion(case)
            assert (made.path, made.understood) == ((), False), case
            assert made.item is not None, case


def test_what_is_silent_stays_silent() -> None:
    """The numbers 3, 8 and -1 and the words CHALLENGE, Problem and NOTFOUND are in no list of what may be acted upon."""
    assert {3, 8, -1} & set(NUMBERS) == set()
    assert {"challenge", "problem", "notfound"} & set(WORDS) == set()


def test_an_answer_is_read_as_it_was_sent() -> None:
    """Ids, amount, currency, word and number come through byte for byte."""
    read = read_of(Case("pending", "Completed", 7))
    assert read == OrderRead("5f2c", "000471", 7, "Completed", 1999, "USD")
