"""Bars, bridges, dots: pictures drawn by hand, so that each is small, sharp on paper, and says in words what it shows."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from jobs.report.parts import Names
from jobs.report.shapes import WIDTH, frame, line, number, path, rectangle, short, words

_LABEL, _RIGHT, _ROW = 152, 114, 22
_BAR = WIDTH - _LABEL - _RIGHT

_SVG = Markup(
    '<svg role="img" aria-labelledby="{id}t {id}d" viewBox="0 0 {width} {height}" class="{kind}">'
    '<title id="{id}t">{title}</title><desc id="{id}d">{desc}</desc>{body}</svg>'
)


def bars(
    names: Names,
    title: str,
    desc: str,
    rows: Sequence[tuple[str, float, str]],
    *,
    kind: str = "c0",
    faint: frozenset[int] = frozenset(),
) -> Markup:
    """Bars to the right, one a row: its label, its length, and what stands at its end. Faint ones are grey."""
    most = max((value for _, value, _ in rows), default=0) or 1
    body: list[Markup] = []
    for place, (label, value, said) in enumerate(rows):
        y = place * _ROW
        body += [
            words(_LABEL - 6, y + 15, short(label), "end"),
            rectangle(_LABEL, y + 4, _BAR * value / most, _ROW - 8, "faint" if place in faint else kind),
            words(_LABEL + _BAR * value / most + 4, y + 15, said, "small"),
        ]
    return frame(names, title, desc, body, len(rows) * _ROW + 2)


def bridge(names: Names, title: str, desc: str, rows: Sequence[tuple[str, int, str]]) -> Markup:
    """A waterfall, one step a row: what comes in is drawn to the right of where it stood, what goes out to the left.

    Rows named with a leading `=` stand on nought.
    """
    level, spans = 0, list[tuple[int, int, str]]()
    for label, change, _ in rows:
        if label.startswith("="):
            spans.append((0, change, "c0"))
            level = change
        else:
            spans.append((level, level + change, "c2" if change >= 0 else "c3"))
            level += change
    low, high = min(0, *(min(a, b) for a, b, _ in spans)), max(1, *(max(a, b) for a, b, _ in spans))
    scale = _BAR / (high - low)
    body: list[Markup] = []
    for place, ((label, _, said), (a, b, kind)) in enumerate(zip(rows, spans, strict=True)):
        y, x = place * _ROW, _LABEL + (min(a, b) - low) * scale
        body += [
            words(_LABEL - 6, y + 15, label.removeprefix("="), "end"),
            rectangle(x, y + 4, abs(b - a) * scale, _ROW - 8, kind),
            words(max(x + abs(b - a) * scale, _LABEL) + 4, y + 15, said, "small"),
        ]
        if place + 1 < len(rows) and not (label.startswith("=") and rows[place + 1][0].startswith("=")):
            join = _LABEL + (b - low) * scale
            body.append(line(join, y + _ROW - 4, join, y + _ROW + 4, "thin"))
    body.append(line(_LABEL - low * scale, 0, _LABEL - low * scale, len(rows) * _ROW, "axis"))
    return frame(names, title, desc, body, len(rows) * _ROW + 2)


def stacked(
    names: Names, title: str, desc: str, rows: Sequence[tuple[str, Mapping[str, float], str]], series: Sequence[str]
) -> Markup:
    """Bars made of several kinds, each with a colour and a hatch of its own; the legend stands below."""
    most = max((sum(parts.values()) for _, parts, _ in rows), default=0) or 1
    body: list[Markup] = []
    for place, (label, parts, said) in enumerate(rows):
        x, y = float(_LABEL), place * _ROW
        body.append(words(_LABEL - 6, y + 15, short(label), "end alarm" if label == "overdue" else "end"))
        for kind, name in enumerate(series):
            width = _BAR * parts.get(name, 0) / most
            if width:
                body += [
                    rectangle(x, y + 4, width, _ROW - 8, f"c{kind % 6}"),
                    rectangle(x, y + 4, width, _ROW - 8, f"h{kind % 6}"),
                ]
            x += width
        body.append(words(x + 4, y + 15, said, "small"))
    top, x = len(rows) * _ROW + 10, 0.0
    for kind, name in enumerate(series):
        wide = 24 + len(name) * 6.2
        if x + wide > WIDTH:
            x, top = 0.0, top + 18
        body += [
            rectangle(x, top, 12, 12, f"c{kind % 6}"),
            rectangle(x, top, 12, 12, f"h{kind % 6}"),
            words(x + 16, top + 10, name, "small"),
        ]
        x += wide
    return frame(names, title, desc, body, top + 18)


def dots(
    names: Names,
    title: str,
    desc: str,
    rows: Sequence[tuple[str, float, float, float, str]],
    *,
    faint: frozenset[int] = frozenset(),
) -> Markup:
    """A dot with its interval, one a row, on a scale from nought to the highest end, or to a faint one's dot."""
    ends = [share if place in faint else high for place, (_, share, _, high, _) in enumerate(rows)]
    most = min(1.0, max([0.5, *ends] if len(faint) == len(rows) else ends, default=0.5) * 1.1) or 1.0
    body: list[Markup] = []
    for place, (label, share, low, high, said) in enumerate(rows):
        y, kind = place * _ROW + 11, "faint" if place in faint else "c0"
        left, right, at = (_LABEL + _BAR * min(each, most) / most for each in (low, high, share))
        body += [
            words(_LABEL - 6, y + 4, short(label), "end"),
            line(left, y, right, y, f"{kind} whisker"),
            Markup('<circle cx="{}" cy="{}" r="4.5" class="{}"/>').format(number(at), number(y), kind),
            words(WIDTH - _RIGHT + 8, y + 4, said, "small"),
        ]
    bottom = len(rows) * _ROW + 2
    body.append(line(_LABEL, 0, _LABEL, bottom, "axis"))
    body += [words(_LABEL, bottom + 12, "0 %", "small"), words(_LABEL + _BAR, bottom + 12, f"{most * 100:.0f} %", "small end")]
    return frame(names, title, desc, body, bottom + 16)


def sparkline(names: Names, title: str, values: Sequence[float]) -> Markup:
    """A line as small as a word, for its course alone."""
    low, high = min([0.0, *values]), max([1.0, *values])
    width, height = 140, 28
    step = width / max(1, len(values) - 1)
    points = [(place * step, 2 + (height - 4) * (high - value) / (high - low)) for place, value in enumerate(values)]
    end = Markup('<circle cx="{}" cy="{}" r="2.5" class="c0"/>').format(number(points[-1][0]), number(points[-1][1]))
    ends = f"the highest {max(values):,.0f}, the lowest {min(values):,.0f}"
    said = f"{title}: {len(values)} nights; the last is {values[-1]:,.0f}, {ends}"
    return Markup(
        '<svg role="img" aria-labelledby="{id}t" viewBox="-3 0 146 28" class="spark"><title id="{id}t">{title}</title>'
        "{body}</svg>"
    ).format(id=names.next(), title=said, body=path(points, "curve k0") + end)
