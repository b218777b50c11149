"""The settings of a program that runs for months: looked at again, so that a change of the file needs no restart."""

import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from jobs.settings_file import load_settings
from schemas.errors import MitbatchError
from schemas.settings import Settings


class Seen(StrEnum):
    """What a look at the settings found; what became unfit, or fit again, is told once."""

    SAME = "same"
    CHANGED = "changed"
    BECAME_UNFIT = "became unfit"
    STILL_UNFIT = "still unfit"

    @property
    def is_fit(self) -> bool:
        """Whether anything may be started by them."""
        return self in (Seen.SAME, Seen.CHANGED)


class SettingsWatch:
    """The settings in force: those of the last look that found the file fit. `check` raises for what cannot be worked by."""

    def __init__(self, config: Path, settings: Settings, check: Callable[[Settings], object]) -> None:
        self.settings = settings
        self.problem: MitbatchError | None = None
        self._config, self._check = config, check
        self._lock = threading.Lock()

    def look(self) -> Seen:
        """Read file and environment again, as every job does that is started now."""
        with self._lock:
            try:
                found = load_settings(self._config)
                self._check(found)
            except MitbatchError as problem:
                is_known = str(problem) == str(self.problem)
                self.problem = problem
                return Seen.STILL_UNFIT if is_known else Seen.BECAME_UNFIT
            is_same = found == self.settings and self.problem is None
            self.settings, self.problem = found, None
            return Seen.SAME if is_same else Seen.CHANGED
