"""Outcomes are a pure function of the seed and the order id; who asks, when, and in which order changes nothing."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from jobs.sandbox.courses import DRAFT_LASTS, Order, step_at
from jobs.sandbox.fates import AT_ONCE, CODES, Fate, cit_fate_of, fate_of, sync_fate_of
from tests.sandbox.merchant import api, decline

PLACED = datetime(2026, 11, 23, tzinfo=UTC)
EXPIRY = PLACED + timedelta(days=21)
FINAL = {"Completed", "Cancelled", "EXPIRED"}


def status_at(fate: Fate, placed: datetime, expiry: datetime, now: datetime) -> str:
    """The status of a managed MIT with this fate at a moment."""
    return step_at(Order("key", "o-1", 100, "USD", placed, expiry, fate, {}), now).name


def test_the_shares_are_as_documented() -> None:
    """About 45 of a hundred orders complete, 20 are cancelled, 35 expire, half of these reading EXPIRED."""
    fates = [fate_of(0, f"order-{n}", "") for n in range(10_000)]
    endings = Counter(fate.ending for fate in fates)
    expired = [fate for fate in fates if fate.ending == "expired"]

    assert abs(endings["completed"] - 4500) < 200
    assert abs(endings["cancelled"] - 2000) < 200
    assert abs(endings["expired"] - 3500) < 200
    assert abs(sum(fate.reads_expired for fate in expired) - len(expired) / 2) < 200


@given(st.integers(), st.text(), st.text())
def test_a_fate_lies_between_one_hour_and_twelve_days(seed: int, order_id: str, token: str) -> None:
    """Whatever the id, the same question has the same answer, within the documented span."""
    fate = fate_of(seed, order_id, token[:3])

    assert fate == fate_of(seed, order_id, "")
    assert timedelta(hours=1) <= fate.after < timedelta(days=12)


def test_another_seed_is_another_world() -> None:
    """The seed changes the outcomes."""
    worlds = [[fate_of(seed, f"o-{n}", "") for n in range(50)] for seed in (0, 1)]

    assert worlds[0] != worlds[1]


@given(st.text(), st.lists(st.timedeltas(timedelta(0), timedelta(days=40)), min_size=2))
def test_a_status_only_moves_forward(order_id: str, ages: list[timedelta]) -> None:
    """Draft, Processing, and then one final status that never changes; every name has its number or is EXPIRED."""
    fate = fate_of(0, order_id, "")
    seen = [status_at(fate, PLACED, EXPIRY, PLACED + age) for age in sorted(ages)]
    ranks = [{"Draft": 0, "Processing": 1}.get(name, 2) for name in seen]

    assert ranks == sorted(ranks)
    assert len(FINAL & set(seen)) <= 1
    assert set(seen) <= set(CODES) | {"EXPIRED"}
    assert status_at(fate, PLACED, EXPIRY, EXPIRY) in FINAL


def test_nothing_resolves_after_its_expiry() -> None:
    """An order whose moment lies beyond its expiry expires instead."""
    fate = Fate("completed", timedelta(days=10))
    expiry = PLACED + timedelta(days=9)

    assert status_at(fate, PLACED, expiry, PLACED + DRAFT_LASTS) == "Processing"
    assert status_at(fate, PLACED, expiry, PLACED + timedelta(days=30)) == "Cancelled"
    assert status_at(fate, PLACED, PLACED + fate.after, PLACED + timedelta(days=30)) == "Cancelled"


def test_outcomes_do_not_depend_on_the_order_of_calls(tmp_path: Path) -> None:
    """Two sandboxes that get the same orders in opposite order, one asked often and one once, end alike."""
    ids = [f"order-{n}" for n in range(20)]
    ends = []
    for name, sequence, reads in (("a", ids, 5), ("b", ids[::-1], 1)):
        with Sandbox(tmp_path / name, MovableClock(PLACED), SandboxOptions(seed=7)) as sandbox:
            with api(sandbox) as client:
                for order_id in sequence:
                    client.post("evaluate", json=decline(sandbox, order_id))
            for _ in range(reads):
                sandbox.advance(timedelta(days=20) / reads)
                found = sandbox.orders()
        ends.append(sorted((str(row["order_id"]), row["order_session_key"], row["status"]) for row in found))

    assert ends[0] == ends[1]
    assert len({status for _, _, status in ends[0]}) > 1


def test_the_shares_of_immediate_answers_are_as_documented() -> None:
    """Of sync MITs with unknown tokens a third is approved at once; of CITs 45 in a hundred are, and 10 are challenged."""
    sync = [sync_fate_of(0, f"order-{n}", "", "unknown") for n in range(10_000)]
    cits = [cit_fate_of(0, f"order-{n}", ("", "unknown", False), "") for n in range(10_000)]
    challenged = sum(fate.challenge != "none" for fate in cits)

    assert abs(sum(fate == Fate("completed", AT_ONCE) for fate in sync) - 3333) < 200
    assert abs(sum(fate.ending == "completed" for fate in cits) - challenged - 4500) < 200
    assert abs(challenged - 1000) < 200


@given(st.text())
def test_a_card_decides_how_a_managed_order_ends(order_id: str) -> None:
    """A success card always completes, a declined one never does, whatever the order."""
    assert fate_of(0, order_id, "", "success").ending == "completed"
    assert fate_of(0, order_id, "", "declined").ending in ("cancelled", "expired")
