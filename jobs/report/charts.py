"""Pictures with two axes: curves over days, and the strip of nights."""

from collections.abc import Sequence

from markupsafe import Markup

from jobs.report.parts import Names
from jobs.report.shapes import WIDTH, frame, line, number, path, rectangle, words

_LEFT, _TOP, _HEIGHT, _BOTTOM = 48, 8, 190, 32
_PLOT = WIDTH - _LEFT - 12
_DOT = Markup('<circle cx="{}" cy="{}" r="3" class="{}"/>')


def _top_of(highest: float) -> float:
    return next((top for top in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if highest <= top), 1.0)


def _axes(most_days: int, top: float) -> list[Markup]:
    body = [line(_LEFT, _TOP + _HEIGHT, _LEFT + _PLOT, _TOP + _HEIGHT, "axis")]
    for quarter in range(5):
        y = _TOP + _HEIGHT * (1 - quarter / 4)
        body += [line(_LEFT, y, _LEFT + _PLOT, y, "grid"), words(_LEFT - 4, y + 4, f"{top * quarter * 25:.3g} %", "small end")]
    for day in range(0, most_days + 1, 7):
        x = _LEFT + _PLOT * day / most_days
        body += [line(x, _TOP, x, _TOP + _HEIGHT, "grid"), words(x, _TOP + _HEIGHT + 13, str(day), "small middle")]
    return [*body, words(_LEFT + _PLOT / 2, _TOP + _HEIGHT + 27, "days since hand-over", "small middle")]


def _points(curve: Sequence[float], most_days: int, top: float, *, is_stepped: bool = False) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for day, share in enumerate(curve[: most_days + 1]):
        x, y = _LEFT + _PLOT * day / most_days, _TOP + _HEIGHT * (1 - min(share, top) / top)
        if is_stepped and found:
            found.append((x, found[-1][1]))
        found.append((x, y))
    return found


def cohort_curves(
    names: Names,
    title: str,
    desc: str,
    *,
    final: Sequence[Sequence[float]],
    provisional: Sequence[Sequence[float]],
    middle: Sequence[float],
    most_days: int,
) -> Markup:
    """Cumulative shares by days since hand-over: final cohorts grey, open ones coloured and dashed, the median bold."""
    top = _top_of(max((share for curve in (*final, *provisional) for share in curve), default=0.1))
    body = _axes(most_days, top)
    body += [path(_points(curve, most_days, top), "curve past") for curve in final]
    body += [path(_points(curve, most_days, top), "curve k1 dashed") for curve in provisional]
    for curve in filter(None, provisional):  # a cohort of one day has no line yet
        x, y = _points(curve, most_days, top)[-1]
        body.append(_DOT.format(number(x), number(y), "c1"))
    body.append(path(_points(middle, most_days, top), "curve k0 bold"))
    legend = (("past", "final"), ("k1 dashed", "provisional"), ("k0 bold", "median of final"))
    y, x = _TOP + _HEIGHT + _BOTTOM + 8, float(_LEFT)
    for kind, name in legend:
        body += [line(x, y, x + 22, y, f"curve {kind}"), words(x + 27, y + 4, name, "small")]
        x += 42 + len(name) * 6.4
    return frame(names, title, desc, body, y + 10)


def step_curve(
    names: Names, title: str, desc: str, curve: Sequence[float], marks: Sequence[tuple[int, str]], most_days: int
) -> Markup:
    """A share that grows in steps, with days marked on it; it ends with a dot where no more is known."""
    top = _top_of(1.1 * max(curve, default=0.1))
    body = _axes(most_days, top)
    body.append(path(_points(curve, most_days, top, is_stepped=True), "curve k0 bold"))
    if 0 < len(curve) <= most_days:
        x, y = _points(curve, most_days, top)[-1]
        body.append(_DOT.format(number(x), number(y), "c0"))
    for place, (day, name) in enumerate(marks):
        x = _LEFT + _PLOT * min(day, most_days) / most_days
        body += [
            line(x, _TOP, x, _TOP + _HEIGHT, "mark"),
            words(x + 4, _TOP + 12 + place * 14, f"{name}: day {day}", "small halo"),
        ]
    return frame(names, title, desc, body, _TOP + _HEIGHT + _BOTTOM)


def strip(names: Names, title: str, desc: str, cells: Sequence[tuple[str, str, str]]) -> Markup:
    """One square a night, ten in a row: the day, the word in it, and its mood (`good`, `warn`, `bad`, `none`)."""
    body: list[Markup] = []
    for place, (day, said, mood) in enumerate(cells):
        x, y = place % 10 * 41.5, place // 10 * 44
        body += [
            rectangle(x + 1, y + 1, 38, 26, f"night {mood}"),
            words(x + 20, y + 18, said, f"middle on-{mood}"),
            words(x + 20, y + 38, day, "tiny middle"),
        ]
    return frame(names, title, desc, body, (len(cells) + 9) // 10 * 44)
