from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.localcloud.aura.account import CHANGE, CREATE, LAG, START, Account

if TYPE_CHECKING:
    from pathlib import Path

BUSY = (409, "ongoing-database-operation", None)
UNAVAILABLE = (409, "instance-action-unavailable", None)


# Creating


def test_only_the_answer_to_a_creation_has_the_password(account: Account) -> None:
    answer = account.send("POST", "/instances", account.wanted(name="graph"))
    assert answer.status_code == 202
    made = answer.json()["data"]
    assert set(made) == {
        "id",
        "connection_url",
        "username",
        "password",
        "tenant_id",
        "cloud_provider",
        "region",
        "type",
        "name",
        "created_at",
        "vector_optimized",
        "graph_analytics_plugin",
    }
    assert made["created_at"] == "2027-01-15T08:00:00Z"
    assert int(made["id"], 16) >= 0
    account.clock.seconds += CREATE
    shown = account.instance(made)
    assert not {"password", "username", "version"} & shown.keys()
    assert made["password"].encode() not in account.path.read_bytes()


def test_a_new_instance_is_not_found_for_a_moment_then_created_then_running(
    account: Account,
) -> None:
    made = account.create()
    assert account.refusal("GET", f"/instances/{made['id']}") == (404, "db-not-found", None)
    assert [each["id"] for each in account.ask("GET", "/instances")] == [made["id"]]
    account.clock.seconds += LAG
    assert account.status(made) == "creating"
    account.clock.seconds = START + CREATE - 0.1
    assert account.status(made) == "creating"
    account.clock.seconds = START + CREATE
    assert account.status(made) == "running"


def test_a_young_instance_is_busy_not_gone_for_a_deletion(account: Account) -> None:
    made = account.create()
    assert account.refusal("DELETE", f"/instances/{made['id']}") == BUSY


def test_a_list_has_summaries_and_can_be_of_one_tenant(account: Account) -> None:
    one, two = account.create(name="same"), account.create(name="same")
    assert one["id"] != two["id"]
    assert account.ask("GET", "/instances") == [
        {name: made[name] for name in ("id", "name", "tenant_id", "cloud_provider", "created_at")}
        for made in (one, two)
    ]
    tenant = account.settings.aura_tenant_id
    assert len(account.ask("GET", f"/instances?tenantId={tenant}")) == 2
    assert account.ask("GET", "/instances?tenantId=other") == []


def test_a_free_instance_has_its_id_for_a_user_the_others_have_neo4j(account: Account) -> None:
    free = account.create(type="free-db", memory="1GB")
    assert free["username"] == free["id"]
    assert account.create()["username"] == "neo4j"


def test_a_second_free_instance_is_refused_until_the_first_is_really_gone(
    account: Account,
) -> None:
    wanted = account.wanted(type="free-db", memory="1GB")
    made = account.free()
    limit = (405, "instance-limit-reached", None)
    assert account.refusal("POST", "/instances", wanted) == limit
    account.ask("DELETE", f"/instances/{made['id']}")
    assert account.refusal("POST", "/instances", wanted) == limit
    account.clock.seconds += CHANGE
    account.ask("POST", "/instances", wanted)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": ""}, (400, "validation-error", "name")),
        ({"name": "x" * 31}, (400, "validation-error", "name")),
        ({"name": " x"}, (400, "validation-error", "name")),
        ({"name": None}, (400, "validation-error", "name")),
        ({"type": "huge-db"}, (400, "validation-error", "type")),
        ({"cloud_provider": "ibm"}, (400, "validation-error", "cloud_provider")),
        ({"tenant_id": "other"}, (404, "tenant-not-found", None)),
        ({"region": "mars-1"}, (400, "invalid-region", "region")),
        ({"region": "us-east-1"}, (400, "invalid-region", "region")),
        ({"version": "3"}, (400, "invalid-version", "version")),
        ({"memory": "3GB"}, (400, "invalid-memory-size", "memory")),
        ({"memory": "2 GB"}, (400, "invalid-memory-size", "memory")),
        ({"storage": "2GB"}, (400, "invalid-memory-size", "storage")),
        ({"type": "free-db"}, (400, "invalid-memory-size", "memory")),
        (
            {"type": "free-db", "memory": "1GB", "cloud_provider": "aws", "region": "us-east-1"},
            (400, "invalid-cloud-provider", "cloud_provider"),
        ),
        (
            {"type": "free-db", "memory": "1GB", "vector_optimized": True},
            (400, "database-incapable-of-action", "vector_optimized"),
        ),
        ({"source_instance_id": "00000000"}, (404, "db-not-found", None)),
        ({"source_snapshot_id": "x"}, (400, "validation-error", "source_instance_id")),
        (
            {"customer_managed_key_id": "k"},
            (404, "encryption-key-not-found", "customer_managed_key_id"),
        ),
    ],
)
def test_an_illegal_creation_makes_nothing(
    account: Account, fields: dict[str, Any], refusal: tuple[int, str, str | None]
) -> None:
    assert account.refusal("POST", "/instances", account.wanted(**fields)) == refusal
    assert account.ask("GET", "/instances") == []


def test_all_that_is_wrong_with_a_body_is_said_at_once(account: Account) -> None:
    answer = account.send("POST", "/instances", {"type": 1, "name": "n", "version": "5"})
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "region",
        "memory",
        "type",
        "tenant_id",
        "cloud_provider",
    ]
    assert account.refusal("POST", "/instances", content=b"{")[:2] == (400, "validation-error")
    assert account.refusal("POST", "/instances")[:2] == (400, "validation-error")


def test_every_advertised_combination_can_be_created(account: Account) -> None:
    tenant = account.ask("GET", f"/tenants/{account.settings.aura_tenant_id}")
    configurations = tenant["instance_configurations"]
    smallest = {
        (each["type"], each["cloud_provider"], each["region"]): each
        for each in configurations[::-1]
    }
    for each in smallest.values():
        wanted = {name: value for name, value in each.items() if name != "region_name"}
        account.token = None  # An hour goes by in all.
        made = account.create(**wanted)
        account.clock.seconds += CREATE
        account.ask("DELETE", f"/instances/{made['id']}")
        account.clock.seconds += CHANGE
    assert {each["type"] for each in configurations} == {
        "free-db",
        "professional-db",
        "business-critical",
        "enterprise-db",
        "professional-ds",
        "enterprise-ds",
    }


def test_a_clone_needs_an_exportable_snapshot_of_its_source(account: Account) -> None:
    source = account.running()
    path = f"/instances/{source['id']}/snapshots"
    scheduled = account.ask("GET", path)[0]["snapshot_id"]
    fields = {"source_instance_id": source["id"], "source_snapshot_id": scheduled}
    assert account.refusal("POST", "/instances", account.wanted(**fields)) == (
        400,
        "snapshot-not-allowed",
        "source_snapshot_id",
    )
    fields["source_snapshot_id"] = account.ask("POST", path)["snapshot_id"]
    account.clock.seconds += CHANGE
    account.create(**fields)


# Reading


def test_a_type_shows_the_fields_that_it_has(account: Account) -> None:
    free = account.instance(account.free())
    assert "storage" not in free
    assert (free["graph_nodes"], free["graph_relationships"]) == ("0", "0")
    dedicated = account.instance(account.running(type="enterprise-db"))
    assert (dedicated["secondaries_count"], dedicated["cdc_enrichment_mode"]) == (0, "OFF")
    assert (dedicated["memory"], dedicated["storage"]) == ("2GB", "4GB")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_instance_is_not_found(account: Account, method: str) -> None:
    body = {"name": "n"} if method == "PATCH" else None
    answer = account.send(method, "/instances/00000000", body)
    assert answer.json()["errors"] == [
        {"message": "DB not found: 00000000", "reason": "db-not-found"}
    ]


# Changing


def test_a_rename_is_done_at_once(account: Account) -> None:
    made = account.running()
    answer = account.send("PATCH", f"/instances/{made['id']}", {"name": "new"})
    assert answer.status_code == 200
    assert answer.json()["data"]["name"] == "new"
    assert account.instance(made)["name"] == "new"
    assert account.ask("GET", "/instances")[0]["name"] == "new"


def test_a_resize_still_reads_running_for_a_moment_then_updating_then_the_new_size(
    account: Account,
) -> None:
    made = account.running()
    path = f"/instances/{made['id']}"
    answer = account.send("PATCH", path, {"name": "new", "memory": "8GB"})
    assert answer.status_code == 202
    assert answer.json()["data"]["status"] == "updating"
    shown = account.instance(made)
    assert (shown["status"], shown["memory"], shown["name"]) == ("running", "2GB", "new")
    assert account.refusal("PATCH", path, {"memory": "4GB"}) == BUSY
    account.clock.seconds += LAG
    shown = account.instance(made)
    assert (shown["status"], shown["memory"]) == ("updating", "2GB")
    assert account.refusal("PATCH", path, {"name": "newer"}) == BUSY
    account.clock.seconds += CHANGE
    shown = account.instance(made)
    assert (shown["status"], shown["memory"], shown["storage"]) == ("running", "8GB", "16GB")


def test_storage_alone_resizes_too_and_an_unchanged_size_is_no_resize(account: Account) -> None:
    made = account.running()
    path = f"/instances/{made['id']}"
    assert account.send("PATCH", path, {"memory": "2GB"}).status_code == 200
    assert account.send("PATCH", path, {"storage": "8GB"}).status_code == 202
    account.clock.seconds += LAG + CHANGE
    assert account.instance(made)["memory"] == "4GB"


@pytest.mark.parametrize(
    ("type_", "body", "refusal"),
    [
        ("professional-db", {}, (400, "validation-error", None)),
        ("professional-db", {"name": "x "}, (400, "validation-error", "name")),
        ("professional-db", {"memory": "3GB"}, (400, "invalid-memory-size", "memory")),
        (
            "professional-db",
            {"memory": "4GB", "storage": "4GB"},
            (400, "invalid-memory-size", "storage"),
        ),
        (
            "professional-db",
            {"secondaries_count": 1},
            (400, "database-incapable-of-action", "secondaries_count"),
        ),
        (
            "professional-db",
            {"cdc_enrichment_mode": "FULL"},
            (400, "database-incapable-of-action", "cdc_enrichment_mode"),
        ),
        ("free-db", {"memory": "2GB"}, (400, "database-incapable-of-action", "memory")),
    ],
)
def test_an_illegal_change_changes_nothing(
    account: Account, type_: str, body: dict[str, Any], refusal: tuple[int, str, str | None]
) -> None:
    made = account.running(type=type_, memory="1GB")
    before = account.instance(made)
    assert account.refusal("PATCH", f"/instances/{made['id']}", body) == refusal
    assert account.instance(made) == before


def test_what_only_the_dedicated_type_has_can_be_changed_there(account: Account) -> None:
    made = account.running(type="enterprise-db")
    change = {"secondaries_count": 2, "cdc_enrichment_mode": "FULL", "vector_optimized": True}
    account.ask("PATCH", f"/instances/{made['id']}", change)
    account.clock.seconds += LAG + CHANGE
    assert account.instance(made).items() >= change.items()


def test_a_paused_instance_has_neither_address_nor_size_and_comes_back(account: Account) -> None:
    made = account.running()
    path = f"/instances/{made['id']}"
    pausing = account.ask("POST", f"{path}/pause")
    assert (pausing["status"], pausing["connection_url"]) == ("pausing", made["connection_url"])
    assert account.refusal("POST", f"{path}/resume") == BUSY
    account.clock.seconds += CHANGE
    paused = account.instance(made)
    assert (paused["status"], paused["connection_url"]) == ("paused", None)
    assert not {"memory", "storage"} & paused.keys()
    assert account.refusal("POST", f"{path}/pause") == UNAVAILABLE
    assert account.refusal("PATCH", path, {"memory": "4GB"}) == UNAVAILABLE
    resuming = account.ask("POST", f"{path}/resume")
    assert (resuming["status"], resuming["connection_url"]) == ("resuming", None)
    account.clock.seconds += CHANGE
    running = account.instance(made)
    assert (running["status"], running["memory"]) == ("running", "2GB")
    assert running["connection_url"] == made["connection_url"]
    assert account.refusal("POST", f"{path}/resume") == UNAVAILABLE


def test_a_conflict_names_what_is_under_way(account: Account) -> None:
    made = account.running()
    account.ask("POST", f"/instances/{made['id']}/pause")
    answer = account.send("POST", f"/instances/{made['id']}/pause")
    assert answer.json()["errors"][0]["message"] == (
        "The database is current undergoing an operation: pausing"
    )


def test_an_instance_that_just_runs_can_be_paused_while_its_first_snapshot_is_taken(
    account: Account,
) -> None:
    made = account.create()
    account.clock.seconds += CREATE
    assert account.status(made) == "running"
    assert account.ask("POST", f"/instances/{made['id']}/pause")["status"] == "pausing"
    account.clock.seconds += CHANGE
    assert account.status(made) == "paused"


def test_a_free_instance_cannot_be_paused_by_hand(account: Account) -> None:
    made = account.free()
    assert account.refusal("POST", f"/instances/{made['id']}/pause") == (
        400,
        "database-incapable-of-action",
        None,
    )


# Deleting


def test_a_deletion_answers_once_and_the_instance_is_gone_later(account: Account) -> None:
    made = account.running()
    path = f"/instances/{made['id']}"
    answer = account.send("DELETE", path)
    assert (answer.status_code, answer.json()["data"]["status"]) == (202, "destroying")
    assert account.status(made) == "destroying"
    assert account.refusal("DELETE", path)[0] == 404
    assert account.refusal("POST", f"{path}/pause") == BUSY
    account.clock.seconds += CHANGE
    assert account.refusal("GET", path) == (404, "db-not-found", None)
    assert account.ask("GET", "/instances") == []
    assert account.refusal("DELETE", path)[0] == 404
    assert not account.state.aura_snapshots


def test_a_paused_instance_can_be_deleted(account: Account) -> None:
    made = account.running()
    account.ask("POST", f"/instances/{made['id']}/pause")
    account.clock.seconds += CHANGE
    gone = account.ask("DELETE", f"/instances/{made['id']}")
    assert (gone["status"], gone["connection_url"]) == ("destroying", None)


# Overwriting, upgrading, sizing


def test_an_overwrite_is_for_an_instance_at_least_as_large_and_not_free(account: Account) -> None:
    source, target = account.running(memory="4GB"), account.running(memory="4GB")
    small, free = account.running(memory="2GB"), account.free()
    body = {"source_instance_id": source["id"]}
    assert account.refusal("POST", f"/instances/{free['id']}/overwrite", body) == (
        420,
        "database-incapable-of-action",
        None,
    )
    answer = account.send("POST", f"/instances/{small['id']}/overwrite", body)
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["message"] == (
        f"Cannot clone database {source['id']} into smaller database {small['id']}."
    )
    path = f"/instances/{target['id']}/overwrite"
    missing = {"source_snapshot_id": "missing"}
    assert account.refusal("POST", path, body | missing) == (404, "snapshot-not-found", None)
    assert account.refusal("POST", path, {})[2] == "source_instance_id"
    assert account.ask("POST", path, body)["status"] == "overwriting"
    assert account.refusal("POST", path, body) == BUSY
    account.clock.seconds += CHANGE
    assert account.status(target) == "running"


def test_an_upgrade_changes_the_type_and_keeps_id_and_address(account: Account) -> None:
    made = account.running()
    path = f"/instances/{made['id']}/upgrade"
    assert account.refusal("POST", path, {"memory": "4GB"})[2] == "storage"
    answer = account.send("POST", path)
    assert answer.status_code == 200
    shown = account.instance(made)
    assert answer.json()["data"] == shown
    assert (shown["type"], shown["memory"]) == ("business-critical", "2GB")
    assert shown["connection_url"] == made["connection_url"]
    assert account.refusal("POST", path)[:2] == (409, "database-incapable-of-action")


def test_an_upgrade_can_resize_and_has_to_where_the_size_is_too_small(account: Account) -> None:
    made = account.running(memory="1GB")
    path = f"/instances/{made['id']}/upgrade"
    assert account.refusal("POST", path) == (400, "invalid-memory-size", "memory")
    upgraded = account.ask("POST", path, {"memory": "16GB", "storage": "32GB"})
    assert (upgraded["type"], upgraded["memory"]) == ("business-critical", "16GB")


def test_a_size_is_estimated_for_data_science_types(account: Account) -> None:
    body = {"node_count": 10**7, "relationship_count": 10**8, "instance_type": "enterprise-ds"}
    small = account.ask("POST", "/instances/sizing", body)
    assert small["did_exceed_maximum"] is False
    with_algorithms = body | {"algorithm_categories": ["pathfinding", "node-embedding"]}
    larger = account.ask("POST", "/instances/sizing", with_algorithms)
    assert int(larger["recommended_size"][:-2]) > int(small["recommended_size"][:-2])
    huge = account.ask("POST", "/instances/sizing", body | {"node_count": 10**13})
    assert (huge["did_exceed_maximum"], huge["recommended_size"]) == (True, "384GB")
    wrong = body | {"instance_type": "free-db"}
    assert account.refusal("POST", "/instances/sizing", wrong)[2] == "instance_type"


# Staying


def test_an_operation_under_way_outlives_a_kill(account: Account) -> None:
    made = account.create()
    account.clock.seconds += CREATE / 2
    account.open()
    assert account.status(made) == "creating"
    account.clock.seconds += CREATE
    account.ask("PATCH", f"/instances/{made['id']}", {"memory": "8GB"})
    account.clock.seconds += LAG + CHANGE
    account.open()
    assert account.instance(made)["memory"] == "8GB"
    account.ask("DELETE", f"/instances/{made['id']}")
    account.clock.seconds += CHANGE
    account.open()
    assert account.ask("GET", "/instances") == []
    account.open()
    assert not account.state.aura_instances


def test_without_lags_everything_shows_at_once(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("aura_create_seconds", "aura_change_seconds", "aura_lag_seconds"), 0.0)
    account = Account(tmp_path / "state.db", asked=nothing)
    made = account.create()
    assert account.status(made) == "running"
    account.ask("PATCH", f"/instances/{made['id']}", {"memory": "8GB"})
    assert account.instance(made)["memory"] == "8GB"
    account.ask("DELETE", f"/instances/{made['id']}")
    assert account.refusal("GET", f"/instances/{made['id']}")[0] == 404
