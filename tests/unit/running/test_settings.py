"""The files of settings that stacks have."""

from pathlib import Path

import pytest
import yaml

from tenantry.running.settings import registry_of

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
