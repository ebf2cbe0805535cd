"""The rules and the dashboard, made from the metrics' own definitions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tenantry.observing.alerts import ALERTS, Alert, dashboard, names, rules, shown
from tenantry.observing.metrics import METRICS

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "tenantry.rules.yml"
KNOWN = {each.name for each in METRICS}


def test_the_files_are_as_the_definitions_say() -> None:
    assert RULES.read_text("utf-8") == rules(), "make alerts"
    assert (ROOT / "deploy" / "grafana" / "tenantry.json").read_text("utf-8") == dashboard(), (
        "make alerts"
    )


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_names_metrics_that_there_are(alert: Alert) -> None:
    assert names(alert.expr)
    assert names(alert.expr) <= KNOWN
    labels = {label for each in METRICS if each.name in names(alert.expr) for label in each.labels}
    used = set(re.findall(r'(\w+)(?:!?=~?)"', alert.expr)) | set(
        re.findall(r"\$labels\.(\w+)", alert.summary)
    )
    assert used <= labels
    assert {names(series).pop() for series, _ in alert.fires} <= KNOWN


def test_each_metric_is_drawn_once() -> None:
    panels = json.loads(dashboard())["panels"]
    assert [each["title"] for each in panels] == [each.name for each in METRICS]
    for metric, panel in zip(METRICS, panels, strict=True):
        assert metric.name in panel["targets"][0]["expr"] == shown(metric)


def test_each_rule_fires_where_it_should_and_not_without_cause(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here (Debian: prometheus): the rules are not run")
    shutil.copy(RULES, tmp_path)
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": series, "values": values} for series, values in alert.fires
            ],
            "alert_rule_test": [
                {"eval_time": alert.at, "alertname": alert.name, "exp_alerts": [_expected(alert)]},
                {"eval_time": "0m", "alertname": alert.name, "exp_alerts": []},
            ],
        }
        for alert in ALERTS
    ]
    quiet = {
        "interval": "1m",
        "input_series": [
            {"series": "tenantry_catalog_up", "values": "1x120"},
            {"series": 'tenantry_workers{state="live"}', "values": "2x120"},
            {
                "series": 'tenantry_operations_total{kind="create",outcome="succeeded",error_kind=""}',
                "values": "0+1x120",
            },
            {"series": "tenantry_queue_oldest_seconds", "values": "5x120"},
        ],
        "alert_rule_test": [
            {"eval_time": "100m", "alertname": alert.name, "exp_alerts": []} for alert in ALERTS
        ],
    }
    file = tmp_path / "tests.yml"
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [RULES.name], "evaluation_interval": "1m", "tests": [*tests, quiet]}
        )
    )
    for command in (["check", "rules", RULES.name], ["test", "rules", file.name]):
        done = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _expected(alert: Alert) -> dict[str, object]:
    series = alert.fires[0][0]
    found = dict(re.findall(r'(\w+)="([^"]*)"', series))
    by = re.search(r"by \(([^)]*)\)", alert.expr) if "max by" in alert.expr[:7] else None
    labels = {label.strip(): found[label.strip()] for label in by[1].split(",")} if by else {}
    summary = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], alert.summary)
    return {
        "exp_labels": {**labels, "severity": alert.severity},
        "exp_annotations": {"summary": summary, "do": alert.do},
    }
