"""Faults on order, over real HTTP and real Postgres."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from tests.localcloud.support import Account, Json, Project, query
from tests.localcloud_faults import Faults, faults_of
from tests.localcloud_fixture import local_cloud, localcloud

if TYPE_CHECKING:
    from tests.localcloud_fixture import LocalCloud

REGIONS = "GET /regions"


@pytest.fixture
def faults(cloud: LocalCloud) -> Iterator[Faults]:
    """The fault API of the shared cloud, without orders before and after."""
    with faults_of(cloud) as api:
        yield api


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[httpx.Client]:
    """A client that judges nothing: broken answers are not in the API's document."""
    with httpx.Client(
        base_url=cloud.neon_api_url,
        headers={"Authorization": f"Bearer {cloud.neon_api_key}"},
        timeout=30,
    ) as client:
        yield client


def names(account: Account) -> list[str]:
    listed = account.ask("GET", "/projects", org_id=account.cloud.neon_org_id, limit=400)
    return [project["name"] for project in listed["projects"]]


def creation(account: Account, name: str) -> Json:
    return {"project": {"name": name, "org_id": account.cloud.neon_org_id}}


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_status_takes_the_place_of_an_answer(faults: Faults, client: httpx.Client) -> None:
    headers = {"Retry-After": "1"}
    order = faults.order(
        REGIONS, {"kind": "status", "status": 503, "body": {"a": 1}, "headers": headers}, count=2
    )
    for _ in range(2):
        answer = client.get("/regions")
        assert (answer.status_code, answer.json()) == (503, {"a": 1})
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["x-neon-ret-request-id"]
    assert client.get("/regions").status_code == 200
    assert client.get("/users/me").status_code == 200
    assert faults.standing(order) | {"seed": 0} == order | {
        "seed": 0,
        "seen": 3,
        "hits": 2,
        "left": 0,
    }


def test_an_answer_can_be_empty_or_a_text_that_is_no_json(
    faults: Faults, client: httpx.Client
) -> None:
    faults.order(REGIONS, {"kind": "status", "status": 204})
    faults.order(REGIONS, {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"})
    assert (client.get("/regions").status_code, client.get("/users/me").status_code) == (204, 200)
    answer = client.get("/regions")
    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_status_after_the_work_hides_that_it_was_done(faults: Faults, account: Account) -> None:
    fault = {"kind": "status", "status": 500, "when": "after"}
    for when, made in (("after", True), ("before", False)):
        faults.order("POST /projects", fault | {"when": when})
        answer = account.send("POST", "/projects", creation(account, f"status-{when}"))
        assert (answer.status_code, answer.json()["message"]) == (500, "as ordered")
        assert (f"status-{when}" in names(account)) is made


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_request_is_cut_off_without_an_answer(
    faults: Faults, account: Account, when: str
) -> None:
    faults.order("POST /projects", {"kind": "drop", "when": when})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        account.send("POST", "/projects", creation(account, f"drop-{when}"))
    assert names(account).count(f"drop-{when}") == (when == "after")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_holds_the_work_or_its_answer_up(
    faults: Faults, account: Account, when: str
) -> None:
    faults.order("POST /projects", {"kind": "delay", "seconds": 1, "when": when})
    before, started = faults.last(), time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(account.send, "POST", "/projects", creation(account, f"delay-{when}"))
        assert faults.injected(before, wait=20)
        assert (f"delay-{when}" in names(account)) is (when == "after")
        assert answer.result().status_code == 201
    assert time.monotonic() - started >= 1


def test_a_held_request_lands_late_though_its_client_has_gone(
    faults: Faults, account: Account, client: httpx.Client
) -> None:
    order = faults.order("POST /projects", {"kind": "hold"})
    before = faults.last()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/projects", json=creation(account, "late"), timeout=0.2)
    assert [entry["order"] for entry in faults.injected(before, wait=10)] == [order["id"]]
    assert faults.standing(order)["held"] == 1
    assert "late" not in names(account)
    faults.withdraw(order)
    until(lambda: "late" in names(account))
    assert names(account).count("late") == 1


def test_a_held_request_can_be_dropped_before_or_after_its_work(
    faults: Faults, account: Account
) -> None:
    for when, made in (("before", 0), ("after", 1)):
        name = f"held-{when}"
        order = faults.order("POST /projects", {"kind": "hold", "when": when, "then": "drop"})
        before = faults.last()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(account.send, "POST", "/projects", creation(account, name))
            faults.injected(before, wait=10)
            assert names(account).count(name) == made
            faults.withdraw(order)
            with pytest.raises(httpx.RemoteProtocolError):
                answer.result(10)
        assert names(account).count(name) == made


def test_an_answer_can_be_cut_short_drawn_out_or_mislabelled(
    faults: Faults, client: httpx.Client
) -> None:
    whole = client.get("/regions").content
    faults.order(REGIONS, {"kind": "truncate", "bytes": 20})
    faults.order(REGIONS, {"kind": "drip", "seconds": 0.4})
    faults.order(REGIONS, {"kind": "content_type", "value": "text/html"})
    with pytest.raises(
        httpx.RemoteProtocolError, match=f"received 20 bytes, expected {len(whole)}"
    ):
        client.get("/regions")
    with client.stream("GET", "/regions") as answer:
        begun = time.monotonic()
        assert answer.read() == whole
    assert time.monotonic() - begun >= 0.3
    answer = client.get("/regions")
    assert (answer.headers["content-type"], answer.content) == ("text/html", whole)


def test_an_operation_fails_with_a_reason_and_what_follows_is_skipped(
    faults: Faults, account: Account
) -> None:
    fault = {"kind": "operation", "action": "create_timeline", "outcome": "failed"}
    faults.order("POST /projects", fault | {"reason": "no space left"})
    project = account.project("op-failed")
    operations = account.ask("GET", f"{project.path}/operations")["operations"]
    assert [(each["action"], each["status"], each.get("error")) for each in operations] == [
        ("start_compute", "skipped", None),
        ("create_timeline", "failed", "no space left"),
    ]


def test_an_operation_that_never_ends_locks_its_project_until_the_order_is_taken_back(
    faults: Faults, account: Account
) -> None:
    fault = {"kind": "operation", "action": "start_compute", "outcome": "never"}
    order = faults.order("POST /projects", fault)
    made = account.ask("POST", "/projects", creation(account, "op-never"))
    project = Project(account, made)
    operation = f"{project.path}/operations/{made['operations'][1]['id']}"
    until(lambda: account.ask("GET", operation)["operation"]["status"] == "running")
    assert account.refusal("PATCH", project.path, {"project": {"name": "x"}})[0] == 423
    faults.withdraw(order)
    project.wait()
    assert account.ask("GET", operation)["operation"]["status"] == "finished"


def test_faults_hit_only_who_is_let_in(faults: Faults, cloud: LocalCloud) -> None:
    order = faults.order("* /**", {"kind": "drop"})
    for key in ("wrong", cloud.neon_api_key[:-1]):
        answer = httpx.get(
            f"{cloud.neon_api_url}/regions", headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 401
    assert faults.standing(order)["seen"] == 0


def test_the_aura_api_and_its_tokens_can_fail_too(faults: Faults, cloud: LocalCloud) -> None:
    faults.order("GET /instances", {"kind": "status", "status": 503}, api="aura")
    token = faults.order("POST /oauth/token", {"kind": "drop"}, api="aura", skip=1)
    with cloud.aura() as client:
        assert httpx.post(cloud.aura_token_url, auth=("wrong", "wrong")).status_code == 401
        assert client.get("/instances").status_code == 503
        assert client.get("/instances").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        cloud.aura()
    assert faults.standing(token)["seen"] == 2


@pytest.fixture(scope="module")
def project(account: Account) -> Project:
    project = account.project("faults")
    query(project.uri, "CREATE TABLE t (n int)")
    return project


@pytest.fixture
def database(project: Project, faults: Faults) -> Database:
    query(project.uri, "TRUNCATE t")
    return Database(project, faults)


@dataclass
class Database:
    """A table `t` of numbers, and the orders about its endpoint."""

    project: Project
    faults: Faults

    def order(self, what: str, fault: Json, **fields: Any) -> Json:
        endpoint = self.project.endpoint.rpartition("/")[2]
        return self.faults.order(f"{endpoint} {what}", fault, api="postgres", **fields)

    def numbers(self) -> list[int]:
        return sorted(number for (number,) in query(self.project.uri, "SELECT n FROM t"))

    def insert(self, number: int) -> None:
        """Insert with a parameter: the statement and its execution are messages of their own."""
        with psycopg.connect(self.project.uri, autocommit=True) as connection:
            connection.execute("INSERT INTO t VALUES (%s)", [number])


def test_an_endpoint_that_does_not_wake_is_a_failed_operation_too(database: Database) -> None:
    project = database.project
    database.order("connect", {"kind": "no_wake"})
    database.numbers()
    project.suspend()
    with pytest.raises(psycopg.OperationalError, match="Couldn't connect to compute node"):
        database.numbers()
    newest = project.wait()[0]
    assert (newest["action"], newest["status"]) == ("start_compute", "failed")
    assert newest["error"] == "Couldn't connect to compute node"
    assert project.state() == "idle"
    assert database.numbers() == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "refuse"}, "the database system is starting up"),
        ({"kind": "too_many_connections"}, "sorry, too many clients already"),
        ({"kind": "drop"}, "eof|closed the connection"),
        ({"kind": "drop", "when": "after"}, "eof|closed the connection"),
    ],
)
def test_a_connection_is_refused_or_cut(database: Database, fault: Json, words: str) -> None:
    order = database.order("connect", fault)
    with pytest.raises(psycopg.OperationalError, match=words):
        database.numbers()
    assert database.numbers() == []
    assert database.faults.standing(order)["hits"] == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_is_cut_before_or_after_a_statement_was_executed(
    database: Database, when: str
) -> None:
    for number, insert in enumerate(
        (database.insert, lambda n: query(database.project.uri, f"INSERT INTO t VALUES ({n})"))
    ):
        database.order("insert*", {"kind": "drop", "when": when})
        with pytest.raises(psycopg.OperationalError):
            insert(number)
    assert database.numbers() == ([0, 1] if when == "after" else [])


def test_what_was_not_committed_is_lost_with_the_connection(database: Database) -> None:
    database.order("commit*", {"kind": "drop"})
    with psycopg.connect(database.project.uri) as session:
        session.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(psycopg.OperationalError):
            session.commit()
    assert database.numbers() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_statement_is_delayed_before_or_after_it_is_executed(
    database: Database, when: str
) -> None:
    database.order("insert*", {"kind": "delay", "seconds": 1, "when": when})
    before, started = database.faults.last(), time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        inserted = pool.submit(database.insert, 1)
        assert database.faults.injected(before, wait=20)
        assert database.numbers() == ([1] if when == "after" else [])
        inserted.result()
    assert time.monotonic() - started >= 1
    assert database.numbers() == [1]


def test_a_held_statement_lands_late_though_its_client_was_killed(database: Database) -> None:
    order = database.order("insert*", {"kind": "hold"})
    before = database.faults.last()
    code = f"import psycopg; psycopg.connect({database.project.uri!r}, autocommit=True).execute('INSERT INTO t VALUES (%s)', [1])"
    client = subprocess.Popen([sys.executable, "-c", code])
    entries = database.faults.injected(before, wait=20)
    client.kill()
    client.wait(10)
    assert [entry["statement"] for entry in entries] == ["INSERT INTO t VALUES ($1)"]
    assert database.numbers() == []
    database.faults.withdraw(order)
    until(lambda: database.numbers() == [1])


def test_a_server_that_dies_at_a_statement_is_there_again_without_what_was_open(
    database: Database,
) -> None:
    database.insert(1)
    database.order("insert*", {"kind": "die"})
    with psycopg.connect(database.project.uri, autocommit=True) as bystander:
        with pytest.raises(psycopg.OperationalError):
            database.insert(2)
        with pytest.raises(psycopg.OperationalError):
            bystander.execute("SELECT 1")
    assert database.numbers() == [1]
    database.insert(3)
    assert database.numbers() == [1, 3]


def test_a_session_that_was_open_before_is_hit_too_and_other_endpoints_are_not(
    database: Database,
) -> None:
    with psycopg.connect(database.project.uri, autocommit=True) as session:
        session.execute("SELECT 1")
        database.faults.order("ep-other select*", {"kind": "drop"}, api="postgres")
        session.execute("SELECT 1")
        database.order("select 1", {"kind": "drop"})
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")


def test_the_record_has_no_password_in_it(database: Database) -> None:
    database.order("*", {"kind": "delay", "seconds": 0}, count=None)
    with pytest.raises(psycopg.errors.UndefinedObject):
        query(database.project.uri, "ALTER ROLE nobody PASSWORD 'topsecret99'")
    record = database.faults.client.get("/faults/injected").text
    assert "ALTER ROLE nobody PASSWORD …" in record
    for secret in ("topsecret99", database.project.made["roles"][0]["password"]):
        assert secret not in record


def test_a_record_is_replayed_on_the_same_requests(faults: Faults, client: httpx.Client) -> None:
    def statuses() -> list[int]:
        return [client.get("/regions").status_code for _ in range(20)]

    before = faults.last()
    faults.order(REGIONS, {"kind": "status", "status": 503}, count=None, probability=0.4, seed=5)
    first = statuses()
    assert 503 in first
    record = faults.injected(before)
    faults.withdraw()
    assert statuses() == [200] * 20
    replayed = faults.client.post("/faults/replay", json={"injected": record}).raise_for_status()
    assert len(replayed.json()["faults"]) == 1
    assert statuses() == first


def test_what_is_no_order_is_refused_in_a_line(faults: Faults) -> None:
    for asked, words in (
        ({}, "match: Field required"),
        ({"api": "neon", "match": "x", "fault": {"kind": "drop"}}, "a match of an HTTP API"),
        ("nothing", "Input should be an object"),
    ):
        answer = faults.client.post("/faults", json=asked)
        assert answer.status_code == 400
        assert words in answer.json()["message"]
    assert faults.client.delete("/faults/999").status_code == 404
    assert faults.client.get("/faults/injected", params={"after": "x"}).status_code == 400
    assert faults.client.get("/nothing").status_code == 404
    for key in ("wrong", faults.cloud.neon_api_key[:-1]):
        headers = {"Authorization": f"Bearer {key}"}
        assert faults.client.post("/faults", json={}, headers=headers).status_code == 401
    assert faults.client.get("/faults").json() == {"faults": []}


def test_faults_are_ordered_shown_replayed_and_taken_back_by_hand(
    faults: Faults, client: httpx.Client, tmp_path: Path
) -> None:
    data = faults.cloud.data
    said = localcloud("fault", data, REGIONS, "--status", "503", "--count", "2").stdout
    assert REGIONS in said
    assert "status 503" in said
    assert client.get("/regions").status_code == 503
    assert "seen 1, hit 1, left 1" in localcloud("faults", data).stdout
    assert "GET /regions  status 503" in localcloud("faults", data, "--record").stdout
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"injected": faults.injected()[-1:]}))
    localcloud("faults", data, "--clear")
    assert "no faults are ordered" in localcloud("faults", data).stdout
    localcloud("faults", data, "--replay", str(record))
    assert client.get("/regions").status_code == 503
    assert client.get("/regions").status_code == 200
    wrong = localcloud("fault", data, "GET /x", "--die", check=False)
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "localcloud: the fault die does not exist for neon\n",
    )


def test_a_stop_does_not_wait_for_what_is_held_and_a_start_knows_no_orders(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with (
        local_cloud(tmp_path_factory.mktemp("faults") / "data") as cloud,
        faults_of(cloud) as faults,
        cloud.client() as client,
        ThreadPoolExecutor(2) as pool,
    ):
        order = faults.order("GET /users/me", {"kind": "hold"})
        held = pool.submit(client.get, "/users/me")
        until(lambda: faults.standing(order)["held"] == 1)
        waiting = pool.submit(faults.injected, 1, 60)
        localcloud("stop", cloud.data)
        assert "graceful shutdown exceeded" not in (cloud.data / "localcloud.log").read_text()
        with pytest.raises(httpx.RemoteProtocolError):
            held.result(5)
        assert waiting.result(5) == []
        localcloud("start", cloud.data)
        assert faults.client.get("/faults").json() == {"faults": []}
        assert faults.injected() == []
