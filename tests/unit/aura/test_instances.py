import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenantry.aura.clock import Clock
from tenantry.aura.errors import AuraAnswerError, AuraCredentialsError, AuraError, InstanceError
from tenantry.aura.instances import (
    Adoption,
    GoneError,
    Wanted,
    change,
    combination_fault,
    look,
    make,
    name_fault,
    remove,
    same_name_fault,
)
from tenantry.aura.models import InstanceConfiguration, InstanceSummary
from tests.unit.aura.support import (
    NOW,
    PASSWORD,
    TENANT,
    Api,
    FakeTime,
    data,
    instance,
    refusal,
)

WANTED = Wanted(
    target="acme/web",
    name="tenantry--acme--web",
    type="professional-db",
    cloud="gcp",
    region="us-central1",
    memory="8GB",
    version="5",
    tenant_id=TENANT,
)
LIST, CREATE = "GET /v1/instances", "POST /v1/instances"
ONE = "/v1/instances/db1d1234"
GET, PATCH, DELETE = f"GET {ONE}", f"PATCH {ONE}", f"DELETE {ONE}"
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
GONE = refusal(404, "DB not found: db1d1234", "db-not-found")
BUSY = refusal(409, "busy: resuming", "ongoing-database-operation")
OLD = "2020-01-01T00:00:00Z"
YOUNG = "2027-01-15T08:00:00Z"  # NOW


def configuration(**more: str) -> InstanceConfiguration:
    known = {
        "type": "professional-db",
        "cloud_provider": "gcp",
        "region": "us-central1",
        "memory": "8GB",
        "version": "5",
    }
    return InstanceConfiguration(**{**known, **more})


@pytest.mark.parametrize("name", ["", "n" * 31, " n", "n "])
def test_a_name_that_aura_refuses_is_refused_before(name: str) -> None:
    fault = name_fault("acme/web", name)
    assert fault is not None
    assert "1 to 30 characters" in fault.message
    assert name_fault("acme/web", "n" * 30) is None


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ({"type": "free-db"}, 'graph.type "professional-db" is not offered to Aura project'),
        ({"cloud_provider": "aws"}, 'graph.cloud "gcp" is not offered'),
        (
            {"region": "europe-west1"},
            "with type professional-db, cloud gcp: write one of europe-west1",
        ),
        ({"version": "4"}, 'graph.version "5" is not offered'),
        ({"memory": "16GB"}, "region us-central1, version 5: write one of 2GB, 16GB"),
    ],
)
def test_the_first_value_that_fits_no_offer_is_named(offered: dict[str, str], said: str) -> None:
    offers = [configuration(**offered)]
    if "memory" in offered:
        offers.append(configuration(memory="2GB"))
    fault = combination_fault(WANTED, offers)
    assert fault is not None
    assert said in fault.message
    assert combination_fault(WANTED, [configuration(), *offers]) is None


def test_a_project_that_lists_nothing_is_not_judged() -> None:
    assert combination_fault(WANTED, []) is None


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
    assert "tenantry graph delete db1d1234 --name tenantry--acme--web, then pulumi up" in str(
        caught.value
    )
    assert len(api.sent(CREATE)) == 1


def test_a_lost_answer_without_a_trace_says_what_the_next_run_does(tmp_path: Path) -> None:
    api, fake = Api().on(LIST, data([])).on(CREATE, httpx.ReadError("gone")), FakeTime()
    with (
        api.client(tmp_path, fake) as client,
        pytest.raises(InstanceError, match="is not known: pulumi up looks"),
    ):
        make(client, WANTED, None)
    assert 10 <= fake.now - NOW <= 16
    api.on(LIST, data([]), httpx.Response(401))
    with (
        api.client(tmp_path, fake) as client,
        pytest.raises(InstanceError, match="no answer: gone"),
    ):
        make(client, WANTED, None)
    assert len(api.sent(CREATE)) == 2


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


def test_only_a_living_instance_takes_a_name(tmp_path: Path) -> None:
    listed = [InstanceSummary(id="db1d1234", name=WANTED.name), InstanceSummary(id="b", name="x")]
    api = Api().on(GET, GONE, data(instance(status="destroying")), data(instance()))
    with api.client(tmp_path) as client:
        assert same_name_fault(client, WANTED, listed) is None
        assert same_name_fault(client, WANTED, listed) is None
        assert same_name_fault(client, WANTED, listed) is not None


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
        with pytest.raises(InstanceError, match=r"stays busy: .*resuming.*; pulumi up tries again"):
            change(client, "acme/web", "db1d1234", memory="16GB")
        api.on(PATCH, GONE)
        with pytest.raises(InstanceError, match="pulumi refresh, then pulumi up"):
            change(client, "acme/web", "db1d1234", memory="16GB")


def test_a_look_at_what_is_gone_is_certain(tmp_path: Path) -> None:
    api = Api().on(GET, GONE).on(LIST, data([]))
    with api.client(tmp_path) as client, pytest.raises(GoneError):
        look(client, "db1d1234", tenant_id=TENANT, created_at=OLD)


def test_a_404_of_a_young_instance_says_nothing(tmp_path: Path) -> None:
    api, fake = Api().on(GET, GONE).on(LIST, data([])), FakeTime()
    with api.client(tmp_path, fake) as client:
        assert look(client, "db1d1234", tenant_id=TENANT, created_at=YOUNG) is None
        fake.now += 61
        with pytest.raises(GoneError):
            look(client, "db1d1234", tenant_id=TENANT, created_at=YOUNG)


@pytest.mark.parametrize(
    "listed",
    [
        data([instance()]),
        refusal(404, "no such tenant", "tenant-not-found"),
        httpx.Response(403, json={"error": "no"}),
        httpx.Response(500),
    ],
)
def test_who_does_not_see_the_project_cannot_say_that_it_is_gone(
    tmp_path: Path, listed: Any
) -> None:
    api = Api().on(GET, GONE).on(LIST, listed).on(DELETE, GONE)
    with api.client(tmp_path) as client:
        with pytest.raises(AuraError) as caught:
            look(client, "db1d1234", tenant_id=TENANT, created_at=OLD)
        assert not isinstance(caught.value, GoneError)
        with pytest.raises(AuraError):
            delete(client)


def delete(client: Any, **more: Any) -> None:
    known = {"tenant_id": TENANT, "created_at": OLD, "snapshot": False, "until_gone": False}
    remove(client, "acme/web", "db1d1234", **{**known, **more})


ACCEPTED = data(instance(status="destroying"), 202)


def test_a_deletion_that_was_accepted_is_enough(tmp_path: Path) -> None:
    api = Api().on(DELETE, ACCEPTED).on(GET, data(instance(status="destroying")))
    with api.client(tmp_path) as client:
        delete(client)
    assert len(api.sent(DELETE)) == 1


def test_a_deletion_is_waited_for_where_its_place_is_needed(tmp_path: Path) -> None:
    fake = FakeTime()
    api = Api().on(DELETE, ACCEPTED).on(GET, *[data(instance(status="destroying"))] * 2, GONE)
    with api.client(tmp_path, fake) as client:
        delete(client, until_gone=True)
    assert 20 <= fake.now - NOW <= 22
    assert len(api.sent(DELETE)) == 1


def test_a_deletion_whose_answer_was_lost_is_not_an_error(tmp_path: Path) -> None:
    api = Api().on(DELETE, httpx.ReadError("gone"), GONE)
    api.on(GET, data(instance(status="destroying")), GONE)
    with api.client(tmp_path) as client:
        delete(client, until_gone=True)


def test_what_is_gone_already_is_deleted(tmp_path: Path) -> None:
    api = Api().on(DELETE, GONE).on(GET, GONE).on(LIST, data([]))
    with api.client(tmp_path) as client:
        delete(client)


def test_a_young_instance_is_not_left_behind(tmp_path: Path) -> None:
    api, fake = Api().on(DELETE, GONE, GONE, ACCEPTED), FakeTime()
    api.on(GET, GONE, GONE, data(instance(status="destroying")))
    with api.client(tmp_path, fake) as client:
        delete(client, created_at=YOUNG)
    assert len(api.sent(DELETE)) == 3


def test_a_busy_instance_is_deleted_later_or_said(tmp_path: Path) -> None:
    api = Api().on(DELETE, BUSY, ACCEPTED).on(GET, data(instance(status="destroying")))
    with api.client(tmp_path) as client:
        delete(client)
        api.on(DELETE, BUSY)
        with pytest.raises(
            InstanceError, match=r"is not deleted: .*busy: resuming.*; pulumi up tries again"
        ):
            delete(client)


SNAPSHOTS, SNAPSHOT = f"POST {ONE}/snapshots", f"GET {ONE}/snapshots/s"


def snapshot(status: str) -> httpx.Response:
    return data({"snapshot_id": "s", "status": status})


def test_a_snapshot_comes_first(tmp_path: Path) -> None:
    api = Api().on(SNAPSHOTS, BUSY, data({"snapshot_id": "s"}, 202))
    api.on(SNAPSHOT, snapshot("Pending"), snapshot("Completed"))
    api.on(DELETE, ACCEPTED).on(GET, data(instance(status="destroying")))
    with api.client(tmp_path) as client:
        delete(client, snapshot=True)
    order = [f"{r.method} {r.url.path}" for r in api.requests if r.method != "GET"]
    assert order == ["POST /oauth/token", SNAPSHOTS, SNAPSHOTS, DELETE]


def test_without_its_snapshot_nothing_is_deleted(tmp_path: Path) -> None:
    api = Api().on(SNAPSHOTS, data({"snapshot_id": "s"}, 202)).on(SNAPSHOT, snapshot("Failed"))
    with api.client(tmp_path) as client, pytest.raises(InstanceError, match="nothing was deleted"):
        delete(client, snapshot=True)
    assert not api.sent(DELETE)


def test_what_is_gone_needs_no_snapshot(tmp_path: Path) -> None:
    api = Api().on(SNAPSHOTS, GONE).on(DELETE, GONE).on(GET, GONE).on(LIST, data([]))
    with api.client(tmp_path) as client:
        delete(client, snapshot=True)


def test_refused_credentials_end_every_wait(tmp_path: Path) -> None:
    api = Api().on(DELETE, httpx.Response(403, json={"error": "no"}))
    with api.client(tmp_path) as client, pytest.raises(AuraCredentialsError):
        delete(client)
