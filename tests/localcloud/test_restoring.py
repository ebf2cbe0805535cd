"""Branches of the past, restores and snapshots: what the API says, and what PostgreSQL then holds."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.localcloud.support import Account, Json, Project, query
from tests.localcloud_fixture import local_cloud, localcloud, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDPOINT = {"endpoints": [{"type": "read_write"}]}


@pytest.fixture
def project(account: Account) -> Iterator[Project]:
    made = account.project("past")
    query(made.uri, "CREATE TABLE t (n int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    yield made
    made.wait()
    if account.send("GET", made.path).status_code == 200:
        made.delete()


def now() -> str:
    return datetime.now(UTC).isoformat()


def numbers(uri: str) -> list[int]:
    return [row[0] for row in query(uri, "SELECT n FROM t ORDER BY n")]


def uri_of(project: Project, branch_id: str) -> str:
    answer = project.account.ask(
        "GET",
        f"{project.path}/connection_uri",
        branch_id=branch_id,
        database_name="neondb",
        role_name="neondb_owner",
    )
    return str(answer["uri"])


def branches(project: Project) -> dict[str, Json]:
    found = project.account.ask("GET", f"{project.path}/branches")["branches"]
    return {each["name"]: each for each in found}


# A branch of the past


def test_a_branch_is_made_of_what_its_parent_was(project: Project) -> None:
    project.do("POST", f"{project.branch}/roles", {"role": {"name": "early"}})
    moment = now()
    query(project.uri, "INSERT INTO t VALUES (2)")
    project.do("POST", f"{project.branch}/roles", {"role": {"name": "late"}})
    lsn = query(project.uri, "SELECT pg_current_wal_lsn()::text")[0][0]
    query(project.uri, "DELETE FROM t")
    for name, parent, expected, roles in (
        ("then", {"parent_timestamp": moment}, [1], ["early", "neondb_owner"]),
        ("there", {"parent_lsn": lsn}, [1, 2], ["early", "late", "neondb_owner"]),
    ):
        made = project.do(
            "POST", f"{project.path}/branches", ENDPOINT | {"branch": {"name": name, **parent}}
        )["branch"]
        assert numbers(uri_of(project, made["id"])) == expected
        listed = project.account.ask("GET", f"{project.path}/branches/{made['id']}/roles")["roles"]
        assert sorted(each["name"] for each in listed) == roles
    assert branches(project)["there"]["parent_lsn"] == lsn
    assert branches(project)["then"]["parent_timestamp"]
    assert numbers(project.uri) == []


def test_a_moment_that_the_history_does_not_have_is_refused(project: Project) -> None:
    path = f"{project.path}/branches"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for parent in (
        {"parent_timestamp": tomorrow},
        {"parent_timestamp": yesterday},
        {"parent_timestamp": "noon"},
        {"parent_lsn": "F/0"},
        {"parent_lsn": "0/1"},
        {"parent_lsn": "here"},
        {"parent_lsn": "0/1", "parent_timestamp": now()},
    ):
        assert project.account.refusal("POST", path, {"branch": parent})[0] == 400
    assert list(branches(project)) == ["main"]


def test_a_project_without_retention_has_no_history(account: Account) -> None:
    project = account.project("forgetful", history_retention_seconds=0)
    query(project.uri, "CREATE TABLE t (n int)")
    body = {"branch": {"parent_timestamp": now()}}
    assert account.refusal("POST", f"{project.path}/branches", body)[0] in {400, 422}
    project.delete()


# Restore


def test_a_branch_goes_back_in_its_own_history_and_what_it_was_is_kept(project: Project) -> None:
    query(project.uri, "INSERT INTO t VALUES (2)")
    moment = now()
    query(project.uri, "DROP TABLE t")
    body = {
        "source_branch_id": project.made["branch"]["id"],
        "source_timestamp": moment,
        "preserve_under_name": "before",
    }
    answer = project.do("POST", f"{project.branch}/restore", body)
    assert [each["action"] for each in answer["operations"]] == [
        "suspend_compute",
        "create_branch",
        "start_compute",
    ]
    assert numbers(project.uri) == [1, 2]  # the same connection string
    kept = branches(project)["before"]
    assert kept["default"] is False
    assert branches(project)["main"]["parent_id"] == kept["id"]
    project.do(
        "POST",
        f"{project.path}/endpoints",
        {"endpoint": {"branch_id": kept["id"], "type": "read_write"}},
    )
    assert query(uri_of(project, kept["id"]), "SELECT to_regclass('t')") == [(None,)]
    # From here there is a history again, and the kept branch has that of before.
    query(project.uri, "INSERT INTO t VALUES (3)")
    again = body | {"source_branch_id": kept["id"], "preserve_under_name": "once more"}
    project.do("POST", f"{project.branch}/restore", again)
    assert numbers(project.uri) == [1, 2]


def test_a_branch_is_reset_from_its_parent_with_its_own_passwords(project: Project) -> None:
    child = project.do("POST", f"{project.path}/branches", ENDPOINT | {"branch": {"name": "child"}})
    child_id = child["branch"]["id"]
    path = f"{project.path}/branches/{child_id}"
    project.do("POST", f"{path}/roles/neondb_owner/reset_password")
    uri = uri_of(project, child_id)
    query(uri, "INSERT INTO t VALUES (9)", "CREATE TABLE mine (n int)")
    query(project.uri, "INSERT INTO t VALUES (2)")
    body = {"source_branch_id": project.made["branch"]["id"]}
    reset = project.do("POST", f"{path}/restore", body)["branch"]
    assert reset["last_reset_at"]
    assert numbers(uri) == [1, 2]
    assert query(uri, "SELECT to_regclass('mine')") == [(None,)]
    assert list(branches(project)) == ["child", "main"]


def test_a_restore_says_what_it_lacks(project: Project) -> None:
    account, itself = project.account, {"source_branch_id": project.made["branch"]["id"]}
    path = f"{project.branch}/restore"
    assert account.refusal("POST", path, {})[0] == 400
    assert account.refusal("POST", path, itself)[0] == 400
    assert account.refusal("POST", path, itself | {"source_timestamp": now()})[0] == 400
    named = {"source_timestamp": now(), "preserve_under_name": "main"}
    assert account.refusal("POST", path, itself | named)[0] == 409
    assert account.refusal("POST", path, {"source_branch_id": "br-none-such-1"})[0] == 404


# Snapshots


def test_a_snapshot_outlives_what_happens_to_its_branch(project: Project) -> None:
    account = project.account
    moment = now()
    query(project.uri, "INSERT INTO t VALUES (2)")
    made = account.ask("POST", f"{project.branch}/snapshot", name="nightly")["snapshot"]
    project.wait()
    early = account.ask("POST", f"{project.branch}/snapshot", timestamp=moment)["snapshot"]
    project.wait()
    query(project.uri, "DELETE FROM t")
    listed = {
        each["id"]: each for each in account.ask("GET", f"{project.path}/snapshots")["snapshots"]
    }
    assert listed[made["id"]]["name"] == "nightly"
    assert listed[made["id"]]["full_size"] > 0
    path = f"{project.path}/snapshots"
    renamed = account.ask("PATCH", f"{path}/{made['id']}", {"snapshot": {"name": "kept"}})
    assert renamed["snapshot"]["name"] == "kept"
    # Beside the branch, then in its place.
    beside = project.do("POST", f"{path}/{early['id']}/restore", {"name": "beside"})["branch"]
    assert (beside["restored_from"], beside["restore_status"]) == (early["id"], "restored")
    main_id = project.made["branch"]["id"]
    instead = project.do("POST", f"{path}/{made['id']}/restore", {"finalize_restore": True})[
        "branch"
    ]
    assert numbers(project.uri) == [1, 2]
    found = branches(project)
    assert found["main"]["id"] == instead["id"]
    assert (found["main"]["default"], found["main"]["restore_status"]) == (True, "finalized")
    assert project.account.ask("GET", project.endpoint)["endpoint"]["branch_id"] == instead["id"]
    project.do("POST", f"{project.path}/branches/{beside['id']}/finalize_restore", {"name": "odd"})
    replaced = next(each for each in branches(project).values() if each["id"] == main_id)
    assert replaced["name"] == "odd"
    for each in (made, early):
        answer = account.send("DELETE", f"{path}/{each['id']}")
        assert answer.status_code == 202
        project.wait()
    assert account.ask("GET", path)["snapshots"] == []
    project.do("DELETE", f"{project.path}/branches/{main_id}")


def test_snapshots_and_branches_expire(project: Project) -> None:
    account = project.account
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = ENDPOINT | {"branch": {"name": "brief", "expires_at": soon}}
    brief = project.do("POST", f"{project.path}/branches", body)["branch"]
    assert brief["ttl_interval_seconds"] in {1, 2}
    account.ask("POST", f"{project.branch}/snapshot", expires_at=soon)
    project.wait()
    assert account.refusal("PATCH", project.branch, {"branch": {"expires_at": later}})[0] == 422
    past = {"branch": {"expires_at": "2020-01-01T00:00:00Z"}}
    assert account.refusal("POST", f"{project.path}/branches", past)[0] == 400
    deadline = time.monotonic() + 20
    while (
        "brief" in branches(project) or account.ask("GET", f"{project.path}/snapshots")["snapshots"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    gone = account.ask("GET", f"{project.path}/branches", include_deleted="true")["branches"]
    expired = next(each for each in gone if each["id"] == brief["id"])
    assert expired["recovery"]["deletion_method"] == "ttl"
    project.wait()


def test_a_schedule_is_kept_and_judged(project: Project) -> None:
    account, path = project.account, f"{project.branch}/backup_schedule"
    assert account.ask("GET", path) == {"schedule": []}
    schedule = [
        {"frequency": "daily", "hour": 3, "retention_seconds": 86_400},
        {"frequency": "hourly"},
    ]
    assert account.send("PUT", path, {"schedule": schedule}).status_code == 200
    assert account.ask("GET", path) == {"schedule": schedule}
    for wrong in ({"frequency": "often"}, {"frequency": "daily", "hour": 24}):
        assert account.refusal("PUT", path, {"schedule": [wrong]})[0] == 400


# Schemas


def test_a_schema_is_told_of_now_and_of_then_and_compared(project: Project) -> None:
    account = project.account
    child = project.do("POST", f"{project.path}/branches")["branch"]
    moment = now()
    query(
        project.uri, "CREATE TABLE u (n int REFERENCES t, m text GENERATED ALWAYS AS ('x') STORED)"
    )
    main = {"db_name": "neondb"}
    assert "CREATE TABLE public.u" in account.ask("GET", f"{project.branch}/schema", **main)["sql"]
    then = account.ask("GET", f"{project.branch}/schema", **main, timestamp=moment)["sql"]
    assert "CREATE TABLE public.t" in then
    assert "public.u" not in then
    tables = account.ask("GET", f"{project.branch}/schema", **main, format="json")["json"]["tables"]
    assert [each["name"] for each in tables] == ["t", "u"]
    assert tables[1]["columns"][1] == {
        "name": "m",
        "type": "text",
        "nullable": True,
        "generated": True,
    }
    assert tables[1]["constraints"][0]["referenced_table"]["columns"] == ["n"]
    path = f"{project.path}/branches/{child['id']}/compare_schema"
    diff = account.ask("GET", path, **main)["diff"]
    assert diff.startswith("--- a/neondb\n+++ b/neondb\n")
    assert "-CREATE TABLE public.u (" in diff
    assert account.ask("GET", path, **main, base_timestamp=moment)["diff"] == ""
    assert account.refusal("GET", f"{project.branch}/compare_schema", **main)[0] == 400
    assert account.refusal("GET", f"{project.branch}/schema", db_name="none")[0] == 404
    assert account.refusal("GET", f"{project.branch}/schema")[0] == 400
    assert account.refusal("GET", f"{project.branch}/schema", **main, format="xml")[0] == 400
    both = {"lsn": "0/1", "timestamp": moment}
    assert account.refusal("GET", f"{project.branch}/schema", **main, **both)[0] == 400


# A restart


def test_history_snapshots_and_what_is_due_survive_a_restart(tmp_path: Path) -> None:
    with local_cloud(tmp_path / "data") as cloud, cloud.client() as client:
        account = Account(cloud, client)
        project = account.project("again")
        query(project.uri, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        moment = now()
        query(project.uri, "INSERT INTO t VALUES (2)")
        soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        project.do(
            "POST", f"{project.path}/branches", {"branch": {"name": "b", "expires_at": soon}}
        )
        snapshot = account.ask("POST", f"{project.branch}/snapshot")["snapshot"]
        project.wait()
        localcloud("stop", cloud.data)
        time.sleep(1)
        again = start(cloud.data, "--plan", "scale", "--pace", "0")
        assert again.neon_api_url == cloud.neon_api_url
        deadline = time.monotonic() + 20
        while "b" in branches(project):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        project.wait()
        query(project.uri, "DELETE FROM t")
        body = {
            "source_branch_id": project.made["branch"]["id"],
            "source_timestamp": moment,
            "preserve_under_name": "old",
        }
        project.do("POST", f"{project.branch}/restore", body)
        assert numbers(project.uri) == [1]
        path = f"{project.path}/snapshots/{snapshot['id']}/restore"
        project.do(
            "POST", path, {"finalize_restore": True, "target_branch_id": body["source_branch_id"]}
        )
        assert numbers(project.uri) == [1, 2]


STAGES: dict[str, Callable[[set[str], set[str]], bool]] = {
    "recovering": lambda names, _known: any(each.endswith(".past") for each in names),
    "recovered": lambda names, known: any("." not in each for each in names - known),
    "put aside": lambda names, known: bool(names & known),
}
"""How far a restore is, by the data directories and by the ids of branches that had none when it began."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_restore_that_is_killed_is_carried_to_its_end(tmp_path: Path, stage: str) -> None:
    with local_cloud(tmp_path / "data") as cloud, cloud.client() as client:
        account = Account(cloud, client)
        project = account.project("killed")
        query(project.uri, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
        moment = now()
        query(project.uri, "INSERT INTO t VALUES (2)")
        settings = json.loads((cloud.data / "localcloud.json").read_text())
        folder = Path(settings["clusters"]) / "branches"
        before = {each.name for each in folder.iterdir()}
        main_id = project.made["branch"]["id"]
        body = {"source_branch_id": main_id, "source_timestamp": moment}
        account.ask("POST", f"{project.branch}/restore", body | {"preserve_under_name": "old"})
        old_id = branches(project)["old"]["id"]
        deadline = time.monotonic() + 20
        while not STAGES[stage]({each.name for each in folder.iterdir()} - before, {old_id}):
            assert time.monotonic() < deadline
        os.kill(cloud.pid, signal.SIGKILL)
        while Path(f"/proc/{cloud.pid}").exists():
            assert time.monotonic() < deadline
        start(cloud.data, "--plan", "scale", "--pace", "0")
        operations = project.wait()
        assert {each["status"] for each in operations} == {"finished"}
        assert numbers(project.uri) == [1]
        project.do(
            "POST",
            f"{project.path}/endpoints",
            {"endpoint": {"branch_id": old_id, "type": "read_write"}},
        )
        assert numbers(uri_of(project, old_id)) == [1, 2]
        # There is a history again from here, and nothing is left of what was begun.
        query(project.uri, "INSERT INTO t VALUES (3)")
        again = body | {"source_timestamp": now(), "preserve_under_name": "older"}
        query(project.uri, "DELETE FROM t")
        project.do("POST", f"{project.branch}/restore", again)
        assert numbers(project.uri) == [1, 3]
        ids = {each["id"] for each in branches(project).values()}
        left = {each.name.removesuffix(".log") for each in folder.iterdir()} - before
        assert left <= ids


# Masked branches


def test_a_masked_branch_holds_what_its_rules_say_and_its_parent_what_it_held(
    project: Project,
) -> None:
    account = project.account
    query(
        project.uri,
        "CREATE TABLE people (mail text, phone text)",
        "INSERT INTO people VALUES ('a@b.c', '1')",
    )
    place = {"database_name": "neondb", "schema_name": "public", "table_name": "people"}
    rules = [
        place | {"column_name": "mail", "masking_function": "pg_catalog.md5(mail)"},
        place | {"column_name": "phone", "masking_value": "it's none"},
    ]
    body = {"branch_create": ENDPOINT, "masking_rules": rules, "start_anonymization": True}
    made = project.do("POST", f"{project.path}/branch_anonymized", body)["branch"]
    path = f"{project.path}/branches/{made['id']}"
    rows = query(uri_of(project, made["id"]), "SELECT mail = md5('a@b.c'), phone FROM people")
    assert rows == [(True, "it's none")]
    assert query(project.uri, "SELECT mail FROM people") == [("a@b.c",)]
    status = account.ask("GET", f"{path}/anonymized_status")
    assert (status["state"], status["last_run"]["masked_columns"]) == ("anonymized", 2)
    assert account.ask("GET", f"{path}/masking_rules")["masking_rules"] == rules
    missing = [place | {"column_name": "none", "masking_value": "x"}]
    account.ask("PATCH", f"{path}/masking_rules", {"masking_rules": missing})
    account.ask("POST", f"{path}/anonymize")
    project.wait()
    status = account.ask("GET", f"{path}/anonymized_status")
    assert (status["state"], "none" in status["status_message"]) == ("error", True)
    for function, code in (("anon.fake_email()", 501), (None, 400)):
        rule = place | {"column_name": "mail", "masking_function": function}
        answer = account.refusal("PATCH", f"{path}/masking_rules", {"masking_rules": [rule]})
        assert answer[0] == code
    assert account.refusal("GET", f"{project.branch}/masking_rules")[0] == 404
