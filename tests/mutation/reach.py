"""Which tests come to which lines of the product, and how long each takes: heard once, by running all judges."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tests.mutation.bench import Bench, on_bench
from tests.mutation.children import in_each_child
from tests.mutation.operators import Mutant
from tests.mutation.packing import packed, unpacked
from tests.mutation.uses import is_in_function, is_near, lines_with, names_at, product_files, those_that_mention
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import in_child

MOST_SECONDS = 3600
"""All judges are done by then."""
MOST_COST = 20.0
"""Seconds of the processor that are spent on one mutant, on the likeliest tests: one that only others notice counts as alive."""


NOTICING, NEAR, STARTING = 5, 20, 0.02
"""So much sooner is a test asked for each mutant of the file that it has noticed, and if it is named after that file or names
it; seconds that any test costs beside its own.
"""


@dataclass(frozen=True)
class Reach:
    """By test: its seconds of the processor. By file and line: the tests that come there. The tests that fail as it is.

    And those that share what was set up for an earlier test, whose lines are therefore not all known.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]
    failed: list[str] = field(default_factory=list)
    sharing: list[str] = field(default_factory=list)

    def judges_of(self, mutant: Mutant) -> list[str]:
        """The tests that come to a mutant's line, the quickest first; of a table those that are about it before the others."""
        return self._of_names(mutant) if self.is_for_loading(mutant) else self._of_lines(mutant)

    def is_for_loading(self, mutant: Mutant) -> bool:
        """Whether a mutant's line is run when the module is loaded, if at all: outside of functions, or where no test comes."""
        lines = range(mutant.line, mutant.end + 1)
        return not is_in_function(mutant.file, mutant.line) or not self._at(mutant.file, lines)

    def _of_lines(self, mutant: Mutant) -> list[str]:
        """Those of the line, and then those of the same files which share what was set up when the line was run."""
        there = self._at(mutant.file, range(mutant.line, mutant.end + 1))
        files = {name.partition("::")[0] for name in there}
        beside = {name for name in self.sharing if name.partition("::")[0] in files}
        return [*sorted(there, key=self._cost), *sorted(beside - there, key=self._cost)]

    def _of_names(self, mutant: Mutant) -> list[str]:
        """For what is run when the module is loaded: the tests about the module in whose text its name stands, those that
        come to a use of it, and the others with that name, who may mean something else by it.
        """
        names = names_at(mutant.file, mutant.line)
        naming = those_that_mention(names, {name.partition("::")[0] for name in self.seconds})
        told = {name for name in self.seconds if name.partition("::")[0] in naming}
        about = {name for name in told if is_near(name, mutant.file)}
        using = {name for file in self.lines for name in self._at(file, lines_with(names, file))}
        using = using or {name for names in self.lines.get(mutant.file, {}).values() for name in names}
        return [name for part in (about, using - about, told - using - about) for name in sorted(part, key=self._cost)]

    def _at(self, file: str, lines: Iterable[int]) -> set[str]:
        of_file = self.lines.get(file, {})
        return {name for line in lines for name in of_file.get(line, ())}

    def _cost(self, name: str) -> tuple[float, str]:
        return self.seconds.get(name, 0.0), name


class Likeliest:
    """Who is asked first: the quick, those who are about the file, and those who have noticed mutants of it before."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self._seconds = seconds
        self._noticed: Counter[tuple[str, str]] = Counter()

    def first(self, file: str, names: Sequence[str]) -> list[str]:
        """These tests in the order in which they are asked about a mutant of this file, as far as the time for one goes."""
        found: list[str] = []
        spent = 0.0
        for name in sorted(names, key=lambda name: (self._cost(name) / self._weight(file, name), name)):
            spent += self._seconds.get(name, 0.0)
            if found and spent > MOST_COST:
                break
            found.append(name)
        return found

    def _weight(self, file: str, name: str) -> int:
        return 1 + NOTICING * self._noticed[file, name] + NEAR * is_near(name, file)

    def learn(self, file: str, name: str) -> None:
        """This test has noticed a mutant of this file."""
        self._noticed[file, name] += 1

    def _cost(self, name: str) -> float:
        return self._seconds.get(name, 0.0) + STARTING


def learnt(judges: Sequence[str]) -> Reach:
    """Run all tests of the judges under coverage, in a child for each core."""
    shares = min(os.cpu_count() or 1, len(judges))
    found = Reach({}, {})
    for told in in_each_child(_learnt_in_child, [tuple(judges[each::shares]) for each in range(shares)]):
        found.seconds.update(told["seconds"])
        found.failed.extend(told["failed"])
        found.sharing.extend(told["sharing"])
        for file, lines in unpacked(told, list(told["seconds"])).items():
            of_file = found.lines.setdefault(file, {})
            for line, names in lines.items():
                of_file.setdefault(line, []).extend(names)
    return found


def _learnt_in_child(judges: Sequence[str]) -> dict[str, Any]:
    return cast("dict[str, Any]", in_child(lambda: _heard(judges), MOST_SECONDS, waiting=MOST_SECONDS))


def _heard(judges: Sequence[str]) -> dict[str, Any]:
    import coverage

    files = product_files()
    measured = coverage.Coverage(data_file=None, config_file=False, include=[str(REPOSITORY / file) for file in files])
    told: dict[str, Any] = {}

    def work(bench: Bench) -> None:
        measured.start()
        heard = bench.run(bench.names, measured.switch_context, to_the_end=True)
        measured.stop()
        told.update(seconds=heard.seconds, failed=heard.failed, sharing=bench.sharing)

    on_bench(judges, work)
    passed = set(told["seconds"]) - set(told["failed"])
    lines: dict[str, dict[int, list[str]]] = {}
    for file in files:
        contexts = measured.get_data().contexts_by_lineno(str(REPOSITORY / file))
        lines[file] = {line: names for line, found in contexts.items() if (names := sorted(passed & {*found}))}
    return told | packed({file: found for file, found in lines.items() if found}, list(told["seconds"]))
