"""Which tests come to which lines of the mutated files, and how long each takes: heard once, by running all judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.mutation.bench import Bench, on_bench
from tests.mutation.operators import Mutant
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import in_child

MOST_SECONDS = 3600
"""All judges are done by then."""


@dataclass(frozen=True)
class Reach:
    """By test: the seconds that it takes. By file and line: the tests that come there. And the tests that fail as it is."""

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]
    failed: list[str]

    def judges_of(self, mutant: Mutant) -> list[str]:
        """The tests that come to a mutant's line, the quickest first, then others of their files, which share what they set up.

        Every test that comes to the file, where none comes to the line: it is run when the module is loaded.
        """
        of_file = self.lines.get(mutant.file, {})
        there = {name for line in range(mutant.line, mutant.end + 1) for name in of_file.get(line, ())}
        touching = {name for names in of_file.values() for name in names}
        files = {name.partition("::")[0] for name in there or touching}
        beside = {name for name in touching if name.partition("::")[0] in files}
        return [*sorted(there, key=self._cost), *sorted(beside - there, key=self._cost)]

    def _cost(self, name: str) -> tuple[float, str]:
        return self.seconds.get(name, 0.0), name


def learnt(judges: Sequence[str], files: Sequence[str]) -> Reach:
    """Run all tests of the judges under coverage, in a child."""
    found = cast("dict[str, Any]", in_child(lambda: _heard(judges, files), MOST_SECONDS))
    lines = {file: {int(line): names for line, names in told.items()} for file, told in found["lines"].items()}
    return Reach(found["seconds"], lines, found["failed"])


def _heard(judges: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    import coverage

    measured = coverage.Coverage(data_file=None, config_file=False, include=[str(REPOSITORY / file) for file in files])
    told: dict[str, Any] = {}

    def work(bench: Bench) -> None:
        measured.start()
        heard = bench.run(bench.names, measured.switch_context, to_the_end=True)
        measured.stop()
        told.update(seconds=heard.seconds, failed=heard.failed)

    on_bench(judges, work)
    contexts = {file: measured.get_data().contexts_by_lineno(str(REPOSITORY / file)) for file in files}
    passed = set(told["seconds"]) - set(told["failed"])
    lines = {file: {line: sorted(passed & {*names}) for line, names in found.items()} for file, found in contexts.items()}
    return told | {"lines": {file: {line: names for line, names in found.items() if names} for file, found in lines.items()}}
