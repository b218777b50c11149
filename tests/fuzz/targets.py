"""One reader under fire: how its inputs are made, and how each is judged."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from tests.fuzz.dice import Dice

MOST_SECONDS = 1.0
"""User time of the processor that one input may cost."""


@dataclass(frozen=True)
class Judged:
    """What is wrong after one input, and whether it came past the first parser."""

    complaints: list[str]
    is_deep: bool


@dataclass(frozen=True)
class Target:
    """A reader: `make` throws an input, `judge` says what is wrong with what the reader did."""

    name: str
    make: Callable[[Dice], bytes]
    judge: Callable[[bytes], Judged]


class Stalled(BaseException):
    """An input took too long; no reader may catch this."""


def judged(target: Target, content: bytes) -> Judged:
    """One input judged, bounded in time. An error that is not of the project's own, and not documented, is a complaint."""
    before = signal.signal(signal.SIGVTALRM, _stalled)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
        return target.judge(content)
    except Stalled:
        return Judged([f"it takes longer than {MOST_SECONDS:g} s"], is_deep=True)
    except Exception as error:  # noqa: BLE001 - any escape is what is looked for
        return Judged([f"{type(error).__name__} escapes"], is_deep=True)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stalled(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stalled
