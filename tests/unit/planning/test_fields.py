import json
from typing import Any

import pytest

from tenantry.planning.fields import changes
from tenantry.registry.declared import declared
from tests.unit.planning.support import app

GRAPH = {"type": "professional-db", "cloud": "gcp", "region": "us-central1", "memory": "1GB"}
WINDOW = {"weekdays": ["monday"], "start": "05:00", "end": "06:00"}
ONE = app()


def texts(before: Any, after: Any) -> list[str]:
    return [
        change.text
        for change in changes(
            declared(before) if before else None, declared(after) if after else None
        )
    ]


CASES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (
        {},
        {"id": "acme/site", "name": "site", "services": [{"name": "auth"}]},
        [
            "id: acme/web → acme/site, renamed: its project, data, logins and keys stay",
            "services.auth: added",
        ],
    ),
    (
        {"database": {"compute": {"max_cu": 1}}},
        {"database": {"compute": {"max_cu": 2}}},
        ["database.compute.max_cu: 1 → 2"],
    ),
    (
        {},
        {"region": "aws-eu-central-1"},
        [
            "region: aws-us-east-2 → aws-eu-central-1, which replaces the project: all data in it is lost"
        ],
    ),
    (
        {},
        {"database": {"postgres_version": 18}},
        ["database.postgres_version: 17 → 18, which replaces the project: all data in it is lost"],
    ),
    (
        {},
        {"database": {"credentials": {"generation": 2}}},
        [
            "database.credentials.generation: 1 → 2, which moves the app to its other login; the one before stays valid"
        ],
    ),
    (
        {},
        {
            "database": {
                "statement_timeout": 500,
                "idle_in_transaction_timeout": 60_000,
                "history_retention": 604_800,
                "compute": {"suspend_after": -1},
            }
        },
        [
            "database.compute.suspend_after: 5m → never",
            "database.history_retention: 6h → 7d",
            "database.idle_in_transaction_timeout: 10s → 1m",
            "database.statement_timeout: 30s → 500ms",
        ],
    ),
    (
        {},
        {"retries": {"schema": {"attempts": 5, "first_delay": 1000}}},
        ["retries.schema.attempts: 3 → 5", "retries.schema.first_delay: 5s → 1s"],
    ),
    (
        {"database": {"branches": [{"name": "staging"}]}},
        {"database": {"branches": [{"name": "qa", "protected": True}]}},
        ["database.branches.qa: {protected: true}", "database.branches.staging: removed"],
    ),
    (
        {"database": {"branches": [{"name": "staging"}]}},
        {},
        ["database.branches.staging: removed"],
    ),
    (
        {},
        {"database": {"schema": {"template": "base"}}},
        ["database.schema: none → {template: base}"],
    ),
    (
        {"database": {"schema": {"template": "base"}}},
        {"database": {"schema": {"path": "./m", "revision": "r1"}}},
        [
            "database.schema.path: none → ./m",
            "database.schema.revision: head → r1",
            "database.schema.template: base → none",
        ],
    ),
    (
        {},
        {"database": {"extensions": ["pg_trgm", "citext"]}},
        ["database.extensions: [] → [citext, pg_trgm]"],
    ),
    (
        {"services": [{"name": "auth"}, {"name": "realtime"}]},
        {"services": [{"name": "auth", "enabled": False}, {"name": "storage"}]},
        [
            "services.auth.enabled: true → false",
            "services.realtime: removed, which ends its registration",
            "services.storage: added",
        ],
    ),
    (
        {"database": {"quota": {"active_time": 360_000, "logical_size": 1024**3}}},
        {"database": {"quota": {"active_time": 172_800, "written_data": 5 * 1024**3}}},
        [
            "database.quota.active_time: 100h → 2d",
            "database.quota.logical_size: 1GB → none",
            "database.quota.written_data: none → 5GB",
        ],
    ),
    (
        {},
        {
            "database": {
                "quota": {"compute_time": 3600},
                "logical_replication": True,
                "block_public_connections": True,
                "maintenance_window": WINDOW,
                "protected": True,
                "branches": [{"name": "qa", "expires": "2099-01-01"}],
            }
        },
        [
            "database.block_public_connections: none → true",
            "database.branches.qa: {expires: 2099-01-01}",
            "database.logical_replication: false → true, which restarts its computes, and cannot be turned off again",
            "database.maintenance_window: none → {end: 06:00, start: 05:00, weekdays: [monday]}",
            "database.protected: false → true",
            "database.quota: none → {compute_time: 1h}",
        ],
    ),
    (
        {
            "database": {
                "quota": {},
                "block_public_connections": True,
                "maintenance_window": WINDOW,
            }
        },
        {},
        [
            "database.block_public_connections: true → none, which leaves the project's as it is",
            "database.maintenance_window: {end: 06:00, start: 05:00, weekdays: [monday]} → none, which leaves the project's as it is",
            "database.quota: {} → none, which leaves the project's as it is",
        ],
    ),
    (
        {"api_keys": [{"name": "ci", "generation": 2}, {"name": "old"}]},
        {"api_keys": [{"name": "ci", "generation": 3, "expires": "2027-06-30", "revoked": [2]}]},
        [
            "api_keys.ci.expires: none → 2027-06-30",
            "api_keys.ci.generation: 2 → 3, which makes a new key; the one before stays valid",
            "api_keys.ci.revoked: [] → [2]",
            "api_keys.old: removed ({generation: 1, scopes: [read, write]}), which revokes all its generations",
        ],
    ),
    (
        {"graph": GRAPH},
        {"graph": {**GRAPH, "memory": "2GB", "region": "europe-west1"}},
        [
            "graph.memory: 1GB → 2GB",
            "graph.region: us-central1 → europe-west1, which replaces the graph: all data in it is lost",
        ],
    ),
    (
        {},
        {"graph": GRAPH},
        [
            "graph: none → {cloud: gcp, memory: 1GB, region: us-central1, type: professional-db, version: 5}"
        ],
    ),
    (
        {},
        {"deletion": "protect"},
        ["deletion: delete → protect, which keeps runs from destroying it"],
    ),
    (
        {},
        {"tenant_name": "Acme GmbH", "contact": "ops@acme.example"},
        [
            "tenants.acme.contact: none → ops@acme.example",
            "tenants.acme.name: Acme → Acme GmbH",
        ],
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES, ids=[case[2][0] for case in CASES])
def test_a_change_reads_as_the_registry_would_write_it(
    before: dict[str, Any], after: dict[str, Any], expected: list[str]
) -> None:
    assert texts(app(**before), app(**after)) == expected


def test_nothing_changed() -> None:
    assert texts(ONE, app()) == []


def test_of_a_new_app_what_is_not_a_default_is_said() -> None:
    new = app(
        region="aws-eu-central-1",
        database={"schema": {"template": "base"}, "compute": {"max_cu": 4}},
        services=[{"name": "auth"}],
        api_keys=[{"name": "ci", "scopes": ["read"]}],
    )
    assert texts(None, new) == [
        "api_keys.ci: {generation: 1, scopes: [read]}",
        "database.compute.max_cu: 4",
        "database.postgres_version: 17",
        "database.schema: {template: base}",
        "deletion: delete",
        "environment: development",
        "region: aws-eu-central-1",
        "services.auth: added",
    ]


def test_an_app_that_leaves_has_no_fields() -> None:
    assert texts(ONE, None) == []


def test_what_an_older_version_did_not_keep_counts_as_unchanged() -> None:
    before = json.loads(declared(ONE))
    del before["quotas"], before["database"]["compute"]
    before["database"]["gone_since"] = 1
    after = app(region="aws-us-west-2", database={"compute": {"max_cu": 8}})
    found = changes(json.dumps(before), declared(after))
    assert [change.field for change in found] == ["region"]
