"""Letting a planted bug live: in a forked child that loads the project anew, with one module's text replaced.

Where a bug is inside of functions alone, in_place.py needs none of that.

Nothing is written: the child forgets the project's modules and loads them again, and an import hook gives it the text
with the bug. That costs a third of a second; a copy of the source and a new Python cost three.
"""

import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from tests.world.planted.bug import REPOSITORY

MOST_WAITING = 900
"""Seconds after which a child is given up, however little it has worked: something in it waits for ever."""
UNANSWERED = "no answer"
"""How the error begins that says so."""
_OWN = ("batch", "jobs", "schemas", "tests")
_FORGOTTEN: list[dict[str, ModuleType]] = []
"""The modules of before, kept: what they have open must not be closed in a child."""


class _Loader(SourceFileLoader):
    """Loads a module from a text that is not the file's."""

    def __init__(self, module: str, file: str, text: str) -> None:
        super().__init__(module, str(REPOSITORY / file))
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        """The code of that text; nothing of it is cached."""
        return self.source_to_code(self._text.encode(), self.get_filename(fullname))


class _Finder(MetaPathFinder):
    def __init__(self, file: str, text: str) -> None:
        self._module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self._file, self._text = file, text

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        loader = _Loader(self._module, self._file, self._text)
        return importlib.util.spec_from_file_location(fullname, REPOSITORY / self._file, loader=loader)


def plant(file: str = "", text: str = "") -> None:
    """Forget the project's modules, so that they are loaded again, this one from that text, if one is named.

    Only for a process that will end with it.
    """
    forget(*_OWN)
    if file:
        sys.meta_path.insert(0, _Finder(file, text))


def forget(*packages: str) -> None:
    """Forget the modules of these packages, so that they are loaded again. Only for a process that will end with it."""
    own = [name for name in sys.modules if name.partition(".")[0] in packages]
    _FORGOTTEN.append({name: sys.modules.pop(name) for name in own})


def in_child(work: Callable[[], Any], seconds: int, *, waiting: float = MOST_WAITING) -> Any:  # noqa: ANN401 - whatever the work answers, as JSON has it
    """Do the work in a forked child and return its answer; what it prints is lost.

    Raises RuntimeError when none comes within so many seconds of the processor, or within `waiting` seconds of the wall's
    clock.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        _work_and_leave(work, writing)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + waiting)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not answer:
        message = f"{UNANSWERED} within {seconds} s of the processor, or the child died"
        raise RuntimeError(message)
    found = json.loads(answer)
    if "broke" in found:
        raise RuntimeError(found["broke"])
    return found["answer"]


def _work_and_leave(work: Callable[[], Any], writing: int) -> None:
    """The child's whole life: it ends here, whatever happens, and closes nothing of its parent's."""
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)
        found = {"answer": work()}
    except BaseException:  # noqa: BLE001 - the parent is told, whatever it was
        found = {"broke": traceback.format_exc(limit=-6)}
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as answer:
            json.dump(found, answer)
    finally:
        os._exit(0)


def _read(descriptor: int, ends: float) -> bytes:
    content = bytearray()
    while (left := ends - time.monotonic()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                return bytes(content)
            content += piece
    return b""
