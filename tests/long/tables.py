"""Figures as Markdown: tables whose source is as readable as what is shown, and times in words."""

from collections.abc import Iterable, Mapping, Sequence

FEW = 3
"""Figures of one beginning, `inputs: row`, are shown as a table of their own from so many on."""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    """A table with aligned columns; the columns in `numbers` are aligned right."""
    right = set(numbers)
    cells = [[_escaped(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(headings))]
    rule = ["-" * (width - 1) + (":" if column in right else "-") for column, width in enumerate(widths)]
    lines = [
        [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in cells
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def _escaped(cell: str) -> str:
    return cell.replace("\n", " ").replace("|", "\\|")


def in_columns(heading: str, counts: Mapping[str, int], *, across: int) -> str:
    """A table of names with their counts, several beside each other, read from top to bottom."""
    pairs = [(name, f"{count:,}") for name, count in counts.items()]
    beside = min(across, len(pairs))
    height = -(-len(pairs) // beside)
    columns = [pairs[start : start + height] for start in range(0, len(pairs), height)]
    rows = [[cell for column in columns for cell in (column[line] if line < len(column) else ("", ""))] for line in range(height)]
    return table([heading, "count"] * len(columns), rows, numbers=range(1, 2 * len(columns), 2))


def grouped(figures: Mapping[str, int]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """The figures that stand alone, and those that share a beginning with others: `inputs: row` is `row` of `inputs`."""
    groups: dict[str, dict[str, int]] = {}
    for name, count in figures.items():
        beginning, colon, rest = name.partition(": ")
        if colon:
            groups.setdefault(beginning, {})[rest] = count
    groups = {beginning: dict(sorted(counts.items())) for beginning, counts in groups.items() if len(counts) >= FEW}
    alone = {name: count for name, count in figures.items() if name.partition(": ")[0] not in groups or ": " not in name}
    return alone, groups


def time_of(seconds: float) -> str:
    """A length of time as a person says it: `8 s`, `3 min 12 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
