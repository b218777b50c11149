"""Alerts, recording rules and the Grafana file: only metrics and labels that exist, pages that exist, and alerts that ring."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import run
from jobs.serve import grafana
from schemas.metrics import METRICS
from tests.house.command_tree import command_paths

FOLDER = Path(grafana.__file__).parent
RULES = FOLDER / "alerts.yml"
TESTS = Path(__file__).parent / "alerts_test.yml"
SHIPPED = {
    *("NightMissed InDoubt Unacknowledged Overdue BalanceBroken AuditBroken HouseChargeDuringHold WriteBackStuck").split(),
    *("CandidatesOff ReviewOverdue WebhookBadSignature").split(),
}
"""Alerts that the merchant was promised."""


def samples() -> dict[str, set[str]]:
    """Every name under which Prometheus stores something of ours, with its labels."""
    found: dict[str, set[str]] = {}
    for metric in METRICS.values():
        labels = {"mid", *metric.labels}
        if metric.kind == "histogram":
            found |= {f"{metric.name}_bucket": labels | {"le"}, f"{metric.name}_sum": labels, f"{metric.name}_count": labels}
        else:
            found[metric.shown_as] = labels
    return found


def unknown(expressions: str, recorded: set[str]) -> list[str]:
    """Names and labels in expressions that are not ours."""
    ours, wrong = samples(), list[str]()
    for name, braces in re.findall(r"\b(mitbatch[_:][a-z0-9_:]+)(?:\{([^}]*)\})?", expressions):
        if name not in ours and name not in recorded:
            wrong.append(name)
        labels = re.findall(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"', braces)
        wrong += [f"{name}{{{label}}}" for label in labels if label not in ours.get(name, set())]
    by = {word for words in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expressions) for word in re.findall(r"\w+", words)}
    return [*wrong, *sorted(by - {label for labels in ours.values() for label in labels})]


def promtool() -> str:
    """Where promtool is; without it the test is skipped (Debian: apt-get install prometheus)."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed")
    return found


def test_rules_use_only_what_exists() -> None:
    """Every name and label in alerts.yml is in the list of metrics, or is recorded by the file itself."""
    text = RULES.read_text()
    recorded = set(re.findall(r"record: (\S+)", text))

    assert recorded == {"mitbatch:recovery_ratio_amount:cohort21d", "mitbatch:skipped_ratio:1d", "mitbatch:candidates:1d"}
    assert unknown(text.replace("mitbatch-recording", ""), recorded) == []


def test_an_unknown_name_or_label_is_found() -> None:
    """The comparison itself sees a misspelt metric, a label that a metric does not have, and a sum by nothing of ours."""
    assert unknown('mitbatch_order{site="x"} > 0', set()) == ["mitbatch_order", "mitbatch_order{site}"]
    assert unknown('mitbatch_balance_ok{site="x"}', set()) == ["mitbatch_balance_ok{site}"]
    assert unknown("sum by (mid, shop) (mitbatch_orders)", set()) == ["shop"]


def test_every_alert_leads_on() -> None:
    """Every promised alert is there, with a page of the runbook that exists and a command that exists."""
    text = RULES.read_text()
    alerts = re.split(r"- alert: ", text)[1:]
    headings = re.findall(r"^## (.+)$", (FOLDER.parents[1] / "schemas" / "RUNBOOK.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    commands = set(command_paths())

    assert {alert.split()[0] for alert in alerts} >= SHIPPED
    for alert in alerts:
        (page,) = re.findall(r"runbook_url: schemas/RUNBOOK\.md(?:#(\S+))?", alert)
        assert not page or page in anchors or "{{" in alert.split("runbook_url:")[1].splitlines()[0], alert
        (command,) = re.findall(r"command: mitbatch ([a-z ]+[a-z])", alert)
        assert any(command == known or command.startswith(f"{known} ") for known in commands), command


def test_real_promtool_takes_the_rules() -> None:
    """Prometheus's own checker finds nothing wrong, and the alerts ring when they should and not otherwise."""
    tool = promtool()
    for words in (("check", "rules", str(RULES)), ("test", "rules", str(TESTS))):
        ended = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_tests_of_the_alerts_are_of_these_alerts() -> None:
    """The rules that promtool is given to test are the ones that are shipped."""
    (named,) = re.findall(r"rule_files: \[(.+)\]", TESTS.read_text())

    assert (TESTS.parent / named).resolve() == RULES.resolve()


def expressions(node: Any) -> list[str]:  # noqa: ANN401 - whatever stands in a JSON file
    """Every expression and query of a dashboard."""
    if isinstance(node, dict):
        own = [str(node[name]) for name in ("expr", "query") if isinstance(node.get(name), str)]
        return [*own, *(each for value in node.values() for each in expressions(value))]
    return [each for value in node for each in expressions(value)] if isinstance(node, list) else []


def test_the_grafana_file_is_the_generated_one() -> None:
    """The file is what the generator makes, with a stable uid, its source as a variable, and only metrics that exist."""
    kept = (FOLDER / "grafana.json").read_text(encoding="utf-8")
    board = json.loads(kept)

    assert kept == grafana.text()
    assert board["uid"] == "mitbatch"
    assert {panel["datasource"]["uid"] for panel in board["panels"] if panel["type"] != "row"} == {"${datasource}"}
    asked = "\n".join(expressions(board))
    assert asked.count("mitbatch_") > 20
    assert unknown(asked, set()) == []
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_panels_lie_beside_each_other() -> None:
    """No panel of the Grafana file covers another, and none is wider than the page."""
    cells: set[tuple[int, int]] = set()
    for panel in grafana.dashboard()["panels"]:
        place = panel["gridPos"]
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not own & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        cells |= own


def test_what_grafana_asks_can_be_parsed(tmp_path: Path) -> None:
    """Every expression of the Grafana file is PromQL."""
    tool = promtool()
    asked = [each for each in expressions(grafana.dashboard()) if "mitbatch_" in each and not each.startswith("label_values")]
    rules = "".join(f"  - record: x:{at}\n    expr: {json.dumps(each)}\n" for at, each in enumerate(asked))
    path = tmp_path / "rules.yml"
    path.write_text(f"groups:\n- name: x\n  rules:\n{rules}")
    ended = subprocess.run([tool, "check", "rules", str(path)], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_help_names_no_page_that_is_missing() -> None:
    """The runbook's pages that alerts name are printed by the command as well."""
    assert run(["help", "runbook", "11"]) == 0
