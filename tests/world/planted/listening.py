"""Running tests in a child in which the source is changed, and hearing which of them fail."""

import os
from collections.abc import Sequence
from typing import Any

from tests.world.planted.bug import REPOSITORY
from tests.world.planted.in_place import replaced_in_place
from tests.world.planted.planting import forget, plant


class _Listener:
    """Hears what pytest says of the tests that it runs."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.passed = 0

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's own type
        """One phase of one test is over; a night that a fixture runs is a part of the test."""
        if report.failed:
            self.failures.append(f"{report.nodeid}: {report.longreprtext[-20000:]}")
        self.passed += report.when == "call" and report.passed


def failures(file: str, text: str, nodes: Sequence[str], *options: str, anew: bool = True) -> list[str]:
    """What these tests say when they fail with this text in place of the file's; for a child that ends with it.

    `anew`: whatever can be done, the whole project is loaded anew; else only what must be, and the tests.
    """
    import pytest

    if not anew and replaced_in_place(file, text):
        forget("tests")
    else:
        plant(file, text)
    os.chdir(REPOSITORY)
    listener = _Listener()
    loaded_before = "ignore::pytest.PytestAssertRewriteWarning"  # plugins that the parent has loaded for something else
    code = pytest.main(["-p", "no:cacheprovider", "--tb=short", "-W", loaded_before, *options, *nodes], plugins=[listener])
    if listener.failures or listener.passed:
        return listener.failures
    return [f"the tests could not even be loaded (pytest ended with {int(code)})"] if code == pytest.ExitCode.INTERRUPTED else []
