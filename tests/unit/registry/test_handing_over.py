"""An app between the file and a row says the same on both sides."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry import parse
from tenantry.registry.asked import AskedRow, row_app
from tenantry.registry.declared import declared
from tenantry.registry.editing import NoSuchKeyError, RegistryFile
from tenantry.registry.handing_over import HandOverError, block_of_row, plans_like, row_of_block

TEXT = """version: 1
defaults: {environment: development, region: aws-us-east-2, deletion: protect, database: {statement_timeout: 10s}, api_keys: [{name: b}]}
tenants:
  acme:
    apps:
      like: {deletion: delete, services: [auth], api_keys: [{name: default, expires: 2031-01-31}]}
      rotated:
        region: gwc
        deletion: delete
        services: [auth]
        database: {credentials: {generation: 3}}
        api_keys: [{name: default, generation: 2, revoked: [1], expires: 2031-01-31}, {name: more, scopes: [read]}]
      other: {deletion: delete, database: {connection_limit: 7}}
      renamed: {renamed_from: acme/before}
      taken: {adopt: {project: flat-bread-90066822}}
      users: {graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: []}}
  globex: {apps: {web: {}}}
self_service:
  plans:
    bare: {}
    # Of a plan with comments, anchors and lists.
    starter: &starter {services: [auth], api_keys: [{name: default, expires: 2031-01-31}]}
    pro:
      <<: *starter
      environment: production
      deletion: retain
      database: {schema: {template: base}, compute: {max_cu: 1, suspend_after: never}, branches: {stage: {}}}
      quotas: {api_keys: 20}
  tenants: {acme: {plans: [bare, starter, pro]}}
  regions: [gwc]
  sign_ups: {app: acme/users}
"""
FILE = RegistryFile(Path("tenants.yaml"), TEXT.encode(), parse(TEXT.encode(), "tenants.yaml"))


def written(lines: list[str]) -> str:
    """The file with a block of an app of `acme` in it."""
    assert lines[:3] == ["tenants:", "  acme:", "    apps:"]
    return TEXT.replace("    apps:\n      like", "\n".join(["    apps:", *lines[3:], "      like"]))


KEYS = st.fixed_dictionaries(
    {"name": st.sampled_from(["default", "a", "b"])},
    optional={
        "scopes": st.sampled_from([["read"], ["read", "write", "admin"]]),
        "generation": st.integers(2, 9),
        "revoked": st.sampled_from([[1], [2, 1]]),
        "expires": st.just("2030-12-31"),
    },
)
OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "region": st.sampled_from(["gwc", "aws-eu-west-2"]),
        "database": st.integers(1, 9).map(lambda n: {"credentials": {"generation": n}}),
        "api_keys": st.lists(KEYS, max_size=3, unique_by=lambda key: key["name"]).map(
            lambda keys: [k | ({"generation": 2} if "revoked" in k else {}) for k in keys]
        ),
    },
)


@given(st.sampled_from(["bare", "starter", "pro"]), OVERRIDES)
def test_a_block_is_the_app_of_its_row_and_back(plan: str, overrides: dict[str, Any]) -> None:
    row = AskedRow("1", "acme", "new", plan, overrides)
    wanted = declared(row_app(FILE.registry, row))
    text = written(block_of_row(FILE, row))
    made = RegistryFile(FILE.path, text.encode(), parse(text.encode()))
    assert declared(made.registry.app("acme/new")) == wanted
    back, there, again = row_of_block(made, "acme/new", plan)
    assert declared(there) == declared(again) == wanted
    assert declared(row_app(FILE.registry, back)) == wanted


def test_a_block_is_yaml_that_people_read() -> None:
    row = AskedRow("1", "acme", "new", "pro", {"region": "gwc"})
    assert block_of_row(FILE, row) == [
        "tenants:",
        "  acme:",
        "    apps:",
        "      new:",
        "        environment: production",
        "        deletion: retain",
        "        database: {schema: {template: base}, compute: {max_cu: 1, suspend_after: never}, branches: {stage: {}}}",
        "        quotas: {api_keys: 20}",
        "        services: [auth]",
        "        api_keys: [{name: default, expires: 2031-01-31}]",
        "        region: gwc",
    ]
    assert yaml.safe_load("\n".join(block_of_row(FILE, row)))


@pytest.mark.parametrize(
    ("app", "overrides"),
    [
        ("acme/like", {}),
        (
            "acme/rotated",
            {
                "region": "azure-gwc",
                "database": {"credentials": {"generation": 3}},
                "api_keys": [
                    {"name": "default", "generation": 2, "revoked": [1]},
                    {"name": "more", "scopes": ["read"]},
                ],
            },
        ),
    ],
)
def test_a_row_holds_only_what_differs_from_the_plan(app: str, overrides: dict[str, Any]) -> None:
    row, there, made = row_of_block(FILE, app, "starter")
    assert row.overrides == overrides
    assert declared(there) == declared(made)
    assert plans_like(FILE, app) == ["starter"]


def test_an_app_that_no_plan_makes_is_seen_to_differ() -> None:
    assert plans_like(FILE, "acme/other") == []
    _, there, made = row_of_block(FILE, "acme/other", "starter")
    assert declared(there) != declared(made)


@pytest.mark.parametrize(
    ("app", "plan", "says"),
    [
        ("acme/like", "none", '"none" is not a plan'),
        ("acme/renamed", "starter", "has renamed_from"),
        ("acme/taken", "starter", "has adopt"),
        ("acme/users", "starter", "it stays in the file"),
    ],
)
def test_what_a_row_cannot_say_stays_in_the_file(app: str, plan: str, says: str) -> None:
    with pytest.raises(HandOverError, match=says):
        row_of_block(FILE, app, plan)


def test_a_tenant_that_may_not_ask_and_an_app_that_is_not_there_are_told() -> None:
    with pytest.raises(HandOverError, match="globex may not ask"):
        plans_like(FILE, "globex/web")
    with pytest.raises(NoSuchKeyError):
        plans_like(FILE, "acme/none")
