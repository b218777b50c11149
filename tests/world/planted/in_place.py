"""Letting a planted bug live where everything is loaded already: the code of the functions that it changes is replaced.

That costs a quarter of loading the project anew, but is not possible for every bug: what a module or a class does while it is
loaded has been done. Such a bug is refused here, and so is one whose function nobody has.
"""

import functools
import gc
import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType

from tests.world.planted.bug import REPOSITORY

_OWN = ("batch", "jobs", "schemas")
_Change = tuple[CodeType, CodeType]


class _CannotBeReplacedError(Exception):
    """The bug changes more than the inside of functions."""


def replaced_in_place(file: str, text: str) -> bool:
    """Give the functions of this file the code that this text has for them; whether that could be done, all of it or nothing.

    Whatever the product has kept of earlier answers is forgotten. Only for a process that will end with it.
    """
    module = sys.modules.get(file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    if module is None or module.__file__ is None:
        return False
    before = compile((REPOSITORY / file).read_text(encoding="utf-8"), module.__file__, "exec")
    try:
        changes = list(_changes(before, compile(text, module.__file__, "exec")))
        alive = _everything()
        functions = [each for each in alive if type(each) is FunctionType and each.__code__.co_filename == module.__file__]
        found = [(function, after) for old, after in changes for function in _living(functions, old)]
    except _CannotBeReplacedError:
        return False
    for function, code in found:
        function.__code__ = code
    for each in alive:
        if isinstance(each, functools._lru_cache_wrapper) and str(each.__module__).partition(".")[0] in _OWN:
            each.cache_clear()
    return bool(found)


def _everything() -> list[object]:
    """All objects, those as well that were frozen before the fork, and are again."""
    gc.disable()
    gc.unfreeze()
    alive = gc.get_objects()
    gc.freeze()
    gc.enable()
    return alive


def _changes(before: CodeType, after: CodeType) -> Iterator[_Change]:
    """The functions whose code differs, each with the other code. What is no function may differ in nothing else."""
    if _shape(before) != _shape(after):
        raise _CannotBeReplacedError
    for old, new in zip(_inner(before), _inner(after), strict=True):
        if not old.co_flags & inspect.CO_OPTIMIZED:
            yield from _changes(old, new)
        elif _likeness(old) != _likeness(new):
            if _signature(old) != _signature(new):
                raise _CannotBeReplacedError
            yield old, new


def _living(functions: list[FunctionType], code: CodeType) -> list[FunctionType]:
    """Who has this code. Nobody may have code from inside it: it would stay as it is."""
    inside = f"{code.co_qualname}.<locals>."
    if any(function.__code__.co_qualname.startswith(inside) for function in functions):
        raise _CannotBeReplacedError
    found = [
        function
        for function in functions
        if (function.__code__.co_qualname, function.__code__.co_firstlineno) == (code.co_qualname, code.co_firstlineno)
    ]
    if not found:
        raise _CannotBeReplacedError
    return found


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _signature(code: CodeType) -> tuple[object, ...]:
    """What the function's owner must not see changed."""
    arguments = code.co_argcount + code.co_kwonlyargcount
    return (
        code.co_qualname,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_varnames[:arguments],
        code.co_freevars,
        code.co_flags,
    )


def _shape(code: CodeType) -> tuple[object, ...]:
    """All of it but its lines, and of what is inside only the names."""
    constants = [(type(each), each.co_qualname if isinstance(each, CodeType) else repr(each)) for each in code.co_consts]
    return (*_signature(code), code.co_code, code.co_names, code.co_varnames, code.co_cellvars, constants)


def _likeness(code: CodeType) -> tuple[object, ...]:
    """All of it but its lines, and of what is inside as well."""
    return (*_shape(code), [_likeness(each) for each in _inner(code)])
