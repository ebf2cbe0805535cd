from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tenantry.registry import load
from tenantry.repository.choices import Choices
from tenantry.repository.composing import compose, next_commands
from tenantry.repository.errors import RepositoryError
from tenantry.repository.pinning import Pin, pin_wheel
from tests.unit.repository.conftest import MakeWheel

ROOT = Path(__file__).parents[3]
FIRST = Choices("platform", "acme/web", "aws-eu-central-1", "staging")


@pytest.fixture
def pin(make_wheel: MakeWheel) -> Pin:
    return pin_wheel(make_wheel(), local_cloud=True)


def test_a_local_repository_has_all_that_a_run_needs(pin: Pin, tmp_path: Path) -> None:
    files = compose(FIRST, pin)
    assert list(files) == [
        *("tenants.yaml", "tenants.schema.json", "Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"),
        *("requirements.txt", pin.path, ".gitignore", "README.md"),
    ]
    (tmp_path / "tenants.yaml").write_bytes(files["tenants.yaml"].content)
    registry = load(tmp_path / "tenants.yaml")
    assert registry.namespace == "platform"
    (app,) = registry.apps
    assert (app.id, app.region, app.environment) == ("acme/web", "aws-eu-central-1", "staging")
    project = yaml.safe_load(files["Pulumi.yaml"].content)
    assert project["config"] == {"tenantry:cloud": "local"}
    assert (project["name"], "backend" in project) == ("platform", False)
    assert files["__main__.py"].content == (ROOT / "__main__.py").read_bytes()
    assert "$" not in files["README.md"].content.decode()


def test_on_neon_the_states_are_where_the_project_says(pin: Pin) -> None:
    choices = replace(FIRST, cloud="neon", stack="prod", backend="s3://states", service="github")
    files = compose(choices, pin)
    project = yaml.safe_load(files["Pulumi.yaml"].content)
    assert project["backend"] == {"url": "s3://states"}
    assert project["config"] == {"tenantry:cloud": "neon"}
    assert yaml.safe_load(files["Pulumi.prod.yaml"].content)["config"] == {
        "tenantry:registry": "tenants.yaml"
    }
    assert next_commands(choices)[-1] == "tenantry up --create"
    readme = files["README.md"].content.decode()
    assert "NEON_API_KEY" in readme
    assert "$" not in readme
    # As they are here: what the tests of the workflows hold is true of them.
    for name in ("apply", "drift", "pull-request"):
        own = (ROOT / "ci" / "github" / f"{name}.yml").read_bytes()
        assert files[f".github/workflows/{name}.yml"].content == own
    script = files["ci/tenantry-ci"]
    assert (script.content, script.executable) == ((ROOT / "ci/tenantry-ci").read_bytes(), True)


def test_a_fleet_has_shared_settings_and_no_workflows(pin: Pin) -> None:
    files = compose(replace(FIRST, fleet=True), pin)
    assert "Pulumi.fleet.yaml" in files
    assert not any(name.startswith(("ci", ".github")) for name in files)
    assert next_commands(replace(FIRST, fleet=True)) == ["tenantry fleet up"]


@pytest.mark.parametrize(
    "wrong",
    [replace(FIRST, app="web"), replace(FIRST, app="Acme/web"), replace(FIRST, region="mars")],
)
def test_what_the_registry_refuses_is_refused(pin: Pin, wrong: Choices) -> None:
    with pytest.raises(RepositoryError, match=r"mars|lower-case letters"):
        compose(wrong, pin)
