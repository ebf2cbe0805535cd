"""The control plane on the real engine: rows that a run writes, compares, repairs and marks; keys that outlive it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tenantry.catalog.verification import verify
from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud, local_cloud

NAMESPACE = "catalog"
APP = "acme/web"


def registry(
    services: str = "[auth, {name: storage, enabled: false}]",
    api_keys: str = "[{name: default}, {name: old, scopes: [read], expires: 2020-01-31}]",
    *,
    namespace: str = NAMESPACE,
    deletion: str = "delete",
) -> str:
    return f"""\
version: 1
namespace: {namespace}
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: development
        region: aws-us-east-2
        services: {services}
        api_keys: {api_keys}
        retries: {{services: {{attempts: 2, first_delay: 100ms}}, keys: {{attempts: 1}}}}
        deletion: {deletion}
"""


class Rows:
    """The catalog as an operator sees it with psql."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def __call__(self, query: str, *values: object) -> list[Any]:
        """Run a statement and return its rows; those of one column as a list of values."""
        done = self._connection.execute(query, values)
        rows = done.fetchall() if done.description else []
        return [row[0] if len(row) == 1 else row for row in rows]

    def state(self, key: str) -> str:
        """How a key is judged now."""
        return verify(self._connection, key, now=datetime.now(UTC)).state

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One of this file's own: its catalog is looked at as a whole, and changed by hand."""
    with local_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def rows(cloud: LocalCloud) -> Iterator[Rows]:
    found = Rows(cloud.catalog_url)
    yield found
    found.close()


@pytest.fixture(scope="module")
def applied(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("catalog") / "workspace", cloud.env())
    workspace.apply(registry())
    yield workspace
    workspace.must("destroy", "--yes", "--skip-preview")


@pytest.fixture
def converged(applied: Workspace) -> Workspace:
    applied.apply(registry())
    return applied


def password(url: str) -> str:
    return urlsplit(url).password or ""


def keys(workspace: Workspace) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = workspace.outputs()["apiKeys"][APP]
    return found


LIVE = "tenantry.app_metadata a WHERE a.namespace = 'catalog' AND a.deleted_at IS NULL"


def test_an_app_its_parts_its_services_and_its_keys_are_in_the_catalog(
    converged: Workspace, rows: Rows
) -> None:
    converged.assert_converged()
    app = converged.outputs()["apps"][APP]
    assert rows(
        f"SELECT app_id, tenant, name, environment, region, neon_project_id, host, status FROM {LIVE}"
    ) == [
        (
            APP,
            "acme",
            "web",
            "development",
            "aws-us-east-2",
            app["project"],
            app["host"],
            "active",
        )
    ]
    parts = rows(
        f"SELECT r.kind, r.name FROM tenantry.project_resources r JOIN {LIVE} AND r.app = a.id".replace(
            " WHERE ", " ON "
        )
    )
    assert sorted(parts) == [
        ("branch", "main"),
        ("database", "tenant_acme__web"),
        ("project", "catalog--acme--web"),
        ("role", "tenant_acme__web__login_a"),
        ("role", "tenant_acme__web__owner"),
        ("role", "tenant_acme__web__rw"),
        ("schema", "app"),
    ]
    assert services(rows) == {"auth": "active", "storage": "disabled"}
    made = keys(converged)
    assert set(made) == {"default", "old"}
    assert made["default"]["1"].startswith("acme--default_")
    assert rows.state(made["default"]["1"]) == "valid"
    assert rows.state(made["old"]["1"]) == "expired"


def services(rows: Rows) -> dict[str, str]:
    return dict(
        rows(
            f"SELECT s.type, s.status FROM {LIVE.replace('WHERE', 'JOIN tenantry.project_services s ON s.app = a.id WHERE')}"
            " AND s.deleted_at IS NULL"
        )
    )


def test_what_was_changed_or_removed_by_hand_is_seen_and_put_back(
    converged: Workspace, rows: Rows
) -> None:
    before = keys(converged)
    rows(
        "UPDATE tenantry.app_metadata SET region = 'elsewhere' WHERE namespace = 'catalog' AND deleted_at IS NULL"
    )
    rows("UPDATE tenantry.project_services SET status = 'error' WHERE type = 'auth'")
    rows("DELETE FROM tenantry.project_services WHERE type = 'storage'")
    rows("UPDATE tenantry.api_keys SET scopes = '{admin}' WHERE name = 'default'")
    rows("DELETE FROM tenantry.api_keys WHERE name = 'old'")
    shown = converged.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")
    assert shown.code != 0
    for said in ("elsewhere", '"error"', '"admin"', "missing from the catalog"):
        assert said in shown.said, said
    converged.must("up", "--yes", "--skip-preview", "--refresh")
    assert rows(f"SELECT region FROM {LIVE}") == ["aws-us-east-2"]
    assert services(rows) == {"auth": "active", "storage": "disabled"}
    assert rows("SELECT scopes FROM tenantry.api_keys WHERE name = 'default'") == [
        ["read", "write"]
    ]
    assert keys(converged) == before
    assert rows.state(before["old"]["1"]) == "expired"
    converged.assert_converged()


def test_an_app_whose_rows_are_all_gone_is_written_again_with_the_same_keys(
    converged: Workspace, rows: Rows
) -> None:
    before = keys(converged)
    for table in ("api_keys", "project_services", "project_resources", "app_metadata"):
        rows(f"DELETE FROM tenantry.{table}")
    converged.must("up", "--yes", "--skip-preview", "--refresh")
    assert rows(f"SELECT app_id FROM {LIVE}") == [APP]
    assert services(rows) == {"auth": "active", "storage": "disabled"}
    assert keys(converged) == before
    assert rows.state(before["default"]["1"]) == "valid"
    converged.assert_converged()


def test_a_rotated_key_and_the_one_before_it_are_valid_until_the_next_rotation(
    converged: Workspace, rows: Rows
) -> None:
    first = keys(converged)["default"]["1"]
    converged.apply(registry(api_keys="[{name: default, generation: 2}]"))
    second = keys(converged)["default"]
    assert second["1"] == first
    assert [rows.state(second[n]) for n in ("1", "2")] == ["valid", "valid"]
    converged.assert_converged()
    converged.apply(registry(api_keys="[{name: default, generation: 3}]"))
    third = keys(converged)["default"]
    assert set(third) == {"2", "3"}
    assert [rows.state(key) for key in (first, third["2"], third["3"])] == [
        "revoked",
        "valid",
        "valid",
    ]
    converged.registry.write_text(registry(api_keys="[{name: default, generation: 5}]"))
    skipped = converged.pulumi("preview")
    assert skipped.code != 0
    assert "generation of API key default goes from 3 to 5" in skipped.said
    converged.apply(registry(api_keys="[{name: default, generation: 3, revoked: [2]}]"))
    assert [rows.state(third[n]) for n in ("2", "3")] == ["revoked", "valid"]
    # For the tests after this one: a key may be removed, and one of its name made anew.
    gone = converged.apply(registry(api_keys="[]"))
    assert "API key default leaves: all its generations are revoked" in gone.said
    assert rows.state(third["3"]) == "revoked"
    assert rows("SELECT count(*) FROM tenantry.api_keys WHERE name = 'default'") == [3]


def test_a_key_that_was_revoked_in_the_catalog_stays_so(converged: Workspace, rows: Rows) -> None:
    key = keys(converged)["default"]["1"]
    rows(
        "UPDATE tenantry.api_keys SET revoked_at = now() WHERE name = 'default' AND revoked_at IS NULL"
    )
    converged.must("up", "--yes", "--skip-preview", "--refresh")
    assert rows.state(key) == "revoked"
    rows("DELETE FROM tenantry.api_keys WHERE name = 'default'")
    converged.must("up", "--yes", "--skip-preview", "--refresh")
    assert rows.state(key) == "revoked"
    converged.apply(registry(api_keys="[]"))


def test_a_service_is_disabled_removed_and_registered_again(
    converged: Workspace, rows: Rows
) -> None:
    (id_,) = rows(
        "SELECT s.id FROM tenantry.project_services s JOIN tenantry.app_metadata a ON a.id = s.app "
        "WHERE s.type = 'auth' AND a.deleted_at IS NULL"
    )
    converged.apply(registry(services="[{name: auth, enabled: false}]"))
    assert services(rows) == {"auth": "disabled"}
    converged.apply(registry(services="[]"))
    assert services(rows) == {}
    converged.apply(registry())
    assert services(rows) == {"auth": "active", "storage": "disabled"}
    assert rows("SELECT status FROM tenantry.project_services WHERE id = %s", id_) == ["active"]


def test_a_catalog_that_does_not_answer_stops_the_run_in_one_line_and_the_next_goes_on(
    converged: Workspace, rows: Rows
) -> None:
    environment = converged.environment
    converged.registry.write_text(registry(services="[auth, realtime]"))
    try:
        url = environment["TENANTRY_CATALOG_URL"]
        converged.environment = environment | {"TENANTRY_CATALOG_URL": url.replace(":5432/", ":9/")}
        silent = converged.pulumi("up", "--yes", "--skip-preview")
        wrong = url.replace("@", "x@")
        converged.environment = environment | {"TENANTRY_CATALOG_URL": wrong}
        denied = converged.pulumi("up", "--yes", "--skip-preview")
    finally:
        converged.environment = environment
    for stopped in (silent, denied):
        assert stopped.code != 0
        assert "Traceback" not in stopped.said
        assert password(url) not in stopped.said
    assert "catalog: tables: " in silent.said
    assert "look whether the catalog answers, then tenantry up" in silent.said
    assert "acme/web: services: the catalog: " in denied.said
    assert "look at the catalog's URL" in denied.said
    converged.must("up", "--yes", "--skip-preview")
    assert services(rows) == {"auth": "active", "realtime": "active"}
    converged.assert_converged()


def test_without_a_catalog_keys_are_made_and_their_rows_come_with_the_catalog(
    cloud: LocalCloud, applied: Workspace, rows: Rows
) -> None:
    assert applied.folder.exists()  # the tables are there
    environment = cloud.env()
    without = Workspace(
        applied.folder.parent / "without", environment | {"TENANTRY_CATALOG_URL": ""}
    )
    try:
        said = without.apply(registry(namespace="without")).said
        assert "no catalog is configured" in said
        key = keys(without)["default"]["1"]
        assert rows.state(key) == "unknown"
        without.environment["TENANTRY_CATALOG_URL"] = environment["TENANTRY_CATALOG_URL"]
        without.must("up", "--yes", "--skip-preview")
        assert keys(without)["default"]["1"] == key
        assert rows.state(key) == "valid"
        without.environment["TENANTRY_CATALOG_URL"] = ""
        refused = without.pulumi("preview")
        assert refused.code != 0
        assert "acme/web has rows in a catalog, and no catalog is configured" in refused.said
    finally:
        # The URL as a setting of the stack: its password is encrypted there and in the state.
        url = environment["TENANTRY_CATALOG_URL"]
        without.must("config", "set", "--secret", "tenantry:catalogUrl", url)
        del without.environment["TENANTRY_CATALOG_URL"]
        without.must("destroy", "--yes", "--skip-preview")
    assert rows.state(key) == "revoked"
    written = "".join(
        file.read_text(errors="replace")
        for file in without.folder.rglob("*")
        if file.is_file() and not file.is_symlink()
    )
    assert url not in written
    assert password(url) not in written


def test_destroying_an_app_marks_its_rows_and_keeps_the_history(
    applied: Workspace, rows: Rows
) -> None:
    applied.apply(registry())
    made = keys(applied)
    (id_,) = rows(f"SELECT id FROM {LIVE}")
    applied.must("destroy", "--yes", "--skip-preview")
    assert rows(
        "SELECT status, deleted_at IS NULL FROM tenantry.app_metadata WHERE id = %s", id_
    ) == [("deleted", False)]
    for table in ("project_resources", "project_services"):
        left = rows(f"SELECT deleted_at IS NULL FROM tenantry.{table} WHERE app = %s", id_)
        assert left
        assert not any(left), table
    assert rows.state(made["default"]["1"]) == "revoked"
    applied.apply(registry())
    assert rows(f"SELECT id FROM {LIVE}") != [id_]
    assert keys(applied)["default"]["1"] != made["default"]["1"]


def test_an_app_that_leaves_with_its_project_retained_keeps_its_row_and_loses_its_keys(
    cloud: LocalCloud, applied: Workspace, rows: Rows
) -> None:
    retained = Workspace(applied.folder.parent / "retained", cloud.env())
    retained.apply(registry(namespace="kept", deletion="retain"))
    key = keys(retained)["default"]["1"]
    assert rows.state(key) == "valid"
    # It is the last app of its stack.
    retained.environment["TENANTRY_ALLOW_DESTROY"] = "acme/web"
    left = retained.apply("version: 1\nnamespace: kept\ntenants: {}\n")
    assert "its API keys are revoked" in left.said
    assert rows.state(key) == "revoked"
    assert rows("SELECT status FROM tenantry.app_metadata WHERE namespace = 'kept'") == ["active"]


def test_the_keys_are_nowhere_but_in_the_secret_outputs(
    converged: Workspace, rows: Rows, cloud: LocalCloud
) -> None:
    converged.apply(registry(api_keys="[{name: default}, {name: second}]"))
    secrets = [key for each in keys(converged).values() for key in each.values()]
    shown = [
        converged.must("preview", "--diff", "--json"),
        converged.must("refresh", "--yes", "--diff"),
        converged.must("stack", "export"),
        converged.must("stack", "output", "--json"),
        converged.must("up", "--yes", "--diff", "-v=7", "--logtostderr"),
    ]
    dump = json.dumps(rows("SELECT row_to_json(k)::text FROM tenantry.api_keys k"))
    texts = [done.said for done in shown] + [dump]
    texts += [
        file.read_text(errors="replace")
        for file in converged.folder.rglob("*")
        if file.is_file() and not file.is_symlink()
    ]
    for secret in [
        *secrets,
        *(key.rsplit("_", 1)[1] for key in secrets),
        password(cloud.catalog_url),
    ]:
        assert not any(secret in text for text in texts)
    assert '"key_hash"' in dump.replace("\\", "")
