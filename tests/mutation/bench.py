"""Judging mutants on one bench: pytest has collected the tests once, and each mutant is put in place in a fork of that moment.

In the fork the functions that the loaded modules share get the code of the mutant's text, so that nothing is loaded anew.
A change outside of every function (a table, a constant) is part of what was loaded: its names get their new values, and
where no test notices that, another fork loads the project again.
"""

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.in_memory import in_memory
from tests.mutation.operators import Mutant
from tests.mutation.tables import put_values
from tests.world.planted.bug import REPOSITORY
from tests.world.planted.planting import UNANSWERED, in_child, plant

LEAST_SECONDS = 10
"""A mutant that is not judged after so many seconds of the processor and twice those that its tests usually take never ends."""
OF_EACH, TIMES = 3, 10
"""Nor does one with which a single test takes so many seconds and so many times those that it usually takes."""

MOST_LOADED = 300
"""So many tests are collected again for a mutant that is judged by loading the project anew: the first of those that may."""
WAITING = 12
"""So many times as long by the wall's clock, because a busy machine gives a mutant little of its processor."""
LOADING_SECONDS = 60
"""So much more, where the project is loaded again, and the tests collected."""


@dataclass(eq=False)
class Heard:
    """What pytest says of some tests: which failed; and the seconds of the processor that each took."""

    failed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's own type
        """One phase of one test is over."""
        if report.failed:
            self.failed.append(report.nodeid)


UNLOADABLE = "it cannot be loaded"
"""What is said of a mutant with which the tests' modules cannot be imported."""


class Bench:
    """The collected tests, by their ids, and what is heard of those that run."""

    def __init__(self, items: Sequence[Any], heard: Heard) -> None:
        self._items, self._heard = {item.nodeid: item for item in items}, heard

    @property
    def names(self) -> list[str]:
        """All tests, as they were collected."""
        return list(self._items)

    @property
    def sharing(self) -> list[str]:
        """The tests with a fixture that is set up once for many."""
        return [name for name, item in self._items.items() if _shares(item)]

    def run(
        self, names: Sequence[str], before: Callable[[str], object] = lambda _name: None, *, to_the_end: bool = False
    ) -> Heard:
        """Run these tests in this order, until one fails; `before` is told of each."""
        items = [self._items[name] for name in names]
        for item, after in zip_longest(items, items[1:]):
            before(item.nodeid)
            began = time.process_time()
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            except KeyboardInterrupt:
                self._heard.failed.append(item.nodeid)
            self._heard.seconds[item.nodeid] = time.process_time() - began
            if self._heard.failed and not to_the_end:
                break
        return self._heard

    def noticed_by(self, mutant: Mutant, names: Sequence[str], seconds: Mapping[str, float], *, anew: bool = False) -> str:
        """The first of these tests that fails with the mutant in place, or why it has no end; empty for one that lives.

        `anew`: it changes what is run when a module is loaded; who lives where its values were put in place is judged once
        more with the project loaded again.
        """
        usual = sum(seconds.get(name, 1.0) for name in names)
        patient = int(LEAST_SECONDS + 2 * usual)
        if not anew and can_be_put(mutant):
            return answer_of(lambda: self._verdict(mutant, names, put, seconds), patient)
        in_place = answer_of(lambda: self._verdict(mutant, names, put_values, seconds), patient)
        return in_place or answer_of(lambda: _noticed_when_loaded(mutant, names[:MOST_LOADED]), patient + LOADING_SECONDS)

    def _verdict(
        self, mutant: Mutant, names: Sequence[str], putting: Callable[[Mutant], object], seconds: Mapping[str, float]
    ) -> str:
        if not names or putting(mutant) is False:
            return ""
        return next(iter(self.run(names, lambda name: _end_after(OF_EACH + TIMES * seconds.get(name, 1.0))).failed), "")


def _end_after(seconds: float) -> None:
    """End this process after so many seconds of its processor, or `WAITING` times as many by the wall's clock, from now on.

    Only for a child: the whole child has a limit as well, which is left as it is.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))
    signal.alarm(int(WAITING * seconds) + 1)


def answer_of(verdict: Callable[[], str], patient: int) -> str:
    """The verdict of a child of its own, or why it has no end. What its tests leave in folders is gone with it."""
    with TemporaryDirectory(prefix="mitbatch-mutant-", dir=in_memory(), ignore_cleanup_errors=True) as folder:

        def within() -> str:
            os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = folder
            return verdict()

        try:
            return str(in_child(within, patient, waiting=WAITING * patient))
        except RuntimeError as error:
            if str(error).startswith(UNANSWERED):
                return str(error)
            raise


def _noticed_when_loaded(mutant: Mutant, names: Sequence[str]) -> str:
    """The first of these tests that fails when the project is loaded anew with the mutant's text, or that it cannot be."""
    import pytest

    if not names:
        return ""
    plant(mutant.file, mutant.text)
    heard = Heard()
    code = pytest.main(["-p", "no:cacheprovider", "--tb=no", "-x", *names], plugins=[heard])
    return next(iter(heard.failed), "" if code == pytest.ExitCode.OK else UNLOADABLE)


def _shares(item: Any) -> bool:  # noqa: ANN401 - pytest's own type
    """Whether a test has a fixture that is set up once for a class or a module."""
    found = item._fixtureinfo.name2fixturedefs.values()
    return any(each.scope in {"class", "module"} for fixtures in found for each in fixtures)


def on_bench(files: Sequence[str], work: Callable[[Bench], None]) -> None:
    """Collect the tests of these files, and do the work while they stand ready. For a process that ends with it."""
    import pytest

    heard = Heard()
    collected: list[int] = []

    class Loop:
        def pytest_runtestloop(self, session: Any) -> bool:  # noqa: ANN401 - pytest's own type
            """Not the tests one after the other: the work."""
            collected.append(len(session.items))
            work(Bench(session.items, heard))
            return True

    plant()
    os.chdir(REPOSITORY)
    code = pytest.main(["-p", "no:cacheprovider", "--tb=no", "-q", *files], plugins=[heard, Loop()])
    if not collected or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.TESTS_FAILED):
        message = f"the judges could not be collected (pytest ended with {int(code)})"
        raise RuntimeError(message)


def put(mutant: Mutant) -> None:
    """Give the functions of a loaded module the code of the mutant's text."""
    for function, code in _with_its_code(mutant):
        function.__code__ = code


def can_be_put(mutant: Mutant) -> bool:
    """Whether each function uses as many names of what stands around it as before: else it must be made anew.

    One that calls `super` does, and one whose only call of it was left out does not.
    """
    return all(len(function.__code__.co_freevars) == len(code.co_freevars) for function, code in _with_its_code(mutant))


def _with_its_code(mutant: Mutant) -> Iterator[tuple[FunctionType, CodeType]]:
    module = sys.modules[mutant.file.removesuffix(".py").replace("/", ".")]
    codes = {code.co_qualname: code for code in _codes(compile(mutant.text, str(module.__file__), "exec"))}
    yield from ((function, codes[function.__code__.co_qualname]) for function in _functions(module))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of each function and class in a module or class."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _functions(holder: ModuleType | type) -> Iterator[FunctionType]:
    """Every function that a module or a class of it defines, whatever is wrapped around it."""
    module = holder if isinstance(holder, ModuleType) else sys.modules[holder.__module__]
    for value in list(vars(holder).values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from _functions(value)
        for each in (value, *(getattr(value, name, None) for name in ("__wrapped__", "__func__", "fget", "func"))):
            function = getattr(each, "__wrapped__", each)
            if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                yield function
