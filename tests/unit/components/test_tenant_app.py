from collections import Counter
from pathlib import Path
from typing import Any

import pulumi
import pulumi_neon as neon
import pytest

from components.tenant_app import TenantApp
from tenantry.registry import App, load
from tenantry.registry.declared import declared
from tenantry.registry.models import Adopt
from tests.unit.components.recording import SECRET, RecordingMonitor, Registered, run

REGISTRY = """\
version: 1
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-eu-central-1
        database:
          postgres_version: 17
          connection_limit: 15
          statement_timeout: 20s
          idle_in_transaction_timeout: 5s
          extensions: [pg_trgm, hstore]
          compute: {min_cu: 0.25, max_cu: 2, suspend_after: 5m}
          history_retention: 7d
          allowed_ips: [203.0.113.0/24]
          branches: BRANCHES
          credentials: {generation: GENERATION}
          url_scheme: morphik
          SETTINGS
        deletion: DELETION
"""

PROJECT = "neon:index/project:Project"
ROLE = "postgresql:index/role:Role"
GRANT = "postgresql:index/grant:Grant"


def app(
    tmp_path: Path,
    *,
    generation: int = 1,
    deletion: str = "protect",
    settings: str = "",
    branches: str = "{staging: {}}",
) -> App:
    """Load the app; `settings` are more keys of its database, on one line as in `{…}`."""
    file = tmp_path / "tenants.yaml"
    text = (
        REGISTRY.replace("SETTINGS", f"<<: {{{settings}}}")
        .replace("GENERATION", str(generation))
        .replace("BRANCHES", branches)
        .replace("DELETION", deletion)
    )
    file.write_text(text)
    return load(file).app("acme/web")


def declare(wanted: App, *, known_as: tuple[str, ...] = ()) -> RecordingMonitor:
    def program() -> dict[str, pulumi.Output[str]]:
        cloud = neon.Provider("neon")
        return TenantApp(wanted, cloud=cloud, org_id="org-test", known_as=known_as).urls()

    return run(program)


def of_type(monitor: RecordingMonitor, kind: str) -> list[Registered]:
    return [r for r in monitor.registered if r.type == kind]


def only(monitor: RecordingMonitor, kind: str, **inputs: Any) -> Registered:
    (found,) = [
        r
        for r in of_type(monitor, kind)
        if all(r.inputs.get(key) == value for key, value in inputs.items())
    ]
    return found


def test_the_tree_is_what_the_design_says(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    assert Counter((r.type, r.parent_type) for r in monitor.registered) == {
        ("pulumi:providers:neon", "pulumi:pulumi:Stack"): 1,
        ("tenantry:app:TenantApp", "pulumi:pulumi:Stack"): 1,
        ("tenantry:app:Project", "tenantry:app:TenantApp"): 1,
        ("random:index/randomId:RandomId", "tenantry:app:Project"): 1,
        (PROJECT, "tenantry:app:Project"): 1,
        ("pulumi:providers:postgresql", "tenantry:app:TenantApp"): 1,
        ("tenantry:app:Logins", "tenantry:app:TenantApp"): 1,
        (ROLE, "tenantry:app:Logins"): 2,
        ("random:index/randomPassword:RandomPassword", "tenantry:app:Logins"): 1,
        ("tenantry:app:Database", "tenantry:app:TenantApp"): 1,
        ("postgresql:index/database:Database", "tenantry:app:Database"): 1,
        ("postgresql:index/schema:Schema", "tenantry:app:Database"): 1,
        (GRANT, "tenantry:app:Database"): 4,
        ("postgresql:index/defaultPrivileges:DefaultPrivileges", "tenantry:app:Database"): 3,
        ("postgresql:index/extension:Extension", "tenantry:app:Database"): 2,
        ("tenantry:app:Branch", "tenantry:app:TenantApp"): 1,
        ("neon:index/branch:Branch", "tenantry:app:Branch"): 1,
        ("neon:index/endpoint:Endpoint", "tenantry:app:Branch"): 1,
    }


def test_the_project_gets_what_the_registry_asks_for(tmp_path: Path) -> None:
    project = only(declare(app(tmp_path)), PROJECT)
    assert project.inputs == {
        "name": "tenantry--acme--web",
        "orgId": "org-test",
        "regionId": "aws-eu-central-1",
        "pgVersion": 17.0,
        "historyRetentionSeconds": 604800.0,
        "storePassword": "yes",
        "branch": {"name": "main", "roleName": "tenant_acme__web__owner"},
        "defaultEndpointSettings": {
            "autoscalingLimitMinCu": 0.25,
            "autoscalingLimitMaxCu": 2.0,
            "suspendTimeoutSeconds": 300.0,
        },
        "allowedIps": ["203.0.113.0/24"],
    }
    assert project.delete_before_replace
    assert project.ignore_changes == ("branch",)


def test_a_project_that_is_adopted_is_made_the_apps_first(tmp_path: Path) -> None:
    wanted = app(tmp_path).model_copy(update={"adopt": Adopt(project="flat-bread-1")})
    monitor = declare(wanted)
    adoption = only(monitor, "pulumi-python:dynamic/tenantry:Adoption")
    assert adoption.parent_type == "tenantry:app:Project"
    given = {name: each for name, each in adoption.inputs.items() if name != "__provider"}
    assert given == {
        "target": "acme/web",
        "project": "flat-bread-1",
        "name": "tenantry--acme--web",
        "owner": "tenant_acme__web__owner",
        "organization": "org-test",
        "region": "aws-eu-central-1",
        "postgresVersion": 17.0,
        "logicalReplication": False,
    }
    assert adoption.urn in only(monitor, PROJECT).dependencies


@pytest.mark.parametrize(("written", "given"), [("true", "yes"), ("false", "no")])
def test_the_project_gets_the_settings_that_are_said(
    tmp_path: Path, written: str, given: str
) -> None:
    wanted = app(
        tmp_path,
        settings=f"block_public_connections: {written}, logical_replication: {written}, "
        "maintenance_window: {weekdays: [sunday, monday], start: 05:00, end: 22:30}, quota: {data_transfer: 5GB}",
    )
    inputs = only(declare(wanted), PROJECT).inputs
    assert inputs["blockPublicConnections"] == given
    # Neon cannot turn it off, so there is nothing to say of that.
    assert inputs.get("enableLogicalReplication") == ("yes" if written == "true" else None)
    assert inputs["maintenanceWindow"] == {
        "weekdays": [1.0, 7.0],
        "startTime": "05:00",
        "endTime": "22:30",
    }
    assert inputs["quota"] == {
        "activeTimeSeconds": 0.0,
        "computeTimeSeconds": 0.0,
        "writtenDataBytes": 0.0,
        "dataTransferBytes": 5.0 * 1024**3,
        "logicalSizeBytes": 0.0,
    }


def test_main_is_protected_last_and_goes_with_the_project(tmp_path: Path) -> None:
    kind = "pulumi-python:dynamic/tenantry:Protection"
    assert of_type(declare(app(tmp_path)), kind) == []
    monitor = declare(app(tmp_path, settings="protected: true"))
    protection = only(monitor, kind)
    inputs = {name: protection.inputs[name] for name in ("branch", "protected")}
    assert inputs == {"branch": "br-main", "protected": True}
    assert protection.deleted_with == only(monitor, PROJECT).urn
    # The engine is to delete it once the registry takes it back.
    assert not protection.protect
    assert only(monitor, "neon:index/branch:Branch").urn in protection.dependencies


def test_a_branch_with_a_last_day_is_not_the_engines_to_keep(tmp_path: Path) -> None:
    branches = "{qa: {expires: 2099-12-31}, gone: {expires: 2020-01-01}, kept: {}}"
    monitor = declare(app(tmp_path, branches=branches))
    made = of_type(monitor, "neon:index/branch:Branch")
    assert {each.inputs["name"]: each.protect for each in made} == {"qa": False, "kept": True}
    expiry = only(monitor, "pulumi-python:dynamic/tenantry:Expiry")
    assert expiry.name == "acme/web/qa"
    assert expiry.inputs["expiresAt"] == "2100-01-01T00:00:00Z"
    assert not expiry.protect


def test_the_logins_are_members_of_a_group_without_login_and_own_nothing(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    group = only(monitor, ROLE, name="tenant_acme__web__rw")
    assert group.inputs == {
        "name": "tenant_acme__web__rw",
        "login": False,
        "skipReassignOwned": True,
    }
    login = only(monitor, ROLE, name="tenant_acme__web__login_a")
    assert login.inputs == {
        "name": "tenant_acme__web__login_a",
        "login": True,
        "password": SECRET | {"value": "p" * 40},
        "connectionLimit": 15.0,
        "roles": ["tenant_acme__web__rw"],
        "searchPaths": ["app", "public"],
        "statementTimeout": 20000.0,
        "idleInTransactionSessionTimeout": 5000.0,
        "skipReassignOwned": True,
    }


@pytest.mark.parametrize(
    ("generation", "passwords", "logins"),
    [
        (1, ["acme/web/password-1"], ["acme/web/a"]),
        (2, ["acme/web/password-1", "acme/web/password-2"], ["acme/web/a", "acme/web/b"]),
        (3, ["acme/web/password-2", "acme/web/password-3"], ["acme/web/a", "acme/web/b"]),
    ],
)
def test_a_generation_keeps_the_login_before_it(
    tmp_path: Path, generation: int, passwords: list[str], logins: list[str]
) -> None:
    monitor = declare(app(tmp_path, generation=generation))
    made = of_type(monitor, "random:index/randomPassword:RandomPassword")
    assert sorted(r.name for r in made) == passwords
    roles = [r.name for r in of_type(monitor, ROLE) if r.inputs["login"]]
    assert sorted(roles) == logins


def test_public_may_not_enter_and_the_group_may_only_use(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    grants = {
        (r.inputs["role"], r.inputs["objectType"]): r.inputs["privileges"]
        for r in of_type(monitor, GRANT)
    }
    assert grants == {
        ("public", "database"): [],
        ("public", "schema"): [],
        ("tenant_acme__web__rw", "database"): ["CONNECT", "TEMPORARY"],
        ("tenant_acme__web__rw", "schema"): ["USAGE"],
    }
    defaults = {
        r.inputs["objectType"]: (r.inputs["owner"], r.inputs["role"], r.inputs["privileges"])
        for r in of_type(monitor, "postgresql:index/defaultPrivileges:DefaultPrivileges")
    }
    owner, group = "tenant_acme__web__owner", "tenant_acme__web__rw"
    assert defaults == {
        "table": (owner, group, ["SELECT", "INSERT", "UPDATE", "DELETE"]),
        "sequence": (owner, group, ["USAGE", "SELECT", "UPDATE"]),
        "function": (owner, group, ["EXECUTE"]),
    }


def test_everything_in_a_project_goes_with_it_and_through_the_owners_connection(
    tmp_path: Path,
) -> None:
    monitor = declare(app(tmp_path))
    project = only(monitor, PROJECT).urn
    owner = only(monitor, "pulumi:providers:postgresql")
    inside = [r for r in monitor.registered if r.type.startswith("postgresql:")]
    assert inside
    assert {r.deleted_with for r in inside} == {project}
    assert {r.provider.rsplit("::", 1)[0] for r in inside} == {owner.urn}
    assert only(monitor, "neon:index/branch:Branch").deleted_with == project
    assert only(monitor, "neon:index/endpoint:Endpoint").deleted_with == project
    assert owner.inputs["username"] == "tenant_acme__web__owner"
    assert owner.inputs["sslmode"] == "require"


@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_deletion_decides_on_protection_and_retention(tmp_path: Path, deletion: str) -> None:
    monitor = declare(app(tmp_path, deletion=deletion))
    data = {
        PROJECT,
        "random:index/randomId:RandomId",
        ROLE,
        "postgresql:index/database:Database",
        "postgresql:index/schema:Schema",
        "neon:index/branch:Branch",
        "neon:index/endpoint:Endpoint",
    }
    protected = {r.type for r in monitor.registered if r.protect}
    assert protected == (data if deletion == "protect" else set())
    retained = {r.type for r in monitor.registered if r.retain}
    assert retained == ({PROJECT} if deletion == "retain" else set())


def test_the_next_run_can_read_from_the_state_what_it_would_destroy(tmp_path: Path) -> None:
    wanted = app(tmp_path, deletion="retain")
    monitor = declare(wanted)
    component = only(monitor, "tenantry:app:TenantApp")
    assert monitor.outputs[component.urn] == {
        "app": "acme/web",
        "declared": declared(wanted),
        "deletion": "retain",
        "organization": "org-test",
        "region": "aws-eu-central-1",
        "postgresVersion": 17.0,
        "generation": 1.0,
        "branches": ["staging"],
        "apiKeys": {},
        "revokedKeys": [],
        "namespace": "tenantry",
        "catalog": False,
        "graphs": {},
    }


def test_urls_and_passwords_are_secret(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    user = "tenant_acme__web__login_a"
    url = f"morphik://{user}:{'p' * 40}@{{}}/tenant_acme__web?sslmode=require"
    assert monitor.answers == {
        "direct": (url.format("ep-main.example"), True),
        "pooled": (url.format("ep-main-pooler.example"), True),
    }
    provider = only(monitor, "pulumi:providers:postgresql")
    assert provider.inputs["password"] == SECRET | {"value": "owner-password"}


def test_a_project_and_all_that_is_in_it_are_made_anew_when_its_place_changes(
    tmp_path: Path,
) -> None:
    monitor = declare(app(tmp_path))
    place = only(monitor, "random:index/randomId:RandomId")
    assert place.inputs["keepers"] == {
        "region": "aws-eu-central-1",
        "postgres_version": "17",
        "organization": "org-test",
    }
    anew = {r.type for r in monitor.registered if place.urn in r.replace_with}
    assert anew == {r.type for r in monitor.registered if r.deleted_with} | {PROJECT}
    assert all(r.delete_before_replace for r in monitor.registered if r.type in anew)


def test_the_owner_finds_room_when_the_app_holds_all_its_connections(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    limit = only(monitor, "postgresql:index/database:Database").inputs["connectionLimit"]
    owner = only(monitor, "pulumi:providers:postgresql").inputs["maxConnections"]
    assert limit - 15 > float(owner)


def test_an_app_that_was_renamed_keeps_its_names_and_the_state_finds_all_of_it(
    tmp_path: Path,
) -> None:
    wanted = app(tmp_path, generation=2).held_formerly(("acme/mid", "old/first"))
    monitor = declare(wanted, known_as=("acme/mid", "old/first"))
    own = [each for each in monitor.registered if each.type != "pulumi:providers:neon"]
    # Each has its own, since a run that is killed leaves a part of them behind.
    assert [each.aliases for each in own] == [
        tuple(each.name.replace("acme/web", before) for before in ("acme/mid", "old/first"))
        for each in own
    ]
    assert only(monitor, PROJECT).inputs["name"] == "tenantry--acme--web"
    assert {each.inputs["name"] for each in of_type(monitor, ROLE)} == {
        f"tenant_old__first__{role}" for role in ("rw", "login_a", "login_b")
    }
    (outputs,) = [
        each for urn, each in monitor.outputs.items() if "::acme/web" in urn and "app" in each
    ]
    assert outputs["formerly"] == ["acme/mid", "old/first"]


def test_an_app_that_was_never_renamed_has_no_aliases(tmp_path: Path) -> None:
    monitor = declare(app(tmp_path))
    assert {each.aliases for each in monitor.registered} == {()}
    assert not any("formerly" in each for each in monitor.outputs.values())
