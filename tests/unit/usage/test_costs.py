"""What use costs, against sums that were done by hand, and how a month is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tenantry.presenting.usage import cents
from tenantry.registry import Registry, parse
from tenantry.registry.prices import SHIPPED
from tenantry.usage.costs import billed_branches
from tenantry.usage.measures import Month, MonthError, Sample, Use
from tenantry.usage.reporting import UnknownError, usage

NOW = datetime(2026, 11, 16, tzinfo=UTC)
"""360 of the month's 720 hours are over."""
NOVEMBER = Month(datetime(2026, 11, 1, tzinfo=UTC), NOW)


def registry(more: str = "") -> Registry:
    return parse(
        f"""version: 1
defaults: {{environment: development, region: aws-us-east-2}}
tenants:
  acme:
    apps:
      web: {{database: {{branches: {{preview: {{}}}}}}}}
      graph: {{graph: {{type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}}}}
  globex: {{apps: {{api: {{}}}}}}
{more}""".encode()
    )


def sample(app: str, day: int, **amounts: int) -> Sample:
    return Sample(app=app, project=f"p-{app}", day=date(2026, 11, day), use=Use(**amounts))


WEB = (
    sample(
        "acme/web",
        1,
        compute=500_000,  # 138.889 hours at 0.106: 14.7222
        root_storage=2_500_000_000_000,  # 3.3602 GB-months at 0.35: 1.1761
        history=1_488_000_000_000,  # 2 GB-months at 0.20: 0.40
        snapshots=744_000_000_000,  # 1 GB-month at 0.09: 0.09
        private_transfer=10_000_000_000,  # 10 GB at 0.01: 0.10
    ),
    # 12 child branches for a day, 9 of them included: 72 branch-hours of 744 at 1.50: 0.1452. Of 50 GB beyond the
    # organization's 100, four fifths are this app's: 40 GB at 0.10: 4.00.
    sample("acme/web", 2, branches=288, transfer=120_000_000_000),
)
API = sample("globex/api", 15, transfer=30_000_000_000)


def test_the_cost_is_to_the_cent_what_a_hand_makes_of_neons_formulas() -> None:
    found = usage(registry(), [*WEB, API], NOVEMBER)
    web, graph, api = found.apps
    assert [each.app for each in found.apps] == ["acme/web", "acme/graph", "globex/api"]
    assert {
        "compute": cents(web.cost.compute),
        "storage": cents(web.cost.storage),
        "history": cents(web.cost.history),
        "snapshots": cents(web.cost.snapshots),
        "branches": cents(web.cost.branches),
        "transfer": cents(web.cost.transfer),
        "private": cents(web.cost.private_transfer),
    } == {
        "compute": "14.72",
        "storage": "1.18",
        "history": "0.40",
        "snapshots": "0.09",
        "branches": "0.15",
        "transfer": "4.00",
        "private": "0.10",
    }
    assert cents(web.cost.total) == "20.63"
    assert cents(api.cost.total) == "1.00"
    assert cents(found.cost.total) == "21.63"
    assert (web.branches, web.graphs, graph.graphs) == (2, 0, 1)
    assert found.unpriced == ("professional-db",)


def test_the_scale_plan_has_neons_own_example() -> None:
    """500,000 CU-seconds are 30.83 there; of 2.5 TB-hours 1.18: Neon's page on usage calculations."""
    of = sample("acme/web", 1, compute=500_000, root_storage=2_500_000_000_000)
    web = usage(registry("prices: {plan: scale}\n"), [of], NOVEMBER).apps[0]
    assert (cents(web.cost.compute), cents(web.cost.storage)) == ("30.83", "1.18")


def test_a_graph_costs_its_memory_for_the_hours_that_are_over() -> None:
    own = "prices: {as_of: 2026-11-01, source: a contract, graphs: {professional-db: 65}}\n"
    found = usage(registry(own), [], NOVEMBER, {"acme/graph": 3})
    graph = found.apps[1]
    # 2 GB at 65 for half of 720 hours. Nobody has a graph by signing up: the app offers none.
    assert (cents(graph.cost.graphs), graph.graphs, found.unpriced) == ("65.00", 1, ())
    assert graph.forecast == Decimal(130)


def test_the_forecast_goes_on_from_the_first_day_that_was_measured() -> None:
    found = usage(registry(), [*WEB, API], NOVEMBER)
    web, _, api = found.apps
    # Twice everything: 150 GB become 120 * 2 + 30 * 16 = 720, of which 620 are billed.
    whole = 2 * (web.cost.total - web.cost.transfer) + Decimal(620) * 240 / 720 / 10
    assert web.forecast is not None
    assert cents(web.forecast) == cents(whole)
    assert cents(api.forecast or Decimal(0)) == cents(Decimal(620) * 480 / 720 / 10)
    assert found.forecast == sum(each.forecast or 0 for each in found.apps)


@pytest.mark.parametrize(
    "now", [datetime(2026, 11, 1, 23, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)]
)
def test_there_is_no_forecast_of_what_is_over_or_has_hardly_begun(now: datetime) -> None:
    found = usage(registry(), WEB, Month(NOVEMBER.start, now))
    assert [each.forecast for each in found.apps] == [None] * 3
    assert found.forecast is None


def test_branches_are_judged_day_by_day() -> None:
    full, empty = sample("acme/web", 3, branches=288), sample("acme/web", 4)
    assert billed_branches([full, empty], SHIPPED["launch"], NOVEMBER) == 72
    assert billed_branches([full], SHIPPED["scale"], NOVEMBER) == 0


def test_an_app_that_left_in_the_month_is_told_of_and_another_months_days_are_not() -> None:
    other = Sample(app="acme/web", project="p", day=date(2026, 10, 31), use=Use(compute=3600))
    found = usage(registry(), [sample("acme/gone", 5, compute=3600), other], NOVEMBER)
    assert [(each.app, each.use.compute) for each in found.apps if each.use.compute] == [
        ("acme/gone", 3600)
    ]


def test_one_app_or_one_tenant_is_chosen_by_name() -> None:
    found = usage(registry(), [*WEB, API], NOVEMBER)
    assert [each.app for each in found.of("acme").apps] == ["acme/web", "acme/graph"]
    # What is sent is shared out over all apps, whichever are shown.
    assert cents(found.of("globex/api").cost.total) == "1.00"
    with pytest.raises(UnknownError, match='did you mean "globex"'):
        found.of("globes")


def test_a_month_is_read_and_begins_in_utc() -> None:
    assert Month.read("2026-02", NOW).hours == 28 * 24
    assert str(Month.read(None, NOW)) == "2026-11"
    assert Month.read("2025-12", NOW).end == datetime(2026, 1, 1, tzinfo=UTC)
    for wrong in ("2026-13", "November", "2026-12"):
        with pytest.raises(MonthError):
            Month.read(wrong, NOW)
