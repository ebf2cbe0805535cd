from pathlib import Path

from tenantry.registry import load
from tenantry.registry.unapplied import unapplied

REGISTRY = """\
version: 1
defaults: {environment: development, region: aws-us-east-2}
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        database: {schema: base}
        services: [auth]
        api_keys: [{name: default}]
        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}
      api:
        services: [storage]
      bare: {}
"""


def test_a_field_without_effect_is_named_with_the_apps_that_set_it(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    assert unapplied(load(file).apps, catalog=True) == [
        "'graph' is checked but not applied yet: acme/web",
    ]
    assert unapplied([load(file).app("acme/bare")], catalog=True) == []


def test_a_run_without_a_catalog_says_what_that_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    said = unapplied([load(file).app("acme/bare")], catalog=False)
    assert len(said) == 1
    assert said[0].startswith("no catalog is configured: ")
    assert "TENANTRY_CATALOG_URL" in said[0]
    assert unapplied([], catalog=False) == []
