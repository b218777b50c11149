"""The rest of the night after a power cut: the next runs of the product, on the disk that survived, with the same provider."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.crash.crossings import Crossings
from tests.crash.merchant import RetryEngine
from tests.crash.picture import Picture, take_picture
from tests.crash.provider import START
from tests.crash.runs import Child, Job
from tests.crash.verdicts import Charge, charged_first, judge_copies, judge_night, judge_release
from tests.power.story import HOURS_LATER, Cut, Story, put_files

STALE = 1200
"""Seconds after which a token in a part is too old (it lives 600)."""


class Continued:
    """One merchant after one cut. `engine`: in-house retry runs before the next run does.

    `later`: where a part waits, the next run comes when its token is too old. Without a part nothing would be older but
    the claim, and with it every expiry.
    """

    def __init__(self, story: Story, cut: Cut, *, later: bool, engine: bool) -> None:
        self._story, self._cut, self._eager = story, cut, engine
        self._received = story.received(cut.chapter, cut.moment)
        waits = any(name.endswith(".part") for name in self._received.inbound)
        self._provider, self._folder = story.provider, story.folder
        self._engine = RetryEngine(self._folder / "orders.db")
        self._charges: list[Charge] = []
        self._found: list[str] = []
        self._seconds = cut.chapter.seconds + (STALE if later and waits else 0)

    def judge(self) -> list[str]:
        """Go on to the end; the violations."""
        put_files(self._folder, self._cut.image)
        self._provider.restore(self._received.taken, self._received.inbound, self._seconds)
        if self._eager:
            self._charge()
        self._run("transmit" if self._story.name == "copies" else "nightly")
        self._pass(HOURS_LATER)
        if self._story.name == "rescues":
            self._run("poll")
        picture = self._picture()
        self._found += self._verdict(picture) + _exports(self._folder, picture)
        if not charged_first(picture, self._charges):
            charged = set(self._engine.charged)
            self._found += _differences(self._story.end.essence(charged), picture.essence(charged))
        self._charge()
        picture = self._picture()
        again = [*self._verdict(picture), *(judge_release(picture) if self._story.name == "rescues" else [])]
        return [*self._found, *(words for words in again if words not in self._found)]

    def _verdict(self, picture: Picture) -> list[str]:
        judge = judge_copies if self._story.name == "copies" else judge_night
        return judge(picture, self._charges)

    def _run(self, name: str) -> None:
        job = Job(name, START + timedelta(seconds=self._seconds), everything=name == "poll")
        ending = Child(Crossings(), self._folder / "mitbatch.toml", job).ending()
        expected = 10 if ending.new_items else 0
        if ending.code != expected:
            self._found.append(f"I20: {name} ended with {ending.code}, not {expected}: {ending.problems}")
        if not ending.balanced:
            self._found.append(f"I5: {name} says that the books do not balance")

    def _pass(self, seconds: int) -> None:
        self._provider.advance(seconds)
        self._seconds += seconds

    def _charge(self) -> None:
        """The merchant's own retry charges what it may; noted is what the provider knew then."""
        if self._story.name == "copies":
            return
        charged = self._engine.run()
        record = self._provider.record()
        said = {row["order_id"]: str(row["status"]) for row in record["orders"]}
        end = max((row["n"] for row in record["journal"]), default=0)
        self._charges += [Charge(order_id, said.get(order_id, ""), end) for order_id in charged]

    def _picture(self) -> Picture:
        return take_picture(self._folder, self._provider.record())


def _differences(expected: dict[str, Any], ended: dict[str, Any]) -> list[str]:
    """I9, briefly: the first lines that only one of the two has."""
    found = []
    for name in expected:
        ours, theirs = ({str(line) for line in _lines(side[name])} for side in (ended, expected))
        if ended[name] != expected[name]:
            more, less = sorted(ours - theirs)[:2], sorted(theirs - ours)[:2]
            found.append(f"I9: {name} differs from the uncut run: {str(more)[:400]} instead of {str(less)[:400]}")
    return found


def _lines(side: Any) -> list[Any]:  # noqa: ANN401 - a book of any shape
    if not isinstance(side, dict):
        return list(side)
    return [(key, line) for key, value in side.items() for line in (value if isinstance(value, list) else [value])]


def _exports(folder: Path, picture: Picture) -> list[str]:
    """The CSV of every file that the provider took is kept, with one line for each row."""
    found = []
    for batch in picture.batches:
        if batch["step"] in {"empty", "claimed"}:
            continue
        name = f"{batch['kind']}_{batch['batch_id']}.csv"
        path = folder / "var" / "export" / batch["business_date"] / name
        if not path.is_file():
            found.append(f"I5: the exported CSV {name} is lost, and the provider has the file")
        else:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                rows = sum(1 for _ in csv.DictReader(stream))
            if rows != batch["row_count"]:
                found.append(f"I5: the exported CSV {name} has {rows} rows of {batch['row_count']}")
    return found
