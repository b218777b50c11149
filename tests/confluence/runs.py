"""Running kits in every order of arrival, comparing where they end, and saying which two orders disagree."""

import gc
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from batch.reading_again import READ_AGAIN_AFTER
from tests.confluence.bench import Bench, End, Memory
from tests.confluence.kit import Kit
from tests.confluence.rebuild import rebuild, shuffled, states
from tests.confluence.replay import replay, stored_evidence, uncited
from tests.confluence.stories import EIGHTS, KITS
from tests.confluence.wording import file_refused
from tests.in_memory import in_memory


@dataclass(slots=True)
class Verdict:
    """What came of some orders of arrival of one kit: how many were run, how many replayed, and each kind of disagreement."""

    kit: str
    arrivals: int = 0
    repeated: int = 0
    replayed: int = 0
    steps: int = 0
    violations: dict[str, str] = field(default_factory=dict)
    """The first case of each kind of disagreement, as a sentence."""

    ends: set[End] = field(default_factory=set)
    """Every end that was reached."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many orders of arrival disagree in this way."""

    def add(self, kind: str, sentence: str) -> None:
        """One more case."""
        self.counts[kind] += 1
        self.violations.setdefault(kind, sentence)

    def sentences(self) -> list[str]:
        """Each kind with its first case and how often it was met."""
        return [f"{self.kit}: {words} [{self.counts[kind]} of {self.arrivals}]" for kind, words in self.violations.items()]


@contextmanager
def bench_of(kit: Kit) -> Iterator[Bench]:
    """A ledger in which the kit's orders have been sent, in memory where the machine has a folder for that."""
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder:
        bench = Bench(Path(folder) / "ledger.db")
        try:
            bench.prepare(kit.shape, file_refused("refused before") if kit.shape.claimed_again else None)
            yield bench
        finally:
            bench.close()


def run_kit(kit: Kit, arrivals: Iterable[Sequence[int]], *, replay_every: int = 12) -> Verdict:
    """Run these orders of arrival, sorted ones share their beginnings, and compare every end with the first one.

    Every n-th is replayed from its evidence as well.
    """
    verdict = Verdict(kit.name)
    with bench_of(kit) as bench, closing(Shelf(bench)) as shelf:
        was: Sequence[int] = ()
        first: tuple[Sequence[int], End] | None = None
        for arrival in arrivals:
            shared = _shared(was, arrival)
            shelf.take(shared)
            for depth in range(shared, len(arrival)):
                bench.arrive(kit.messages[arrival[depth]])
                shelf.put(depth + 1)
            verdict.steps += len(arrival) - shared
            was = arrival
            end = _settled(kit, bench)
            first = first or (arrival, end)
            _judge(kit, verdict, first, arrival, end)
            _judge_record(kit, verdict, bench, arrival)
            if verdict.arrivals % replay_every == 0:
                _judge_replay(kit, verdict, bench, shelf, arrival, end)
            verdict.arrivals += 1
            verdict.repeated += len(arrival) > len(kit.messages)
    return verdict


def explore_kit(kit: Kit) -> Verdict:
    """Compare the ends of every order of arrival, going on only once from where two beginnings left everything alike.

    Alike is what `Bench.situation` says: whatever the product can read. Every end that is reached is replayed.
    """
    verdict = Verdict(kit.name)
    known: dict[object, list[tuple[tuple[int, ...], End]]] = {}

    def ends_from(before: tuple[int, ...]) -> list[tuple[tuple[int, ...], End]]:
        situation = (frozenset(before), bench.situation())
        if situation in known:
            return known[situation]
        found: list[tuple[tuple[int, ...], End]] = []
        if len(before) == len(kit.messages):
            end = _settled(kit, bench)
            _judge_record(kit, verdict, bench, before)
            _judge_replay(kit, verdict, bench, shelf, before, end)
            found.append(((), end))
        for index in range(len(kit.messages)):
            if index not in before and kit.may_follow(before, index):
                shelf.take(len(before))
                bench.arrive(kit.messages[index])
                shelf.put(len(before) + 1)
                verdict.steps += 1
                found += [((index, *rest), end) for rest, end in ends_from((*before, index))]
        known[situation] = found
        return found

    with bench_of(kit) as bench, closing(Shelf(bench)) as shelf:
        every = ends_from(())
    for arrival, end in every:
        _judge(kit, verdict, every[0], arrival, end)
    verdict.arrivals = len(every)
    return verdict


class Shelf:
    """A ledger's moments by how many messages had arrived."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._moments: list[Memory] = []
        self.put(0)

    def put(self, arrived: int) -> None:
        """Keep this moment in place of the last one of that many messages."""
        if arrived == len(self._moments):
            self._moments.append(self._bench.remember(sqlite3.connect(":memory:")))
        else:
            self._moments[arrived] = self._bench.remember(self._moments[arrived][0])

    def take(self, arrived: int) -> Memory:
        """Go back to the last moment of that many messages."""
        self._bench.go_back(self._moments[arrived])
        return self._moments[arrived]

    def close(self) -> None:
        """Let them all go."""
        for memory in self._moments:
            memory[0].close()


def _settled(kit: Kit, bench: Bench) -> End:
    """Where it ends, once an unreadable file has lain there long enough to be set aside, and known ones were read again."""
    if bench.has_unread():
        bench.wait()
    if bench.overlooks():
        bench.wait(READ_AGAIN_AFTER)
    return normal(kit, bench.end())


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def normal(kit: Kit, end: End) -> End:
    """What must not depend on the order of arrival; where two orders of arrival are two stories, the difference is left out.

    * The word that the row shows is the provider's last one. When answers come from several copies, which one is last is
      the order of arrival itself; so is whether the last one was understood, which closes an `unknown_status` item. Of an
      order under review two words contradict each other, and which of them was the last is the order of arrival too.
    * Two final answers that disagree are told as `late_completion` where the order had been released in between, as
      `double_charge` where the merchant has taken it since, and as `contradiction` where it had not: one kind here.
    """
    items = {("contradiction" if kind in _DISAGREE else kind, subject) for kind, subject in end.items}
    if kit.copies:
        items = {(kind, subject) for kind, subject in items if kind != "unknown_status"}
        states = tuple((*row[:4], None, *row[5:]) for row in end.states)
        rows = tuple((*row[:5], None) for row in end.rows)
        end = replace(end, states=states, rows=rows)
    reviewed = {row[0] for row in end.states if row[2] == "review"}
    return replace(
        end,
        states=tuple((*row[:4], None, *row[5:]) if row[0] in reviewed else row for row in end.states),
        rows=tuple((*row[:5], None) if row[0] in reviewed else row for row in end.rows),
        items=tuple(sorted(items)),
    )


_DISAGREE = ("contradiction", "late_completion", "double_charge")


def _judge(kit: Kit, verdict: Verdict, first: tuple[Sequence[int], End], arrival: Sequence[int], end: End) -> None:
    verdict.ends.add(end)
    if end != first[1]:
        for kind, one, other in differences(first[1], end):
            words = f"{kind}: {one} after ({kit.told(first[0])}), but {other} after ({kit.told(arrival)})"
            verdict.add(f"{kind} {one} {other}", words)
    states = {str(row[0]): str(row[2]) for row in end.states} | dict(end.steps)
    for order_id, wanted in kit.ends:
        if wanted and states[order_id] != wanted:
            words = f"{order_id} ends as {states[order_id]}, not {wanted}, after ({kit.told(arrival)})"
            verdict.add(f"ends {order_id} {states[order_id]}", words)


def _judge_record(kit: Kit, verdict: Verdict, bench: Bench, arrival: Sequence[int]) -> None:
    """Every message was heard, and what follows from the provider's words cites them."""
    for index in set(arrival):
        if kit.messages[index].content not in bench.provider.heard:
            verdict.add(f"unheard {index}", f"{kit.messages[index].label!r} was never heard in ({kit.told(arrival)})")
    for sentence in uncited(bench):
        verdict.add(f"uncited {sentence[:30]}", f"{sentence} after ({kit.told(arrival)})")


def differences(one: End, other: End) -> Iterator[tuple[str, object, object]]:
    """What differs between two ends: which part, and how each has it."""
    names = ("order", "attempt", "state", "provider id", "provider status", "amount", "currency", "recovered")
    for mine, theirs in zip(one.states, other.states, strict=True):
        for name, value, another in zip(names, mine, theirs, strict=True):
            if value != another:
                yield f"{name} of {mine[0]}", value, another
    columns = ("order", "status", "hold", "hold until", "provider id", "provider status")
    for mine, theirs in zip(one.rows, other.rows, strict=True):
        for name, value, another in zip(columns, mine, theirs, strict=True):
            if value != another:
                yield f"row's {name} of {mine[0]}", value, another
    if one.items != other.items:
        both = set(one.items) & set(other.items)
        yield "open items", sorted(set(one.items) - both), sorted(set(other.items) - both)
    if one.steps != other.steps:
        yield "file steps", one.steps, other.steps


def _judge_replay(kit: Kit, verdict: Verdict, bench: Bench, shelf: Shelf, arrival: Sequence[int], end: End) -> None:
    """The same evidence, heard by a ledger that knows only what we did, ends in the same states.

    It is heard in the order of storing, and once more in any order, some pieces twice (I7).
    """
    evidence, was = stored_evidence(bench), states(bench)
    shelf.take(0)
    replay(bench, evidence)
    verdict.replayed += 1
    for kind, one, other in differences(end, _settled(kit, bench)):
        if kind.startswith("state"):
            words = f"{kind} is {one} after ({kit.told(arrival)}), but its evidence replayed gives {other}"
            verdict.add(f"replay {kind} {one} {other}", words)
    shelf.take(0)
    chance = random.Random(f"{kit.name}:{tuple(arrival)}")  # noqa: S311 - the order of arrival decides, nothing is secret
    heard = shuffled(evidence, chance, keeps_time=not kit.copies)
    now = rebuild(bench, heard)
    for claim in (each for each in was if was[each] != now.get(each)):
        pieces = ", ".join(str(evidence.index(piece)) for piece in heard)
        words = f"{claim} is {was[claim]} after ({kit.told(arrival)}), but {now.get(claim)} from its evidence in order {pieces}"
        verdict.add(f"rebuilt {claim} {was[claim]} {now.get(claim)}", words)


Case = tuple[str, str, int, int]
"""A kit's name, how its orders of arrival are made, how many, and the seed."""

EXPLORED, SOME, TWICE, SAMPLED = "every order", "some orders", "orders with repetitions", "sampled orders of eight"


def run_case(case: Case) -> Verdict:
    """One kit in the orders of arrival that the case names."""
    name, manner, count, seed = case
    kit = next(kit for kit in (*KITS, *EIGHTS) if kit.name == name)
    chance = random.Random(f"{name}:{manner}:{seed}")  # noqa: S311 - a seed decides, nothing is secret
    gc.disable()
    try:
        if manner == EXPLORED:
            return explore_kit(kit)
        if manner == SOME:
            return run_kit(kit, sorted(chance.sample(list(kit.arrivals()), count)))
        arrivals = kit.sampled(count, chance, twice=manner == TWICE)
        return run_kit(kit, chain([next(kit.arrivals())], arrivals) if manner == TWICE else arrivals)
    finally:
        gc.enable()
