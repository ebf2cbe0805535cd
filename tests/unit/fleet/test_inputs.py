from pathlib import Path

import pytest

from tenantry.fleet.inputs import desired
from tenantry.registry.source import FileSource

ENVIRONMENT = {
    "NEON_ORG_ID": "org-1",
    "NEON_API_URL": "https://neon.example",
    "NEON_API_KEY": "key",
}
TEXT = """\
version: 1
defaults: {region: aws-us-east-2, environment: development}
tenants:
  acme:
    apps:
      web: {database: {schema: ./migrations, compute: {max_cu: 1}}}
      lab: {database: {schema: base}}
"""
REVISION = "revision = 'a1'\ndown_revision = None\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tenants.yaml").write_text(TEXT)
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "versions" / "a1.py").write_text(REVISION)
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    return tmp_path


def digests(folder: Path, **environment: str) -> dict[str, str]:
    found = desired(
        folder,
        Path("tenants.yaml"),
        {**ENVIRONMENT, **environment},
        folder / "Pulumi.fleet.yaml",
        FileSource(folder / "tenants.yaml"),
    )
    return {app: inputs.digest for app, inputs in found.inputs.items()}


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_same_inputs_have_the_same_digest_in_another_order_too(folder: Path) -> None:
    before = digests(folder)
    lines = (folder / "tenants.yaml").read_text().splitlines(keepends=True)
    (folder / "tenants.yaml").write_text("".join(["# new\n", *lines[:5], lines[6], lines[5]]))
    after = digests(folder)
    assert after == before
    assert list(after) != list(before)
    assert before["acme/web"] != before["acme/lab"]


def test_a_default_that_is_written_out_changes_nothing(folder: Path) -> None:
    before = digests(folder)
    edit(folder / "tenants.yaml", "max_cu: 1", "max_cu: 1, min_cu: 0.25")
    assert digests(folder) == before


def test_a_value_changes_its_app_alone(folder: Path) -> None:
    before = digests(folder)
    edit(folder / "tenants.yaml", "max_cu: 1", "max_cu: 2")
    after = digests(folder)
    assert after["acme/web"] != before["acme/web"]
    assert after["acme/lab"] == before["acme/lab"]


def test_a_revision_changes_the_apps_that_have_its_history(folder: Path) -> None:
    before = digests(folder)
    edit(folder / "migrations" / "versions" / "a1.py", REVISION, f"{REVISION}\n# more\n")
    after = digests(folder)
    assert after["acme/web"] != before["acme/web"]
    assert after["acme/lab"] == before["acme/lab"]


@pytest.mark.parametrize(
    "environment",
    [
        {"NEON_ORG_ID": "org-2"},
        {"NEON_API_URL": "http://127.0.0.1:1"},
        {"AURA_TENANT_ID": "other"},
        {"TENANTRY_CATALOG_URL": "postgresql://user:secret@db.example/tenantry"},
    ],
)
def test_where_it_runs_is_part_of_it(folder: Path, environment: dict[str, str]) -> None:
    before, after = digests(folder), digests(folder, **environment)
    assert all(before[app] != after[app] for app in before)


def test_credentials_are_not(folder: Path) -> None:
    url = "postgresql://{}@db.example/tenantry"
    before = digests(folder, TENANTRY_CATALOG_URL=url.format("ann:one"))
    after = digests(folder, TENANTRY_CATALOG_URL=url.format("ben:two"), NEON_API_KEY="other")
    assert after == before


def test_the_fleets_settings_are_part_of_it_and_their_key_is_not(folder: Path) -> None:
    file = folder / "Pulumi.fleet.yaml"
    file.write_text("config: {tenantry:neonOrgId: org-1}\n")
    before = digests(folder)
    file.write_text("config: {tenantry:neonOrgId: org-1}\nencryptionsalt: v1:abc\n")
    assert digests(folder) == before
    file.write_text("config: {tenantry:neonOrgId: org-2}\n")
    assert digests(folder) != before
