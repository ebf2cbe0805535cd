"""The page over 10,000 apps: how long a page takes, and that the process does not grow."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # it has no types

from tests.service.api import REGISTRY
from tests.service.page import pages

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.localcloud.catalog import Catalog

APPS = 10_000
REQUESTS = 300
PATHS = ("/", "/?q=app-0123", "/?status=failed", "/?sort=-ended&page=100", "/apps/acme/app-04711")
MOST_SECONDS = 0.3
MOST_GROWN = 20 * 2**20

_ROWS = """
WITH made AS (
  INSERT INTO tenantry.app_specs (namespace, tenant, name, plan, owner, observed_generation)
  SELECT 'large', 'acme', 'app-' || lpad(n::text, 5, '0'), 'starter', 'tests|ann', 1
  FROM generate_series(1, %s) n RETURNING id, namespace, tenant, name)
INSERT INTO tenantry.operations (spec, namespace, app_id, kind, status, actor, error_text, ended_at)
SELECT id, namespace, tenant || '/' || name, 'create', CASE WHEN name LIKE '%%7' THEN 'failed' ELSE 'succeeded' END,
  'tests|ann', CASE WHEN name LIKE '%%7' THEN 'no such region' END, now() FROM made"""


def took(client: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - begun


def test_ten_thousand_apps_take_a_moment_and_the_process_stays_as_it_is(
    catalog: Catalog, tmp_path: Path
) -> None:
    registry = REGISTRY.replace("version: 1", "version: 1\nnamespace: large")
    with pages(catalog, tmp_path, registry=registry) as site, site.visitor() as visitor:
        # The states are not what is measured: a command beside the service reads them.
        (tmp_path / "Pulumi.yaml").unlink()
        catalog.ask(_ROWS, APPS)
        took(visitor, "/")
        shown = visitor.get("/").text
        assert f"{APPS + 1} apps" in shown
        for path in PATHS:
            took(visitor, path)
        process = psutil.Process()
        before = process.memory_info().rss
        times = [took(visitor, PATHS[number % len(PATHS)]) for number in range(REQUESTS)]
        grown = process.memory_info().rss - before
        middle = statistics.median(times)
        assert middle < MOST_SECONDS
        assert grown < MOST_GROWN
