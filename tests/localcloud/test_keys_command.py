"""`tenantry keys` with a catalog on a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tenantry.cli import app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.localcloud.catalog import Catalog

RUN = CliRunner()
END = datetime(2027, 7, 1, tzinfo=UTC)
REGISTRY = """\
version: 1
defaults: {environment: staging, region: us-east-1, api_keys: [{name: shared}]}
tenants:
  acme:
    apps:
      web:
        api_keys:
          - name: default # the web app
            generation: 2
      api: {}
"""


@pytest.fixture
def folder(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tenants.yaml").write_text(REGISTRY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENANTRY_CATALOG_URL", catalog.url)
    return tmp_path


def active(catalog: Catalog) -> list[tuple[Any, ...]]:
    return catalog.ask(
        "SELECT name, generation, is_active FROM tenantry.api_keys ORDER BY name, generation, is_active"
    )


@pytest.mark.usefixtures("folder")
def test_the_catalog_is_set_against_the_registry(catalog: Catalog) -> None:
    web = catalog.app()
    catalog.key(web, 1, generation=1, last_used=END)
    catalog.key(web, 2, name="extra", revoked_at=END)
    catalog.key(catalog.app("acme/old"), 3, name="ci", expires_at=END)
    catalog.key(catalog.app("acme/gone", deleted=True), 4, name="gone")
    catalog.key(catalog.app("acme/web", namespace="other"), 5, generation=2)
    listed = RUN.invoke(app, ["keys", "list"])
    assert listed.exit_code == 0
    assert [line.split("  ")[0] for line in listed.stdout.splitlines()[:2]] == ["app", "acme/web"]
    rows = json.loads(RUN.invoke(app, ["keys", "list", "--json"]).stdout)
    assert [(row["app"], row["name"], row["generation"], row["state"]) for row in rows] == [
        ("acme/web", "default", 1, "valid"),
        ("acme/web", "default", 2, "missing"),
        ("acme/api", "shared", 1, "missing"),
        ("acme/old", "ci", 1, "not in the registry"),
    ]
    assert rows[0] == {
        "app": "acme/web",
        "name": "default",
        "generation": 1,
        "prefix": "acme--default",
        "scopes": ["read", "write"],
        "state": "valid",
        "created": "2026-09-10T00:26:40+00:00",
        "expires": None,
        "last_used": "2027-07-01T00:00:00+00:00",
    }
    every = json.loads(RUN.invoke(app, ["keys", "list", "acme/gone", "--all", "--json"]).stdout)
    assert [(row["app"], row["state"]) for row in every] == [("acme/gone", "revoked")]
    assert RUN.invoke(app, ["keys", "list", "acme/nowhere"]).exit_code == 1


@pytest.mark.usefixtures("folder")
def test_a_key_is_verified_from_standard_input(catalog: Catalog) -> None:
    key = catalog.key(catalog.app(), 1, scopes=["read"], expires_at=END)
    good = RUN.invoke(app, ["keys", "verify"], input=f"{key}\n")
    said = "valid: acme/web default, generation 1, scopes read, until 2027-07-01 00:00Z\n"
    assert (good.exit_code, good.stdout, good.stderr) == (0, said, "")
    catalog.ask("UPDATE tenantry.api_keys SET revoked_at = now()")
    bad = RUN.invoke(app, ["keys", "verify", "--json"], input=key)
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["state"] == "revoked"
    none = RUN.invoke(app, ["keys", "verify"], input="x" * 5000)
    assert (none.exit_code, none.stdout) == (1, "unknown: the catalog has no such key\n")


def test_a_key_is_revoked_at_once_and_in_the_registry(catalog: Catalog, folder: Path) -> None:
    web = catalog.app()
    for generation in (1, 2):
        catalog.key(web, generation, generation=generation)
    catalog.key(catalog.app("acme/web", namespace="other"), 9, generation=1)
    arguments = ["keys", "revoke", "acme/web", "default", "--generation", "1", "--write"]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "acme/web default, generation 1: revoked",
        "tenants.yaml: changed",
        "Next: tenantry up takes the change over",
    ]
    assert active(catalog) == [("default", 1, False), ("default", 1, True), ("default", 2, True)]
    after = REGISTRY.replace("generation: 2\n", "generation: 2\n            revoked: [1]\n")
    assert (folder / "tenants.yaml").read_text() == after
    again = RUN.invoke(app, [*arguments, "--json"])
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {
        "app": "acme/web",
        "name": "default",
        "generations": [{"generation": 1, "catalog": "revoked before"}],
        "file": "tenants.yaml",
        "written": False,
        "diff": "",
    }
    other = RUN.invoke(app, ["keys", "revoke", "acme/web", "default"])
    assert (other.exit_code, active(catalog)[2]) == (0, ("default", 2, False))
    assert "+            revoked: [1, 2]\n" in other.stdout


@pytest.mark.usefixtures("folder")
def test_a_generation_that_was_never_applied_is_said_to_be_missing(catalog: Catalog) -> None:
    catalog.key(catalog.app(), 1)
    result = RUN.invoke(app, ["keys", "revoke", "acme/web", "default", "--generation", "2"])
    assert result.exit_code == 0
    assert "generation 2: is not in the catalog" in result.stderr
    assert active(catalog) == [("default", 1, True)]


def test_a_key_that_only_the_catalog_has_is_revoked_there(catalog: Catalog, folder: Path) -> None:
    catalog.key(catalog.app("acme/old"), 1, name="ci", generation=4)
    for said in ("revoked", "was revoked before"):
        result = RUN.invoke(app, ["keys", "revoke", "acme/old", "ci", "--write"])
        assert result.exit_code == 0
        assert f"acme/old ci, generation 4: {said}" in result.stderr
        assert "tenants.yaml: nothing to change" in result.stderr
    assert active(catalog) == [("ci", 4, False)]
    assert (folder / "tenants.yaml").read_text() == REGISTRY


def test_a_key_that_the_registry_shares_is_revoked_in_the_catalog_all_the_same(
    catalog: Catalog, folder: Path
) -> None:
    catalog.key(catalog.app("acme/api"), 1, name="shared")
    result = RUN.invoke(app, ["keys", "revoke", "acme/api", "shared", "--write"])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "acme/api shared, generation 1: revoked"
    assert "the API keys of acme/api are not written there" in result.stderr
    assert active(catalog) == [("shared", 1, False)]
    assert (folder / "tenants.yaml").read_text() == REGISTRY


@pytest.mark.usefixtures("folder")
def test_a_key_that_nobody_has_is_not_revoked(catalog: Catalog) -> None:
    catalog.app()
    result = RUN.invoke(app, ["keys", "revoke", "acme/web", "nothing"])
    assert result.exit_code == 1
    assert "acme/web has no API key 'nothing'" in result.stderr


@pytest.mark.usefixtures("folder")
def test_a_catalog_without_tables_is_one_that_was_not_applied_yet(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_CATALOG_URL", catalog.url.replace("/catalog?", "/postgres?"))
    result = RUN.invoke(app, ["keys", "list"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "the catalog has no tables yet: tenantry up makes them\n"
