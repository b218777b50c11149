"""Kill -9 at the points of a night, of a night that rewrites a stale part, of a poll, and of copies; then run again."""

import re
from collections import Counter

import pytest

from tests.crash.conftest import EVERY, POINTS, Outcome, every_point
from tests.crash.world import STALE, STEPS

MUST_CROSS = {
    "first use": (
        "after open ledger.db",
        "after commit ledger in jobs/databases",
        "after commit ledger in batch/ledger/identity",
    ),
    "night": (
        "after commit ledger .*; before commit orders",  # claimed, not held
        "after commit orders .*; before commit ledger",  # held, and the ledger does not know
        "after commit ledger .*; before HTTP POST|fsync 2026.*; before HTTP POST",
        "before SSH start_client",
        "asked for SFTP open",
        "after SFTP write .*; before SFTP write",  # in the midst of the file
        "asked for SFTP close",
        "after SFTP stat .*; before commit ledger",  # whole, and the ledger does not know
        "after commit ledger in batch/delivery.py:_verified",
        "; before SFTP rename",  # the departure is marked
        "asked for SFTP rename",
        "after SFTP rename .*; before commit ledger",
        "after (commit ledger|open mitbatch-).*; before SFTP opendir",  # delivered, not answered
        "after SFTP opendir",
        "after SFTP read ",
        "after SFTP close .*; before commit ledger",  # answered, and the ledger does not know
        "after HTTP GET .*; before HTTP GET",
        "after HTTP GET .*; before commit ledger",  # an outcome is known, and the ledger does not know
        "before replace evaluate_",
        "before replace .manifest.json.*new",
    ),
    "stale part": (
        "after SFTP lstat",  # looked, and the part is there
        "after SFTP open .*; before commit ledger",  # in hand, the proof not recorded
        "after (commit ledger|open mitbatch-).*; before SFTP fsetstat",  # the proof recorded, nothing changed
        "asked for SFTP fsetstat",  # emptied
        "after SFTP write .*; before SFTP write",
        "after SFTP rename",
    ),
    "transmit": ("after commit ledger in batch/transmit.py", "asked for SFTP remove", "after SFTP rename"),
}
"""Patterns of points that must be among those that were counted: what the promises are about. No list names them all."""


def test_the_points_are_found_by_counting(outcome: Outcome) -> None:
    """Two workers count the same points, over a hundred, and those around every step of the protocol are among them."""
    counts = {scenario: [len(points) for points in jobs] for scenario, jobs in outcome.labels.items()}
    tried = f"{len(outcome.verdicts)} cases and {len(outcome.pairs)} pairs were run"
    print(f"points: {counts}, {len(outcome.points)} in all; {tried}")  # noqa: T201 - the figure that the test is about
    assert outcome.workers_agree
    assert {scenario: len(jobs) for scenario, jobs in counts.items()} == {name: len(jobs) for name, jobs in STEPS.items()}
    assert len(every_point(outcome.labels)) > 250
    for scenario, parts in MUST_CROSS.items():
        crossed = [label for points in outcome.labels[scenario] for label in points]
        assert [part for part in parts if not any(re.search(part, label) for label in crossed)] == []


@pytest.mark.parametrize(("scenario", "step"), [(name, step) for name in MUST_CROSS for step in range(len(STEPS[name]))])
def test_dying_at_a_point_changes_nothing(outcome: Outcome, scenario: str, step: int) -> None:
    """After a share of each job's points: each order once, every hold right, the books as without the crash."""
    tried = [verdict for verdict in outcome.verdicts if (verdict.case.scenario, verdict.case.step) == (scenario, step)]
    assert len({verdict.case.at for verdict in tried}) >= len(outcome.labels[scenario][step]) // POINTS
    assert [verdict.words() for verdict in tried if verdict.violations] == []


def test_every_point_was_compared_with_a_night_without_a_crash(outcome: Outcome) -> None:
    """Where the merchant's own retry came first, the point was tried without it too; where a part waited, once more later."""
    cases = {verdict.case for verdict in outcome.verdicts}
    asked_for = {case for verdict in outcome.verdicts for case in verdict.more}
    assert asked_for
    assert asked_for <= cases
    assert Counter(case.engine for case in asked_for)[False] > 0
    assert any(case.gap == STALE for case in asked_for)


def test_dying_again_during_the_recovery_changes_nothing(outcome: Outcome) -> None:
    """Every seventh of the points, with a second death somewhere in the recovery: the same holds."""
    assert [verdict.case.at for verdict in outcome.pairs if verdict.case.again == 0] == []
    assert len(outcome.pairs) == -(-len(outcome.points) // EVERY)
    assert [verdict.words() for verdict in outcome.pairs if verdict.violations] == []
