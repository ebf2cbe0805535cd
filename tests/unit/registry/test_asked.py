"""Apps out of a plan and what was chosen with it."""

from datetime import date
from typing import Any

import pytest

from tenantry.registry import Registry, parse
from tenantry.registry.asked import AskedError, AskedRow, asked_app, row_app
from tenantry.registry.declared import declared

TEXT = """version: 1
namespace: shop
defaults:
  environment: development
  region: aws-us-east-2
  quotas: {api_keys: 2}
  database: {statement_timeout: 10s}
tenants:
  acme:
    name: Acme Inc.
    apps:
      web: {}
      site: {renamed_from: acme/page}
  globex: {quotas: {api_keys: 9}, apps: {}}
  initech: {apps: {}}
self_service:
  plans:
    starter: {database: {schema: base}, api_keys: [{name: default, scopes: [read]}]}
    pro: {environment: production, region: gwc, deletion: protect}
  tenants:
    acme: {plans: [starter, pro]}
    globex: {plans: [starter]}
  regions: [eu-central-1]
"""
REGISTRY = parse(TEXT.encode())


def ask(registry: Registry = REGISTRY, **changed: Any) -> Any:
    asked = {"tenant": "acme", "name": "new", "plan": "starter", "overrides": {}} | changed
    return asked_app(registry, **asked)


def problems(**changed: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(AskedError) as caught:
        ask(**changed)
    assert len(str(caught.value).splitlines()) == len(caught.value.problems)
    return [(each.pointer, each.kind, each.message) for each in caught.value.problems]


def test_an_asked_app_is_what_the_file_would_make_of_its_plan() -> None:
    """The same keys written in the file give the same app, the place apart."""
    written = TEXT.replace(
        "      web: {}\n",
        "      web: {}\n"
        "      new: {region: eu-central-1, deletion: delete, database: {schema: base}, "
        "api_keys: [{name: default, scopes: [read]}]}\n",
    )
    app = ask(overrides={"region": "eu-central-1"})
    assert declared(app) == declared(parse(written.encode()).app("acme/new"))
    assert (app.id, app.names.project, app.tenant_name) == (
        "acme/new",
        "shop--acme--new",
        "Acme Inc.",
    )
    assert str(app.location) == "catalog"


def test_the_tenants_quotas_lie_beneath_the_plan() -> None:
    assert ask().quotas.api_keys == 2
    assert ask(tenant="globex").quotas.api_keys == 9


def test_a_changed_plan_reaches_what_was_asked_for() -> None:
    row = AskedRow("1", "acme", "new", "starter", {"region": "eu-central-1"})
    before, now = (
        row_app(parse(text.encode()), row)
        for text in (TEXT, TEXT.replace("schema: base", "schema: neonhub"))
    )
    assert (before.region, now.region) == ("aws-eu-central-1",) * 2
    assert before.database.schema_source
    assert now.database.schema_source
    assert (before.database.schema_source.template, now.database.schema_source.template) == (
        "base",
        "neonhub",
    )


def test_the_plans_region_may_be_chosen_too() -> None:
    assert ask(plan="pro").region == "azure-gwc"
    assert ask(plan="pro", overrides={"region": "azure-gwc"}).region == "azure-gwc"


def test_what_the_service_keeps_lies_above_the_plan_key_by_key() -> None:
    app = ask(
        overrides={
            "database": {"credentials": {"generation": 3}},
            "api_keys": [
                {"name": "default", "generation": 2, "revoked": [1]},
                {"name": "later", "expires": "2031-01-31"},
            ],
        }
    )
    assert app.database.credentials.generation == 3
    assert app.database.statement_timeout == 10_000, "of the defaults"
    assert [
        (key.name, key.scopes, key.generation, key.revoked, key.expires) for key in app.api_keys
    ] == [
        ("default", ("read",), 2, (1,), None),
        ("later", ("read", "write"), 1, (), date(2031, 1, 31)),
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"tenant": "initech"}, [("/tenant", "not allowed", "may not ask")]),
        ({"tenant": "nobody"}, [("/tenant", "not allowed", "may not ask")]),
        ({"plan": "startr"}, [("/plan", "value", 'did you mean "starter"?')]),
        (
            {"tenant": "globex", "plan": "pro"},
            [("/plan", "not allowed", '"pro" is not a plan of globex: write one of starter')],
        ),
        ({"name": "New_App"}, [("/name", "value", 'did you mean "new-app"?')]),
        ({"name": "a" * 64}, [("/name", "value", "at most 63 characters")]),
        ({"name": "web"}, [("/name", "taken", "acme/web is in the registry's file already")]),
        ({"name": "page"}, [("/name", "taken", "is what acme/site was called before")]),
        (
            {"overrides": {"region": "us-east-1"}},
            [
                (
                    "/region",
                    "value",
                    '"aws-us-east-1" is not offered: write one of aws-us-east-2, aws-eu-central-1',
                )
            ],
        ),
        ({"overrides": {"region": "mars"}}, [("/region", "value", '"mars" is not a region')]),
        ({"overrides": {"region": 5}}, [("/region", "value", "must be text, not 5")]),
        ({"overrides": {"region": None}}, [("/region", "value", "is empty")]),
        (
            {"overrides": {"deletion": "retain"}},
            [("/deletion", "value", "is not for a caller to choose")],
        ),
        (
            {"overrides": {"database": {"branches": {}}}},
            [("/database/branches", "value", "is not a key here: write one of credentials")],
        ),
        (
            {"overrides": {"api_keys": [{"name": "a"}, {"name": "a/b", "generation": 0}]}},
            [
                ("/api_keys/1/name", "value", "is not a name"),
                ("/api_keys/1/generation", "value", "out of range"),
            ],
        ),
        (
            {"overrides": {"api_keys": [{"name": "default", "revoked": [3]}]}},
            [("/api_keys/0/revoked/0", "value", "generation 3 of the key")],
        ),
        (
            {"overrides": {"api_keys": [{"name": "b"}, {"name": "c"}]}},
            [("/api_keys", "value", "3 of them, and the quota is 2")],
        ),
        (
            {"overrides": {"api_keys": [{"name": "default"}, {"name": "default"}]}},
            [("/api_keys/0/name", "value", "names are unique in an app")],
        ),
        (
            {"tenant": "globex", "plan": "x", "name": "-", "overrides": {"region": "mars"}},
            [
                ("/plan", "value", "is not a plan of globex"),
                ("/name", "value", "is not a name"),
                ("/region", "value", "is not a region"),
            ],
        ),
    ],
)
def test_everything_that_is_wrong_is_told(
    changed: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    found = problems(**changed)
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    for (_, _, message), (_, _, says) in zip(found, expected, strict=True):
        assert says in message


def test_a_registry_that_offers_nothing_says_so() -> None:
    registry = parse(TEXT[: TEXT.index("self_service")].encode())
    assert problems(registry=registry)[0][:2] == ("/tenant", "not allowed")


def test_no_keys_of_its_own_are_those_of_the_plan() -> None:
    assert [key.name for key in ask(overrides={"api_keys": []}).api_keys] == ["default"]


def test_what_was_given_stays_where_it_is_no_longer_offered() -> None:
    text = TEXT.replace("acme: {plans: [starter, pro]}\n", "").replace("[eu-central-1]", "[]")
    row = AskedRow("1", "acme", "new", "starter", {"region": "eu-central-1"})
    app = row_app(parse(text.encode()), row)
    assert (app.region, app.row) == ("aws-eu-central-1", "1")


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("    starter: {", "    gone: {", "/plan"),
        ("    name: Acme Inc.\n", "    quotas: {api_keys: 1}\n", "/api_keys"),
        ("  acme:\n    name", "  other:\n    name", "/tenant"),
    ],
)
def test_a_row_that_holds_no_longer_says_why(old: str, new: str, pointer: str) -> None:
    text = TEXT.replace(
        "plans: [starter", "plans: [gone" if pointer == "/plan" else "plans: [starter"
    )
    text = text.replace(old, new)
    if pointer == "/tenant":
        text = text.replace("    acme: {plans: [starter, pro]}\n", "").replace(
            "acme/page", "other/page"
        )
    row = AskedRow("1", "acme", "new", "starter", {"api_keys": [{"name": "more"}]})
    with pytest.raises(AskedError, match=r"^catalog: acme/new: ") as caught:
        row_app(
            parse(
                text.replace("[starter]", "[gone]" if pointer == "/plan" else "[starter]").encode()
            ),
            row,
        )
    assert [each.pointer for each in caught.value.problems] == [pointer]
