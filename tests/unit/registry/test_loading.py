import gc
import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry import RegistryError, load, parse
from tenantry.registry.models import (
    ApiKey,
    App,
    Branch,
    Compute,
    Database,
    Graph,
    Limits,
    Location,
    Quotas,
    SchemaSource,
    ServiceEntry,
)
from tenantry.retries import RetryPolicy

ROOT = Path(__file__).parents[3]

PLAIN = b"""version: 1
tenants:
  acme:
    apps:
      web: {environment: staging, region: us-east-1}
"""


def app_of(settings: str, *, defaults: str = "{}", tenant: str = "") -> App:
    """Load one app with `settings` above `defaults`, in a tenant with more keys."""
    text = f"""version: 1
defaults: {defaults}
tenants: {{acme: {{{tenant} apps: {{web: {settings}}}}}}}
"""
    return parse(text.encode()).apps[0]


BASE = "environment: staging, region: us-east-1"


def test_an_app_that_says_little_is_complete() -> None:
    registry = parse(PLAIN)
    assert registry.version == 1
    assert registry.apps == (
        App(
            id="acme/web",
            namespace="tenantry",
            tenant="acme",
            tenant_name="acme",
            contact=None,
            name="web",
            environment="staging",
            region="aws-us-east-1",
            database=Database(
                postgres_version=17,
                connection_limit=20,
                statement_timeout=30_000,
                idle_in_transaction_timeout=10_000,
                extensions=(),
                compute=Compute(min_cu=0.25, max_cu=2, suspend_after=300),
                history_retention=21_600,
                allowed_ips=(),
                block_public_connections=None,
                logical_replication=False,
                protected=False,
                maintenance_window=None,
                quota=None,
                branches=(),
                url_scheme="postgresql",
            ),
            services=(),
            api_keys=(),
            graph=None,
            deletion="protect",
            quotas=Quotas(databases=1, api_keys=10, services=3),
            location=Location("tenants.yaml", 5),
        ),
    )


def test_every_field_arrives_in_plain_units() -> None:
    app = app_of(
        """{
        environment: production, region: azure-gwc,
        database: {
          schema: {path: ../shop, revision: ae10}, postgres_version: 18, connection_limit: 7,
          statement_timeout: 2m, idle_in_transaction_timeout: 500ms, extensions: [vector, uuid-ossp, home_made],
          compute: {min_cu: 0.5, max_cu: 8, suspend_after: never}, history_retention: 2w,
          allowed_ips: [203.0.113.0/24, "2001:db8::1", 192.0.2.1-192.0.2.9, "2001:db8::/32"],
          branches: {staging: {expires: 2099-01-01}, preview: {protected: true}}, credentials: {generation: 3},
          url_scheme: morphik+ssl, block_public_connections: false, logical_replication: true, protected: true,
          maintenance_window: {weekdays: [sunday, monday], start: 05:00, end: 22:30},
          quota: {active_time: 100h, compute_time: 1w, written_data: 1kB, data_transfer: 5GB, logical_size: 2TB}},
        services: [storage, {name: auth, enabled: false}, {name: realtime}],
        api_keys: [{name: default, scopes: [read], generation: 2, revoked: [2, 1], expires: 2020-02-29}, {name: other}],
        graph: {type: professional-db, cloud: azure, region: westeurope, memory: 2048MB, version: "5"},
        deletion: retain, quotas: {databases: 2, api_keys: 3, services: 3},
        retries: {database: {attempts: 5, cap: 2m}, schema: {first_delay: 1s, factor: 2.5, jitter: 0}}}""",
        tenant="name: Acme Inc., contact: Ada,",
    )
    assert app.model_dump(mode="json") == {
        "id": "acme/web",
        "namespace": "tenantry",
        "tenant": "acme",
        "tenant_name": "Acme Inc.",
        "contact": "Ada",
        "name": "web",
        "environment": "production",
        "region": "azure-gwc",
        "database": {
            "schema": {
                "template": None,
                "path": "../shop",
                "extensions": [],
                "revision": "ae10",
                "allow_downgrade": False,
            },
            "provider": "neon",
            "postgres_version": 18,
            "connection_limit": 7,
            "statement_timeout": 120_000,
            "idle_in_transaction_timeout": 500,
            "extensions": ["vector", "uuid-ossp", "home_made"],
            "compute": {"min_cu": 0.5, "max_cu": 8.0, "suspend_after": -1},
            "history_retention": 1_209_600,
            "allowed_ips": [
                "203.0.113.0/24",
                "2001:db8::1",
                "192.0.2.1-192.0.2.9",
                "2001:db8::/32",
            ],
            "block_public_connections": False,
            "logical_replication": True,
            "protected": True,
            "maintenance_window": {
                "weekdays": ["sunday", "monday"],
                "start": "05:00",
                "end": "22:30",
            },
            "quota": {
                "active_time": 360_000,
                "compute_time": 604_800,
                "written_data": 1024,
                "data_transfer": 5 * 1024**3,
                "logical_size": 2 * 1024**4,
            },
            "branches": [
                {"name": "staging", "protected": False, "expires": "2099-01-01"},
                {"name": "preview", "protected": True, "expires": None},
            ],
            "credentials": {"generation": 3},
            "url_scheme": "morphik+ssl",
        },
        "services": [
            {"name": "storage", "enabled": True},
            {"name": "auth", "enabled": False},
            {"name": "realtime", "enabled": True},
        ],
        "api_keys": [
            {
                "name": "default",
                "scopes": ["read"],
                "generation": 2,
                "revoked": [2, 1],
                "expires": "2020-02-29",
            },
            {
                "name": "other",
                "scopes": ["read", "write"],
                "generation": 1,
                "revoked": [],
                "expires": None,
            },
        ],
        "graph": {
            "type": "professional-db",
            "cloud": "azure",
            "region": "westeurope",
            "memory": "2GB",
            "version": "5",
            "paused": False,
            "snapshot_before_delete": False,
        },
        "graphs_per_user": None,
        "adopt": None,
        "deletion": "retain",
        "quotas": {"databases": 2, "api_keys": 3, "services": 3},
        # What a step leaves out keeps that step's own default.
        "retries": {
            "database": policy(5, 10_000, cap=120_000),
            "schema": policy(3, 1_000, factor=2.5, jitter=0.0),
            "services": policy(2, 3_000),
            "keys": policy(2, 2_000),
        },
    }


def policy(
    attempts: int, first_delay: int, *, factor: float = 1.0, cap: int = 60_000, jitter: float = 0.1
) -> dict[str, float]:
    return {
        "attempts": attempts,
        "first_delay": first_delay,
        "factor": factor,
        "cap": cap,
        "jitter": jitter,
    }


def test_retries_of_an_app_lie_over_those_of_the_defaults() -> None:
    app = app_of(
        f"{{{BASE}, retries: {{keys: {{attempts: 4}}}}}}",
        defaults="{retries: {keys: {first_delay: 500ms}, services: {attempts: 1}}}",
    )
    assert app.retries.keys == RetryPolicy(attempts=4, first_delay=500)
    assert app.retries.services == RetryPolicy(attempts=1, first_delay=3_000)
    assert app.retries.database == RetryPolicy(attempts=3, first_delay=10_000)


def test_defaults_lie_beneath_mapping_by_mapping() -> None:
    app = app_of(
        "{database: {compute: {max_cu: 4}, branches: {own: {}}, extensions: [citext]}, api_keys: []}",
        defaults="""{environment: staging, region: eu-west-2, deletion: delete,
          database: {compute: {min_cu: 1, suspend_after: 1h}, branches: {all: {}}, extensions: [hstore]},
          api_keys: [{name: a}], services: [auth]}""",
    )
    assert app.database.compute == Compute(min_cu=1, max_cu=4, suspend_after=3600)
    assert app.database.branches == (Branch(name="all"), Branch(name="own"))
    assert app.database.extensions == ("citext",)
    assert (app.api_keys, app.services, app.deletion) == (
        (),
        (ServiceEntry(name="auth"),),
        "delete",
    )
    assert app.region == "aws-eu-west-2"


def test_a_schema_of_the_app_replaces_the_default_whole() -> None:
    app = app_of(
        f"{{{BASE}, database: {{schema: ./own}}}}",
        defaults="{database: {schema: {template: base, revision: ab12}}}",
    )
    assert app.database.schema_source == SchemaSource(path="./own", revision="head")


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("neonhub", SchemaSource(template="neonhub")),
        ("./migrations", SchemaSource(path="./migrations")),
        ("../migrations", SchemaSource(path="../migrations")),
        ("/srv/migrations", SchemaSource(path="/srv/migrations")),
        ("{template: base}", SchemaSource(template="base")),
        ("{path: ./a b, revision: '001'}", SchemaSource(path="./a b", revision="001")),
    ],
)
def test_a_schema_is_a_template_or_a_path(written: str, source: SchemaSource) -> None:
    assert app_of(f"{{{BASE}, database: {{schema: {written}}}}}").database.schema_source == source


def test_quotas_come_from_the_app_then_its_tenant_then_the_defaults() -> None:
    app = app_of(
        f"{{{BASE}, quotas: {{services: 4}}}}",
        tenant="quotas: {services: 5, api_keys: 6},",
        defaults="{quotas: {api_keys: 7, databases: 2}}",
    )
    assert app.quotas == Quotas(services=4, api_keys=6, databases=2)


@pytest.mark.parametrize(
    ("alias", "region"),
    [
        ("us-east-2", "aws-us-east-2"),
        ("sa-east-1", "aws-sa-east-1"),
        ("eastus2", "azure-eastus2"),
        ("germanywestcentral", "azure-gwc"),
        ("azure-germanywestcentral", "azure-gwc"),
        ("aws-eu-central-1", "aws-eu-central-1"),
    ],
)
def test_a_region_may_have_its_cloud_s_own_name(alias: str, region: str) -> None:
    assert app_of(f"{{environment: staging, region: {alias}}}").region == region


def test_a_limit_is_lowered_by_the_registry() -> None:
    head = "version: 1\n"
    assert parse((head + "tenants: {}\n").encode()).limits == Limits(removals=10)
    limits = parse((head + "limits: {removals: 5%}\ntenants: {}\n").encode()).limits
    assert [limits.most_of(fleet) for fleet in (1, 19, 20, 39, 40, 1000)] == [1, 19, 1, 1, 2, 50]
    assert limits.most_unnamed() == 1
    none = parse((head + "limits: {removals: 0%}\ntenants: {}\n").encode()).limits
    assert (none.most_unnamed(), none.most_of(1000)) == (0, 1)


def test_a_fixed_compute_may_be_larger_than_a_scaling_one() -> None:
    app = app_of(f"{{{BASE}, database: {{compute: {{min_cu: 56, max_cu: 56}}}}}}")
    assert app.database.compute.max_cu == 56


def test_the_smallest_compute_has_its_connections() -> None:
    settings = f"{{{BASE}, database: {{connection_limit: %d, compute: {{max_cu: 0.25}}}}}}"
    assert app_of(settings % 97).database.connection_limit == 97
    with pytest.raises(RegistryError, match="98 is more than the 97 connections"):
        app_of(settings % 98)


def test_a_free_graph() -> None:
    graph = "{type: free-db, cloud: gcp, region: europe-west1, memory: 1GB}"
    assert app_of(f"{{{BASE}, graph: {graph}}}").graph == Graph(
        type="free-db", cloud="gcp", region="europe-west1", memory="1GB", version="5"
    )


def test_an_expired_key_stays_a_valid_registry() -> None:
    app = app_of(f"{{{BASE}, api_keys: [{{name: old, expires: 2001-01-01}}]}}")
    assert app.api_keys == (ApiKey(name="old", expires=date(2001, 1, 1)),)


def test_words_that_older_yaml_took_for_others_are_text() -> None:
    text = (
        b"version: 1\ntenants: {no: {name: off, apps: {on: {environment: staging, region: gwc}}}}\n"
    )
    registry = parse(text)
    assert [app.id for app in registry.apps] == ["no/on"]
    assert registry.tenants[0].name == "off"


def test_an_empty_registry_is_written_out() -> None:
    registry = parse(b"version: 1\ntenants: {}\n")
    assert (registry.tenants, registry.apps) == ((), ())


def test_a_tenant_without_apps_is_written_out() -> None:
    registry = parse(b"version: 1\nnamespace: lab\ntenants: {idle: {apps: {}}}\n")
    assert [tenant.label for tenant in registry.tenants] == ["idle"]
    assert registry.namespace == "lab"


def test_apps_keep_the_order_of_the_file_and_know_their_line() -> None:
    text = b"""version: 1
defaults: {environment: staging, region: us-east-1}
tenants:
  b: {apps: {z: {}, a: {}}}
  a:
    apps:
      m: {}
"""
    registry = parse(text, "some/file.yaml")
    assert [(app.id, app.location) for app in registry.apps] == [
        ("b/z", ("some/file.yaml", 4)),
        ("b/a", ("some/file.yaml", 4)),
        ("a/m", ("some/file.yaml", 7)),
    ]


def test_anchors_and_merges_share_settings() -> None:
    registry = parse(
        b"""version: 1
tenants:
  acme:
    apps:
      one: &app
        environment: staging
        region: us-east-1
        database: {compute: {max_cu: 1}}
      two: *app
      three:
        <<: *app
        environment: production
"""
    )
    assert [app.environment for app in registry.apps] == ["staging", "staging", "production"]
    assert {app.database.compute.max_cu for app in registry.apps} == {1.0}


def test_a_moved_app_dumps_the_same() -> None:
    moved = b"# one line more\n" + PLAIN
    assert parse(PLAIN).apps[0].model_dump_json() == parse(moved).apps[0].model_dump_json()
    assert "location" not in parse(PLAIN).apps[0].model_dump()


def test_what_was_loaded_is_no_work_for_the_garbage_collector() -> None:
    gc.unfreeze()
    registry = parse(b"version: 1\ntenants: {}")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert not any(each is registry for each in gc.get_objects())


def test_models_are_frozen() -> None:
    app = parse(PLAIN).apps[0]
    with pytest.raises(ValueError, match="frozen"):
        app.region = "aws-us-east-2"


def test_names_follow_the_namespace() -> None:
    app = parse(PLAIN.replace(b"tenants:", b"namespace: lab\ntenants:", 1)).apps[0]
    assert app.names.project == "lab--acme--web"


def test_load_reads_a_file_and_names_it_as_it_was_named(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(PLAIN)
    assert load(file).apps[0].location.file == str(file)
    assert load(str(file)) == load(file)


def test_a_missing_file_is_one_problem_without_a_line(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as refusal:
        load(tmp_path / "none.yaml")
    assert str(refusal.value) == (
        f"{tmp_path}/none.yaml: does not exist: name the registry's file, or create it"
    )


def test_a_folder_is_no_registry(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as refusal:
        load(tmp_path)
    assert str(refusal.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_the_example_is_valid_and_uses_what_there_is() -> None:
    registry = load(ROOT / "tenants.yaml")
    assert len(registry.tenants) >= 2
    assert len(registry.apps) >= 4
    assert {"production", "development"} <= {app.environment for app in registry.apps}
    assert {app.deletion for app in registry.apps} == {"protect", "retain", "delete"}
    usual = Database()
    for field in set(Database.model_fields) - {"credentials", "provider"}:  # of which there is one
        assert any(
            getattr(app.database, field) != getattr(usual, field) for app in registry.apps
        ), field


KEYS = [
    "version",
    "tenants",
    "acme",
    "apps",
    "web",
    "environment",
    "region",
    "database",
    "compute",
    "min_cu",
    "schema",
    "services",
    "api_keys",
    "name",
    "graph",
    "type",
    "quotas",
    "defaults",
    "staging",
    "us-east-1",
    "1",
    "0.25",
    "5m",
    "never",
    "read",
    "auth",
    "free-db",
    "true",
    "~",
]
values = st.recursive(
    st.sampled_from(KEYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        ),
    ),
    max_leaves=12,
)


def lines_of(content: bytes) -> list[str]:
    try:
        parse(content)
    except RegistryError as error:
        return str(error).splitlines()
    return []


@given(
    st.sampled_from(
        [
            "%s",
            "{version: 1, tenants: %s}",
            "{version: 1, tenants: {acme: {apps: {web: %s}}}}",
            "{version: 1, defaults: %s, tenants: {}}",
        ]
    ),
    values,
)
def test_whatever_is_wrong_is_said_in_lines_with_positions(frame: str, value: str) -> None:
    text = frame % value
    assert all(line.startswith("tenants.yaml:1:") for line in lines_of(text.encode()))


FULL = """{version: V, K: V, namespace: V, defaults: V, tenants: {K: {name: V, contact: V, apps: {I: {
  environment: V, region: V, K: , services: [V, {name: V, enabled: V, K: V}], deletion: V, api_keys: [{name: V, expires: V, scopes: [V], revoked: [V]}, {name: V}],
  graph: {type: V, cloud: V, region: V, memory: V, version: V},
  database: {schema: V, postgres_version: V, connection_limit: V, statement_timeout: V, extensions: [V],
    compute: {min_cu: V, suspend_after: V}, history_retention: V, url_scheme: V, allowed_ips: [V],
    quota: {active_time: V, logical_size: V}, maintenance_window: {weekdays: [V], start: V, end: V},
    branches: {K: V, I: }}}, K: }}}}"""


@given(st.text(), st.text(), st.text())
def test_whatever_is_written_a_problem_is_one_line(key: str, inner: str, value: str) -> None:
    texts = {"K": key, "I": inner, "V": value}
    text = re.sub(r"\b[KIV]\b", lambda match: json.dumps(texts[match[0]], ensure_ascii=False), FULL)
    lines = lines_of(text.encode())
    assert lines
    assert all(line.startswith("tenants.yaml:") for line in lines)


@given(st.integers(0, 2**31))
def test_a_file_cut_anywhere_never_loses_an_app_unseen(seed: int) -> None:
    whole = (ROOT / "tenants.yaml").read_bytes()
    cut = whole[: seed % len(whole)]
    apps = {app.id for app in parse(whole).apps}
    try:
        kept = parse(cut)
    except RegistryError:
        return
    # What is still valid was cut between two complete apps, or inside the last one's optional settings.
    assert {app.id for app in kept.apps} <= apps
    assert kept.apps
