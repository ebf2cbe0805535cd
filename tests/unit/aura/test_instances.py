import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenantry.aura.clock import Clock
from tenantry.aura.errors import AuraAnswerError, AuraError, InstanceError
from tenantry.aura.instances import Adoption, change, make
from tests.unit.aura.support import (
    BUSY,
    CREATE,
    CREATED,
    GET,
    GONE,
    LIST,
    NOW,
    PASSWORD,
    PATCH,
    TENANT,
    WANTED,
    Api,
    FakeTime,
    data,
    instance,
    refusal,
)


def test_an_instance_is_made_after_a_look_for_its_name(tmp_path: Path) -> None:
    api = Api().on(LIST, data([instance(id="a", name="another")])).on(CREATE, CREATED)
    with api.client(tmp_path) as client:
        made = make(client, WANTED, None)
    assert (made.id, made.username, made.password) == ("db1d1234", "neo4j", PASSWORD)
    assert made.connection_url == "neo4j+s://db1d1234.databases.example"
    assert PASSWORD not in repr(made)
    assert json.loads(api.sent(CREATE)[0].content) == {
        "name": "tenantry--acme--web",
        "type": "professional-db",
        "cloud_provider": "gcp",
        "region": "us-central1",
        "memory": "8GB",
        "version": "5",
        "tenant_id": TENANT,
    }
    assert [f"{r.method} {r.url.path}" for r in api.requests[-2:]] == [LIST, CREATE]


def test_of_two_runs_at_once_the_second_looks_after_the_first_has_made(tmp_path: Path) -> None:
    api = Api().on(LIST, data([]))
    looked, go_on = threading.Event(), threading.Event()

    def slowly(_request: httpx.Request) -> httpx.Response:
        looked.set()
        assert go_on.wait(10)
        api.on(LIST, data([instance()])).on(GET, data(instance()))
        return CREATED

    api.on(CREATE, slowly)

    def run() -> str:
        with api.client(tmp_path, requests_per_minute=1000) as client:
            client.clock = Clock()
            try:
                return make(client, WANTED, None).id
            except InstanceError as error:
                return str(error)

    with ThreadPoolExecutor(2) as runs:
        first = runs.submit(run)
        assert looked.wait(10)
        second = runs.submit(run)
        time.sleep(0.2)
        go_on.set()
        assert first.result(10) == "db1d1234"
        assert "that this stack does not know" in second.result(10)
    assert len(api.sent(CREATE)) == 1


def test_what_a_create_leaves_out_loses_no_password(tmp_path: Path) -> None:
    for more in ({}, {"username": None, "connection_url": 7, "created_at": 1_800_000_000}):
        bare = data({"id": "db1d1234", "password": PASSWORD, **more}, 202)
        api = Api().on(LIST, data([])).on(CREATE, bare)
        with api.client(tmp_path) as client:
            made = make(client, WANTED, None)
        assert (made.password, made.username, made.connection_url) == (PASSWORD, "neo4j", "")


def test_a_taken_name_stops_with_both_ways_on(tmp_path: Path) -> None:
    api = Api().on(LIST, data([instance()])).on(GET, data(instance()))
    with api.client(tmp_path) as client, pytest.raises(InstanceError) as caught:
        make(client, WANTED, None)
    said = str(caught.value)
    assert said.startswith('acme/web: Aura has an instance named "tenantry--acme--web"')
    assert "tenantry graph delete db1d1234 --name tenantry--acme--web" in said
    assert "adoptGraphs" in said
    assert "\n" not in said
    assert not api.sent(CREATE)


def test_a_predecessor_on_its_way_out_is_waited_for(tmp_path: Path) -> None:
    fake = FakeTime()
    api = (
        Api()
        .on(LIST, data([instance()]))
        .on(GET, *[data(instance(status="destroying"))] * 3, GONE)
        .on(CREATE, CREATED)
    )
    with api.client(tmp_path, fake) as client:
        assert make(client, WANTED, None).id == "db1d1234"
    assert 30 <= fake.now - NOW <= 33
    api.on(GET, data(instance(status="destroying")))
    with api.client(tmp_path, fake) as client, pytest.raises(InstanceError, match="still being"):
        make(client, WANTED, None)
    assert len(api.sent(CREATE)) == 1


@pytest.mark.parametrize(
    "lost", [httpx.ReadError("gone"), httpx.Response(500), data({"id": "db1d1234"}, 202)]
)
def test_a_lost_answer_is_settled_by_a_look(tmp_path: Path, lost: Any) -> None:
    api = Api().on(LIST, data([]), data([]), data([instance()])).on(CREATE, lost)
    with api.client(tmp_path) as client, pytest.raises(InstanceError) as caught:
        make(client, WANTED, None)
    assert "the instance was made (db1d1234), and the answer with its password was lost" in str(
        caught.value
    )
    assert "tenantry graph delete db1d1234 --name tenantry--acme--web, then tenantry up" in str(
        caught.value
    )
    assert len(api.sent(CREATE)) == 1


def test_a_lost_answer_without_a_trace_says_what_the_next_run_does(tmp_path: Path) -> None:
    api, fake = Api().on(LIST, data([])).on(CREATE, httpx.ReadError("gone")), FakeTime()
    with (
        api.client(tmp_path, fake) as client,
        pytest.raises(InstanceError, match="is not known: tenantry up looks"),
    ):
        make(client, WANTED, None)
    assert 10 <= fake.now - NOW <= 16
    api.on(LIST, data([]), httpx.Response(401))
    with (
        api.client(tmp_path, fake, landing=0) as client,
        pytest.raises(InstanceError, match="no answer: gone"),
    ):
        make(client, WANTED, None)
    assert len(api.sent(CREATE)) == 2


def test_what_an_earlier_run_sent_is_looked_for_until_it_can_no_longer_arrive(
    tmp_path: Path,
) -> None:
    fake = FakeTime()

    def killed(_request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt  # nobody is left to note the end

    api = Api().on(LIST, data([])).on(CREATE, killed)
    with api.client(tmp_path, fake) as client, pytest.raises(KeyboardInterrupt):
        make(client, WANTED, None)
    sent = fake.now

    api.on(LIST, data([]), data([]), data([instance()])).on(GET, data(instance()))
    with api.client(tmp_path, fake) as client, pytest.raises(InstanceError, match="graph delete"):
        make(client, WANTED, None)
    assert len(api.sent(CREATE)) == 1
    assert fake.now - sent < 60

    api.on(LIST, data([])).on(CREATE, CREATED)
    with api.client(tmp_path, fake) as client:
        assert make(client, WANTED, None).id == "db1d1234"
    assert 60 <= fake.now - sent < 75

    waited = fake.now
    with api.client(tmp_path, fake) as client:
        make(client, WANTED, None)
    assert fake.now - waited < 10
    assert list((tmp_path / "aura").glob("*.create-??")) == []


def test_a_refused_create_leaves_no_note(tmp_path: Path) -> None:
    fake = FakeTime()
    api = Api().on(LIST, data([])).on(CREATE, refusal(400, "no", "bad"))
    with api.client(tmp_path, fake) as client, pytest.raises(AuraError):
        make(client, WANTED, None)
    api.on(CREATE, CREATED)
    with api.client(tmp_path, fake) as client:
        make(client, WANTED, None)
    assert fake.now - NOW < 10


def test_a_full_account_and_a_refusal_are_one_line(tmp_path: Path) -> None:
    full = refusal(405, "limit", "instance-limit-reached")
    api = Api().on(LIST, data([])).on(CREATE, full)
    with api.client(tmp_path) as client:
        with pytest.raises(InstanceError, match="the account's limit of instances is reached"):
            make(client, WANTED, None)
        api.on(CREATE, refusal(400, "billing", "missing-billing-details"))
        with pytest.raises(AuraAnswerError, match="missing-billing-details"):
            make(client, WANTED, None)


ADOPTION = Adoption("db1d1234", PASSWORD)


def test_an_instance_that_is_there_is_taken_over_with_its_password(tmp_path: Path) -> None:
    api = Api().on(GET, data(instance())).on(LIST, data([instance()]))
    with api.client(tmp_path) as client:
        made = make(client, WANTED, ADOPTION)
    assert (made.id, made.password, made.username) == ("db1d1234", PASSWORD, "neo4j")
    assert PASSWORD not in repr(ADOPTION)
    assert not api.sent(CREATE)
    assert not api.sent(PATCH)


def test_one_that_is_taken_over_gets_our_name_and_size(tmp_path: Path) -> None:
    other = instance(name="Instance01", memory="4GB")
    api = Api().on(GET, data(other)).on(LIST, data([other])).on(PATCH, data(other))
    with api.client(tmp_path) as client:
        make(client, WANTED, ADOPTION)
    (request,) = api.sent(PATCH)
    assert json.loads(request.content) == {"name": "tenantry--acme--web", "memory": "8GB"}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            data(instance(region="europe-west1", type="free-db")),
            "has type free-db and not professional-db, region europe-west1",
        ),
        (data(instance(tenant_id="other")), "project other and not"),
        (data(instance(status="paused", connection_url=None)), "is paused and has no URL"),
        (GONE, "the instance to take over: .*db-not-found"),
    ],
)
def test_one_that_is_something_else_is_not_taken_over(
    tmp_path: Path, found: Any, said: str
) -> None:
    api = Api().on(GET, found).on(LIST, data([]))
    with api.client(tmp_path) as client, pytest.raises(InstanceError, match=said):
        make(client, WANTED, ADOPTION)
    assert not api.sent(PATCH)


def test_one_is_not_taken_over_beside_another_of_our_name(tmp_path: Path) -> None:
    twin = instance(id="a2")
    api = Api().on(GET, data(instance())).on(LIST, data([instance(), twin]))
    api.on("GET /v1/instances/a2", data(twin))
    with api.client(tmp_path) as client, pytest.raises(InstanceError, match="does not know \\(a2"):
        make(client, WANTED, ADOPTION)


def test_a_change_waits_for_what_is_under_way(tmp_path: Path) -> None:
    fake = FakeTime()
    api = Api().on(PATCH, BUSY, BUSY, httpx.Response(202, json={})).on(GET, data(instance()))
    api.on(LIST, data([instance(name="n")]))  # its own: a rename that was done already
    with api.client(tmp_path, fake) as client:
        change(client, "acme/web", "db1d1234", name="n", memory="16GB")
    assert 20 <= fake.now - NOW <= 22
    assert json.loads(api.sent(PATCH)[0].content) == {"name": "n", "memory": "16GB"}


def test_a_name_that_another_instance_has_is_not_taken(tmp_path: Path) -> None:
    api = Api().on(LIST, data([instance(), instance(id="a2", name="n")]))
    with (
        api.client(tmp_path) as client,
        pytest.raises(InstanceError, match=r'another instance named "n" \(a2\)'),
    ):
        change(client, "acme/web", "db1d1234", name="n")
    assert not api.sent(PATCH)


def test_a_change_that_cannot_happen_says_what_to_do(tmp_path: Path) -> None:
    paused = data(instance(status="paused", connection_url=None, memory=None))
    api = Api().on(PATCH, BUSY).on(GET, paused)
    with api.client(tmp_path) as client:
        with pytest.raises(
            InstanceError, match="is paused and cannot be changed so: write paused: false"
        ):
            change(client, "acme/web", "db1d1234", memory="16GB")
        api.on(GET, data(instance()))
        with pytest.raises(
            InstanceError, match=r"stays busy: .*resuming.*; tenantry up tries again"
        ):
            change(client, "acme/web", "db1d1234", memory="16GB")
        api.on(PATCH, GONE)
        with pytest.raises(InstanceError, match="tenantry up -- --refresh"):
            change(client, "acme/web", "db1d1234", memory="16GB")
