"""The report's statistics, against values that are known from elsewhere or can be counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.book_entries import Total
from batch.report_lives import Fate, Waits
from jobs.report.rates import cohort_curve, median, quantile, rate_of, recovered_share, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_wilson_is_the_published_interval(successes: int, n: int, low: float, high: float) -> None:
    """Wilson's interval has the values of Newcombe's tables and of R's prop.test without correction."""
    assert list(wilson(successes, n)) == pytest.approx([low, high], abs=1e-4)


@given(n=st.integers(1, 10**6), share=st.floats(0, 1))
def test_wilson_holds_its_share(n: int, share: float) -> None:
    """The interval lies within 0 and 1 and holds the share that it is about."""
    successes = round(n * share)
    low, high = wilson(successes, n)

    assert 0 <= low <= successes / n + 1e-9
    assert successes / n - 1e-9 <= high <= 1


@given(
    recovered=st.dictionaries(st.integers(0, 20), st.integers(1, 50), max_size=8),
    ended=st.dictionaries(st.integers(0, 20), st.integers(1, 50), max_size=8),
)
def test_without_open_orders_the_curve_is_a_plain_count(recovered: dict[int, int], ended: dict[int, int]) -> None:
    """Where every order was watched to its end the estimate is recovered orders over all orders."""
    whole = sum(recovered.values()) + sum(ended.values())
    curve = recovered_share(Waits(recovered, ended, {}), 20)

    for day, share in enumerate(curve):
        by_then = sum(count for at, count in recovered.items() if at <= day)
        assert share == pytest.approx(by_then / whole if whole else 0.0)


def test_open_orders_count_as_long_as_they_are_watched() -> None:
    """Of ten orders two recover on day 1, four are watched for one day only, and two of the other four recover on day 3."""
    curve = recovered_share(Waits({1: 2, 3: 2}, {}, {1: 4, 3: 2}), 4)

    assert curve == pytest.approx([0.0, 0.2, 0.2, 0.6])


def test_of_days_on_which_nobody_was_watched_nothing_is_said() -> None:
    """Ten orders watched for one day say nothing of the second; where all have ended, nothing more can come."""
    assert recovered_share(Waits({0: 3}, {}, {1: 7}), 28) == pytest.approx([0.3, 0.3])
    assert recovered_share(Waits({0: 3}, {1: 7}, {}), 4) == pytest.approx([0.3] * 5)
    assert recovered_share(Waits(), 2) == [0.0] * 3


def test_quantiles_are_days_of_real_orders() -> None:
    """The median and the 90th percentile are days on which an order was recovered, and none where none was."""
    assert quantile({1: 5, 2: 4, 9: 1}, 0.5) == 1
    assert quantile({1: 5, 2: 4, 9: 1}, 0.9) == 2
    assert quantile({1: 5, 2: 4, 9: 1}, 0.95) == 9
    assert quantile({}, 0.5) is None
    assert median([3.0, 1.0, 2.0, 10.0]) == 2.5
    assert median([]) is None


def test_rates_are_over_everything_handed_over() -> None:
    """A cohort's rate has open, declined and cancelled orders below the line, by count and by amount."""
    fate = Fate()
    fate.add(1000, "completed", 1000, 2)
    fate.add(3000, "partially_refunded", 3000, 5)
    fate.add(2000, "cancelled", 0, 1)
    fate.add(4000, "pending", 0, None)
    rate = rate_of("x", fate)

    assert (rate.count_rate, rate.amount_rate) == (0.5, 0.4)
    assert cohort_curve(fate, 5) == [0.0, 0.0, 0.1, 0.1, 0.1, 0.4]
    assert (fate.is_final, fate.is_open, fate.ended) == (False, Total(1, 4000), {"cancelled": Total(1, 2000)})
    assert rate.is_few
