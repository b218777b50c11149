"""Planted bugs: every patch fits, and one of each level is caught here; the campaign judges all of them."""

import importlib
from collections import Counter

import pytest

from tests.world.planted import PLANTED, Fails, Planted
from tests.world.planted.campaign import Case, campaign, judged
from tests.world.planted.in_place import replaced_in_place
from tests.world.planted.planting import in_child
from tests.world.planted.verdicts import aimed, happened

DOORS = {f"I{number}" for number in range(1, 26)}
"""Every invariant has a door by now."""

SHOWN = ("record-after-send", "digest-is-not-checked", "depth-without-limit")
"""One bug for each of the quick levels."""


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.slug)
def test_every_patch_fits(bug: Planted) -> None:
    """The text that a patch replaces stands exactly once in the source, and what comes of it can be compiled."""
    compile(bug.patched(), bug.file, "exec")


def test_every_invariant_has_its_bugs() -> None:
    """At least sixty bugs, each with a name of its own, for every invariant that has a door, most by several."""
    counts = Counter(bug.invariant for bug in PLANTED)

    assert len({bug.slug for bug in PLANTED}) == len(PLANTED) >= 60
    assert set(counts) == DOORS
    assert sum(count > 1 for count in counts.values()) * 2 > len(DOORS)
    assert sum(bug.hunted for bug in PLANTED) >= 20


@pytest.mark.parametrize("slug", SHOWN)
def test_a_planted_bug_is_caught(slug: str) -> None:
    """The invariant that a planted bug breaks says so, or the very test that watches over it fails."""
    (bug,) = (bug for bug in PLANTED if bug.slug == slug)

    assert aimed(bug).caught


def _planted(slug: str) -> Planted:
    return next(bug for bug in PLANTED if bug.slug == slug)


def test_a_bug_inside_a_function_needs_no_new_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function that is there is given the code with the bug, and the world shows it."""
    monkeypatch.setattr("tests.world.planted.verdicts.plant", None)
    bug = _planted("record-after-send")
    aim = bug.aim

    assert not isinstance(aim, Fails)
    assert any(words.startswith(f"{bug.invariant}:") for words in in_child(lambda: happened(bug, aim.schedule), 60))


def test_what_a_module_does_once_is_not_replaced_in_place() -> None:
    """A bug in what is made while a module is loaded is refused, so that the module is loaded anew with it."""
    bug = _planted("short-card-numbers-pass")
    assert importlib.import_module("batch.card_numbers")

    assert in_child(lambda: replaced_in_place(bug.file, bug.patched()), 60) is False


def test_a_bug_is_missed_only_where_the_project_was_loaded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Had replacing in place no effect, the bug would be caught all the same."""
    monkeypatch.setattr("tests.world.planted.verdicts.replaced_in_place", lambda _file, _text: True)

    assert aimed(_planted("record-after-send")).caught


def test_without_its_bug_an_aim_breaks_nothing() -> None:
    """It is the planted bug that is noticed, and not its schedule."""
    (aim,) = (bug.aim for bug in PLANTED if bug.slug == "record-after-send")

    assert not isinstance(aim, Fails)
    assert in_child(lambda: happened(None, aim.schedule), 60) == []


def test_a_bug_that_does_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch that changes no behaviour is reported as missed, with the command that shows it."""
    (bug,) = (bug for bug in PLANTED if bug.slug == "digest-is-not-checked")
    harmless = Planted("harmless", "nothing", bug.file, bug.old, f"{bug.old.rstrip(':')} or False:", bug.invariant, bug.aim)
    monkeypatch.setattr("tests.world.planted.campaign.PLANTED", (harmless,))

    outcome = campaign(0, 1)

    assert (outcome.figures["planted bugs"], outcome.figures["killed"]) == (1, 0)
    assert "I12 does not catch harmless" in outcome.violations[0]


def test_a_judge_that_breaks_off_catches_nothing() -> None:
    """A schedule that cannot be read is no verdict, and is told as such."""
    verdict = judged(Case(schedule="{}"))

    assert not verdict.caught
    assert "broke off" in verdict.said[0]
