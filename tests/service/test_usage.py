"""What apps used: as the cloud counts it, by the command alone and by a worker that keeps it."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.localcloud.support import query
from tests.service.folder import ServiceFolder, end
from tests.service.test_notices import SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.localcloud.catalog import Catalog
    from tests.localcloud.support import Account, Project


# Nobody listens there: what is to be told waits in the catalog.
NOTIFY = 'notify: [{url: "http://127.0.0.1:9/none", secret_from: HOOK, on: [budget]}]\n'


@pytest.fixture
def folder(tmp_path: Path, account: Account, database: Catalog) -> ServiceFolder:
    made = ServiceFolder.make(tmp_path / "service", account.cloud, database)
    file = made.project.registry
    app = "{environment: development, region: aws-us-east-2}"
    text = file.read_text().replace(
        "Inc., apps: {}", f"Inc., budget: {{money: 0.01}}, apps: {{web: {app}, api: {app}}}"
    )
    file.write_text(f"{text}prices: {{as_of: 2026-11-01, source: a test, compute: 1000}}\n{NOTIFY}")
    made.project.environment["HOOK"] = SECRET
    return made


def counted(account: Account, projects: list[Project]) -> dict[str, int]:
    now = datetime.now(UTC)
    answer = account.ask(
        "GET",
        "/consumption_history/v2/projects",
        **{"from": now.replace(day=1).isoformat(), "to": (now + timedelta(days=1)).isoformat()},
        granularity="monthly",
        org_id=account.cloud.neon_org_id,
        project_ids=",".join(each.id for each in projects),
        metrics="compute_unit_seconds",
    )
    return {
        each["project_id"]: each["periods"][-1]["consumption"][-1]["metrics"][0]["value"]
        for each in answer["projects"]
    }


def told(folder: ServiceFolder, *options: str) -> Any:
    done = folder.project.tenantry("usage", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in options else done


def test_usage_is_what_the_cloud_counted_with_a_catalog_and_without(
    folder: ServiceFolder, account: Account, tmp_path: Path
) -> None:
    web, api = (account.project(f"{folder.namespace}--acme--{app}") for app in ("web", "api"))
    other = account.project(f"{folder.namespace}--acme--foreign")
    query(web.uri, "CREATE TABLE load AS SELECT generate_series(1, 20000)", "SELECT pg_sleep(2)")
    query(api.uri, "SELECT 1")
    for each in (web, api, other):
        each.suspend()
    counts = counted(account, [web, api])
    assert counts[web.id] >= 1

    # A stack makes the folder a fleet's.
    folder.project.pulumi("stack", "init", "acme--web", "--no-select")
    # Nobody has written into the catalog: Neon is asked, and nothing is woken.
    found = told(folder, "--json")
    assert found["from"] == "neon"
    by_app = {each["app"]: each for each in found["apps"]}
    assert {app: each["use"]["compute"] for app, each in by_app.items()} == {
        "acme/web": counts[web.id],
        "acme/api": counts[api.id],
    }
    assert by_app["acme/web"]["use"]["root_storage"] > 0
    assert by_app["acme/web"]["cost"]["compute"] == f"{counts[web.id] / 3.6:.2f}"
    assert {web.state(), api.state()} == {"idle"}

    rows = "SELECT app_id, compute, at FROM tenantry.usage_samples ORDER BY app_id"
    for name in ("first", "second"):
        # The next worker finds a reading of an hour ago, and writes it anew.
        folder.catalog.ask(
            "UPDATE tenantry.usage_samples SET at = now() - interval '1 hour' RETURNING 1"
        )
        worker = folder.worker(name)
        until = time.monotonic() + 30
        recent = f"SELECT count(*) FROM ({rows}) AS row WHERE at > now() - interval '50 minutes'"
        while folder.catalog.ask(recent) != [(2,)]:
            assert time.monotonic() < until, folder.log(name)
            time.sleep(0.2)
        assert end(worker) == 0
    assert [row[:2] for row in folder.catalog.ask(rows)] == [
        ("acme/api", counts[api.id]),
        ("acme/web", counts[web.id]),
    ]
    # Told of once, whoever reads it again: 1,000 an hour are more than the cent that the tenant may spend.
    budgets = "SELECT app_id, text LIKE '%% of 0.01 USD are used%%' FROM tenantry.notifications"
    assert folder.catalog.ask(budgets) == [("acme", True)]
    assert "acme: " in told(folder).stderr
    kept = told(folder, "acme/web", "--json")
    assert kept["from"] == "catalog"
    assert [each["use"]["compute"] for each in kept["apps"]] == [counts[web.id]]

    lines = list(csv.DictReader(io.StringIO(told(folder, "--csv").stdout)))
    assert {each["app"]: int(each["compute"]) for each in lines} == {
        "acme/web": counts[web.id],
        "acme/api": counts[api.id],
    }
    table = told(folder, "acme").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["APP", "acme/web", "acme/api", "total"]
    file = tmp_path / "fleet.html"
    told_of = folder.project.tenantry("report", "--html", str(file), "--json")
    assert json.loads(told_of.stdout) == {"file": str(file), "apps": 2, "problems": []}
    page = file.read_text()
    assert all(each in page for each in ("acme/web", "acme/api", kept["total"]["cost"]["total"]))
    assert "acme: " in page, "its budget"
    password = unquote(urlsplit(folder.catalog.url).password or "")
    for secret in (password, account.cloud.neon_api_key, SECRET, account.cloud.aura_client_secret):
        assert secret
        assert secret not in page

    unknown = folder.project.tenantry("usage", "acne")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert 'did you mean "acme"' in unknown.stderr
