"""Pictures show what their figures say: nothing lies at another place of the scale than its value, and nothing is left out."""

import re

import pytest

from jobs.report.charts import cohort_curves
from jobs.report.parts import Names
from jobs.report.pictures import dots

_CIRCLE = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)"')
_SCALE = re.compile(r">(\d+) %</text>")


@pytest.mark.parametrize("faint", [frozenset({1, 2}), frozenset({0, 1, 2})])
def test_each_dot_stands_at_its_share(faint: frozenset[int]) -> None:
    """Also the dot of a kind with few orders stands where its share is, be it all of them; so the scale reaches to it."""
    rows = [("many", 0.25, 0.2, 0.3, "25 %"), ("one", 1.0, 0.2, 1.0, "100 %"), ("none", 0.0, 0.0, 0.8, "0 %")]
    drawn = dots(Names(), "Rates", "Some.", rows, faint=faint)
    places = [float(x) for x, _ in _CIRCLE.findall(drawn)]
    left, right = places[2], places[1]
    assert _SCALE.findall(drawn)[-2:] == ["0", "100"]
    assert places[0] == pytest.approx(left + (right - left) / 4, abs=0.1)


def test_few_orders_do_not_stretch_the_scale() -> None:
    """The wide interval of a kind with few orders is cut where the others end."""
    rows = [("many", 0.2, 0.15, 0.25, "20 %"), ("few", 0.1, 0.0, 0.9, "10 %")]
    assert _SCALE.findall(dots(Names(), "Rates", "Some.", rows, faint=frozenset({1})))[-1] == "28"


def test_a_cohort_of_one_day_is_seen() -> None:
    """Of one day no line can be drawn: it is a dot, and each open cohort ends in one."""
    drawn = cohort_curves(
        Names(), "Cohorts", "Two.", final=[[0.1, 0.2]], provisional=[[0.4], [0.1, 0.3], []], middle=[0.1], most_days=28
    )
    (x, y), (later, _) = ((float(x), float(y)) for x, y in _CIRCLE.findall(drawn))
    assert (x, y) == (48, 8)
    assert later > x
