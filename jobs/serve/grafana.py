"""The Grafana dashboard as a file for provisioning: `python -m jobs.serve.grafana` prints it, a test compares.

It is the same order of things as our own dashboard: is everything all right, what needs a person, what came of tonight, what
is out, is the machine well.
"""

import json
import sys
from typing import Any, Literal

UID = "mitbatch"
_OURS = 'mid=~"$mid"'
_SITE = f'{_OURS},site=~"$site"'
_CALLS = "mitbatch_api_request_duration_seconds"
_RECOVERY = "mitbatch_time_to_recovery_seconds"
_GOOD, _WAIT, _BAD = "green", "orange", "red"
Json = dict[str, Any]

_PIECES: tuple[tuple[str, tuple[tuple[str, str, int, str, tuple[tuple[str, str], ...]], ...]], ...] = (
    (
        "Is everything all right?",
        (
            (
                "Hours since a nightly ended",
                "stat",
                4,
                "h",
                (("", f'(time() - max(mitbatch_run_last_completion_timestamp_seconds{{job="nightly",{_OURS}}})) / 3600'),),
            ),
            ("Last exit code", "stat", 4, "none", (("{{job}}", f"mitbatch_run_last_exit_code{{{_OURS}}}"),)),
            ("In doubt", "stat", 4, "none", (("", f'sum(mitbatch_orders{{state="in_doubt",{_SITE}}}) or vector(0)'),)),
            ("Overdue", "stat", 4, "none", (("", f'sum(mitbatch_pending_orders{{age="overdue",{_SITE}}}) or vector(0)'),)),
            ("Needs a person", "stat", 4, "none", (("", f"sum(mitbatch_review_open_orders{{{_OURS}}})"),)),
            ("Books balance", "stat", 4, "none", (("{{currency}}", f"mitbatch_balance_ok{{{_OURS}}}"),)),
        ),
    ),
    (
        "Money, in minor units; currencies are never added",
        (
            (
                "Handed over a day",
                "timeseries",
                12,
                "none",
                (("{{currency}}", f"sum by (currency) (increase(mitbatch_handed_over_minor_units_total{{{_SITE}}}[1d]))"),),
            ),
            (
                "Recovered, given back and disputed a day",
                "timeseries",
                12,
                "none",
                (
                    (
                        "recovered {{currency}}",
                        f"sum by (currency) (increase(mitbatch_recovered_minor_units_total{{{_SITE}}}[1d]))",
                    ),
                    (
                        "refunded {{currency}}",
                        f"-sum by (currency) (increase(mitbatch_refunded_minor_units_total{{{_SITE}}}[1d]))",
                    ),
                    (
                        "disputed {{currency}}",
                        f"-sum by (currency) (increase(mitbatch_chargeback_minor_units_total{{{_SITE}}}[1d]))",
                    ),
                ),
            ),
        ),
    ),
    (
        "Tonight",
        (
            (
                "Candidates, and what became of them, a day",
                "timeseries",
                12,
                "none",
                (
                    ("candidates", f"sum(increase(mitbatch_candidates_total{{{_SITE}}}[1d]))"),
                    ("handed over", f"sum(increase(mitbatch_handed_over_total{{{_SITE}}}[1d]))"),
                    ("rejected", f"sum(increase(mitbatch_rejected_total{{{_SITE}}}[1d]))"),
                ),
            ),
            (
                "Why not sent, in a day",
                "bargauge",
                12,
                "none",
                (("{{reason}}", f"sort_desc(sum by (reason) (increase(mitbatch_skipped_total{{{_SITE}}}[1d])) > 0)"),),
            ),
        ),
    ),
    (
        "What is out",
        (
            ("Open orders by state", "timeseries", 8, "none", (("{{state}}", f"sum by (state) (mitbatch_orders{{{_SITE}}})"),)),
            ("Pending by age", "bargauge", 8, "none", (("{{age}}", f"sum by (age) (mitbatch_pending_orders{{{_SITE}}})"),)),
            (
                "Ends a day, by state",
                "timeseries",
                8,
                "none",
                (("{{state}}", f"sum by (state) (increase(mitbatch_outcomes_total{{{_SITE}}}[1d]))"),),
            ),
            (
                "Days from hand-over to recovery",
                "timeseries",
                12,
                "d",
                (
                    (
                        "half",
                        f"histogram_quantile(0.5, sum by (le) (increase({_RECOVERY}_bucket{{{_SITE}}}[30d]))) / 86400",
                    ),
                    (
                        "nine of ten",
                        f"histogram_quantile(0.9, sum by (le) (increase({_RECOVERY}_bucket{{{_SITE}}}[30d]))) / 86400",
                    ),
                ),
            ),
            (
                "Items that need a person",
                "timeseries",
                12,
                "none",
                (("{{kind}}", f"mitbatch_review_open_orders{{{_OURS}}} > 0"),),
            ),
        ),
    ),
    (
        "Is the machine well?",
        (
            (
                "Runs a day, by exit code",
                "timeseries",
                8,
                "none",
                (("{{job}} {{exit_code}}", f"sum by (job, exit_code) (increase(mitbatch_runs_total{{{_OURS}}}[1d]))"),),
            ),
            ("How long runs took", "timeseries", 8, "s", (("{{job}}", f"mitbatch_run_last_duration_seconds{{{_OURS}}}"),)),
            (
                "Calls of the API, a minute",
                "timeseries",
                8,
                "none",
                (
                    (
                        "{{operation}} {{code}}",
                        f"sum by (operation, code) (rate(mitbatch_api_requests_total{{{_OURS}}}[1h])) * 60",
                    ),
                ),
            ),
            (
                "A call, nine of ten",
                "timeseries",
                8,
                "s",
                (
                    (
                        "{{operation}}",
                        f"histogram_quantile(0.9, sum by (le, operation) (rate({_CALLS}_bucket{{{_OURS}}}[1h])))",
                    ),
                ),
            ),
            ("Files without an answer", "timeseries", 8, "none", (("{{kind}}", f"mitbatch_unacknowledged_files{{{_OURS}}}"),)),
            (
                "Webhooks an hour",
                "timeseries",
                8,
                "none",
                (("{{result}}", f"sum by (result) (increase(mitbatch_webhooks_total{{{_OURS}}}[1h]))"),),
            ),
        ),
    ),
)
"""Rows of panels: title, kind, width (of 24), unit, and what is asked (legend, expression)."""

_BAD_ABOVE = {"Hours since a nightly ended": 26, "In doubt": 1, "Overdue": 1}
_WAIT_ABOVE = {"Last exit code": 1, "Needs a person": 1}


def dashboard() -> Json:
    """The whole dashboard."""
    panels: list[Json] = []
    y = 0
    for title, row in _PIECES:
        panels.append(_placed({"type": "row", "title": title, "collapsed": False, "panels": []}, len(panels), 0, y, 24, 1))
        y, x, height = y + 1, 0, 4 if row[0][1] == "stat" else 8
        for name, kind, width, unit, asked in row:
            if x + width > 24:
                x, y = 0, y + height
            panels.append(_placed(_panel(name, kind, unit, asked), len(panels), x, y, width, height))
            x += width
        y += height
    return {
        "uid": UID,
        "title": "mitbatch",
        "tags": ["mitbatch"],
        "timezone": "utc",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-30d", "to": "now"},
        "templating": {"list": [_datasource(), _variable("mid", ""), _variable("site", '{mid=~"$mid"}')]},
        "panels": panels,
    }


def _placed(panel: Json, number: int, x: int, y: int, width: int, height: int) -> Json:
    return {"id": number + 1, **panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}}


def _panel(name: str, kind: str, unit: str, asked: tuple[tuple[str, str], ...]) -> Json:
    targets = [
        {"refId": chr(ord("A") + at), "expr": expr, "legendFormat": legend or "__auto", "instant": kind != "timeseries"}
        for at, (legend, expr) in enumerate(asked)
    ]
    defaults: Json = {"unit": unit, "thresholds": {"mode": "absolute", "steps": _steps(name)}}
    source = {"type": "prometheus", "uid": "${datasource}"}
    options: Json = {"reduceOptions": {"calcs": ["lastNotNull"]}} if kind != "timeseries" else {"legend": {"displayMode": "list"}}
    if kind == "bargauge":
        options["orientation"] = "horizontal"
    return {
        "type": kind,
        "title": name,
        "datasource": source,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }


def _steps(name: str) -> list[Json]:
    if name == "Books balance":
        return [{"color": _BAD, "value": None}, {"color": _GOOD, "value": 1}]
    bounds = [(_BAD, _BAD_ABOVE.get(name)), (_WAIT, _WAIT_ABOVE.get(name))]
    return [{"color": _GOOD, "value": None}, *({"color": color, "value": bound} for color, bound in bounds if bound is not None)]


def _datasource() -> Json:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _variable(name: Literal["mid", "site"], of: str) -> Json:
    metric = "mitbatch_build_info" if name == "mid" else "mitbatch_write_back_pending_orders"
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": f"label_values({metric}{of}, {name})",
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
        "sort": 1,
    }


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
