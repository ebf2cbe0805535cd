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
      api:
        services: [storage]
      bare: {}
"""


def test_a_field_without_effect_is_named_with_the_apps_that_set_it(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    assert unapplied(load(file).apps) == [
        "'services' is checked but not applied yet: acme/web, acme/api",
        "'api_keys' is checked but not applied yet: acme/web",
    ]
    assert unapplied([load(file).app("acme/bare")]) == []
