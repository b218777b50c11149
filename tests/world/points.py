"""Labelled points: every place at which a run touches its world, counted, and what happens there by plan."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.world.witness import Witness

Moment = Literal["before", "asked", "after"]


class PowerCut(BaseException):
    """The process that runs dies here. Nothing of it happens any more."""


class Points:
    """The points that a world has crossed. `plan` says what to do at the n-th crossing of all, `watchers` see each label.

    `witness` sees what is sent.
    """

    witness: "Witness"

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.plan: dict[int, list[Callable[[], None]]] = {}
        self.watchers: list[Callable[[str], None]] = []
        self.is_dead = False
        self._inside = False

    def cross(self, what: str, moment: Moment) -> None:
        """The run has come to a point. Raises PowerCut where the plan says so, and ever after, until a new run begins."""
        if self.is_dead:
            raise PowerCut
        if self._inside:
            return  # what the plan itself does touches the world, and is no point of the run
        label = f"{moment} {what}"
        self.labels.append(label)
        if not self.plan and not self.watchers:
            return
        self._inside = True
        try:
            for act in self.plan.pop(len(self.labels), []):
                act()
            for watcher in self.watchers:
                watcher(label)
        finally:
            self._inside = False
        if self.is_dead:
            raise PowerCut

    def die(self) -> None:
        """Let the process that runs die at this point."""
        self.is_dead = True

    def revive(self) -> None:
        """A new process begins."""
        self.is_dead = False
