from pathlib import Path
from typing import Any

import httpx
import pytest

from tenantry.aura.errors import AuraCredentialsError, InstanceError
from tenantry.aura.query import Connection, QueryError, QueryUnreachableError
from tenantry.aura.readiness import Awaited, wait_until_ready
from tests.unit.aura.support import NOW, PASSWORD, Api, FakeTime, data, instance, refusal

ONE = "/v1/instances/db1d1234"
GET, PAUSE, RESUME = f"GET {ONE}", f"POST {ONE}/pause", f"POST {ONE}/resume"
GONE = refusal(404, "DB not found: db1d1234", "db-not-found")
URL = "neo4j+s://db1d1234.databases.example"
BEGUN = httpx.Response(202, json={"data": instance()})


def awaited(**more: Any) -> Awaited:
    known = {
        "target": "acme/web",
        "instance_id": "db1d1234",
        "connection_url": URL,
        "username": "neo4j",
        "password": PASSWORD,
        "memory": "8GB",
        "paused": False,
    }
    return Awaited(**{**known, **more})


class Database:
    """Answers queries as it is told, the last way again and again."""

    def __init__(self, *ways: Exception | None) -> None:
        self.ways = list(ways) or [None]
        self.asked: list[Connection] = []

    def __call__(self, connection: Connection) -> None:
        self.asked.append(connection)
        way = self.ways.pop(0) if len(self.ways) > 1 else self.ways[0]
        if way:
            raise way


def wait(
    api: Api,
    folder: Path,
    fake: FakeTime | None = None,
    database: Database | None = None,
    **more: Any,
) -> str:
    with api.client(folder, fake or FakeTime()) as client:
        return wait_until_ready(client, awaited(**more), answers=database or Database())


def state(status: str, **more: Any) -> httpx.Response:
    return data(instance(status=status, **more))


def test_it_is_ready_when_it_runs_and_answers(tmp_path: Path) -> None:
    fake, database = FakeTime(), Database()
    api = Api().on(GET, GONE, state("creating"), state("novel"), state("running"))
    assert wait(api, tmp_path, fake, database) == URL
    assert 30 <= fake.now - NOW <= 33
    assert database.asked == [Connection(URL, "neo4j", PASSWORD)]


@pytest.mark.parametrize(
    "passing",
    [
        QueryUnreachableError("no such host"),
        QueryError("h", 503, "Neo.TransientError", "starting"),
        QueryError("h", 404, "Neo.ClientError.Database.DatabaseNotFound", "not yet"),
        QueryError("h", 401, "Neo.ClientError.Security.Unauthorized", "not yet"),
    ],
)
def test_a_running_instance_that_does_not_answer_yet_is_waited_for(
    tmp_path: Path, passing: Exception
) -> None:
    fake = FakeTime()
    assert (
        wait(Api().on(GET, state("running")), tmp_path, fake, Database(passing, passing, None))
        == URL
    )
    assert 20 <= fake.now - NOW <= 22


def test_a_password_that_is_refused_for_a_minute_is_wrong(tmp_path: Path) -> None:
    fake, refused = FakeTime(), QueryError("h", 401, "Neo.ClientError.Security.Unauthorized", "no")
    database = Database(refused)
    with pytest.raises(InstanceError, match="does not take its user and password") as caught:
        wait(Api().on(GET, state("running")), tmp_path, fake, database)
    assert 60 <= fake.now - NOW <= 77
    assert len(database.asked) <= 7
    assert PASSWORD not in str(caught.value)


def test_a_resize_is_done_when_the_size_is_there(tmp_path: Path) -> None:
    api = Api().on(GET, state("running", memory="4GB"), state("updating"), state("running"))
    database = Database()
    wait(api, tmp_path, database=database)
    assert len(api.sent(GET)) == 3
    assert len(database.asked) == 1


def test_the_deadline_keeps_the_instance_and_says_so(tmp_path: Path) -> None:
    fake = FakeTime()
    with pytest.raises(InstanceError) as caught:
        wait(Api().on(GET, state("creating")), tmp_path, fake)
    assert str(caught.value) == (
        "acme/web: instance db1d1234 is not ready after 900 s (status creating): it is kept, and tenantry up goes on waiting"
    )
    assert 880 <= fake.now - NOW <= 900


@pytest.mark.parametrize(
    ("status", "said"),
    [("loading failed", "loading failed: look at it"), ("destroying", "is being destroyed")],
)
def test_what_will_not_become_ready_is_not_waited_for(
    tmp_path: Path, status: str, said: str
) -> None:
    fake = FakeTime()
    with pytest.raises(InstanceError, match=said):
        wait(Api().on(GET, state(status)), tmp_path, fake)
    assert fake.now == NOW


def test_one_that_stays_unknown_for_a_minute_is_gone(tmp_path: Path) -> None:
    fake = FakeTime()
    with pytest.raises(InstanceError, match="tenantry up -- --refresh makes it anew"):
        wait(Api().on(GET, GONE), tmp_path, fake)
    assert 60 <= fake.now - NOW <= 77


def test_a_weak_api_is_outlasted_and_refused_credentials_are_not(tmp_path: Path) -> None:
    api = Api().on(GET, *[httpx.Response(503)] * 8, state("running"))
    assert wait(api, tmp_path) == URL
    with pytest.raises(AuraCredentialsError):
        wait(Api().on(GET, httpx.Response(403, json={"error": "no"})), tmp_path / "other")


def test_a_pause_is_begun_once_it_runs_and_no_query_is_sent(tmp_path: Path) -> None:
    database = Database()
    api = Api().on(
        GET,
        state("creating"),
        state("running"),
        state("pausing"),
        state("paused", connection_url=None, memory=None),
    )
    api.on(PAUSE, BEGUN)
    assert wait(api, tmp_path, database=database, paused=True) == URL
    assert len(api.sent(PAUSE)) == 1
    assert database.asked == []


def test_a_pause_that_is_refused_for_now_is_begun_again(tmp_path: Path) -> None:
    busy = refusal(409, "snapshotting", "ongoing-database-operation")
    api = Api().on(GET, *[state("running")] * 2, state("paused")).on(PAUSE, busy, BEGUN)
    wait(api, tmp_path, paused=True)
    assert len(api.sent(PAUSE)) == 2


def test_a_paused_instance_is_resumed(tmp_path: Path) -> None:
    api = Api().on(
        GET,
        state("paused", connection_url=None),
        state("resuming", connection_url=None),
        state("running"),
    )
    api.on(RESUME, BEGUN)
    assert wait(api, tmp_path) == URL
    assert len(api.sent(RESUME)) == 1


def test_a_url_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="its URL is not the URI of a Neo4j"):
        wait(
            Api().on(GET, state("running")),
            tmp_path,
            database=Database(ValueError("not the URI of a Neo4j")),
        )
