"""When somebody is to look, as data: Prometheus' rules, each with a case in which it fires.

`make alerts` writes `deploy/prometheus/tenantry.rules.yml` and `deploy/grafana/tenantry.json` from here. The metrics
are those of `metrics`, by their names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from tenantry.observing.metrics import METRICS, Metric

Severity = Literal["critical", "warning"]
"""`critical`: users wait, or somebody pays for nothing; `warning`: it may come to that."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One rule."""

    name: str
    expr: str
    """PromQL over the metrics' own names."""
    lasts: str
    """How long it must hold before somebody is told, in Prometheus' units."""
    severity: Severity
    summary: str
    """What is wrong, in one line."""
    do: str
    """What to do."""
    fires: tuple[tuple[str, str], ...]
    """Series and their values, a minute apart, with which it fires (Prometheus' notation for tests of rules)."""
    at: str = "30m"
    """When it fires with them."""


ALERTS: Final = (
    Alert(
        name="TenantryCatalogAway",
        expr="max(tenantry_catalog_up) == 0",
        lasts="2m",
        severity="critical",
        summary="The service cannot read its catalog",
        do="look whether the catalog's database is up; nothing that was asked for is lost",
        fires=(("tenantry_catalog_up", "0x60"),),
    ),
    Alert(
        name="TenantryQueueStands",
        expr="max(tenantry_queue_oldest_seconds) > 600",
        lasts="1m",
        severity="critical",
        summary="An operation has waited for more than ten minutes",
        do="look at Runs, and whether workers live; start more of them (tenantry work)",
        fires=(("tenantry_queue_oldest_seconds", "700x60"),),
    ),
    Alert(
        name="TenantryNoWorker",
        expr='max(tenantry_workers{state="live"}) == 0 and max(tenantry_queue_depth{state="waiting"}) > 0',
        lasts="2m",
        severity="critical",
        summary="Operations wait, and no worker lives",
        do="start tenantry work; its log says why it ended",
        fires=(
            ('tenantry_workers{state="live"}', "0x60"),
            ('tenantry_queue_depth{state="waiting"}', "3x60"),
        ),
    ),
    Alert(
        name="TenantryWorkerLost",
        expr='max(tenantry_workers{state="silent"}) > 0',
        lasts="5m",
        severity="warning",
        summary="A worker was not heard of for more than two minutes, and did not end in order",
        do="look at its machine; what it was doing goes on elsewhere",
        fires=(('tenantry_workers{state="silent"}', "1x60"),),
    ),
    Alert(
        name="TenantryOperationsFail",
        expr="max by (kind, error_kind) (increase("
        'tenantry_operations_total{outcome="failed",error_kind!=""}[15m])) > 0',
        lasts="0m",
        severity="warning",
        summary="An operation ({{ $labels.kind }}) failed for good ({{ $labels.error_kind }})",
        do="look at Runs for the reason, and try it again there",
        fires=(
            (
                'tenantry_operations_total{kind="create",outcome="failed",error_kind="lasting"}',
                "0x25 1x30",
            ),
        ),
    ),
    Alert(
        name="TenantryManyOperationsFail",
        expr='sum(max by (kind) (increase(tenantry_operations_total{outcome="succeeded"}[1h]))) / '
        "sum(max by (kind, outcome) (increase(tenantry_operations_total[1h]))) < 0.95",
        lasts="5m",
        severity="critical",
        summary="Fewer than 95 % of the last hour's operations succeeded",
        do="look at Runs for what they have in common",
        fires=(
            (
                'tenantry_operations_total{kind="create",outcome="succeeded",error_kind=""}',
                "0+1x60",
            ),
            (
                'tenantry_operations_total{kind="create",outcome="failed",error_kind="passing"}',
                "0+1x60",
            ),
        ),
    ),
    Alert(
        name="TenantryDrift",
        expr="max(tenantry_drift_apps) > 0",
        lasts="1d",
        severity="warning",
        summary="Apps have been otherwise in the clouds than in their states for a day",
        do="tenantry fleet drift says what; tenantry fleet up --all puts it back",
        fires=(("tenantry_drift_apps", "2x1600"),),
        at="25h",
    ),
    Alert(
        name="TenantryOrphans",
        expr="max by (kind) (tenantry_orphans) > 0",
        lasts="1h",
        severity="critical",
        summary="Something of ours ({{ $labels.kind }}) is in a cloud and in no state: it is paid for, and nobody uses it",
        do="tenantry orphans says what it is, and the command that settles it",
        fires=(('tenantry_orphans{kind="project"}', "1x90"),),
        at="80m",
    ),
    Alert(
        name="TenantryNoLook",
        expr="time() - max(tenantry_last_drift_timestamp_seconds) > 4 * 3600",
        lasts="10m",
        severity="warning",
        summary="Nobody has looked for drift and orphans for four hours",
        do="look at the workers' logs: one of them looks every hour",
        fires=(("tenantry_last_drift_timestamp_seconds", "0x400"),),
        at="5h",
    ),
    Alert(
        name="TenantrySignUpsUnheard",
        expr='max(increase(tenantry_signups_total{source="sweep"}[1h])) > 0',
        lasts="0m",
        severity="warning",
        summary="Users signed up of whom no message told: only the sweep found them",
        do="look whether the webhook is still set up, and reaches the service",
        fires=(('tenantry_signups_total{source="sweep"}', "0x20 1x40"),),
    ),
    Alert(
        name="TenantryKeysExpire",
        expr="max(tenantry_api_keys_expiring) > 0",
        lasts="1h",
        severity="warning",
        summary="API keys end within two weeks",
        do="tenantry keys list says which; rotate them, or write another day",
        fires=(("tenantry_api_keys_expiring", "1x90"),),
        at="80m",
    ),
    Alert(
        name="TenantryCloudHolds",
        expr="max by (budget) (tenantry_cloud_held_seconds) > 0",
        lasts="10m",
        severity="warning",
        summary="A cloud has answered 429 for ten minutes: something else uses its account",
        do="look who else asks with this account's keys",
        fires=(('tenantry_cloud_held_seconds{budget="a1"}', "20x60"),),
    ),
    Alert(
        name="TenantryUndelivered",
        expr='max(tenantry_notifications{state="given_up"}) > 0',
        lasts="5m",
        severity="warning",
        summary="Notifications were given up: a receiver did not take them for a day",
        do="tenantry notifications says which; --again sends them once more",
        fires=(('tenantry_notifications{state="given_up"}', "1x60"),),
    ),
)
_RATE: Final = "5m"


def names(expr: str) -> set[str]:
    """Return the metrics that an expression names."""
    return set(re.findall(r"\b(?:tenantry|http_server)_\w+", expr))


def rules() -> str:
    """Return the rules as Prometheus reads them (YAML, written as JSON's subset of it where there is text)."""
    lines = [
        "# Made by make alerts from tenantry/observing/alerts.py.",
        "groups:",
        "  - name: tenantry",
        "    rules:",
    ]
    for each in ALERTS:
        lines += [
            f"      - alert: {each.name}",
            f"        expr: {json.dumps(each.expr)}",
            f"        for: {each.lasts}",
            f"        labels: {{severity: {each.severity}}}",
            "        annotations:",
            f"          summary: {json.dumps(each.summary)}",
            f"          do: {json.dumps(each.do)}",
        ]
    return "\n".join(lines) + "\n"


def dashboard() -> str:
    """Return a dashboard of all metrics as Grafana imports it (JSON model, schema version 39)."""
    panels = [_panel(number, metric) for number, metric in enumerate(METRICS)]
    made = {
        "title": "Tenantry",
        "uid": "tenantry",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {
            "list": [
                {
                    "name": "source",
                    "type": "datasource",
                    "query": "prometheus",
                    "label": "Prometheus",
                }
            ]
        },
        "panels": panels,
    }
    return json.dumps(made, indent=1) + "\n"


def _panel(number: int, metric: Metric) -> dict[str, Any]:
    unit = "s" if metric.name.endswith("_seconds") else "short"
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": metric.name,
        "description": metric.help,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"h": 8, "w": 12, "x": number % 2 * 12, "y": number // 2 * 8},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": shown(metric), "legendFormat": _legend(metric)}],
    }


def shown(metric: Metric) -> str:
    """Return the expression by which a metric is drawn.

    What comes from the catalog every process of the API says the same, so its highest is taken and no sum.
    """
    whole = "max" if metric.places == ("catalog",) else "sum"
    by = f" by ({', '.join(metric.labels)})" if metric.labels else ""
    if metric.type == "gauge":
        return f"{whole}{by} ({metric.name})"
    if metric.type == "counter":
        return f"{whole}{by} (rate({metric.name}[{_RATE}]))"
    return f"histogram_quantile(0.95, {whole} by ({', '.join(('le', *metric.labels))}) (rate({metric.name}_bucket[{_RATE}])))"


def _legend(metric: Metric) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in metric.labels) or metric.name
