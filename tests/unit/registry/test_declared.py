from pathlib import Path

import pytest

from tenantry.registry import load
from tenantry.registry.declared import declared

ONE = """\
version: 1
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          extensions: [pg_trgm, citext]
          allowed_ips: [203.0.113.0/24, 192.0.2.1]
          branches: {staging: {}, qa: {}}
        services: [auth, {name: realtime, enabled: false}]
        api_keys:
          - {name: default, scopes: [read, write], revoked: [2, 1], generation: 3}
          - {name: ci}
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: [ada, bob]}
"""
OTHER = """\
# The same, in another order.
tenants:
  acme:
    apps:
      web:
        region: us-east-2
        graphs_per_user: {users: [bob, ada], memory: 1GB, type: professional-db, cloud: gcp, region: us-central1}
        api_keys:
          - {name: ci}
          - {revoked: [1, 2], generation: 3, name: default, scopes: [write, read]}
        services: [{name: realtime, enabled: false}, auth]
        environment: production
        database:
          branches: {qa: {}, staging: {}}
          allowed_ips: [192.0.2.1, 203.0.113.0/24]
          extensions: [citext, pg_trgm]
    name: Acme Inc.
version: 1
"""


def text_of(folder: Path, registry: str) -> str:
    file = folder / "tenants.yaml"
    file.write_text(registry)
    (one,) = load(file).apps
    return declared(one)


def test_order_comments_and_place_do_not_count(tmp_path: Path) -> None:
    assert text_of(tmp_path, ONE) == text_of(tmp_path, OTHER)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("citext", "hstore"),
        ("enabled: false", "enabled: true"),
        ("[read, write]", "[read]"),
        ("name: Acme Inc.", "name: Acme GmbH"),
        ("{staging: {}, qa: {}}", "{staging: {protected: true}, qa: {}}"),
    ],
)
def test_a_changed_value_is_another_text(tmp_path: Path, was: str, becomes: str) -> None:
    assert was in ONE
    assert text_of(tmp_path, ONE) != text_of(tmp_path, ONE.replace(was, becomes))
