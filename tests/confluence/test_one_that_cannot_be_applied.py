"""What cannot be applied although it can be read: that order or file is set aside, and every other goes on (I15)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import IllegalTransition, SftpRefused
from tests.confluence.bench import Bench
from tests.confluence.kit import Shape
from tests.confluence.wording import accepted, acknowledged, says

REFUSAL = "a step that the states do not have"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Two orders of one file, which has arrived."""
    bench = Bench(tmp_path / "bench.db")
    bench.prepare(Shape(files=(("a", "b"),)))
    yield bench
    bench.close()


def refusing(monkeypatch: pytest.MonkeyPatch, name: str, concerns: Callable[..., bool]) -> None:
    """Let a function of the program meet a step that is not permitted, whenever its arguments concern the poison."""
    module, _, function = name.rpartition(".")
    original = getattr(__import__(module, fromlist=[function]), function)

    def poisoned(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the original takes
        if concerns(*given):
            raise IllegalTransition(REFUSAL)
        return original(*given, **named)

    monkeypatch.setattr(name, poisoned)


def states(bench: Bench) -> dict[str, str]:
    """Each order's state."""
    return {str(row[0]): str(row[2]) for row in bench.end().states}


def quarantined(bench: Bench) -> set[str]:
    """What items of the quarantine are about."""
    return {subject for kind, subject in bench.end().items if kind == "quarantine"}


def test_one_answer_that_cannot_be_applied_stops_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two answers of one page the good one is applied; the other's order stays as it is, with an item."""
    bench.arrive(acknowledged("accepted", *accepted("a", "b"), orders="ab"))
    refusing(monkeypatch, "batch.poll.hear", lambda _writing, _equipment, submission, _heard: submission.order_id == "a")
    bench.provider.send(says("a", 7, "COMPLETED"))
    bench.provider.send(says("b", 7, "COMPLETED"))
    bench.clock.advance(timedelta(hours=7))
    bench.visit()

    assert states(bench) == {"a": "pending", "b": "completed"}
    assert any("a" in subject for subject in quarantined(bench))


def test_a_file_that_cannot_be_applied_is_set_aside(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An acknowledgement whose rows meet a step that is not permitted changes nothing, and somebody is told."""
    refusing(monkeypatch, "batch.acknowledgements._apply", lambda *_: True)
    bench.arrive(acknowledged("accepted", *accepted("a", "b"), orders="ab"))

    assert states(bench) == {"a": "sending", "b": "sending"}
    assert len(quarantined(bench)) == 1


def test_a_file_that_the_server_refuses_to_give_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the listing that may not be read is told, and the others are read."""
    message = acknowledged("accepted", *accepted("a", "b"), orders="ab")
    fetch = bench.provider.fetch

    def refusing_one(name: str, limit: int) -> bytes | None:
        if name.endswith("_0_outcomes.json"):
            raise SftpRefused("no")
        return fetch(name, limit)

    monkeypatch.setattr(bench.provider, "fetch", refusing_one)
    bench.provider.files["outcomes_0_outcomes.json"] = b"{}"
    bench.arrive(message)

    assert states(bench) == {"a": "pending", "b": "pending"}


def test_a_found_order_that_cannot_be_applied_stops_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two orders that are searched for by our own id, one meets a step that is not permitted: the other goes on."""
    refusing(monkeypatch, "batch.search._search_one", lambda _equipment, _run, submission: submission.order_id == "a")
    bench.arrive(says("a", 7, "COMPLETED"))
    bench.arrive(says("b", 7, "COMPLETED"))

    assert states(bench)["a"] == "sending"
    assert states(bench)["b"] == "completed"
    assert any("a" in subject for subject in quarantined(bench))
