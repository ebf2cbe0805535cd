"""Budgets: what the file may say, what Neon is told of them, and when somebody is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tenantry.registry import Registry, RegistryError, parse
from tenantry.registry.budget import Budget
from tenantry.registry.declared import declared
from tenantry.usage.budgets import over
from tenantry.usage.measures import Month, Sample, Use
from tenantry.usage.reporting import usage

MONTH = Month(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC))


def registry(app: str = "", tenant: str = "") -> Registry:
    return parse(
        f"""version: 1
defaults: {{environment: production, region: aws-us-east-2}}
tenants: {{acme: {{{tenant}apps: {{web: {{{app}}}, api: {{}}}}}}}}
""".encode()
    )


def told(known: Registry, web_hours: float, api_hours: float = 0) -> list[tuple[str, int, str]]:
    samples = [
        Sample(app=app, project=app, day=date(2026, 11, 2), use=Use(compute=round(hours * 3600)))
        for app, hours in (("acme/web", web_hours), ("acme/api", api_hours))
    ]
    return [(each.of, each.level, each.text) for each in over(usage(known, samples, MONTH), known)]


def test_somebody_is_told_from_four_fifths_on() -> None:
    known = registry("budget: {compute_hours: 100}")
    assert told(known, 79.99) == []
    assert told(known, 80) == [("acme/web", 80, "80 % of 100 compute hours are used in 2026-11")]
    ((of, level, text),) = told(known, 99.99)
    assert (of, level, text[:4]) == ("acme/web", 80, "99 %")
    ((_, level, text),) = told(known, 100)
    assert level == 100
    assert "nothing stops it" in text


def test_a_tenants_budget_is_of_all_its_apps_and_money_is_an_estimate() -> None:
    known = registry(tenant="budget: {money: 10.60, compute_hours: 1000}, ")
    assert told(known, 40, 39) == []
    # 100 hours at 0.106.
    ((of, level, text),) = told(known, 60, 40)
    assert (of, level) == ("acme", 100)
    assert text.startswith("100 % of 10.60 USD are used, by an estimate in 2026-11; nothing stops")


def test_neon_stops_where_it_is_asked_and_nowhere_else() -> None:
    quiet, hard = (
        registry("budget: {compute_hours: 2}"),
        registry("budget: {compute_hours: 2, stop: true}"),
    )
    assert quiet.app("acme/web").database.quota is None
    quota = hard.app("acme/web").database.quota
    assert quota is not None
    assert quota.compute_time == 7200
    assert hard.app("acme/api").database.quota is None
    ((_, _, text),) = told(hard, 2)
    assert "Neon suspends its computes" in text


@pytest.mark.parametrize(("written", "holds"), [("1h", 3600), ("3h", 7200)])
def test_the_smaller_limit_of_the_two_holds(written: str, holds: int) -> None:
    app = f"budget: {{compute_hours: 2, stop: true}}, database: {{quota: {{compute_time: {written}, active_time: 9h}}}}"
    quota = registry(app).app("acme/web").database.quota
    assert quota is not None
    assert (quota.compute_time, quota.active_time) == (holds, 9 * 3600)


def test_a_budget_that_only_warns_is_no_change_of_an_app() -> None:
    known = registry("budget: {compute_hours: 2, money: 9.99}")
    assert known.app("acme/web").budget == Budget(compute_hours=2, money=Decimal("9.99"))
    assert declared(known.app("acme/web")) == declared(registry().app("acme/web"))


@pytest.mark.parametrize(
    ("app", "tenant", "path", "says"),
    [
        ("budget: {}", "", "tenants.acme.apps.web.budget", "needs"),
        ("budget: {money: 1, stop: true}", "", "tenants.acme.apps.web.budget", "counts no money"),
        ("budget: {compute_hours: 0}", "", "tenants.acme.apps.web.budget.compute_hours", "1 to"),
        ("budget: {money: 0}", "", "tenants.acme.apps.web.budget.money", "0.01 to"),
        ("", "budget: {compute_hours: 1, stop: true}, ", "tenants.acme.budget.stop", "not a key"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(app: str, tenant: str, path: str, says: str) -> None:
    with pytest.raises(RegistryError) as caught:
        registry(app, tenant)
    (found,) = caught.value.problems
    assert (found.path, says in found.message) == (path, True), found
