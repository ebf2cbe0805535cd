"""An app that leaves the registry: what `deletion` was in force when it was last applied decides."""

import pytest

from tests.engine.workspace import Workspace, projects
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        deletion: DELETION
      other:
        environment: development
        region: aws-us-east-2
        deletion: delete
"""
LEFT = """\
version: 1
namespace: NAMESPACE
tenants:
  acme:
    name: Acme Inc.
    apps:
      other:
        environment: development
        region: aws-us-east-2
        deletion: delete
"""


def text(registry: str, deletion: str) -> str:
    return registry.replace("NAMESPACE", f"leave-{deletion}").replace("DELETION", deletion)


def held(workspace: Workspace) -> list[tuple[str, str, bool]]:
    return [(r["urn"], r.get("id", ""), r.get("protect", False)) for r in workspace.resources()]


def test_a_protected_app_stops_the_run_before_anything_is_changed(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    workspace.apply(text(REGISTRY, "protect"))
    before = held(workspace)
    workspace.registry.write_text(text(LEFT, "protect"))
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        done = workspace.pulumi(*command)
        assert done.code != 0
        assert (
            "tenants.yaml: acme/web is gone, and was applied last with 'deletion: protect'"
            in done.said
        )
        assert "Traceback" not in done.said
    assert held(workspace) == before
    assert projects(cloud, "leave-protect--") == [
        "leave-protect--acme--other",
        "leave-protect--acme--web",
    ]
    workspace.apply(text(REGISTRY, "protect"))
    workspace.assert_converged()


BRANCHED = """\
version: 1
namespace: branched
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database: {extensions: [pg_trgm], branches: BRANCHES}
        deletion: protect
"""


def test_a_destroy_stops_at_a_protected_app_and_the_next_run_converges(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    workspace.apply(BRANCHED.replace("BRANCHES", "{qa: {}}"))
    url = workspace.url("acme/web")
    done = workspace.pulumi("destroy", "--yes", "--skip-preview")
    assert done.code != 0
    assert "protect" in done.said
    assert projects(cloud, "branched--") == ["branched--acme--web"]

    workspace.must("up", "--yes", "--skip-preview")
    assert workspace.url("acme/web") == url
    workspace.assert_converged()


def test_a_branch_of_a_protected_app_stays(workspace: Workspace) -> None:
    text = BRANCHED.replace("branched", "branch-stays")
    workspace.apply(text.replace("BRANCHES", "{qa: {}}"))
    before = held(workspace)
    workspace.registry.write_text(text.replace("BRANCHES", "{}"))
    done = workspace.pulumi("up", "--yes", "--skip-preview")
    assert done.code != 0
    assert "tenants.yaml: acme/web: branch qa is gone" in done.said
    assert held(workspace) == before


def test_two_apps_do_not_leave_in_one_run_unless_they_are_named(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    both = text(REGISTRY, "delete").replace("leave-delete", "leave-two")
    workspace.apply(both)
    workspace.registry.write_text(
        "version: 1\nnamespace: leave-two\ntenants: {acme: {name: Acme Inc., apps: {}}}\n"
    )
    done = workspace.pulumi("up", "--yes", "--skip-preview")
    assert done.code != 0
    assert (
        "2 apps would leave, be replaced or lose branches, graphs or keys in one run" in done.said
    )
    assert len(projects(cloud, "leave-two--")) == 2

    (line,) = [line for line in done.said.splitlines() if "config set" in line][:1]
    workspace.must(*line.split("pulumi ")[1].split())
    workspace.must("up", "--yes", "--skip-preview")
    assert projects(cloud, "leave-two--") == []


SLIPS = """\
version: 1
namespace: slips
tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-us-east-2
        api_keys: [{name: default}]
      dev: {environment: staging, region: aws-us-east-2, deletion: delete}
"""


def test_what_a_slip_would_take_stops_the_run_with_the_way_to_allow_it(
    workspace: Workspace, cloud: LocalCloud
) -> None:
    workspace.apply(SLIPS)
    before = held(workspace)

    def refused(registry: str, apps: str = "all") -> str:
        workspace.registry.write_text(registry)
        workspace.must("config", "set", "tenantry:apps", apps)
        done = workspace.pulumi("up", "--yes", "--skip-preview")
        assert done.code != 0
        return done.said

    narrowed = refused(SLIPS, apps="acme/web")
    assert "acme/dev is in the registry, and tenantry:apps no longer selects it" in narrowed
    assert "tenantry up --allow-destroy acme/dev, or" in narrowed
    assert "was applied under the namespace slips" in refused(SLIPS.replace("slips", "other"))
    key = refused(SLIPS.replace("        api_keys: [{name: default}]\n", ""))
    assert "API key default is gone, which would cut off its clients" in key
    assert "is gone, and was applied last with" in refused("version: 1\ntenants: {}\n")
    assert held(workspace) == before
    assert projects(cloud, "slips--") == ["slips--acme--dev", "slips--acme--web"]

    workspace.environment["TENANTRY_ALLOW_DESTROY"] = "acme/dev"
    workspace.registry.write_text(SLIPS)
    workspace.must("config", "set", "tenantry:apps", "acme/web")
    workspace.must("up", "--yes", "--skip-preview")
    assert projects(cloud, "slips--") == ["slips--acme--web"]


@pytest.mark.parametrize(
    ("deletion", "stays"), [("retain", ["leave-retain--acme--web"]), ("delete", [])]
)
def test_an_app_leaves_as_it_was_last_applied(
    workspace: Workspace, cloud: LocalCloud, deletion: str, stays: list[str]
) -> None:
    workspace.apply(text(REGISTRY, deletion))
    done = workspace.apply(text(LEFT, deletion))
    assert f"acme/web leaves with 'deletion: {deletion}'" in done.said
    assert projects(cloud, f"leave-{deletion}--acme--web") == stays
    assert not [r for r in workspace.resources() if "acme/web" in r["urn"]]
    workspace.assert_converged()
