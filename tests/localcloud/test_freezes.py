"""Freezes on a real catalog: one for each app, over by themselves, ended by hand, and written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tenantry.catalog.errors import CatalogError
from tenantry.selfservice.errors import SelfServiceError
from tenantry.selfservice.freezes import freeze, read_freezes, thaw

if TYPE_CHECKING:
    from tests.localcloud.catalog import Catalog

ANN = {"reason": "by hand", "actor": "ann"}


def test_an_app_is_frozen_until_its_end_or_until_it_is_thawed(catalog: Catalog) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    freeze(catalog.url, "ns", "acme/web", until=soon, **ANN)
    freeze(catalog.url, "ns", "acme/lab", until=None, **ANN)
    freeze(catalog.url, "other", "acme/api", until=None, **ANN)
    found = read_freezes(catalog.url, "ns")
    assert list(found) == ["acme/lab", "acme/web"]
    assert str(found["acme/lab"]) == "acme/lab is frozen by ann: by hand"
    assert f"until {soon:%Y-%m-%d %H:%M} UTC" in str(found["acme/web"])
    # Again: the new reason and end.
    freeze(catalog.url, "ns", "acme/web", reason="longer", actor="bob", until=None)
    assert str(read_freezes(catalog.url, "ns")["acme/web"]) == "acme/web is frozen by bob: longer"
    assert thaw(catalog.url, "ns", "acme/web", actor="bob")
    assert not thaw(catalog.url, "ns", "acme/web", actor="bob")
    assert list(read_freezes(catalog.url, "ns")) == ["acme/lab"]
    catalog.ask("UPDATE tenantry.freezes SET until = now() - interval '1 second'")
    assert read_freezes(catalog.url, "ns") == {}
    assert catalog.ask(
        "SELECT action, actor FROM tenantry.audit WHERE object = 'acme/web' ORDER BY id"
    ) == [
        ("apps.freeze", "ann"),
        ("apps.freeze", "bob"),
        ("apps.thaw", "bob"),
    ]


def test_a_catalog_without_the_table_has_no_freezes_and_takes_none(database: Catalog) -> None:
    assert read_freezes(database.url, "ns") == {}
    assert not thaw(database.url, "ns", "acme/web", actor="ann")
    with pytest.raises(SelfServiceError, match="no table of freezes: tenantry up makes it"):
        freeze(database.url, "ns", "acme/web", until=None, **ANN)


def test_a_catalog_that_is_away_is_an_error() -> None:
    with pytest.raises(CatalogError):
        read_freezes("postgresql://nobody@127.0.0.1:1/none", "ns")
