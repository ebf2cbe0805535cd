"""The rules as such; their messages in a file are in test_bad_registries."""

import pytest

from tenantry.registry.checks import check
from tenantry.registry.models import (
    App,
    Branch,
    Compute,
    Database,
    Graph,
    Location,
    ServiceEntry,
)


def app(**settings: object) -> App:
    return App.model_validate(
        {
            "id": "a/b",
            "namespace": "n",
            "tenant": "a",
            "tenant_name": "a",
            "contact": None,
            "name": "b",
            "environment": "staging",
            "region": "aws-us-east-1",
            "location": Location("f", 1),
            **settings,
        }
    )


@pytest.mark.parametrize(
    ("least", "most"), [(0.25, 0.25), (0.25, 8), (8, 16), (16, 16), (18, 18), (56, 56)]
)
def test_compute_ranges_that_neon_takes(least: float, most: float) -> None:
    database = Database(compute=Compute(min_cu=least, max_cu=most))
    assert not list(check(app(database=database)))


@pytest.mark.parametrize(("least", "most"), [(1, 0.5), (0.25, 9), (8, 17), (17, 18), (16, 18)])
def test_compute_ranges_that_neon_refuses(least: float, most: float) -> None:
    database = Database(compute=Compute(min_cu=least, max_cu=most))
    assert len(list(check(app(database=database)))) == 1


def test_a_paid_graph_may_be_anywhere() -> None:
    graph = Graph(type="business-critical", cloud="aws", region="us-east-1", memory="8GB")
    assert not list(check(app(graph=graph)))


def test_a_protected_branch_is_fine_unless_the_app_is_to_be_deleted() -> None:
    database = Database(branches=(Branch(name="b", protected=True),))
    assert not list(check(app(database=database)))
    assert len(list(check(app(database=database, deletion="delete")))) == 1


def test_several_broken_rules_are_all_found() -> None:
    database = Database(
        compute=Compute(min_cu=4, max_cu=1), connection_limit=3000, extensions=("a", "a")
    )
    assert len(list(check(app(database=database, services=(ServiceEntry(name="auth"),) * 2)))) == 4


def test_addresses_that_overlap_are_not_the_same() -> None:
    addresses = ("10.0.0.0/24", "10.0.0.0", "10.0.0.0/25", "::a00:0", "0.0.0.0/0", "::/0")
    assert not list(check(app(database=Database(allowed_ips=addresses))))
