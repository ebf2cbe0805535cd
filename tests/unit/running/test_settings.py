"""The files of settings that stacks have."""

from pathlib import Path

import pytest
import yaml

from tenantry.running.errors import EngineError
from tenantry.running.settings import project_backend, project_default, registry_of

ROOT = Path(__file__).parents[3]


def test_the_local_stacks_file_has_settings_and_no_key() -> None:
    """The parameters of one clone's key in it would refuse the passphrase of every other clone."""
    file = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text("utf-8"))
    assert file.keys() == {"config"}


@pytest.mark.parametrize(
    ("stack", "project", "file"),
    [
        ("config: {tenantry:registry: own.yaml}\n", "", "own.yaml"),
        ("", "config: {tenantry:registry: {default: all.yaml}}\n", "all.yaml"),
        ("", "config: {tenantry:registry: all.yaml}\n", "all.yaml"),
        ("config: {}\n", "name: t\n", "tenants.yaml"),
    ],
)
def test_the_registry_is_the_stacks_then_the_projects_then_the_usual(
    tmp_path: Path, stack: str, project: str, file: str
) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(stack)
    (tmp_path / "Pulumi.yaml").write_text(project)
    assert registry_of(tmp_path, "dev") == tmp_path / file


def test_what_the_project_says_of_backend_and_defaults(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.yaml"
    assert project_backend(tmp_path) is None
    file.write_text(
        "backend: {url: 's3://b'}\nconfig: {a:b: plain, a:c: {default: x}, a:d: {value: y}}\n"
    )
    assert project_backend(tmp_path) == "s3://b"
    found = [project_default(tmp_path, key) for key in ("a:b", "a:c", "a:d", "a:e")]
    assert found == ["plain", "x", "y", None]
    file.write_text("backend: [")
    with pytest.raises(EngineError, match="it cannot be read"):
        project_backend(tmp_path)
