"""Small pictures for the dashboard, as numbers that a template puts into SVG: bars, and lines of thirty nights."""

from collections.abc import Sequence

WIDTH, HEIGHT = 120, 28
"""Of a line of nights, in its own units."""


def line_points(values: Sequence[float]) -> str:
    """The points of a line over these values, oldest first; a value of nought lies on the ground."""
    most = max(values, default=0) or 1
    least = min(0, *values) if values else 0
    step = WIDTH / max(1, len(values) - 1)
    height = HEIGHT - 4
    return " ".join(
        f"{at * step:.1f},{HEIGHT - 2 - height * (value - least) / ((most - least) or 1):.1f}" for at, value in enumerate(values)
    )


def share(part: float, whole: float) -> float:
    """How much of 100 a bar takes; what is more than nothing can be seen."""
    if part <= 0 or whole <= 0:
        return 0
    return round(max(1.0, min(100.0, 100 * part / whole)), 1)
