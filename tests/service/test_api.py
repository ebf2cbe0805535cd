"""The API over a real catalog and queue; operations are ended as a worker does, without an engine."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from tenantry.selfservice.queue_tables import migrate
from tests.localcloud.catalog import Catalog
from tests.service.api import Api, api
from tests.service.relay import relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def running(catalog_server: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    migrate(catalog_server.url)
    with api(catalog_server, tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def service(running: Api, catalog: Catalog) -> Api:
    """The API of the module, over a catalog without rows."""
    assert running.catalog is catalog
    return running


def slug(answer: httpx.Response) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("/problems/")


def test_an_app_is_asked_for_in_one_request_and_answered_when_it_is_ready(service: Api) -> None:
    seen: dict[str, Any] = {}

    def work() -> None:
        for _ in range(100):
            rows = service.catalog.ask("SELECT id FROM tenantry.operations")
            if rows:
                seen["operation"] = str(rows[0][0])
                service.work(seen["operation"])
                return
            time.sleep(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    with service.client() as client:
        begun = time.monotonic()
        answer = client.post("/v1/apps", json={"app_name": "web"}, headers={"X-Request-Id": "r-1"})
        took = time.monotonic() - begun
    worker.join()
    assert answer.status_code == 201, answer.text
    # It was woken, and did not wait for its time.
    assert took < 4
    created = answer.json()
    assert (created["app_name"], created["status"]) == ("web", "ready")
    assert answer.headers["Location"] == f"/v1/apps/{created['app_id']}"
    assert answer.headers["X-Request-Id"] == "r-1"
    assert answer.headers["Cache-Control"] == "no-store"
    ((actor, action, request),) = service.catalog.ask(
        "SELECT actor, action, request_id FROM tenantry.audit"
    )
    assert (actor, action, request) == ("tests|ann", "apps.create", "r-1")
    ((job,),) = service.catalog.ask("SELECT count(*) FROM tenantry_jobs.procrastinate_jobs")
    assert job == 1


def test_how_long_is_waited_is_the_callers_wish(service: Api) -> None:
    with service.client() as client:
        begun = time.monotonic()
        answer = client.post("/ee/apps", json={"app_name": "web"}, headers={"Prefer": "wait=1"})
        assert 0.9 < time.monotonic() - begun < 3
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert int(answer.headers["Retry-After"]) > 0
    created = answer.json()
    assert (created["status"], created["uri"], created["morphik_uri"]) == (
        "provisioning",
        None,
        None,
    )
    assert answer.headers["Location"] == f"/v1/apps/{created['app_id']}"


def test_an_attempt_that_is_made_again_is_no_failure(service: Api) -> None:
    created = service.create()
    service.catalog.ask(
        "UPDATE tenantry.operations SET attempts = 1, next_attempt_at = now() + interval '5 min', error_text = 'no answer'"
    )
    with service.client() as client:
        answer = client.get(f"/v1/apps/{created['app_id']}")
        assert answer.json()["operation"]["reason"] == "no answer"
        again = client.post(f"{created['operation']['href']}/retry")
        assert again.status_code == 202
        assert again.json()["id"] == created["operation"]["id"]
    ((due,),) = service.catalog.ask("SELECT next_attempt_at <= now() FROM tenantry.operations")
    assert due


def test_the_same_key_is_the_same_app(service: Api) -> None:
    key = {"Idempotency-Key": "k-1", "Prefer": "respond-async"}
    with service.client() as client:
        first = client.post("/v1/apps", json={"app_name": "web"}, headers=key)
        again = client.post("/ee/apps", json={"app_name": "web"}, headers=key)
        assert first.status_code == again.status_code == 202
        assert first.json()["app_id"] == again.json()["app_id"]
        other = client.post("/v1/apps", json={"app_name": "other"}, headers=key)
        assert (other.status_code, slug(other)) == (422, "key-used")
        service.work(first.json()["operation"]["id"])
        assert client.post("/v1/apps", json={"app_name": "web"}, headers=key).status_code == 201
        with service.client(subject="bob") as bob:
            assert bob.post("/v1/apps", json={"app_name": "web"}, headers=key).status_code == 409
        deletion = client.delete(f"/v1/apps/{first.json()['app_id']}").json()
        service.work(deletion["id"])
        gone = client.post("/v1/apps", json={"app_name": "web"}, headers=key)
        assert (gone.status_code, slug(gone)) == (410, "app-deleted")
    assert service.catalog.ask("SELECT count(*) FROM tenantry.app_specs") == [(1,)]


def test_many_with_one_key_at_once_make_one_app(service: Api) -> None:
    answers: list[httpx.Response] = []

    def ask() -> None:
        with service.client() as client:
            answers.append(
                client.post(
                    "/v1/apps",
                    json={"app_name": "web"},
                    headers={"Idempotency-Key": "k", "Prefer": "respond-async"},
                )
            )

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {each.status_code for each in answers} <= {202, 409}
    assert {slug(each) for each in answers if each.status_code == 409} <= {"request-under-way"}
    assert service.catalog.ask("SELECT count(*) FROM tenantry.app_specs") == [(1,)]


def test_who_asks_and_what_for_is_checked(service: Api) -> None:
    created = service.create()
    path = f"/v1/apps/{created['app_id']}"
    anonymous = httpx.get(service.url + path)
    assert anonymous.status_code == 401
    assert anonymous.headers["WWW-Authenticate"] == 'Bearer realm="tenantry"'
    with service.client("not-a-token") as client:
        assert 'error="invalid_token"' in client.get(path).headers["WWW-Authenticate"]
    with service.client(scope="apps:read") as client:
        assert client.get(path).status_code == 200
        refused = client.post("/v1/apps", json={"app_name": "other"})
        assert (refused.status_code, slug(refused)) == (403, "insufficient-scope")
        assert client.get(f"{path}/uri").status_code == 403
    # Another tenant's app is one that is not there.
    with service.client(tenant="globex") as client:
        for answer in (
            client.get(path),
            client.get(f"{path}/uri"),
            client.get(f"{path}/events"),
            client.get(f"{path}/keys"),
            client.patch(path, json={"plan": "pro"}),
            client.post(f"{path}/rotate"),
            client.delete(path),
            client.get(created["operation"]["href"]),
            client.post(f"{created['operation']['href']}/cancel"),
            client.get(f"/v1/apps/{uuid4()}"),
        ):
            assert answer.status_code == 404, answer.text
        assert client.get("/v1/apps").json()["items"] == []
        assert client.get("/v1/apps?tenant=acme").status_code == 403
        assert client.post("/v1/apps", json={"app_name": "x", "tenant": "acme"}).status_code == 403
    with service.client(tenant=None) as client:
        assert client.get("/v1/apps").status_code == 403
    with service.client(tenant=None, scope="apps:read apps:write fleet:admin") as client:
        assert client.get(path).status_code == 200
        assert len(client.get("/v1/apps?tenant=acme").json()["items"]) == 1
        assert client.post("/v1/apps", json={"app_name": "x"}).status_code == 422


def test_what_is_wrong_with_an_app_is_said_field_by_field_in_the_registrys_words(
    service: Api,
) -> None:
    def wrong(**members: Any) -> tuple[int, dict[str, str]]:
        with service.client(tenant=members.pop("of", "acme")) as client:
            answer = client.post("/v1/apps", json=members)
        slug(answer)
        found = answer.json().get("errors", [])
        return answer.status_code, {each["pointer"]: each["detail"] for each in found}

    status, errors = wrong(app_name="No Label", plan="platinum", region="mars")
    assert status == 422
    assert errors.keys() == {"#/app_name", "#/plan", "#/region"}
    assert "starter" in errors["#/plan"]
    status, errors = wrong(app_name="web", region="aws-sa-east-1")
    assert (status, list(errors)) == (422, ["#/region"])
    assert wrong(app_name="web", size=3) == (422, {"#/size": "Extra inputs are not permitted"})
    assert wrong(of="globex", app_name="web", plan="pro")[0] == 403
    assert wrong(of="nobody", app_name="web")[0] == 403
    assert wrong(app_name="filed")[0] == 409
    with service.client() as client:
        answer = client.post("/v1/apps", content=b"{", headers={"Content-Type": "application/json"})
        assert (answer.status_code, slug(answer)) == (400, "not-json")
        for large in (b"x" * 70_000, iter([b"x" * 40_000] * 2)):
            answer = client.post(
                "/v1/apps", content=large, headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, slug(answer)) == (413, "too-long")


def test_a_name_is_taken_once_and_a_tenant_has_so_many_apps(service: Api) -> None:
    created = service.create("web")
    with service.client() as client:
        answer = client.post("/v1/apps", json={"app_name": "web"})
        assert (answer.status_code, slug(answer)) == (409, "name-taken")
        assert answer.headers["Link"] == f'</v1/apps/{created["app_id"]}>; rel="related"'
        for name in ("b", "c", "d"):
            service.create(name)
        answer = client.post("/v1/apps", json={"app_name": "e"})
        assert (answer.status_code, slug(answer)) == (409, "too-many-apps")


def test_apps_are_listed_in_pages(service: Api) -> None:
    names = ["a", "b", "c-one"]
    for name in names:
        created = service.create(name, plan="pro" if name == "b" else "starter")
    service.work(created["operation"]["id"], "failed")
    with service.client() as client:
        seen: list[str] = []
        path: str | None = "/v1/apps?limit=2"
        while path:
            answer = client.get(path)
            seen += [each["app_name"] for each in answer.json()["items"]]
            assert ("next" in answer.links) == (answer.json()["next_cursor"] is not None)
            path = answer.links["next"]["url"] if "next" in answer.links else None
        assert seen == names

        def found(query: str) -> list[str]:
            return [each["app_name"] for each in client.get(f"/v1/apps?{query}").json()["items"]]

        assert found("plan=pro") == ["b"]
        assert found("name=c-") == ["c-one"]
        assert found("status=failed&status=deleted") == ["c-one"]
        answer = client.get("/v1/apps?cursor=nonsense")
        assert (answer.status_code, slug(answer)) == (422, "invalid-request")
        (item,) = client.get("/v1/apps?name=b").json()["items"]
        assert item == client.get(f"/v1/apps/{item['app_id']}").json()
        assert item["region"] == "aws-us-east-2"


def test_a_change_is_made_at_the_generation_that_its_caller_saw(service: Api) -> None:
    created = service.create("web", plan="pro", region="aws-eu-central-1")
    service.work(created["operation"]["id"])
    path = f"/v1/apps/{created['app_id']}"
    with service.client() as client:
        etag = client.get(path).headers["ETag"]
        same = client.patch(path, json={"plan": "pro"}, headers={"If-Match": etag})
        assert same.status_code == 200
        stale = client.patch(path, json={"plan": "starter"}, headers={"If-Match": '"7"'})
        assert (stale.status_code, slug(stale)) == (412, "changed-meanwhile")
        assert stale.headers["ETag"] == etag
        loses = client.patch(path, json={"plan": "starter"}, headers={"If-Match": etag})
        assert (loses.status_code, slug(loses)) == (409, "replaces-data")
        assert "default" in loses.json()["detail"]
        changed = client.patch(path, json={"plan": "kept"}, headers={"If-Match": etag})
        assert changed.status_code == 202
        assert changed.json()["status"] == "updating"
        assert changed.headers["ETag"] != etag
        late = client.patch(path, json={"plan": "pro"}, headers={"If-Match": etag})
        assert late.status_code == 412


def test_what_loses_data_is_said_and_done_only_where_it_is_meant(service: Api) -> None:
    created = service.create("web", plan="pro")
    service.work(created["operation"]["id"])
    path = f"/v1/apps/{created['app_id']}"
    with service.client() as client:
        refused = client.patch(path, json={"region": "aws-eu-central-1"})
        assert (refused.status_code, slug(refused)) == (409, "replaces-data")
        assert "all data in it are destroyed" in refused.json()["detail"]
        meant = client.patch(f"{path}?replace=true", json={"region": "aws-eu-central-1"})
        assert meant.status_code == 202
    assert service.catalog.ask(
        "SELECT kind, may_destroy FROM tenantry.operations WHERE status = 'queued'"
    ) == [("update", True)]
    kept = service.create("kept", plan="kept")
    with service.client() as client:
        refused = client.patch(
            f"/v1/apps/{kept['app_id']}?replace=true", json={"region": "aws-eu-central-1"}
        )
        assert (refused.status_code, slug(refused)) == (409, "keeps-its-data")


def test_a_deletion_is_one_operation_however_often_it_is_asked_for(service: Api) -> None:
    created = service.create("web")
    path = f"/v1/apps/{created['app_id']}"
    with service.client() as client:
        first = client.delete(path)
        assert first.status_code == 202
        assert first.headers["Location"] == f"/v1/operations/{first.json()['id']}"
        assert client.delete(path).json()["id"] == first.json()["id"]
        assert client.get(created["operation"]["href"]).json()["status"] == "cancelled"
        assert client.get(path).json()["status"] == "deleting"
        assert client.patch(path, json={"plan": "pro"}).status_code == 409
        service.work(first.json()["id"], "failed")
        second = client.delete(path).json()
        assert second["id"] != first.json()["id"]
        service.work(second["id"])
        assert client.delete(path).json()["id"] == second["id"]
        assert client.get(path).json()["status"] == "deleted"
        assert client.get(f"{path}/uri").status_code == 409
        kept = service.create("kept", plan="kept")
        refused = client.delete(f"/v1/apps/{kept['app_id']}")
        assert (refused.status_code, slug(refused)) == (409, "protected")
    with service.client(scope="apps:read apps:write") as client:
        assert client.delete(path).status_code == 403
    # Its name is free again.
    assert service.create("web")["app_id"] != created["app_id"]


def test_a_login_is_rotated_one_at_a_time(service: Api) -> None:
    created = service.create()
    path = f"/v1/apps/{created['app_id']}"
    with service.client() as client:
        early = client.post(f"{path}/rotate")
        assert (early.status_code, slug(early)) == (409, "not-ready")
        service.work(created["operation"]["id"])
        first = client.post(f"{path}/rotate", headers={"Idempotency-Key": "r-1"})
        assert (first.status_code, first.json()["kind"]) == (202, "rotate")
        assert client.post(f"{path}/rotate").json()["id"] == first.json()["id"]
        service.work(first.json()["id"])
        again = client.post(f"{path}/rotate", headers={"Idempotency-Key": "r-1"})
        assert again.json()["id"] == first.json()["id"]
        assert client.post(f"{path}/rotate").json()["id"] != first.json()["id"]
    ((overrides,),) = service.catalog.ask("SELECT overrides FROM tenantry.app_specs")
    assert overrides == {"database": {"credentials": {"generation": 3}}}


def test_keys_are_asked_for_and_revoked(service: Api) -> None:
    created = service.create("web", plan="pro")
    service.work(created["operation"]["id"])
    path = f"/v1/apps/{created['app_id']}/keys"
    quick = {"Prefer": "respond-async"}
    asked = {"name": "reports", "scopes": ["read"], "expires": "2099-06-30"}
    with service.client() as client:
        made = client.post(path, json=asked, headers=quick)
        assert made.status_code == 202, made.text
        assert (made.json()["status"], made.json()["key"]) == ("pending", None)
        taken = client.post(path, json={"name": "default"})
        assert (taken.status_code, slug(taken)) == (409, "key-taken")
        wrong = client.post(path, json={"name": "No Label"})
        assert wrong.status_code == 422
        assert [each["pointer"] for each in wrong.json()["errors"]] == ["#/name"]
        items = client.get(path).json()["items"]
        assert [(each["name"], each["own"]) for each in items] == [
            ("default", False),
            ("reports", True),
        ]
        assert client.delete(f"{path}/default").status_code == 409
        assert client.delete(f"{path}/nothing").status_code == 404
        service.work(made.json()["operation"]["id"])
        gone = client.delete(f"{path}/reports")
        assert (gone.status_code, gone.json()["kind"]) == (202, "keys")
        assert [each["name"] for each in client.get(path).json()["items"]] == ["default"]


def test_operations_are_cancelled_and_tried_again(service: Api) -> None:
    created = service.create()
    href = created["operation"]["href"]
    with service.client() as client:
        assert client.post(f"{href}/cancel").json()["status"] == "cancelled"
        ended = client.post(f"{href}/cancel")
        assert (ended.status_code, slug(ended)) == (409, "ended")
        failed = client.get(f"/v1/apps/{created['app_id']}").json()
        assert failed["status"] == "failed"
        again = client.post(f"{href}/retry").json()
        assert again["id"] != created["operation"]["id"]
        late = client.post(f"{href}/retry")
        assert (late.status_code, slug(late)) == (409, "superseded")
        assert late.json()["operation"] == again["href"]
        service.work(again["id"], "failed")
        key = {"Idempotency-Key": "k"}
        other = client.post(
            "/v1/apps", json={"app_name": "b"}, headers={"Prefer": "respond-async", **key}
        ).json()
        service.work(other["operation"]["id"], "failed")
        lost = client.post("/v1/apps", json={"app_name": "b"}, headers=key)
        assert (lost.status_code, slug(lost)) == (502, "provisioning-failed")
        assert lost.json()["operation"] == other["operation"]["href"]
        assert "no such region" in lost.json()["detail"]


def test_what_happens_is_streamed_and_goes_on_behind_the_last_event(service: Api) -> None:
    created = service.create()
    path = f"/v1/apps/{created['app_id']}/events"
    with service.client() as client, client.stream("GET", path) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        assert next(lines) == "event: queued"
        threading.Timer(0.2, lambda: service.work(created["operation"]["id"])).start()
        rest = list(lines)
    kinds = [line.removeprefix("event: ") for line in rest if line.startswith("event: ")]
    assert kinds == ["started", "succeeded"]
    ids = [line.removeprefix("id: ") for line in rest if line.startswith("id: ")]
    with service.client() as client:
        behind = client.get(path, headers={"Last-Event-ID": ids[0]})
        assert behind.text.count("event: ") == 1
        assert client.get(path, headers={"Last-Event-ID": ids[1]}).status_code == 204


def test_a_caller_may_ask_so_often(catalog: Catalog, tmp_path: Path) -> None:
    with api(catalog, tmp_path, requests_per_minute=6) as service, service.client() as client:
        answers = [client.get("/v1/apps") for _ in range(5)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 11
        with service.client(subject="bob") as bob:
            assert bob.get("/v1/apps").status_code == 200


def test_a_registry_that_changes_is_taken_over_and_one_that_is_wrong_is_not(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.service.offers.LOOK_SECONDS", 0.0)
    file = tmp_path / "tenants.yaml"
    with api(catalog, tmp_path) as service, service.client() as client:
        before = file.read_text()
        file.write_text("version: 1\nnonsense: true\n")
        assert client.post(
            "/v1/apps", json={"app_name": "a"}, headers={"Prefer": "respond-async"}
        ).is_success
        file.write_text(before.replace("globex: {plans: [starter]}", "globex: {plans: []}"))
        with service.client(tenant="globex") as globex:
            refused = globex.post("/v1/apps", json={"app_name": "a"})
            assert refused.status_code == 422


def test_a_database_that_is_away_is_told_and_its_return_is_enough(
    service: Api, catalog: Catalog
) -> None:
    with service.client() as client:
        assert client.get("/readyz").json()["status"] == "ok"
        catalog.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tenantry-service'"
        )
        # Connections that were cut are made again, and nobody notices.
        assert client.get("/v1/apps").status_code == 200
        assert client.get("/healthz").json() == {"status": "ok"}


def test_a_database_that_refuses_is_said_and_a_request_is_carried_out_once(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.selfservice.database.CONNECT_SECONDS", 2)
    asked = {"Idempotency-Key": "k", "Prefer": "respond-async"}
    with (
        relay(catalog.url) as (between, url),
        api(Catalog(url), tmp_path) as service,
        service.client() as client,
    ):
        between.mode = "refuse"
        between.cut()
        refused = client.post("/v1/apps", json={"app_name": "web"}, headers=asked)
        assert (refused.status_code, slug(refused)) == (503, "database-away")
        assert int(refused.headers["Retry-After"]) > 0
        assert client.get("/v1/apps").status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        between.mode = "pass"
        for _ in range(40):
            answer = client.post("/v1/apps", json={"app_name": "web"}, headers=asked)
            if answer.status_code == 202:
                break
            time.sleep(0.25)
        assert answer.status_code == 202
        assert client.get("/readyz").status_code == 200
    assert catalog.ask("SELECT count(*) FROM tenantry.app_specs") == [(1,)]


def test_a_connection_that_is_half_open_holds_nobody_for_ever(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.selfservice.watched.ANSWER_SECONDS", 1.0)
    monkeypatch.setattr("tenantry.selfservice.listening.QUIET_SECONDS", 0.5)
    with relay(catalog.url) as (between, url), api(Catalog(url), tmp_path) as service:
        created = service.create()
        with service.client() as client:
            between.mode = "swallow"
            begun = time.monotonic()
            answer = client.get(f"/v1/apps/{created['app_id']}")
            # It is asked again on a new connection, which is not made either.
            assert (answer.status_code, slug(answer)) == (503, "database-away")
            assert time.monotonic() - begun < 10
            between.mode = "pass"
            between.cut()
            for _ in range(40):
                if client.get("/readyz").status_code == 200:
                    break
                time.sleep(0.25)
            # Who waits is woken again.
            worker = threading.Timer(1, lambda: service.work(created["operation"]["id"]))
            worker.start()
            begun = time.monotonic()
            retried = client.post("/v1/apps", json={"app_name": "b"}, headers={"Prefer": "wait=0"})
            assert retried.status_code == 202
            with client.stream("GET", f"/v1/apps/{created['app_id']}/events") as stream:
                assert "succeeded" in "".join(stream.iter_text())
            worker.join()
