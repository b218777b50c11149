"""Faults by name: what can go wrong on purpose, and the switchboard that says when.

A fault is a small function with the fault's name and one sentence. It is registered for a point in a conversation
("rename.before", "api.after", ...) and changes the call that it is given there.
"""

import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Call:
    """One thing that a client asked for. `where` names the operation or route; `after` is the fault's figure."""

    where: str = ""
    after: int | None = None


@dataclass(frozen=True)
class Fault:
    """A named way to misbehave at one point; `wants` says whether this very call is the right one."""

    name: str
    point: str
    sentence: str
    effect: Callable[..., object]
    wants: Callable[..., bool]


@dataclass
class _Armed:
    times: int
    skip: int
    after: int | None
    where: str | None


CATALOGUE: dict[str, Fault] = {}


def _always(call: Call) -> bool:
    return True


def fault(point: str, wants: Callable[..., bool] = _always) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register the decorated function as the fault of its own name."""

    def register(effect: Callable[..., object]) -> Callable[..., object]:
        name = effect.__name__
        CATALOGUE[name] = Fault(name, point, inspect.getdoc(effect) or "", effect, wants)
        return effect

    return register


@dataclass
class Faults:
    """The switchboard: which faults are on, how often they still strike, and how often they have. Thread-safe."""

    _armed: dict[str, _Armed] = field(default_factory=dict)
    _fired: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def switch_on(self, name: str, times: int = 1, skip: int = 0, after: int | None = None, where: str | None = None) -> None:
        """Let `name` strike `times` times, once `skip` matching calls have passed.

        `after` is the fault's own figure (a byte count, a row number); `where` limits it to one operation or route.
        Raises `KeyError` for a name that is not in the catalogue.
        """
        if name not in CATALOGUE:
            message = f"no fault is called {name!r}; there are {', '.join(sorted(CATALOGUE))}"
            raise KeyError(message)
        with self._lock:
            self._armed[name] = _Armed(times, skip, after, where)

    def switch_off(self, name: str) -> None:
        """Let `name` strike no more; what it has done stays counted."""
        with self._lock:
            self._armed.pop(name, None)

    def fired(self, name: str) -> int:
        """How often `name` has struck."""
        with self._lock:
            return self._fired.get(name, 0)

    def clear(self) -> None:
        """Switch everything off and forget the counts."""
        with self._lock:
            self._armed.clear()
            self._fired.clear()

    def listing(self) -> list[dict[str, object]]:
        """Every fault with its sentence, how often it will strike, and how often it has."""
        with self._lock:
            return [
                {
                    "name": name,
                    "point": known.point,
                    "what": known.sentence,
                    "left": self._armed[name].times if name in self._armed else 0,
                    "fired": self._fired.get(name, 0),
                }
                for name, known in sorted(CATALOGUE.items())
            ]

    async def strike(self, point: str, call: Call) -> None:
        """Do what is due at this point; a fault may wait or raise."""
        for due in self._due(point, call):
            outcome = due.effect(call)
            if inspect.isawaitable(outcome):
                await outcome

    def strike_now(self, point: str, call: Call) -> None:
        """Do what is due at a point where nothing can wait."""
        for due in self._due(point, call):
            due.effect(call)

    def _due(self, point: str, call: Call) -> Iterator[Fault]:
        for name in list(self._armed):
            known = CATALOGUE[name]
            if known.point == point and self._is_due(known, call):
                yield known

    def _is_due(self, known: Fault, call: Call) -> bool:
        with self._lock:
            armed = self._armed.get(known.name)
            if armed is None or armed.where not in (None, call.where):
                return False
            call.after = armed.after
            if not known.wants(call):
                return False
            if armed.skip > 0:
                armed.skip -= 1
                return False
            if armed.times <= 0:
                return False
            armed.times -= 1
            self._fired[known.name] = self._fired.get(known.name, 0) + 1
            return True
