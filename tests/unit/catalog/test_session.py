from pathlib import Path

import pytest

from tenantry.catalog.errors import CatalogError
from tenantry.catalog.session import catalog_url, open_catalog
from tests.fake_pulumi import scripted

SECRET = "of-a-test"
URL = f"postgresql://keeper:{SECRET}@127.0.0.1:1/catalog"


def test_the_shell_goes_before_the_stack(tmp_path: Path) -> None:
    settings = '{"tenantry:catalogUrl": {"value": "postgresql://stack", "secret": true}}'
    environment = scripted(tmp_path, f"echo '{settings}'")
    assert catalog_url(environment | {"TENANTRY_CATALOG_URL": URL}) == URL
    assert catalog_url(environment | {"TENANTRY_CATALOG_URL": ""}) == "postgresql://stack"


def test_there_may_be_no_catalog(tmp_path: Path) -> None:
    assert catalog_url(scripted(tmp_path, "echo '{}'")) is None


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"post gres://keeper:{SECRET}@127.0.0.1:1/catalog",
        f"postgresql://keeper:{SECRET}@127.0.0.1:port/catalog",
        f"postgresql://keeper:{SECRET}@127.0.0.1:1/catalog?nothing=1",
        f"host=127.0.0.1 port=1 user={SECRET} password={SECRET}",
    ],
)
def test_a_catalog_that_is_not_reached_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(CatalogError) as refused, open_catalog(url):
        pass
    assert SECRET not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert refused.value.__suppress_context__
