"""What a plan adds to a month's cost, against sums that were done by hand."""

from __future__ import annotations

import json

import pytest

from tenantry.planning.lines import monthly
from tenantry.planning.markdown import markdown
from tenantry.planning.monthly import capacity, with_cost
from tenantry.planning.plan import Capacity, Counts, Plan, Row
from tenantry.registry import parse
from tenantry.registry.declared import declared
from tenantry.registry.prices import Prices


def app(more: str = "") -> str:
    text = f"""version: 1
defaults: {{environment: development, region: aws-us-east-2}}
tenants: {{acme: {{apps: {{web: {{{more}}}}}}}}}
"""
    return declared(parse(text.encode()).apps[0])


def prices(text: str = "") -> Prices:
    return parse(f"version: 1\ntenants: {{}}\nprices: {{{text}}}\n".encode()).prices


GRAPH = "graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}"
OWN = "as_of: 2026-12-01, source: a contract, graphs: {professional-db: 60}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # The default is 0.25 to 2 CU, which suspends: 744 hours of 2.
        (None, "", Capacity(least=0, most=1488)),
        ("", None, Capacity(least=0, most=-1488)),
        ("", "database: {compute: {max_cu: 4}}", Capacity(least=0, most=1488)),
        ("", "database: {compute: {suspend_after: never}}", Capacity(least=186, most=0)),
        ("", "database: {branches: {preview: {}}}", Capacity(least=0, most=1488)),
        ("", GRAPH, Capacity(graphs={"professional-db": 2})),
        (
            GRAPH,
            GRAPH.replace("2GB", "2GB, paused: true"),
            Capacity(graphs={"professional-db": -1.6}),
        ),
        ("", "database: {statement_timeout: 1s}", None),
        ("", "", None),
    ],
)
def test_what_may_be_used_more(
    before: str | None, after: str | None, expected: Capacity | None
) -> None:
    old, new = (None if each is None else app(each) for each in (before, after))
    assert capacity(old, new) == expected


def test_what_an_older_version_kept_tells_nothing() -> None:
    assert capacity(json.dumps({"id": "acme/web", "database": {}}), app()) is None


def planned(*changes: Capacity | None) -> Plan:
    rows = tuple(
        Row(stack="dev", app=f"acme/a{n}", action="update", resources=Counts(), capacity=each)
        for n, each in enumerate(changes)
    )
    return Plan(summary=Counts(update=len(rows)), rows=rows)


def test_the_range_is_to_the_cent_and_shown_in_one_line() -> None:
    # 186 hours at 0.106 are 19.716, 1488 are 157.728; 2 GB at 60 for 744 of 720 hours are 124.
    change = Capacity(least=186, most=1488, graphs={"professional-db": 2, "enterprise-db": 1})
    made = with_cost(planned(change, None), lambda: prices(OWN))
    line = (
        "A month: +143.72 USD if computes sleep, +281.73 at most (estimate: plan launch, prices of 2026-12-01; "
        "without a price: enterprise-db)."
    )
    assert monthly(made) == line
    assert line in markdown(made)


def test_less_is_told_as_less() -> None:
    made = with_cost(planned(Capacity(most=-1488)), prices)
    assert made.monthly is not None
    assert (made.monthly.least, made.monthly.most) == ("+0.00", "-157.73")


def test_prices_are_not_read_where_nothing_costs_more() -> None:
    def never() -> Prices:
        raise AssertionError

    made = planned(None)
    assert with_cost(made, never) == made
    assert monthly(made) is None
