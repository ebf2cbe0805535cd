"""The definitions of the metrics, and the page that is made from them."""

import re
from pathlib import Path

from tenantry.clouds.asking import listening, route_of, tell
from tenantry.observing.counters import Counters
from tenantry.observing.metrics import METRICS, table
from tenantry.observing.page import renewed

PAGE = Path(__file__).parents[3] / "docs" / "monitoring.md"


def test_the_page_is_as_the_definitions_say() -> None:
    page = PAGE.read_text("utf-8")
    assert table() in page, "make metrics"
    assert renewed(page.replace("| gauge |", "| something |")) == page


def test_names_are_as_prometheus_wants_them() -> None:
    names = [each.name for each in METRICS]
    assert len(set(names)) == len(names)
    for each in METRICS:
        assert re.fullmatch("[a-z_]+", each.name)
        assert each.name.endswith("_total") == (each.type == "counter"), each.name
        assert bool(each.buckets) == (each.type == "histogram"), each.name
        assert "\n" not in each.help
        assert "|" not in each.help


def test_requests_are_told_by_their_route_without_ids_and_names() -> None:
    assert (
        route_of("/projects/young-sun-1/roles/tenant_acme/reset?x=projects")
        == "/projects/{}/roles/{}/{}"
    )
    counters = Counters("worker")
    with listening(counters.asked):
        tell("neon", "GET", "/projects/young-sun-1", 429, 0.2)
        tell("neon", "GET", "/projects", None, 10.0)
    tell("neon", "GET", "/projects", 200, 0.1)
    page = counters.page().decode()
    assert (
        'tenantry_cloud_requests_total{cloud="neon",code="429",method="GET",route="/projects/{}"} 1.0'
        in page
    )
    assert 'code="",method="GET",route="/projects"} 1.0' in page
    assert 'tenantry_cloud_throttled_total{cloud="neon"} 1.0' in page
    assert 'code="200"' not in page
