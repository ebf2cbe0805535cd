"""The definitions of all metrics, as data. `docs/monitoring.md` has its table from here (`make metrics`).

No label holds an app, a tenant, a user or a text: there are as many series as there are kinds of things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tenantry.selfservice.expiring import BEFORE

Type = Literal["counter", "gauge", "histogram"]
Place = Literal["catalog", "api", "worker"]
"""Who exposes it. `catalog`: each API process, and all of them say the same, so sums over processes are wrong."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric."""

    name: str
    type: Type
    help: str
    """One line, with what a value of a label means where its name does not say it."""
    labels: tuple[str, ...] = ()
    places: tuple[Place, ...] = ("catalog",)
    buckets: tuple[float, ...] = ()
    """Upper bounds, in seconds; of a histogram alone."""


LONG: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Of what takes an engine, or waits for one."""
SHORT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Of a request."""


def _counter(
    name: str, help_: str, *labels: str, places: tuple[Place, ...] = ("catalog",)
) -> Metric:
    return Metric(name=name, type="counter", help=help_, labels=labels, places=places)


def _gauge(name: str, help_: str, *labels: str) -> Metric:
    return Metric(name=name, type="gauge", help=help_, labels=labels)


def _histogram(
    name: str,
    help_: str,
    *labels: str,
    buckets: tuple[float, ...] = LONG,
    places: tuple[Place, ...] = ("catalog",),
) -> Metric:
    return Metric(
        name=name, type="histogram", help=help_, labels=labels, places=places, buckets=buckets
    )


METRICS: Final = (
    _gauge(
        "tenantry_catalog_up",
        "Whether the catalog could be read: 1 or 0. At 0 what it says is left out.",
    ),
    _counter(
        "tenantry_operations_total",
        "Operations that ended. error_kind is empty where it succeeded.",
        *("kind", "outcome", "error_kind"),
    ),
    _histogram(
        "tenantry_operation_duration_seconds",
        "From the first start of an operation to its end, waits between attempts included.",
        *("kind", "outcome"),
    ),
    _histogram(
        "tenantry_operation_queue_seconds",
        "From when an operation was asked for to its first start; of those that ended.",
        "kind",
    ),
    _gauge(
        "tenantry_queue_depth",
        "Open operations. waiting: due; later: waits for its next attempt; running: a worker has it.",
        "state",
    ),
    _gauge(
        "tenantry_queue_oldest_seconds",
        "For how long the oldest operation that is due waits; 0 without one.",
    ),
    _counter(
        "tenantry_operation_retries_total",
        "Times that an operation was put back to be tried again, also behind a run beside the service.",
        "kind",
    ),
    _counter(
        "tenantry_interruptions_total",
        "Times that a worker was lost in the middle of an operation.",
        "kind",
    ),
    _gauge(
        "tenantry_workers",
        "Workers. live: heard of within two minutes; silent: not, and it did not end in order.",
        "state",
    ),
    _gauge("tenantry_worker_slots", "How many operations the live workers can do at once."),
    _gauge(
        "tenantry_worker_heartbeat_age_seconds",
        "Since any worker was heard of; absent where there is none.",
    ),
    _gauge(
        "tenantry_asked_apps", "Apps that were asked for and are not deleted.", "plan", "status"
    ),
    _gauge("tenantry_apps", "Live apps that the catalog registers, the file's too.", "environment"),
    _gauge("tenantry_user_databases", "Live graphs of users, and of apps.", "status"),
    _gauge("tenantry_api_keys_expiring", f"Current API keys that end within {BEFORE.days} days."),
    _gauge(
        "tenantry_cloud_budget_tokens",
        "Requests left in the bucket of an account after the last one was drawn. budget is part of a digest.",
        "budget",
    ),
    _gauge(
        "tenantry_cloud_budget_per_minute",
        "Requests that come into the bucket in a minute.",
        "budget",
    ),
    _gauge(
        "tenantry_cloud_held_seconds",
        "For how long the cloud wants no more requests (429); 0: it takes them.",
        "budget",
    ),
    _gauge(
        "tenantry_drift_apps",
        "Apps that the clouds' lists have otherwise than their states, at the last look.",
    ),
    _gauge(
        "tenantry_orphans", "What is ours in the clouds and in no state, at the last look.", "kind"
    ),
    _gauge(
        "tenantry_last_drift_timestamp_seconds",
        "When the last look for drift was; absent before the first.",
    ),
    _counter(
        "tenantry_signups_total", "Users who signed up. sweep: no message told of them.", "source"
    ),
    _gauge(
        "tenantry_signup_lag_seconds",
        "The longest time between a sign-up and our hearing of it, of those heard of in the last hour.",
    ),
    _gauge(
        "tenantry_notifications",
        "Notifications that not every receiver has. waiting: is tried again; given_up: see tenantry notifications.",
        "state",
    ),
    _histogram(
        "http_server_request_duration_seconds",
        "From a request to the begin of its answer. A path that is none of ours has an empty route.",
        *("http_request_method", "http_route", "http_response_status_code"),
        buckets=SHORT,
        places=("api",),
    ),
    _counter(
        "tenantry_webhooks_total",
        "Messages of sign-ups. taken: 202; passed_over: 204, another event; refused: 4xx; failed: 5xx.",
        "result",
        places=("api",),
    ),
    _counter(
        "tenantry_cloud_requests_total",
        "Requests to the clouds by Python clients, each attempt. code is empty where no answer came.",
        *("cloud", "method", "route", "code"),
        places=("api", "worker"),
    ),
    _histogram(
        "tenantry_cloud_request_seconds",
        "How long they took.",
        *("cloud", "method"),
        buckets=SHORT,
        places=("api", "worker"),
    ),
    _counter(
        "tenantry_cloud_throttled_total",
        "Those that were answered with 429.",
        "cloud",
        places=("api", "worker"),
    ),
    _histogram(
        "tenantry_step_duration_seconds",
        "Steps of the engine, by what is made, changed or deleted.",
        "step",
        places=("worker",),
    ),
)


def exposed(*places: Place) -> tuple[Metric, ...]:
    """Return the metrics of these places."""
    return tuple(each for each in METRICS if set(each.places) & set(places))


def table() -> str:
    """Return all of them as a table in Markdown."""
    rows = [
        "| metric | type | labels | from | what |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| `{each.name}` | {each.type} | {', '.join(f'`{name}`' for name in each.labels)} | "
            f"{', '.join(each.places)} | {each.help} |"
            for each in METRICS
        ),
    ]
    return "\n".join(rows) + "\n"
