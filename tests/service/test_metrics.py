"""The metrics and the readiness of a service that runs, on a real catalog."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tenantry.observing import reading
from tenantry.observing.metrics import METRICS, exposed
from tenantry.observing.reading import CatalogReader
from tenantry.selfservice.database import pool
from tenantry.service import readiness
from tests.service.api import Api, api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def service(catalog: Catalog, tmp_path: Path) -> Iterator[Api]:
    with api(catalog, tmp_path) as running:
        yield running


def samples(page: str) -> Samples:
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in text_string_to_metric_families(page)
        for each in family.samples
    }


class Page:
    """What a scraper reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = samples(text)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))


def scrape(url: str, **headers: str) -> Page:
    answer = httpx.get(f"{url}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Page(answer.text)


def test_every_metric_of_the_definitions_is_there_and_no_other(service: Api) -> None:
    page = scrape(service.url).text
    told = {
        line.split()[2]: line.split()[3] for line in page.splitlines() if line.startswith("# TYPE")
    }
    own = {name for name in told if not name.endswith("_created")}
    assert own == {each.name for each in exposed("catalog", "api")}
    assert all(told[each.name] == each.type for each in exposed("catalog", "api"))


def test_operations_are_counted_as_they_end_and_apps_as_they_stand(
    service: Api, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {name: service.create(name) for name in ("web", "shop", "late", "gone")}
    for name, outcome in (("web", "succeeded"), ("shop", "failed"), ("gone", "succeeded")):
        service.work(made[name]["operation"]["id"], outcome)
    before = scrape(service.url)
    ended = {"kind": "create", "outcome": "succeeded", "error_kind": ""}
    assert before("tenantry_operations_total", **ended) == 2
    lasting = {**ended, "outcome": "failed", "error_kind": "lasting"}
    assert before("tenantry_operations_total", **lasting) == 1
    assert before("tenantry_queue_depth", state="waiting") == 1
    assert before("tenantry_catalog_up") == 1

    with service.client() as client:
        gone = client.delete(f"/v1/apps/{made['gone']['app_id']}").json()
        service.work(gone["id"])
        # Within 10 s the catalog is not asked again.
        assert scrape(service.url)("tenantry_operations_total", **ended) == 2
        monkeypatch.setattr(reading, "EVERY_SECONDS", 0.0)
        page = scrape(service.url)
        listed = Counter(each["status"] for each in client.get("/v1/apps").json()["items"])
    assert page("tenantry_operations_total", **{**ended, "kind": "delete"}) == 1
    apps = {
        dict(labels)["status"]: value
        for (name, labels), value in page.samples.items()
        if name == "tenantry_asked_apps"
    }
    listed.pop("deleted", None)
    assert apps == listed == {"ready": 1, "failed": 1, "provisioning": 1}
    # What took long is in the bucket of what took so long; what was never started is in none.
    catalog.ask(
        "UPDATE tenantry.operations SET started_at = ended_at - interval '45 seconds', "
        "created_at = ended_at - interval '49 seconds' WHERE app_id = 'acme/web'"
    )
    page = scrape(service.url)
    took = {"kind": "create", "outcome": "succeeded"}
    name = "tenantry_operation_duration_seconds"
    assert page(f"{name}_bucket", **took, le="30.0") == 1
    assert page(f"{name}_bucket", **took, le="60.0") == 2
    assert page(f"{name}_count", **took) == 2
    assert page("tenantry_operation_queue_seconds_bucket", kind="create", le="5.0") == 3
    # Nothing tells of an app, a tenant or a caller.
    for word in ("acme", "shop", "|ann", made["web"]["app_id"], made["web"]["operation"]["id"]):
        assert word not in page.text


def test_what_ended_long_ago_is_counted_once_however_often_it_is_read(
    service: Api, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "EVERY_SECONDS", 0.0)
    for name in ("a", "b", "c"):
        service.work(service.create(name)["operation"]["id"])
    for name, ago in (("a", "1 hour"), ("b", "5 minutes")):
        catalog.ask(
            f"UPDATE tenantry.operations SET ended_at = ended_at - interval '{ago}' WHERE app_id = %s",
            f"acme/{name}",
        )
    asked: list[object] = []
    between = CatalogReader._between

    async def asking(reader: CatalogReader, one: Any, since: object, until: object) -> Any:
        counts = await between(reader, one, since, until)  # type: ignore[arg-type]
        asked.append(counts.counters.total())
        return counts

    monkeypatch.setattr(CatalogReader, "_between", asking)

    async def whole() -> list[float]:
        async with pool(catalog.url) as connections:
            reader = CatalogReader(connections, "tenantry")
            found = []
            # The border moves over one after the other.
            for settled in ("10 minutes", "1 minute", "0 seconds", "0 seconds"):
                monkeypatch.setattr(reading, "SETTLED", settled)
                values = (await reader.read()).values
                found.append(
                    sum(each[2] for each in values if each[0] == "tenantry_operations_total")
                )
        return found

    assert asyncio.run(whole()) == [3, 3, 3, 3]
    assert asked == [1, 2, 1, 1, 1, 0, 0, 0]


def test_a_catalog_that_is_away_is_told_and_nothing_old_is(catalog: Catalog) -> None:
    async def whole() -> list[tuple[str, tuple[str, ...], float]]:
        connections = pool(catalog.url)
        await connections.open()
        await connections.close()
        return (await CatalogReader(connections, "tenantry").read()).values

    assert asyncio.run(whole()) == [("tenantry_catalog_up", (), 0.0)]


def test_requests_are_counted_by_their_route_and_not_by_what_a_caller_writes(service: Api) -> None:
    app = service.create("web")
    with service.client() as client:
        client.get(f"/v1/apps/{app['app_id']}")
        client.get("/v1/apps/nothing-of-the-sort")
        client.get("/secret-of-a-caller")
        client.post("/webhooks/auth/signup", json={})
    page = scrape(service.url)
    name = "http_server_request_duration_seconds_count"
    told = {
        tuple(sorted(dict(labels).values())): value
        for (each, labels), value in page.samples.items()
        if each == name
    }
    assert told["/v1/apps/{app_id}", "200", "GET"] == 1
    assert told["", "", "404"] >= 1
    assert page("tenantry_webhooks_total", result="refused") == 1
    assert "nothing-of-the-sort" not in page.text
    assert "secret-of-a-caller" not in page.text


def test_who_has_the_token_reads_the_metrics_where_there_is_one(
    catalog: Catalog, tmp_path: Path
) -> None:
    with api(catalog, tmp_path, metrics_token="a-token-of-a-scraper") as service:
        assert httpx.get(f"{service.url}/metrics").status_code == 401
        wrong = {"Authorization": "Bearer another"}
        assert httpx.get(f"{service.url}/metrics", headers=wrong).status_code == 401
        page = scrape(service.url, Authorization="Bearer a-token-of-a-scraper")
        assert "a-token-of-a-scraper" not in page.text


def test_the_readiness_tells_what_is_missing_and_why_it_is_in_the_log_alone(
    service: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(readiness, "EVERY_SECONDS", 0.0)
    ready = httpx.get(f"{service.url}/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {
            "status": "ok",
            "database": "ok",
            "backend": "ok",
            "engine": "ok",
            "oldest_job_seconds": 0,
            "stopping": False,
        },
    )
    service.create("web")
    service.catalog.ask(
        "UPDATE tenantry.operations SET created_at = created_at - interval '1 hour'"
    )
    late = httpx.get(f"{service.url}/readyz")
    assert late.status_code == 200
    assert late.json()["oldest_job_seconds"] >= 3600
    (tmp_path / "bin" / "pulumi").unlink()
    missing = httpx.get(f"{service.url}/readyz")
    assert missing.status_code == 503
    assert missing.json()["engine"] == "away"
    assert str(tmp_path) not in missing.text
    assert "the engine: there is no pulumi" in caplog.text
    assert httpx.get(f"{service.url}/healthz").status_code == 200


def test_states_that_cannot_be_read_are_told_without_their_url(
    catalog: Catalog, tmp_path: Path
) -> None:
    away = "postgres://keeper:a-password-of-theirs@127.0.0.1:1/states"
    with api(catalog, tmp_path, environment={"PULUMI_BACKEND_URL": away}) as service:
        missing = httpx.get(f"{service.url}/readyz")
    assert missing.status_code == 503
    assert missing.json()["backend"] == "away"
    assert "127.0.0.1" not in missing.text


def test_no_metric_has_a_label_with_as_many_values_as_there_are_apps() -> None:
    known = {
        *("kind", "outcome", "error_kind", "state", "plan", "status", "environment", "budget"),
        *("source", "result", "cloud", "method", "route", "code", "step"),
        *("http_request_method", "http_route", "http_response_status_code"),
    }
    assert {label for each in METRICS for label in each.labels} <= known
