"""Random steps by random runs leave the ledger as the model says, and every kind of step happens, well and refused."""

from tests.stateful.campaign import Share, examine

EXAMPLES = 40
MUST_HAPPEN = (
    "claim: written",
    "claim: TransitionLost",
    "claim: LeaseLost",
    "move: written",
    "move: IllegalTransition",
    "move: TransitionLost",
    "move: LeaseLost",
    "move: LeaseWanted",
    "step: written",
    "step: IllegalTransition",
    "step: TransitionLost",
    "step: LeaseLost",
    "take: written",
    "take: AnotherRunActive",
    "end: written",
    "end: LeaseLost",
    "fail: TransitionLost",
)


def test_the_ledger_is_what_the_model_says() -> None:
    """Forty times up to fifty steps: claims, moves, files, hints, items, leases lost and taken; never a difference."""
    done, violation = examine(Share(EXAMPLES, 1))
    assert violation == ""
    assert [step for step in MUST_HAPPEN if not done[step]] == []


def test_the_same_seed_takes_the_same_steps() -> None:
    """What is done is decided by the seed alone."""
    assert examine(Share(2, 7)) == examine(Share(2, 7))
    assert examine(Share(2, 7)) != examine(Share(2, 8))
