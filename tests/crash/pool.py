"""Two workers, each with a world of its own, that share out the cases."""

import json
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Condition
from typing import Any, Self

from tests.crash.crossings import REPOSITORY
from tests.crash.world import Case, Verdict, from_json

WORKERS = 2


class Worker:
    """One worker process. `labels` are its points, by scenario and job."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._log = (folder / "worker.log").open("wb")
        command = [sys.executable, "-m", "tests.crash.worker", str(folder)]
        self._program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, cwd=REPOSITORY
        )
        self._log_path = folder / "worker.log"

    def labels(self) -> dict[str, list[list[str]]]:
        """What it says first: its points. Waits until its world stands."""
        found: dict[str, list[list[str]]] = self._line()["labels"]
        return found

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
    """The workers together. Every case goes to whoever is free; a case may ask for more cases."""

    def __init__(self, folder: Path) -> None:
        self._workers = [Worker(folder / f"worker{number}") for number in range(WORKERS)]
        try:
            self.labels, *others = [worker.labels() for worker in self._workers]
        except BaseException:
            self.close()
            raise
        self.agree = all(other == self.labels for other in others)

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

    def ask_one(self, question: dict[str, Any]) -> dict[str, Any]:
        """Have the first worker answer."""
        return self._workers[0].ask(question)

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
