"""Decisions about a file without an answer, for every step it may have reached, and which items may merely be noted."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from batch.conclusions import Facts
from batch.file_rulings import WAITING, FileFacts, FileRuling, rule_on_file, rule_on_item
from schemas.errors import DecisionRefused
from schemas.reasons import ItemKind
from schemas.resolutions import Resolution
from schemas.states import BatchStep, State

BY_HAND, NEVER_CAME, NOT_TAKEN = Resolution.UPLOADED_BY_HAND, Resolution.NEVER_ARRIVED, Resolution.NOT_TAKEN
FILE = FileFacts("f-1.json", "evaluate", BatchStep.DELIVERED, waiting=2)
ORDER = Facts("o-1", "key-1", State.REVIEW, 1999, "USD", is_past_expiry=False, was_called_expired=False)
FITS = {
    BY_HAND: {BatchStep.SENDING, BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT},
    NEVER_CAME: {BatchStep.IN_DOUBT, BatchStep.DELIVERED},
    NOT_TAKEN: {BatchStep.IN_DOUBT, BatchStep.DELIVERED},
}
GOES = {
    BY_HAND: FileRuling(
        BatchStep.DELIVERED, State.SENDING, "f-1.json counts as delivered; its orders wait for the acknowledgement."
    ),
    NEVER_CAME: FileRuling(BatchStep.SENDING, State.SENDING, "f-1.json (2 orders) is sent again by the next run."),
    NOT_TAKEN: FileRuling(BatchStep.REFUSED, State.REJECTED, "f-1.json counts as refused: its 2 orders are released."),
}


def refusal(resolution: Resolution, file: FileFacts) -> tuple[str, str]:
    """What a person is told, and what to do next."""
    with pytest.raises(DecisionRefused) as refused:
        rule_on_file(resolution, file)
    return str(refused.value.what), str(refused.value.next_step)


@pytest.mark.parametrize("step", BatchStep)
@pytest.mark.parametrize("resolution", FITS)
def test_a_decision_fits_the_steps_it_is_for(resolution: Resolution, step: BatchStep) -> None:
    """A file that was answered is not sent again, and one that nobody can have taken is not uploaded twice (I2, I12)."""
    file = replace(FILE, step=step)
    if step in FITS[resolution]:
        assert rule_on_file(resolution, file) == GOES[resolution]
    else:
        assert refusal(resolution, file)[0] == f"f-1.json is {step}; {resolution} does not fit that."


def test_orders_wait_while_they_are_sent_or_in_doubt() -> None:
    """Only these go where the file goes."""
    assert set(WAITING) == {State.SENDING, State.IN_DOUBT}


@pytest.mark.parametrize(
    ("known", "named"), [(["a"], "'a'"), (["a", "b", "c"], "'a', 'b', 'c'"), (["a", "b", "c", "d"], "'a', 'b', 'c'")]
)
@pytest.mark.parametrize("resolution", [NEVER_CAME, NOT_TAKEN])
def test_a_file_whose_orders_the_provider_knows_did_come(resolution: Resolution, known: Sequence[str], named: str) -> None:
    """It names three of them, and is neither sent again nor given up, wherever else it lies."""
    what, next_step = refusal(resolution, replace(FILE, known=known, lies_there=FILE.file_name, released=["a"]))
    assert what == f"f-1.json did come: the provider knows {named} of it."
    assert next_step == "Let mitbatch poll settle its orders; the hold stays until then."


def test_what_a_person_has_uploaded_counts_whatever_is_known_of_it() -> None:
    """That its orders are known, or that it lies in the folder, only confirms it."""
    file = replace(FILE, step=BatchStep.IN_DOUBT, known=["a"], released=["b"], lies_there=FILE.file_name)
    assert rule_on_file(BY_HAND, file) == GOES[BY_HAND]


def test_a_file_with_a_released_order_is_not_sent_again() -> None:
    """The merchant may have charged that order since; the file can be given up, so that the others are free as well (I1)."""
    file = replace(FILE, released=["b", "c"])
    what, next_step = refusal(NEVER_CAME, file)
    assert what == "Order 'b' of f-1.json was released; the file is not sent again with it."
    assert next_step.startswith(f"Decide --as {NOT_TAKEN}: ")
    assert rule_on_file(NOT_TAKEN, file) == GOES[NOT_TAKEN]


@pytest.mark.parametrize(
    ("lies", "next_step"),
    [("f-1.json", "Ask the provider's support to remove it first."), ("f-1.json.part", "The next nightly looks at it.")],
)
@pytest.mark.parametrize("resolution", [NEVER_CAME, NOT_TAKEN])
def test_a_file_that_lies_in_the_folder_may_still_be_taken(resolution: Resolution, lies: str, next_step: str) -> None:
    """A whole file is the provider's to remove, a part of it ours."""
    what = f"{lies} lies in the provider's inbound folder now; it may still be taken."
    assert refusal(resolution, replace(FILE, lies_there=lies)) == (what, next_step)


@pytest.mark.parametrize(("waiting", "words"), [(0, "0 orders"), (1, "1 order"), (2, "2 orders"), (1200, "1,200 orders")])
def test_a_person_reads_how_many_orders_go_with_it(waiting: int, words: str) -> None:
    """One order is one order."""
    file = replace(FILE, waiting=waiting)
    assert rule_on_file(NEVER_CAME, file).sentence == f"f-1.json ({words}) is sent again by the next run."
    assert rule_on_file(NOT_TAKEN, file).sentence == f"f-1.json counts as refused: its {words} are released."


def test_a_file_of_copies_holds_no_order() -> None:
    """Nothing is released with it: its copies count as refused, and it says so."""
    file = replace(FILE, kind="transmit", waiting=0)
    assert rule_on_file(NEVER_CAME, file).sentence == "f-1.json (copies of good charges) is sent again by the next run."
    assert rule_on_file(NOT_TAKEN, file).sentence == "f-1.json counts as refused: its copies of good charges count as refused."


ABOUT_REVIEW = {ItemKind.CONTRADICTION, ItemKind.DOUBLE_CHARGE, ItemKind.LATE_COMPLETION, ItemKind.AMOUNT_DIFFERS}


@pytest.mark.parametrize("kind", ItemKind)
def test_an_item_about_an_order_under_review_is_not_merely_noted(kind: ItemKind) -> None:
    """As long as it is under review; what else there is to know of it may be, and so may all when it has gone on."""
    rule_on_item(kind, replace(ORDER, state=State.PENDING), None)
    rule_on_item(kind, None, None)
    if kind not in ABOUT_REVIEW:
        rule_on_item(kind, ORDER, None)
        return
    with pytest.raises(DecisionRefused, match=r"^Order 'o-1' is under review and stays so") as refused:
        rule_on_item(kind, ORDER, None)
    assert refused.value.next_step == "Look at both sides: mitbatch explain o-1"


@pytest.mark.parametrize("step", BatchStep)
@pytest.mark.parametrize("kind", [ItemKind.MISSING_ACKNOWLEDGEMENT, ItemKind.ROW_REFUSED])
def test_a_missing_answer_is_not_merely_noted(kind: ItemKind, step: BatchStep) -> None:
    """Until the file is answered, or a person decides what became of it (I12)."""
    if kind is ItemKind.ROW_REFUSED or step not in (BatchStep.IN_DOUBT, BatchStep.DELIVERED):
        rule_on_item(kind, None, replace(FILE, step=step))
    else:
        with pytest.raises(DecisionRefused, match=r"^f-1\.json still has no answer; noting it is not enough\."):
            rule_on_item(kind, None, replace(FILE, step=step))
