"""A mistake of our own in a round: the item that it struck fails, the others keep their verdicts, and its trace is kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobs.certify import mit_api
from jobs.certify.bench import Bench
from jobs.certify.command import run_certify
from jobs.output import Options
from schemas.certification import Verdict
from schemas.errors import EXIT_MEANINGS, ExitCode
from tests.certify.breaks import group_of
from tests.certify.merchant import Broken, Merchant, only


def raises(*_arguments: object) -> Any:  # noqa: ANN401 - it never returns
    """A mistake, whose words repeat a row."""
    raise KeyError("a customer's own row")


def trace_named(seen: str) -> Path:
    """The file that an item's sentence names."""
    found = re.search(r"the trace is in (\S+\.log)", seen)
    assert found is not None, seen
    return Path(found.group(1))


def test_a_mistake_in_a_look_fails_its_item_and_ends_with_70(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pack is written with every other verdict, the page says whose mistake it was, and the trace lies in the log."""
    monkeypatch.setattr(mit_api, "success_is_shown", raises)
    options = Options(config=merchant.config, json=True, verbose=True, command="certify")
    code = run_certify(options, ["mit.api", "refund"], clock=merchant.clock, surroundings=merchant.around)
    out, err = capsys.readouterr()
    pack = json.loads(Path(json.loads(out)["pack"]).read_bytes())
    verdicts = {item["id"]: item["verdict"] for item in pack["items"]}
    struck = next(item for item in pack["items"] if item["verdict"] == "failed")

    assert (code, pack["exit_code"]) == (70, 70)
    assert [item for item, verdict in verdicts.items() if verdict != "passed"] == ["mit.api.success_shown", "mit.api.our_status"]
    assert struck["seen"].startswith("An internal error (KeyError) broke this off; the trace is in ")
    trace = trace_named(struck["seen"])
    assert (trace.parent, trace.stat().st_mode & 0o777) == (merchant.settings.data_dir / "log", 0o600)
    assert "test_mistakes.py" in trace.read_text()
    assert "a customer's own row" not in trace.read_text() + out + err
    assert trace.read_text() in err
    assert "an internal error: the item that it struck" in Path(json.loads(out)["page"]).read_text(encoding="utf-8")
    assert EXIT_MEANINGS[ExitCode.INTERNAL].startswith("internal error")


def test_the_trace_of_a_runs_own_mistake_outlives_the_scratch_folder(merchant: Merchant) -> None:
    """A run of the pipeline that breaks off ends with 70 in a folder that goes: its trace is kept, and named where it lies."""
    is_on = [False]

    def spoil(statement: str, _values: dict[str, Any]) -> None:
        if is_on[0] and statement.startswith("UPDATE") and "mitbatch_cert" in statement:
            raises()

    merchant.spoil(spoil)
    broken = Broken(lambda _: is_on.__setitem__(0, True), lambda _: is_on.__setitem__(0, False))
    failed = merchant.failed_when("mit.api.evaluate", broken, group_of("mit.api.evaluate"))

    assert failed == ["mit.api.evaluate"]
    found = merchant.rounds[-1]
    trace = trace_named(only(found, "mit.api.evaluate").seen)
    assert (trace.parent, trace.is_file()) == (merchant.settings.data_dir / "log", True)
    assert found.traces == (str(trace),)
    assert only(found, "mit.api.evaluate").seen.count("internal error") == 1


def test_a_mistake_between_two_items_costs_no_other_group(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its group has not come to fails with the trace; the groups before and after are shown."""
    evidence = Bench.evidence
    monkeypatch.setattr(Bench, "evidence", lambda self, *given: raises() if self.mode == "managed" else evidence(self, *given))
    found = merchant.certify("mit.api", "feature")

    assert {each.verdict for each in found.shown if each.item.startswith("mit.api")} == {Verdict.PASSED}
    features = [each for each in found.shown if each.item.startswith("feature")]
    assert {each.verdict for each in features} == {Verdict.FAILED}
    assert trace_named(features[0].seen).is_file()
    assert merchant.tables() == ["orders"]
