"""What pictures are made of: boxes, lines, words, and the frame that says what is seen."""

from collections.abc import Sequence

from markupsafe import Markup

from jobs.report.parts import Names

WIDTH = 420
_LABEL, _RIGHT, _ROW = 140, 114, 22
_BAR = WIDTH - _LABEL - _RIGHT

_SVG = Markup(
    '<svg role="img" aria-labelledby="{id}t {id}d" viewBox="0 0 {width} {height}" class="{kind}">'
    '<title id="{id}t">{title}</title><desc id="{id}d">{desc}</desc>{body}</svg>'
)

_TEXT = Markup('<text x="{x}" y="{y}" class="{kind}">{words}</text>')
_RECT = Markup('<rect x="{x}" y="{y}" width="{width}" height="{height}" class="{kind}"/>')
_LINE = Markup('<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{kind}"/>')


def frame(names: Names, title: str, desc: str, body: Sequence[Markup], height: float, kind: str = "picture") -> Markup:
    """A picture with its title and its description for who cannot see it."""
    return _SVG.format(
        id=names.next(), title=title, desc=desc, body=Markup().join(body), width=WIDTH, height=number(height), kind=kind
    )


def number(value: float) -> str:
    """A coordinate: two decimals at most, the same everywhere."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def words(x: float, y: float, text: str, kind: str = "") -> Markup:
    """A text."""
    return _TEXT.format(x=number(x), y=number(y), words=text, kind=kind)


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    """A box; never quite without width, so that something small is seen."""
    return _RECT.format(x=number(x), y=number(y), width=number(max(width, 0.8)), height=number(height), kind=kind)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return _LINE.format(x1=number(x1), y1=number(y1), x2=number(x2), y2=number(y2), kind=kind)


def path(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    """A line through points."""
    steps = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return Markup('<polyline points="{}" class="{}"/>').format(steps, kind)


def short(text: str, most: int = 20) -> str:
    """A label cut to the room there is."""
    return text if len(text) <= most else text[: most - 1] + "…"
