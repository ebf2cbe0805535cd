"""Rows that are taken over from the file and given up, on a real server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tenantry.catalog.errors import CatalogError
from tenantry.registry.asked import AskedRow
from tenantry.selfservice.asked_rows import give_up, read_rows, take_over
from tenantry.selfservice.errors import SelfServiceError

if TYPE_CHECKING:
    from tests.localcloud.catalog import Catalog

ROW = AskedRow("", "acme", "web", "starter", {"region": "gwc"})


def take(catalog: Catalog, row: AskedRow = ROW) -> AskedRow:
    taken = take_over(catalog.url, "tenantry", row, "ann@host")
    (there,) = read_rows(catalog.url, "tenantry")
    assert there == replace(row, id=taken)
    return there


def test_a_row_that_is_taken_over_is_as_it_was_asked_for(catalog: Catalog) -> None:
    """So no worker finds anything to do about it; taking it over again is the same row."""
    row = take(catalog)
    assert catalog.ask("SELECT generation, observed_generation, owner FROM tenantry.app_specs") == [
        (1, 1, "ann@host")
    ]
    assert take(catalog).id == row.id
    assert catalog.ask("SELECT actor, action, object FROM tenantry.audit") == [
        ("ann@host", "apps.import", "acme/web")
    ]
    assert read_rows(catalog.url, "another") == []


@pytest.mark.parametrize(
    "change",
    ["plan = 'pro'", "overrides = '{}'", "deletion_requested_at = now()"],
)
def test_a_row_that_says_something_else_is_not_taken_for_it(catalog: Catalog, change: str) -> None:
    take(catalog)
    catalog.ask(f"UPDATE tenantry.app_specs SET {change}")
    with pytest.raises(SelfServiceError, match="has a row that says something else"):
        take_over(catalog.url, "tenantry", ROW, "ann@host")


def test_a_row_that_is_given_up_is_gone_and_its_name_free(catalog: Catalog) -> None:
    row = take(catalog)
    give_up(catalog.url, "tenantry", row, "ann@host")
    give_up(catalog.url, "tenantry", row, "ann@host")
    assert read_rows(catalog.url, "tenantry") == []
    assert take(catalog).id != row.id


def test_a_row_whose_app_is_worked_on_is_not_given_up(catalog: Catalog) -> None:
    row = take(catalog)
    catalog.ask(
        "INSERT INTO tenantry.operations (spec, namespace, app_id, kind, status, actor) "
        "VALUES (%s, 'tenantry', 'acme/web', 'delete', 'queued', 'bob')",
        row.id,
    )
    with pytest.raises(SelfServiceError, match=r"an operation \(delete\) of acme/web is waiting"):
        give_up(catalog.url, "tenantry", row, "ann@host")
    catalog.ask("DELETE FROM tenantry.operations")
    catalog.ask("UPDATE tenantry.app_specs SET generation = 2")
    with pytest.raises(SelfServiceError, match="was changed meanwhile"):
        give_up(catalog.url, "tenantry", row, "ann@host")
    assert len(read_rows(catalog.url, "tenantry")) == 1


def test_a_catalog_without_the_table_has_no_rows_and_takes_none(catalog: Catalog) -> None:
    with catalog.database() as bare:
        assert read_rows(bare.url, "tenantry") == []
        with pytest.raises(SelfServiceError, match="has no table"):
            take_over(bare.url, "tenantry", ROW, "ann@host")


def test_a_user_who_may_not_read_rows_is_no_empty_catalog(catalog: Catalog) -> None:
    """Or every app that was asked for would seem to have left."""
    with catalog.user() as nobody, pytest.raises(CatalogError):
        read_rows(nobody.url, "tenantry")
