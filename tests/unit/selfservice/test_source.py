"""One registry of the file and of rows."""

from pathlib import Path

import pytest

from tenantry.catalog.errors import CatalogError
from tenantry.registry import parse
from tenantry.registry.asked import AskedRow
from tenantry.registry.source import FileSource
from tenantry.selfservice.errors import TwiceError
from tenantry.selfservice.source import JoinedSource, joined, source_of

PLAIN = """version: 1
namespace: shop
defaults: {environment: development, region: aws-us-east-2}
tenants: {acme: {apps: {web: {}}}}
"""
TEXT = (
    f"{PLAIN}self_service: {{plans: {{starter: {{}}}}, tenants: {{acme: {{plans: [starter]}}}}}}\n"
)


def row(name: str, plan: str = "starter", *, going: bool = False) -> AskedRow:
    return AskedRow(f"row-of-{name}", "acme", name, plan, deletion_requested=going)


def test_the_files_apps_come_first_and_rows_follow() -> None:
    rows = [row("a"), row("b", "gone"), row("c", going=True)]
    reading = joined(parse(TEXT.encode()), rows)
    assert [app.id for app in reading.registry.apps] == ["acme/web", "acme/a"]
    assert [app.row for app in reading.registry.apps] == [None, "row-of-a"]
    assert reading.registry.app("acme/a").namespace == "shop"
    assert reading.leaving == {"acme/c"}
    assert list(reading.kept) == ["acme/b"]
    assert reading.kept["acme/b"].startswith('catalog: acme/b: /plan: the plan "gone" is not')
    assert reading.rows == tuple(rows)
    assert reading.complete


@pytest.mark.parametrize("going", [False, True])
def test_an_app_in_both_is_an_error_that_names_both_places(*, going: bool) -> None:
    with pytest.raises(TwiceError) as refused:
        joined(parse(TEXT.encode(), "tenants.yaml"), [row("a"), row("web", going=going)])
    text = str(refused.value)
    assert text.startswith("tenants.yaml:4: acme/web is in the catalog as well (row row-of-web)")
    assert len(text.splitlines()) == 1


def test_rows_that_cannot_be_read_leave_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(TEXT)

    def rows(namespace: str) -> list[AskedRow]:
        assert namespace == "shop"
        raise CatalogError("the catalog: no connection\nmore")

    reading = JoinedSource(FileSource(file), rows).read()
    assert [app.id for app in reading.registry.apps] == ["acme/web"]
    assert (reading.unread, reading.complete) == ("the catalog: no connection", False)


def test_a_file_without_self_service_asks_for_no_rows(tmp_path: Path) -> None:
    """Nor for the catalog's URL, which may cost a process of the engine."""
    file = tmp_path / "tenants.yaml"
    file.write_text(PLAIN)
    reading = source_of(file, lambda: pytest.fail("was asked")).read()
    assert [app.id for app in reading.registry.apps] == ["acme/web"]


def test_a_project_without_a_catalog_has_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(TEXT)
    assert source_of(file, lambda: None).read().complete


def test_a_catalog_that_does_not_answer_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(TEXT)
    url = "postgresql://user:s3cret@127.0.0.1:1/db?connect_timeout=2"
    reading = source_of(file, lambda: url).read()
    assert reading.unread
    assert "s3cret" not in reading.unread
    assert len(reading.unread.splitlines()) == 1
