"""From nothing to converged, and back to nothing."""

import json

from tests.engine.workspace import Workspace, projects
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: lifecycle
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-eu-central-1
        database:
          extensions: [pg_trgm]
          branches: {staging: {}}
          allowed_ips: [203.0.113.0/24]
        deletion: delete
  globex:
    name: Globex
    apps:
      api:
        environment: development
        region: us-east-2
        deletion: delete
"""


def test_an_app_lives_from_its_creation_to_its_destruction(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    # As by hand: `pulumi` starts the program.
    workspace.served = False
    workspace.apply(REGISTRY)
    assert projects(cloud, "lifecycle--") == ["lifecycle--acme--web", "lifecycle--globex--api"]
    workspace.assert_converged()

    outputs = workspace.outputs()
    web = outputs["apps"]["acme/web"]
    assert web["region"] == "aws-eu-central-1"
    assert web["database"] == "tenant_acme__web"
    assert web["login"] == "tenant_acme__web__login_a"
    assert set(web["branches"]) == {"staging"}
    assert outputs["apps"]["globex/api"]["region"] == "aws-us-east-2"
    for urls in outputs["urls"].values():
        assert urls["direct"] != urls["pooled"]

    again = workspace.must("up", "--yes", "--skip-preview", "--json")
    events = [json.loads(line) for line in again.out.splitlines()]
    (summary,) = [event["summaryEvent"] for event in events if "summaryEvent" in event]
    assert summary["resourceChanges"].keys() == {"same"}

    workspace.must("destroy", "--yes", "--skip-preview")
    assert projects(cloud, "lifecycle--") == []
    assert [r["type"] for r in workspace.resources()] in ([], ["pulumi:pulumi:Stack"])


def test_secrets_are_masked_in_the_outputs(workspace: Workspace) -> None:
    workspace.apply(REGISTRY.replace("lifecycle", "masked"))
    shown = json.loads(workspace.must("stack", "output", "--json").out)
    assert shown["urls"] == {
        app: {"direct": "[secret]", "pooled": "[secret]"} for app in ("acme/web", "globex/api")
    }


def test_a_bad_registry_makes_nothing_and_says_where(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    workspace.registry.write_text(REGISTRY.replace("eu-central-1", "eu-centrl-1"))
    done = workspace.pulumi("up", "--yes", "--skip-preview")
    assert done.code != 0
    assert "tenants.yaml:9:17: tenants.acme.apps.web.region" in done.said
    assert "Traceback" not in done.said
    assert projects(cloud, "lifecycle--acme") == []


def test_a_missing_key_is_said_in_one_line(workspace: Workspace) -> None:
    workspace.registry.write_text(REGISTRY)
    workspace.environment["NEON_API_KEY"] = ""
    done = workspace.pulumi("preview")
    assert done.code != 0
    assert "no key for the Neon API: set NEON_API_KEY" in done.said
    assert "Traceback" not in done.said


def test_a_stack_holds_the_apps_that_its_configuration_selects(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    workspace.must("config", "set", "tenantry:apps", "globex")
    workspace.apply(REGISTRY.replace("lifecycle", "selected"))
    assert projects(cloud, "selected--") == ["selected--globex--api"]


def test_an_organization_that_is_not_set_replaces_nothing(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    workspace.apply(REGISTRY.replace("lifecycle", "organized"))
    before = workspace.outputs()["apps"]
    workspace.environment["NEON_ORG_ID"] = ""
    done = workspace.pulumi("up", "--yes", "--skip-preview")
    assert done.code != 0
    assert f"acme/web was applied in organization {cloud.neon_org_id}" in done.said
    assert workspace.outputs()["apps"] == before
