"""Each change of the registry shows as that change and nothing else, is applied, and is then quiet."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.engine.workspace import Change, Workspace, projects
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import LocalCloud

BASE = {
    "tenant": "Acme Inc.",
    "contact": "platform@acme.example",
    "connection_limit": "20",
    "statement_timeout": "30s",
    "idle_in_transaction_timeout": "10s",
    "extensions": "[]",
    "max_cu": "2",
    "suspend_after": "5m",
    "history_retention": "1d",
    "allowed_ips": "[]",
    "branches": "{}",
    "generation": "1",
    "url_scheme": "postgresql",
    "deletion": "delete",
    "postgres_version": "17",
    "region": "aws-us-east-2",
}

PROJECT = "neon:index/project:Project"
DATABASE = "postgresql:index/database:Database"
ROLE = "postgresql:index/role:Role"
APP = "acme/web"


def registry(**changed: str) -> str:
    facts = BASE | changed
    return textwrap.dedent("""\
        version: 1
        namespace: changes
        tenants:
          acme:
            name: {tenant}
            contact: {contact}
            apps:
              web:
                environment: development
                region: {region}
                database:
                  postgres_version: {postgres_version}
                  connection_limit: {connection_limit}
                  statement_timeout: {statement_timeout}
                  idle_in_transaction_timeout: {idle_in_transaction_timeout}
                  extensions: {extensions}
                  compute: {{min_cu: 0.25, max_cu: {max_cu}, suspend_after: {suspend_after}}}
                  history_retention: {history_retention}
                  allowed_ips: {allowed_ips}
                  branches: {branches}
                  credentials: {{generation: {generation}}}
                  url_scheme: {url_scheme}
                deletion: {deletion}
        """).format(**facts)


@pytest.fixture(scope="module")
def converged(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One app that each test changes in its turn."""
    folder: Path = tmp_path_factory.mktemp("changes")
    workspace = Workspace(folder / "workspace", cloud.env())
    workspace.apply(registry())
    return workspace


@pytest.fixture(scope="module")
def changed() -> dict[str, str]:
    """What the cases before have changed: each goes on from there."""
    return {}


@dataclass(frozen=True)
class Case:
    """A change of one field, and the steps that it takes."""

    id: str
    changed: dict[str, str]
    steps: set[Change]


def change(kind: str, name: str, *fields: str, op: str = "update") -> Change:
    return Change(op, kind, name, frozenset(fields))


CASES = [
    Case("display name", {"tenant": "Acme GmbH"}, set()),
    Case("contact", {"contact": "ops@acme.example"}, set()),
    Case("url scheme", {"url_scheme": "morphik"}, set()),
    Case(
        "connection limit",
        {"connection_limit": "12"},
        {
            change(DATABASE, APP, "connectionLimit"),
            change(ROLE, f"{APP}/a", "connectionLimit"),
        },
    ),
    Case(
        "statement timeout",
        {"statement_timeout": "45s"},
        {change(ROLE, f"{APP}/a", "statementTimeout")},
    ),
    Case(
        "idle timeout",
        {"idle_in_transaction_timeout": "1m"},
        {change(ROLE, f"{APP}/a", "idleInTransactionSessionTimeout")},
    ),
    Case(
        "an extension",
        {"extensions": "[pg_trgm]"},
        {change("postgresql:index/extension:Extension", f"{APP}/pg_trgm", op="create")},
    ),
    Case(
        "compute size",
        {"max_cu": "4"},
        {change(PROJECT, APP, "defaultEndpointSettings")},
    ),
    Case(
        "suspension",
        {"suspend_after": "10m"},
        {change(PROJECT, APP, "defaultEndpointSettings")},
    ),
    Case(
        "history retention",
        {"history_retention": "7d"},
        {change(PROJECT, APP, "historyRetentionSeconds")},
    ),
    Case(
        "address allow-list",
        {"allowed_ips": "[203.0.113.0/24]"},
        {change(PROJECT, APP, "allowedIps")},
    ),
    Case(
        "an extra branch",
        {"branches": "{staging: {}}"},
        {
            change("tenantry:app:Branch", f"{APP}/staging", op="create"),
            change("neon:index/branch:Branch", f"{APP}/staging", op="create"),
            change("neon:index/endpoint:Endpoint", f"{APP}/staging", op="create"),
            # The catalog lists an app's branches.
            change("pulumi-python:dynamic/tenantry:AppRecord", APP),
        },
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_changed_field_is_that_change_and_nothing_else(
    converged: Workspace, changed: dict[str, str], case: Case
) -> None:
    changed |= case.changed
    converged.registry.write_text(registry(**changed))
    assert converged.changes() == case.steps
    converged.must("up", "--yes", "--skip-preview")


def test_all_of_them_converge_and_go_back(converged: Workspace, changed: dict[str, str]) -> None:
    converged.assert_converged()
    converged.registry.write_text(registry())
    back = {(step.type, step.name) for step in converged.changes()}
    undone = [case for case in CASES if case.changed.items() <= changed.items()]
    assert back == {(step.type, step.name) for case in undone for step in case.steps}
    converged.must("up", "--yes", "--skip-preview")
    converged.assert_converged()


def test_an_update_that_neon_refused_is_done_by_the_next_run(
    converged: Workspace, cloud: LocalCloud
) -> None:
    refused = {"kind": "status", "status": 400, "body": {"code": "", "message": "not now"}}
    wanted = registry(history_retention="2d", max_cu="3")
    with faults_of(cloud) as faults:
        faults.order("PATCH /projects/*", refused, count=1)
        converged.registry.write_text(wanted)
        failed = converged.pulumi("up", "--yes", "--skip-preview")
    assert failed.code != 0
    assert "not now" in failed.said
    assert [(each.op, each.type) for each in converged.changes()] == [("update", PROJECT)]
    converged.apply(wanted)
    project = converged.outputs()["apps"][APP]["project"]
    with cloud.client() as client:
        found = client.get(f"/projects/{project}").json()["project"]
        computes = client.get(f"/projects/{project}/endpoints").json()["endpoints"]
    assert found["history_retention_seconds"] == 2 * 86400
    assert [each["autoscaling_limit_max_cu"] for each in computes] == [3]
    converged.assert_converged()
    converged.apply(registry())


def test_what_cannot_be_changed_is_a_replacement_said_in_words(
    converged: Workspace, cloud: LocalCloud
) -> None:
    before = converged.outputs()["apps"][APP]["project"]
    converged.apply(registry(branches="{staging: {}}"))
    moved = {"region": "aws-us-west-2", "postgres_version": "16"}
    converged.registry.write_text(registry(branches="{staging: {}}", **moved))
    said = converged.must("preview").said
    assert "region from aws-us-east-2 to aws-us-west-2" in said
    assert "PostgreSQL from 17 to 16" in said
    assert "which Neon cannot change" in said
    assert {step.op for step in converged.changes() if step.type == PROJECT} == {"replace"}
    converged.must("up", "--yes", "--skip-preview")
    assert projects(cloud, "changes--") == ["changes--acme--web"]
    assert converged.outputs()["apps"][APP]["project"] != before
    with psycopg.connect(converged.url(APP)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    converged.assert_converged()
    converged.apply(registry())


def test_a_replacement_is_refused_while_the_app_is_protected(converged: Workspace) -> None:
    converged.apply(registry(deletion="protect"))
    before = converged.outputs()["apps"][APP]["project"]
    for deletion in ("protect", "delete"):
        converged.registry.write_text(registry(region="aws-us-west-2", deletion=deletion))
        done = converged.pulumi("up", "--yes", "--skip-preview")
        assert done.code != 0
        assert "acme/web: region from aws-us-east-2 to aws-us-west-2" in done.said
        assert "put the old value back" in done.said
    assert converged.outputs()["apps"][APP]["project"] == before
    converged.apply(registry())


def test_deletion_alone_changes_no_resource_in_the_cloud(converged: Workspace) -> None:
    converged.registry.write_text(registry(deletion="protect"))
    assert converged.changes() == set()
    converged.must("up", "--yes", "--skip-preview")
    converged.registry.write_text(registry())
    converged.must("up", "--yes", "--skip-preview")
    converged.assert_converged()


def test_the_next_generation_adds_a_login_and_nothing_else(converged: Workspace) -> None:
    """The last test of this file: a generation does not go back."""
    converged.registry.write_text(registry(generation="2"))
    assert converged.changes() == {
        change("random:index/randomPassword:RandomPassword", f"{APP}/password-2", op="create"),
        change(ROLE, f"{APP}/b", op="create"),
        # The catalog lists an app's roles.
        change("pulumi-python:dynamic/tenantry:AppRecord", APP),
    }
    converged.must("up", "--yes", "--skip-preview")
    converged.assert_converged()
    for generation in ("1", "4"):
        converged.registry.write_text(registry(generation=generation))
        done = converged.pulumi("preview")
        assert done.code != 0
        assert f"credentials.generation goes from 2 to {generation}" in done.said
    converged.registry.write_text(registry(generation="2"))
