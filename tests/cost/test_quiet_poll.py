"""A poll that finds nothing new leaves everything as it is, and costs next to nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy import event as listening

from batch.report_figures import ReportFigures
from jobs.report import drawing
from jobs.report.page import page
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.cost.quiet_poll import counting


@pytest.fixture
def merchant(tmp_path: Path) -> Iterator[MerchantFolder]:
    """A merchant before the first night."""
    with merchant_folder(tmp_path / "merchant") as found:
        yield found


def test_only_nights_judge_and_a_quiet_poll_draws_nothing(
    merchant: MerchantFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the real program no job but the night writes verdicts, and a poll that finds nothing new draws nothing and commits
    twice: it takes the lease, and ends.
    """
    judged: list[str] = []
    drawn: list[bool] = []

    def looked(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT INTO decision", "DELETE FROM decision", "UPDATE decision")):
            judged.append(statement)

    def counted(figures: ReportFigures) -> bytes:
        drawn.append(True)
        return page(figures)

    monkeypatch.setattr(drawing, "_page", counted)
    listening.listen(Engine, "before_cursor_execute", looked)
    try:
        merchant.run("--quiet nightly")
        assert judged
        judged.clear()
        merchant.run("--quiet poll")  # which may hear of what the provider made of the orders meanwhile
        drawn.clear()
        for words in ("poll", "transmit", "poll --all", "reconcile", "poll"):
            merchant.run(f"--quiet {words}")
    finally:
        listening.remove(Engine, "before_cursor_execute", looked)
    assert judged == []
    (lies,) = (merchant.folder / "var" / "audit").glob("*/report.html")
    assert merchant.run(f"report --out {tmp_path / 'again.html'}") == 0
    assert (tmp_path / "again.html").read_bytes() == lies.read_bytes()
    drawn.clear()
    with counting() as found:
        merchant.run("--quiet poll")
    assert (drawn, found["commit"]) == ([], 2)
