"""The sheet on which a round writes what it saw: one verdict an item, with its evidence.

A mistake of our own fails the item that it struck, whose sentence names the trace, and nothing else: the round goes on, its
pack is written, and it ends with 70.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.certification import Shown, Verdict
from schemas.errors import InternalError, MitbatchError, Stopped

if TYPE_CHECKING:
    from jobs.certify.bench import Bench


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at both sides saw: whether it is right, one sentence, and if it is not, what to change."""

    is_right: bool
    sentence: str
    change: str = ""


Look = Callable[[], Seen]


class NotShown(Exception):
    """A look stopped before it came to what it was for; `seen` says why."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(seen.sentence)
        self.seen = seen


class Sheet:
    """Verdicts by item, in the order in which they came; `mistakes` are the internal errors among what was met."""

    def __init__(self) -> None:
        self.shown: dict[str, Shown] = {}
        self.mistakes: list[InternalError] = []

    def show(self, item: str, bench: "Bench", orders: Sequence[str], look: Look, *, needs: Iterable[str] = ()) -> bool:
        """Judge one item by what `look` does and sees. An item that others failed before is not reached: it says so.

        Whatever the pipeline refuses on the way fails the item with its own sentence. Returns whether it passed.
        """
        bench.around.stop.check()
        missing = [need for need in needs if not self.is_shown(need)]
        if missing:
            self.write(item, Verdict.NOT_APPLICABLE, f"Not reached, because {missing[0]} was not shown.")
            return False
        marks, before = bench.marks(), bench.standing(orders)
        try:
            seen = look()
        except NotShown as early:
            seen = early.seen
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake in one look must not cost the verdicts of the others
            seen = self._broken_off(bench, error)
        sentence = seen.sentence if seen.is_right else f"{seen.sentence} {bench.trouble_since(marks)}".strip()
        verdict = Verdict.PASSED if seen.is_right else Verdict.FAILED
        evidence = bench.evidence(marks, tuple(orders), before)
        change = "" if seen.is_right else seen.change
        self.shown[item] = Shown(item, verdict, sentence, change, bench.clock.now(), evidence)
        return seen.is_right

    def go_on_after(self, items: Iterable[str], bench: "Bench", error: Exception) -> None:
        """Fail what a group has not come to, because something broke off between its items."""
        seen = self._broken_off(bench, error)
        for item in items:
            if item not in self.shown:
                self.write(item, Verdict.FAILED, seen.sentence, seen.change)

    def _broken_off(self, bench: "Bench", error: Exception) -> Seen:
        problem = error if isinstance(error, MitbatchError) else bench.mistake(error)
        if isinstance(problem, InternalError):
            self.mistakes.append(problem)
        return Seen(is_right=False, sentence=problem.what, change=problem.next_step or f"See: mitbatch explain {problem.code}")

    def is_shown(self, item: str) -> bool:
        """Whether an item has passed."""
        found = self.shown.get(item)
        return found is not None and found.verdict is Verdict.PASSED

    def write(self, item: str, verdict: Verdict, sentence: str, change: str = "") -> None:
        """Write a verdict that needs no look."""
        self.shown[item] = Shown(item, verdict, sentence, change)
