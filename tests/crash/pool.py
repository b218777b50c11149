"""Two workers, each with a world of its own, that share out the cases."""

import json
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Condition
from typing import Any, Self

from tests.crash.crossings import REPOSITORY
from tests.crash.world import Case, Verdict, from_json

WORKERS = 2


@dataclass(frozen=True)
class Beginning:
    """What a world found out as it was prepared, by scenario and job: the points, and how many milliseconds a run takes."""

    labels: dict[str, list[list[str]]]
    durations_ms: dict[str, list[int]]


class Worker:
    """One worker process, which prepares a world of its own before it answers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._log = (folder / "worker.log").open("wb")
        command = [sys.executable, "-m", "tests.crash.worker", str(folder)]
        self._program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, cwd=REPOSITORY
        )
        self._log_path = folder / "worker.log"

    def begins(self) -> Beginning:
        """What it says first. Waits until its world stands."""
        return Beginning(**self._line())

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Have one case run."""
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(question) + "\n")
        self._program.stdin.flush()
        return self._line()

    def close(self) -> None:
        """End the process."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait(timeout=60)
        self._program.stdout.close()
        self._log.close()

    def _line(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, f"the worker ended: {self._log_path.read_text(encoding='utf-8')[-3000:]}"
        found: dict[str, Any] = json.loads(line)
        return found


class Pool:
    """The workers together. Every case goes to whoever is free; a case may ask for more cases.

    `labels` and `durations_ms` are the points and the length of each job, by scenario. The runs have this `bug`, if any.
    """

    def __init__(self, folder: Path, bug: str = "") -> None:
        self._workers = [Worker(folder / f"worker{number}") for number in range(WORKERS)]
        try:
            first, *others = [worker.begins() for worker in self._workers]
            self.labels, self.durations_ms = first.labels, first.durations_ms
            self.agree = all(other.labels == self.labels for other in others)
            if bug:
                self.plant(bug)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Nothing more: the workers run already."""
        return self

    def __exit__(self, *failure: object) -> None:
        """End the workers."""
        self.close()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.close()

    def plant(self, bug: str, *scenarios: str) -> None:
        """Let the runs of all workers have this bug from now on, or none; the points of these scenarios, or all, are anew."""
        question = {"bug": bug, **({"scenarios": scenarios} if scenarios else {})}
        with ThreadPoolExecutor(max_workers=len(self._workers)) as threads:
            found = list(threads.map(lambda worker: Beginning(**worker.ask(question)), self._workers))
        self.labels, self.durations_ms = found[0].labels, found[0].durations_ms

    def ask_one(self, question: dict[str, Any]) -> dict[str, Any]:
        """Have the first worker answer."""
        return self._workers[0].ask(question)

    def ask_all(self, questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have the workers answer all of these, each an equal share; the answers in the order of the questions."""
        count = len(self._workers)

        def serve(number: int) -> list[dict[str, Any]]:
            return [self._workers[number].ask(question) for question in questions[number::count]]

        answers: list[dict[str, Any]] = [{}] * len(questions)
        with ThreadPoolExecutor(max_workers=count) as threads:
            for number, share in enumerate(threads.map(serve, range(count))):
                answers[number::count] = share
        return answers

    def try_all(self, cases: Sequence[Case]) -> list[Verdict]:
        """Run these cases and whatever they ask for; the verdicts in the order in which they came."""
        share = _Share(cases)
        with ThreadPoolExecutor(max_workers=len(self._workers)) as threads:
            for served in [threads.submit(share.serve, worker) for worker in self._workers]:
                served.result()
        return share.verdicts


class _Share:
    """The cases that wait, those under way, and the verdicts so far; shared by the threads that feed the workers."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.verdicts: list[Verdict] = []
        self._waiting = deque(cases)
        self._busy = 0
        self._news = Condition()

    def serve(self, worker: Worker) -> None:
        """Give this worker one case after the other, until none waits and none can come."""
        while (case := self._next()) is not None:
            more: list[Case] = []
            try:
                verdict = from_json(worker.ask(asdict(case)))
                more = verdict.more
                self.verdicts.append(verdict)
            finally:
                with self._news:
                    self._busy -= 1
                    self._waiting.extend(more)
                    self._news.notify_all()

    def _next(self) -> Case | None:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._busy == 0)
            if not self._waiting:
                return None
            self._busy += 1
            return self._waiting.popleft()
