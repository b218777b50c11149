"""The page: what a long run tried and what came of it, in Markdown, from the kept results alone."""

from collections.abc import Mapping, Sequence

from tests.long.outcome import Outcome
from tests.long.parts import Part
from tests.long.tables import grouped, in_columns, table, time_of
from tests.long.verdict import all_complaints, in_hundred

YEAR = 365.25
INTRODUCTION = """\
`python -m tests.long{flag}` wrote this page at its end. The same seed on the same commit gives the same counts; only the times
differ. It does not say that there is no bug left. It says what was tried, and what an outside judge saw."""


def page_of(
    parts: Sequence[Part],
    outcomes: Mapping[str, Outcome],
    *,
    is_ci: bool,
    missing: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> str:
    """The whole page. The same results give the same text.

    `missing` are targets that nothing serves; `left_out` are sentences about what was not asked for.
    """
    run = [(part, outcomes[part.name]) for part in parts if part.name in outcomes]
    blocks = [
        "# What was tried, and what came of it",
        INTRODUCTION.format(flag=" --ci" if is_ci else ""),
        _verdict(parts, all_complaints(parts, outcomes, is_ci=is_ci, missing=missing), outcomes),
        _worlds(outcomes),
        _origin([outcome for _, outcome in run]),
        _overview(run, is_ci=is_ci),
        *(_section(part, outcome) for part, outcome in run),
        "\n".join(["## Not run", "", *(f"* {words}" for words in left_out)]) if left_out else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _verdict(parts: Sequence[Part], found: Sequence[str], outcomes: Mapping[str, Outcome]) -> str:
    if not found:
        return f"**No violation. All {len(parts)} parts came to their end, and every figure reached what was asked for.**"
    violations = sum(len(outcome.violations) for outcome in outcomes.values())
    return "\n".join([f"**{violations:,} violations. This is wrong:**", "", *(f"* {_plain(words)}" for words in found)])


def _worlds(outcomes: Mapping[str, Outcome]) -> str:
    """The worlds in one sentence: how long a time they simulated, and how much went wrong in it."""
    figures = outcomes["T1"].figures if "T1" in outcomes else {}
    if "simulated days" not in figures:
        return ""
    return (
        f"{figures['schedules']:,} seeded worlds lived through {figures['nights']:,} nights in "
        f"{figures['simulated days'] / YEAR:,.0f} simulated years, in which {figures['faults fired']:,} faults struck. "
        "It is a small system: so many worlds of a large one would be another matter."
    )


def _origin(outcomes: Sequence[Outcome]) -> str:
    """Commit, day, seed and machine, where all parts share them; else each section says its own."""
    facts = {
        "Commit": {outcome.commit for outcome in outcomes},
        "Day": {outcome.date for outcome in outcomes},
        "Seed": {str(outcome.seed) for outcome in outcomes},
        "Machine": {outcome.machine for outcome in outcomes},
    }
    wall, cpu = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("seconds", "cpu_seconds"))
    lines = [f"* {name}: {', '.join(sorted(values))}" for name, values in facts.items() if values]
    return "\n".join([*lines, f"* Time: {time_of(wall)} by the clock, {time_of(cpu)} of the processors"])


def _overview(run: Sequence[tuple[Part, Outcome]], *, is_ci: bool) -> str:
    rows = [row for part, outcome in run for row in _rows(part, outcome, is_ci=is_ci)]
    return table(["Target", "What", "Reached", "Asked for", "Violations", "Time"], rows, numbers=(2, 3, 4, 5))


def _rows(part: Part, outcome: Outcome, *, is_ci: bool) -> list[list[str]]:
    """One row for each figure to reach; the first also says what the part is, and how long it took."""
    found = outcome.figures
    counts = [(f"{found.get(name, 0):,} {name}", f"{amount.of(is_ci=is_ci):,}") for name, amount in part.floors.items()]
    shares = [
        (f"{in_hundred(found, name, whole):.1f} % of the {whole} {name}", f"{percent} %")
        for name, (percent, whole) in part.shares.items()
    ]
    ends = [f"{len(outcome.violations):,}", time_of(outcome.seconds)]
    return [
        [*([part.target, part.title] if number == 0 else ["", ""]), *figure, *(ends if number == 0 else ["", ""])]
        for number, figure in enumerate([*counts, *shares] or [("", "")])
    ]


def _section(part: Part, outcome: Outcome) -> str:
    alone, groups = grouped(outcome.figures)
    blocks = [
        f"## {part.target} · {part.title}",
        _circumstances(outcome),
        in_columns("what", alone, across=2) if alone else "",
        *(in_columns(beginning, counts, across=4 if len(counts) > 12 else 3) for beginning, counts in groups.items()),
        "\n".join(f"* {_plain(note)}" for note in outcome.notes),
    ]
    return "\n\n".join(block for block in blocks if block)


def _circumstances(outcome: Outcome) -> str:
    rate = f", {outcome.size / outcome.cpu_seconds:,.1f} a second and core" if outcome.cpu_seconds > 0 else ""
    return (
        f"Size {outcome.size:,}, seed {outcome.seed}, commit {outcome.commit or 'unknown'}, {outcome.date or 'never'}. "
        f"{time_of(outcome.seconds)} by the clock, {time_of(outcome.cpu_seconds)} of the processors{rate}."
    )


def _plain(words: str) -> str:
    """A sentence as it is, whatever characters stand in it, on one line."""
    return " ".join(words.split()).replace("<", "&lt;")
