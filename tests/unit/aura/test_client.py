import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenantry.aura.client import AuraClient
from tenantry.aura.errors import (
    AuraConflictError,
    AuraError,
    AuraLostAnswerError,
    AuraNotFoundError,
    AuraServerError,
    AuraThrottledError,
    AuraUnexpectedAnswerError,
    AuraUnreachableError,
)
from tests.unit.aura.support import NOW, PASSWORD, TENANT, Api, FakeTime, data, instance, refusal

CREATED = data(
    {
        "id": "db1d1234",
        "connection_url": "neo4j+s://db1d1234.databases.example",
        "username": "neo4j",
        "password": PASSWORD,
        "created_at": "2026-11-22T05:00:00Z",
    },
    202,
)
CREATE = "POST /v1/instances"
GET = "GET /v1/instances/db1d1234"


@pytest.mark.parametrize(
    ("call", "route", "answer", "body"),
    [
        (lambda c: c.pause_instance("db1d1234"), "POST /v1/instances/db1d1234/pause", 202, {}),
        (lambda c: c.resume_instance("db1d1234"), "POST /v1/instances/db1d1234/resume", 202, {}),
        (
            lambda c: c.change_instance("a", name="n", memory="4GB"),
            "PATCH /v1/instances/a",
            202,
            {"name": "n", "memory": "4GB"},
        ),
    ],
)
def test_what_begins_something_is_json_also_without_anything_to_say(
    tmp_path: Path, call: Any, route: str, answer: int, body: dict[str, Any]
) -> None:
    api = Api().on(route, httpx.Response(answer, json={}))
    with api.client(tmp_path) as client:
        call(client)
    (request,) = api.sent(route)
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == body


def test_answers_are_typed_and_tolerant(tmp_path: Path) -> None:
    api = (
        Api()
        .on(GET, data(instance(status="dreaming", connection_url=None, graph_nodes=7, novel=[1])))
        .on("GET /v1/instances", data([instance()]))
        .on("GET /v1/tenants", data([{"id": TENANT, "name": "ours"}]))
        .on(
            f"GET /v1/tenants/{TENANT}",
            data(
                {
                    "id": TENANT,
                    "name": "ours",
                    "instance_configurations": [
                        {
                            "type": "free-db",
                            "region": "r",
                            "cloud_provider": "gcp",
                            "memory": "1GB",
                            "version": "5",
                        }
                    ],
                }
            ),
        )
        .on("POST /v1/instances/db1d1234/snapshots", data({"snapshot_id": "s2"}, 202))
        .on("GET /v1/instances/db1d1234/snapshots/s2", data({"snapshot_id": "s2", "status": "New"}))
    )
    with api.client(tmp_path) as client:
        found = client.instance("db1d1234")
        assert (found.status, found.connection_url, found.graph_nodes) == ("dreaming", None, 7)
        assert [each.id for each in client.instances(TENANT)] == ["db1d1234"]
        assert [each.name for each in client.tenants()] == ["ours"]
        assert client.tenant(TENANT).instance_configurations[0].memory == "1GB"
        assert client.snapshot("db1d1234", client.create_snapshot("db1d1234")).status == "New"
    assert api.sent("GET /v1/instances")[0].url.params["tenantId"] == TENANT


def test_an_id_cannot_leave_its_place_in_the_path(tmp_path: Path) -> None:
    api = Api()
    with api.client(tmp_path) as client, pytest.raises(AssertionError, match="unexpected"):
        client.delete_instance("../tenants")
    assert api.requests[-1].url.raw_path == b"/v1/instances/..%2Ftenants"


def test_a_password_is_in_no_text(tmp_path: Path) -> None:
    api = Api().on(CREATE, CREATED)
    with api.client(tmp_path) as client:
        made = client.create_instance({"name": "x"})
    assert made.password.get_secret_value() == PASSWORD
    assert PASSWORD not in repr(made) + str(made)


@pytest.mark.parametrize(
    "answer", [{"password": PASSWORD}, {"id": 7, "password": PASSWORD}, [PASSWORD], None]
)
def test_an_answer_that_is_none_is_said_without_what_it_holds(tmp_path: Path, answer: Any) -> None:
    api = Api().on(CREATE, data(answer, 202, **{"x-request-id": "r-9"}))
    with (
        api.client(tmp_path) as client,
        pytest.raises(AuraUnexpectedAnswerError, match="request r-9") as caught,
    ):
        client.create_instance({"name": "x"})
    assert PASSWORD not in str(caught.value)
    assert len(api.sent(CREATE)) == 1


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ReadError("gone"), AuraLostAnswerError),
        (httpx.ReadTimeout("late"), AuraLostAnswerError),
        (httpx.WriteError("gone"), AuraLostAnswerError),
        (httpx.Response(500), AuraServerError),
        (httpx.Response(502, text="<html>"), AuraServerError),
        (httpx.Response(503), AuraServerError),
    ],
)
def test_a_create_is_never_sent_again_after_its_bytes_left(
    tmp_path: Path, failure: Any, error: type[AuraError]
) -> None:
    api = Api().on(CREATE, failure, CREATED)
    with api.client(tmp_path) as client, pytest.raises(error):
        client.create_instance({"name": "x"})
    assert len(api.sent(CREATE)) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.Response(429),
        httpx.Response(429, headers={"retry-after": "5"}),
        httpx.Response(401),
        httpx.Response(403),
    ],
)
def test_a_create_that_did_nothing_is_sent_again(tmp_path: Path, failure: Any) -> None:
    api = Api().on(CREATE, failure, CREATED)
    with api.client(tmp_path) as client:
        assert client.create_instance({"name": "x"}).id == "db1d1234"
    assert len(api.sent(CREATE)) == 2


@pytest.mark.parametrize(
    "failure", [httpx.ReadError("gone"), httpx.Response(500), httpx.ConnectError("refused")]
)
def test_a_read_is_sent_again_with_growing_pauses_and_an_end(tmp_path: Path, failure: Any) -> None:
    api, fake = Api().on(GET, failure, failure, data(instance())), FakeTime()
    with api.client(tmp_path, fake) as client:
        client.instance("db1d1234")
        assert len(fake.slept) == 2
        assert 1 <= fake.slept[0] <= 1.25
        assert 2 <= fake.slept[1] <= 2.5
        api.on(GET, failure)
        with pytest.raises((AuraLostAnswerError, AuraServerError, AuraUnreachableError)):
            client.instance("db1d1234")
    assert len(api.sent(GET)) == 3 + 6


def test_a_storm_is_waited_out_as_asked_and_nobody_else_sends_meanwhile(tmp_path: Path) -> None:
    fake = FakeTime()
    storm = [httpx.Response(429, headers={"retry-after": "20"})] * 8
    api = Api().on(GET, *storm, data(instance()))
    with api.client(tmp_path, fake) as client:
        client.instance("db1d1234")
    assert 160 <= fake.now - NOW <= 8 * 25
    api.on(GET, storm[0])
    with api.client(tmp_path, fake) as client, pytest.raises(AuraThrottledError):
        client.instance("db1d1234")
    before = fake.now
    api.on(GET, data(instance()))
    with api.client(tmp_path, fake) as other:
        other.instance("db1d1234")
    assert fake.now > before


def test_one_limiter_paces_all_clients_of_a_credential(tmp_path: Path) -> None:
    api, fake = Api().on(GET, data(instance())), FakeTime()
    for _ in range(2):
        with api.client(tmp_path, fake, requests_per_minute=2) as client:
            client.instance("db1d1234")
            client.instance("db1d1234")
    assert fake.now - NOW == 60


def test_what_is_refused_for_good_is_not_repeated(tmp_path: Path) -> None:
    api = Api().on(GET, refusal(404, "DB not found: db1d1234", "db-not-found"))
    api.on("POST /v1/instances/db1d1234/pause", refusal(409, "busy", "ongoing-database-operation"))
    with api.client(tmp_path) as client:
        with pytest.raises(AuraNotFoundError, match="reason db-not-found"):
            client.instance("db1d1234")
        with pytest.raises(AuraConflictError, match="409 busy"):
            client.pause_instance("db1d1234")
    assert len(api.requests) == 3


def test_nothing_is_asked_by_making_a_client(tmp_path: Path) -> None:
    api = Api()
    client: AuraClient = api.client(tmp_path)
    client.close()
    assert api.requests == []
    assert not (tmp_path / "aura").exists()
