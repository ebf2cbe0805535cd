"""What a run keeps in the catalog, on a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from pulumi.dynamic import Config, ConfigureRequest

from providers.api_keys import ApiKeyProvider
from providers.catalog import AppRecordProvider, ServicesProvider
from tenantry.catalog.connecting import NoCatalogError
from tenantry.catalog.keys import digest
from tenantry.catalog.rows import (
    ApiKeyRow,
    AppKey,
    Resource,
    delete_app,
    delete_graph,
    delete_services,
    mark_graph,
    read_api_key,
    read_app,
    read_graph,
    read_services,
    rename_app,
    revoke_api_key,
    save_api_key,
    save_app,
    save_graph,
    save_services,
)
from tenantry.provisioning.errors import ConflictError, MissingError, RejectedError
from tests.localcloud.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable

APP = AppKey("tenantry", "acme/web")
FACTS = {
    "tenant": "acme",
    "name": "web",
    "environment": "staging",
    "region": "aws-us-east-2",
    "neon_project_id": "young-sun-12345678",
    "host": "ep-main.example",
}
MAIN = Resource("branch", "main", "br-main")
PARTS = (MAIN, Resource("project", "tenantry--acme--web", "young-sun-12345678"))
MADE = datetime(2026, 11, 22, 12, tzinfo=UTC)
END = datetime(2027, 7, 1, tzinfo=UTC)
KEY = ApiKeyRow(
    key_hash=digest("the first"),
    prefix="acme--default",
    name="default",
    generation=1,
    scopes=("read", "write"),
    created_at=MADE,
    created_by="operator",
    expires_at=END,
    revoked_at=None,
)


def do(catalog: Catalog, action: Callable[..., Any], *arguments: Any) -> Any:
    """Do one step in a transaction of its own, as the providers do."""
    with catalog.rows() as connection:
        return action(connection, *arguments)


def saved(catalog: Catalog, app: AppKey = APP) -> str:
    return str(do(catalog, save_app, app, FACTS, PARTS))


def test_an_app_comes_back_as_it_was_saved(catalog: Catalog) -> None:
    id_ = saved(catalog)
    assert do(catalog, read_app, id_) == (FACTS | {"status": "active"}, PARTS)


def test_an_app_saved_twice_is_one_row_with_the_later_facts(catalog: Catalog) -> None:
    id_ = saved(catalog)
    moved = FACTS | {"host": "ep-other.example"}
    parts = (Resource("branch", "main", "br-other"), Resource("branch", "staging", "br-staging"))
    assert do(catalog, save_app, APP, moved, parts) == id_
    assert do(catalog, read_app, id_) == (moved | {"status": "active"}, parts)
    kept = (
        "SELECT kind, name, deleted_at IS NULL FROM tenantry.project_resources ORDER BY kind, name"
    )
    assert catalog.ask(kept) == [
        ("branch", "main", True),
        ("branch", "staging", True),
        ("project", "tenantry--acme--web", False),
    ]
    assert catalog.ask("SELECT updated_at > created_at FROM tenantry.app_metadata") == [(True,)]


def test_a_part_that_comes_back_is_the_same_row(catalog: Catalog) -> None:
    id_ = saved(catalog)
    do(catalog, save_app, APP, FACTS, ())
    assert do(catalog, read_app, id_) == (FACTS | {"status": "active"}, ())
    saved(catalog)
    assert do(catalog, read_app, id_)[1] == PARTS
    assert catalog.ask("SELECT count(*) FROM tenantry.project_resources") == [(2,)]


def test_a_live_row_that_another_run_wrote_is_taken_over(catalog: Catalog) -> None:
    there = catalog.app()
    assert saved(catalog) == there
    assert do(catalog, read_app, there) == (FACTS | {"status": "active"}, PARTS)


def test_an_app_deleted_twice_is_marked_once_with_its_parts_and_services(catalog: Catalog) -> None:
    id_ = saved(catalog)
    do(catalog, save_services, APP, {"auth": "active"})
    do(catalog, delete_app, id_)
    marks = (
        "SELECT deleted_at FROM tenantry.app_metadata UNION ALL SELECT deleted_at FROM tenantry.project_resources "
        "UNION ALL SELECT deleted_at FROM tenantry.project_services"
    )
    first = catalog.ask(marks)
    assert len(first) == 4
    assert None not in {row[0] for row in first}
    do(catalog, delete_app, id_)
    assert catalog.ask(marks) == first
    assert do(catalog, read_app, id_) is None
    assert do(catalog, read_services, APP) == {}


def test_an_app_that_comes_back_is_a_new_row_and_the_history_stays(catalog: Catalog) -> None:
    before = saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    do(catalog, delete_app, before)
    after = saved(catalog)
    assert after != before
    rows = (
        "SELECT id::text, status, deleted_at IS NULL FROM tenantry.app_metadata ORDER BY created_at"
    )
    assert catalog.ask(rows) == [(before, "deleted", False), (after, "active", True)]
    # Its key was the former app's, and is none of the new one's.
    assert do(catalog, read_api_key, APP, KEY.key_hash) is None
    assert do(catalog, read_app, after)[1] == PARTS
    assert catalog.ask("SELECT count(*) FROM tenantry.project_resources") == [(4,)]


def test_deleting_the_former_app_leaves_the_one_that_came_back(catalog: Catalog) -> None:
    before = saved(catalog)
    do(catalog, delete_app, before)
    after = saved(catalog)
    do(catalog, delete_app, before)
    assert do(catalog, read_app, after) is not None


def test_a_renamed_app_keeps_its_row_and_all_that_belongs_to_it(catalog: Catalog) -> None:
    id_ = saved_with_key(catalog)
    site = AppKey(APP.namespace, "acme/site")
    for _ in range(2):
        # Again too, as after a kill.
        do(catalog, rename_app, id_, site)
        assert do(catalog, save_app, site, FACTS | {"name": "site"}, PARTS) == id_
    assert do(catalog, read_api_key, site, KEY.key_hash) == KEY
    assert do(catalog, read_api_key, APP, KEY.key_hash) is None
    other = saved(catalog)
    assert other != id_
    with pytest.raises(ConflictError, match="has another app of this id"):
        do(catalog, rename_app, id_, APP)


def test_two_registries_may_each_have_an_app_of_that_name(catalog: Catalog) -> None:
    ours, theirs = saved(catalog), saved(catalog, replace(APP, namespace="other"))
    assert ours != theirs
    do(catalog, delete_app, theirs)
    assert do(catalog, read_app, ours) is not None


def test_an_app_that_was_never_there_reads_as_gone(catalog: Catalog) -> None:
    assert do(catalog, read_app, "00000000-0000-4000-8000-000000000000") is None


def test_a_service_saved_twice_is_one_row_with_the_later_status(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_services, APP, {"auth": "active"})
    do(catalog, save_services, APP, {"auth": "disabled"})
    assert do(catalog, read_services, APP) == {"auth": "disabled"}
    assert catalog.ask("SELECT count(*) FROM tenantry.project_services") == [(1,)]


def test_a_service_is_back_after_its_removal_in_the_same_row(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_services, APP, {"auth": "active"})
    for _ in range(2):
        do(catalog, delete_services, APP)
        assert do(catalog, read_services, APP) == {}
    assert catalog.ask("SELECT deleted_at IS NULL FROM tenantry.project_services") == [(False,)]
    do(catalog, save_services, APP, {"auth": "active"})
    assert do(catalog, read_services, APP) == {"auth": "active"}
    assert catalog.ask("SELECT deleted_at IS NULL FROM tenantry.project_services") == [(True,)]


def test_a_service_is_removed_from_its_own_app_only(catalog: Catalog) -> None:
    other = replace(APP, app_id="acme/api")
    for app in (APP, other):
        saved(catalog, app)
        do(catalog, save_services, app, {"auth": "active"})
    do(catalog, delete_services, other)
    assert do(catalog, read_services, APP) == {"auth": "active"}


def test_a_service_that_nobody_knows_is_refused_by_the_catalog_itself(catalog: Catalog) -> None:
    saved(catalog)
    with pytest.raises(RejectedError, match="project_services_type"):
        do(catalog, save_services, APP, {"mail": "active"})


def test_what_belongs_to_an_app_needs_the_apps_row(catalog: Catalog) -> None:
    with pytest.raises(MissingError, match="tenantry up -- --refresh writes it again"):
        do(catalog, save_services, APP, {"auth": "active"})
    with pytest.raises(MissingError, match="acme/web: keys: the app has no row"):
        do(catalog, save_api_key, APP, KEY)
    do(catalog, delete_services, APP)
    do(catalog, revoke_api_key, KEY.key_hash)
    assert catalog.ask("SELECT count(*) FROM tenantry.api_keys") == [(0,)]


def test_a_key_saved_twice_is_one_row_with_the_later_scopes_and_end(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    assert do(catalog, read_api_key, APP, KEY.key_hash) == KEY
    later = replace(KEY, scopes=("read",), expires_at=None, prefix="acme--other")
    do(catalog, save_api_key, APP, later)
    assert do(catalog, read_api_key, APP, KEY.key_hash) == later
    assert catalog.ask("SELECT count(*) FROM tenantry.api_keys") == [(1,)]


def test_when_a_key_was_used_survives_a_save(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    catalog.ask("UPDATE tenantry.api_keys SET last_used = %s", END)
    do(catalog, save_api_key, APP, replace(KEY, scopes=("read",)))
    assert catalog.ask("SELECT last_used FROM tenantry.api_keys") == [(END,)]


def test_generations_and_names_are_keys_of_their_own(catalog: Catalog) -> None:
    saved(catalog)
    others = [
        replace(KEY, key_hash=digest("the second"), generation=2),
        replace(KEY, key_hash=digest("of ci"), name="ci"),
    ]
    for each in (KEY, *others):
        do(catalog, save_api_key, APP, each)
    assert catalog.ask("SELECT count(*) FROM tenantry.api_keys WHERE is_active") == [(3,)]


def test_a_key_that_nobody_got_is_revoked_by_the_one_made_in_its_place(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    second = replace(KEY, key_hash=digest("made again"))
    do(catalog, save_api_key, APP, second)
    do(catalog, save_api_key, APP, second)
    active = "SELECT key_hash, is_active FROM tenantry.api_keys ORDER BY is_active"
    assert catalog.ask(active) == [(KEY.key_hash, False), (second.key_hash, True)]


def test_a_revoked_key_stays_revoked_and_the_moment_stays(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    do(catalog, revoke_api_key, KEY.key_hash)
    moment = do(catalog, read_api_key, APP, KEY.key_hash).revoked_at
    assert moment is not None
    do(catalog, revoke_api_key, KEY.key_hash)
    do(catalog, save_api_key, APP, replace(KEY, scopes=("read",)))
    do(catalog, save_api_key, APP, replace(KEY, revoked_at=END))
    assert do(catalog, read_api_key, APP, KEY.key_hash) == replace(KEY, revoked_at=moment)


def test_a_row_that_was_lost_is_written_again_as_revoked_as_it_was(catalog: Catalog) -> None:
    saved(catalog)
    gone = replace(KEY, revoked_at=MADE)
    do(catalog, save_api_key, APP, gone)
    assert do(catalog, read_api_key, APP, KEY.key_hash) == gone
    assert catalog.ask("SELECT is_active FROM tenantry.api_keys") == [(False,)]


def test_a_key_follows_its_app_to_the_row_that_was_written_again(catalog: Catalog) -> None:
    do(catalog, delete_app, saved_with_key(catalog))
    saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    assert do(catalog, read_api_key, APP, KEY.key_hash) == KEY
    assert catalog.ask("SELECT count(*) FROM tenantry.api_keys") == [(1,)]


def saved_with_key(catalog: Catalog) -> str:
    id_ = saved(catalog)
    do(catalog, save_api_key, APP, KEY)
    return id_


def test_a_step_that_fails_leaves_nothing_of_itself(catalog: Catalog) -> None:
    with pytest.raises(RejectedError, match="project_resources_kind"):
        do(catalog, save_app, APP, FACTS, (*PARTS, Resource("bucket", "b", "b")))
    assert catalog.ask("SELECT count(*) FROM tenantry.app_metadata") == [(0,)]


def test_a_failure_is_one_line_whatever_the_server_says(catalog: Catalog) -> None:
    with pytest.raises(RejectedError) as raised, catalog.rows() as connection:
        connection.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION E'first\\nsecond'; END $$"))
    assert str(raised.value).startswith("acme/web: services: the catalog: first second: ")


@pytest.fixture
def keys(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> ApiKeyProvider:
    """The provider of API keys, configured for the catalog, in which the app has a row."""
    monkeypatch.setenv("TENANTRY_CATALOG_URL", catalog.url)
    saved(catalog)
    provider = ApiKeyProvider()
    provider.configure(ConfigureRequest(Config({}, "tenantry")))
    return provider


INPUTS: dict[str, Any] = {
    "namespace": "tenantry",
    "app": "acme/web",
    "name": "default",
    "prefix": "acme--default",
    "generation": 1.0,
    "scopes": ["read", "write"],
    "expiresAt": "2027-07-01T00:00:00+00:00",
    "catalog": "db.example/tenantry",
    "record": "recorded",
    "retries": None,
}


def test_a_key_resource_has_the_hash_alone_in_the_catalog(
    catalog: Catalog, keys: ApiKeyProvider
) -> None:
    outs = keys.create(INPUTS).outs or {}
    ((row,),) = catalog.ask("SELECT to_jsonb(k)::text FROM tenantry.api_keys k")
    assert outs["hash"] in row
    assert outs["key"] not in row
    assert outs["key"].rpartition("_")[2] not in row
    read = keys.read("id", outs)
    assert (read.id, read.outs, read.inputs) == ("id", outs, INPUTS)


def test_a_key_resource_keeps_its_key_when_its_row_is_gone(
    catalog: Catalog, keys: ApiKeyProvider
) -> None:
    outs = keys.create(INPUTS).outs or {}
    catalog.ask("DELETE FROM tenantry.api_keys")
    read = keys.read("id", outs)
    assert read.id == "id"
    assert read.outs == outs | {"record": "missing from the catalog"}
    assert keys.diff("id", read.outs, INPUTS).changes is True
    assert keys.update("id", read.outs, INPUTS).outs == outs
    assert keys.read("id", outs).outs == outs


def test_a_lost_catalog_reads_as_gone_and_is_not_deleted_from_in_silence(
    database: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_CATALOG_URL", database.url)
    request = ConfigureRequest(Config({}, "tenantry"))
    key, service, record = ApiKeyProvider(), ServicesProvider(), AppRecordProvider()
    for each in (key, service, record):
        each.configure(request)
    outs = INPUTS | {
        "key": "k",
        "hash": digest("k"),
        "revokedAt": None,
        "services": {"auth": "active"},
    }
    assert key.read("id", outs).outs == outs | {"record": "missing from the catalog"}
    assert service.read("id", outs).id is None
    assert record.read("00000000-0000-4000-8000-000000000000", outs).id is None
    # The URL may be another database's, and then the key would stay valid in the right one.
    for provider in (key, service, record):
        with pytest.raises(NoCatalogError, match="tenantry up -- --refresh makes them"):
            provider.delete("00000000-0000-4000-8000-000000000000", outs)


def test_a_key_resource_shows_what_was_changed_by_hand_and_puts_it_back(
    catalog: Catalog, keys: ApiKeyProvider
) -> None:
    outs = keys.create(INPUTS).outs or {}
    catalog.ask("UPDATE tenantry.api_keys SET scopes = '{admin}', expires_at = NULL")
    read = keys.read("id", outs)
    assert read.outs == outs | {"scopes": ["admin"], "expiresAt": None}
    assert keys.diff("id", read.outs, INPUTS).changes is True
    keys.update("id", read.outs, INPUTS)
    assert keys.read("id", outs).outs == outs


def test_a_key_resource_that_was_revoked_by_hand_is_no_difference_and_stays_revoked(
    catalog: Catalog, keys: ApiKeyProvider
) -> None:
    outs = keys.create(INPUTS).outs or {}
    catalog.ask("UPDATE tenantry.api_keys SET revoked_at = %s", MADE)
    read = keys.read("id", outs)
    assert (read.outs or {})["revokedAt"] == "2026-11-22T12:00:00+00:00"
    assert keys.diff("id", read.outs or {}, INPUTS).changes is False
    # A row that is lost after that comes back as revoked as it was.
    catalog.ask("DELETE FROM tenantry.api_keys")
    keys.update("id", keys.read("id", read.outs or {}).outs or {}, INPUTS)
    assert catalog.ask("SELECT revoked_at FROM tenantry.api_keys") == [(MADE,)]


def test_a_key_resource_that_goes_revokes_the_key_and_keeps_the_row(
    catalog: Catalog, keys: ApiKeyProvider
) -> None:
    outs = keys.create(INPUTS).outs or {}
    keys.delete("id", outs)
    keys.delete("id", outs)
    assert catalog.ask("SELECT is_active FROM tenantry.api_keys") == [(False,)]


def test_a_key_made_before_there_was_a_catalog_gets_its_row_later(
    catalog: Catalog, keys: ApiKeyProvider
) -> None:
    outs = keys.create(INPUTS | {"catalog": ""}).outs or {}
    assert catalog.ask("SELECT count(*) FROM tenantry.api_keys") == [(0,)]
    assert keys.diff("id", outs, INPUTS).changes is True
    keys.update("id", outs, INPUTS)
    assert catalog.ask("SELECT key_hash FROM tenantry.api_keys") == [(outs["hash"],)]


def graphs(catalog: Catalog) -> list[Any]:
    return catalog.ask(
        "SELECT user_id, name, instance_id, status, uri, deleted_at IS NULL FROM tenantry.user_databases ORDER BY created_at"
    )


def test_a_graph_is_pending_until_it_is_marked_and_keeps_its_mark_when_saved_again(
    catalog: Catalog,
) -> None:
    saved(catalog)
    do(catalog, save_graph, APP, "ada", "tenantry--acme--web--ada", "i1")
    assert graphs(catalog) == [("ada", "tenantry--acme--web--ada", "i1", "pending", None, True)]
    do(catalog, mark_graph, APP, "ada", "ready", "neo4j+s://i1.example")
    do(catalog, save_graph, APP, "ada", "renamed", "i1")
    assert graphs(catalog) == [("ada", "renamed", "i1", "ready", "neo4j+s://i1.example", True)]
    assert do(catalog, read_graph, APP, "ada") == ("renamed", "i1")
    do(catalog, mark_graph, APP, "ada", "failed")
    assert graphs(catalog)[0][3:5] == ("failed", "neo4j+s://i1.example")


def test_another_instance_in_a_graphs_place_is_pending_again(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_graph, APP, "", "own", "i1")
    do(catalog, mark_graph, APP, "", "ready", "neo4j+s://i1.example")
    do(catalog, save_graph, APP, "", "own", "i2")
    assert graphs(catalog) == [("", "own", "i2", "pending", None, True)]


def test_a_graph_that_goes_is_marked_and_one_that_comes_back_is_a_new_row(catalog: Catalog) -> None:
    saved(catalog)
    do(catalog, save_graph, APP, "ada", "a", "i1")
    do(catalog, delete_graph, APP, "ada")
    do(catalog, delete_graph, APP, "ada")
    assert do(catalog, read_graph, APP, "ada") is None
    do(catalog, save_graph, APP, "ada", "a", "i2")
    assert [(row[2], row[5]) for row in graphs(catalog)] == [("i1", False), ("i2", True)]


def test_a_graph_of_an_app_that_is_not_in_the_catalog_is_refused(catalog: Catalog) -> None:
    with pytest.raises(MissingError, match="acme/web: graphs: the app has no row"):
        do(catalog, save_graph, APP, "ada", "a", "i1")
