"""Statements compiled once for the whole process, although every run of the product opens databases of its own."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.util import LRUCache


class _OfEveryEngine(LRUCache[Any, Any]):
    """What SQLite engines have compiled, by dialect, not by each engine's own object of it.

    SQLAlchemy keeps with each engine what it has compiled, under the dialect's object and all that decides the statement's
    text. Between dialects of one type nothing else differs here, so the text is the same.
    """

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401 - as LRUCache has it
        """What was compiled from this, on whichever engine."""
        return super().get(_by_type(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401 - as LRUCache has it
        super().__setitem__(_by_type(key), value)


def _by_type(key: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    return (type(key[0]), *key[1:])


_COMPILED = _OfEveryEngine(2000)


def _found(engine: Engine) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    return _COMPILED if engine.dialect.name == "sqlite" else engine.__dict__["_compiled_cache"]


def _kept(engine: Engine, cache: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
    engine.__dict__["_compiled_cache"] = cache


def share_compiled_statements() -> None:
    """From now on every SQLite engine of this process finds what others have compiled: a third of a short night's work."""
    Engine._compiled_cache = property(_found, _kept)  # type: ignore[assignment]
