import json

from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.planning import support
from tests.unit.recovery.project import Project

RUN = CliRunner()


def holds_web(project: Project) -> None:
    facts = {
        "project": "p-1",
        "region": "aws-us-east-2",
        "host": "ep-1",
        "database": "d",
        "login": "l",
    }
    stack = {
        "urn": "urn:pulumi:dev::tenantry::pulumi:pulumi:Stack::tenantry-dev",
        "type": "pulumi:pulumi:Stack",
        "outputs": {"apps": {"acme/web": facts}},
    }
    project.write_state(stack, {"urn": support.urn(support.APP, "acme/web"), "type": support.APP})


def test_the_state_is_read_without_an_engine(project: Project) -> None:
    holds_web(project)
    result = RUN.invoke(app, ["status", "--json"])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["app"], row["project"], row["status"]) == ("acme/web", "p-1", "applied")
    assert project.called() == []


def test_the_registry_is_the_stacks_unless_one_is_named(project: Project) -> None:
    holds_web(project)
    registry = project.folder / "tenants.yaml"
    (project.folder / "other.yaml").write_text(registry.read_text().replace("web:", "api:"))
    registry.unlink()
    (project.folder / "Pulumi.dev.yaml").write_text("config: {tenantry:registry: other.yaml}\n")
    rows = json.loads(RUN.invoke(app, ["status", "--json"]).stdout)
    assert {row["app"]: row["status"] for row in rows} == {
        "acme/api": "not applied",
        "acme/web": "applied, not in the registry",
    }
    assert RUN.invoke(app, ["status", "tenants.yaml"]).exit_code == 1


def test_a_stack_that_is_not_there_is_named(project: Project) -> None:
    project.environment["PULUMI_STACK"] = "prod"
    result = RUN.invoke(app, ["status"], env={"PULUMI_STACK": "prod"})
    assert (result.exit_code, result.stderr) == (
        1,
        "stack prod is not there: the project has dev: PULUMI_STACK=prod tenantry up --create makes it\n",
    )
