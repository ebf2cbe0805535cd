import base64
import pickle
from pathlib import Path

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider

from providers.api_keys import ApiKeyProvider
from providers.catalog import AppRecordProvider, CatalogProvider, ServicesProvider, TablesProvider
from providers.provider import ServedRequest, Surroundings
from tenantry.provisioning.errors import MissingError, RejectedError, UnavailableError
from tenantry.retries import RetryPolicy

EVERY = [ApiKeyProvider, AppRecordProvider, ServicesProvider, TablesProvider]
PASSWORD = "of-a-test"
# Nobody listens on port 1.
SHELL = f"postgresql://shell:{PASSWORD}@127.0.0.1:1/catalog"
STACK = f"postgresql://stack:{PASSWORD}@127.0.0.1:1/catalog"
SERVICES = {
    "namespace": "tenantry",
    "app": "acme/web",
    "services": {"auth": "active"},
    "catalog": "127.0.0.1:1/catalog",
    "retries": RetryPolicy(attempts=1).text(),
}


def configured(provider: CatalogProvider, url: str | None = None) -> CatalogProvider:
    provider.configure(
        ConfigureRequest(Config({"tenantry:catalogUrl": url} if url else {}, "another"))
    )
    return provider


@pytest.fixture(autouse=True)
def _no_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTRY_CATALOG_URL", raising=False)


@pytest.mark.parametrize("provider", EVERY)
def test_the_shell_goes_before_the_stack(
    provider: type[CatalogProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert configured(provider(), STACK).url("acme/web") == STACK
    monkeypatch.setenv("TENANTRY_CATALOG_URL", SHELL)
    assert configured(provider(), STACK).url("acme/web") == SHELL
    monkeypatch.setenv("TENANTRY_CATALOG_URL", "")
    assert configured(provider(), STACK).url("acme/web") == STACK


@pytest.mark.parametrize("provider", EVERY)
def test_a_run_that_is_served_says_itself_what_its_variables_are(
    provider: type[CatalogProvider], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TENANTRY_CATALOG_URL", "postgresql://of.this.process/catalog")
    cases: list[tuple[dict[str, str], str]] = [
        ({"TENANTRY_CATALOG_URL": SHELL}, SHELL),
        ({}, STACK),
    ]
    for variables, url in cases:
        made = provider()
        config = Config({"tenantry:catalogUrl": STACK}, "tenantry")
        made.configure(ServedRequest(config, Surroundings(variables, tmp_path)))
        assert made.url("acme/web") == url


@pytest.mark.parametrize("provider", EVERY)
def test_without_a_url_it_says_where_to_write_one(provider: type[CatalogProvider]) -> None:
    with pytest.raises(MissingError, match="set TENANTRY_CATALOG_URL") as raised:
        configured(provider()).url("acme/web")
    assert (raised.value.app, raised.value.step) == ("acme/web", provider.step)


@pytest.mark.parametrize("provider", EVERY)
def test_what_goes_into_the_state_is_a_name_and_nothing_that_is_secret(
    provider: type[CatalogProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_CATALOG_URL", SHELL)
    kept = base64.b64decode(serialize_provider(provider()))
    assert PASSWORD.encode() not in kept
    assert provider.__name__.encode() in kept
    assert provider.__module__.encode() in kept
    assert len(kept) < 120
    again = pickle.loads(kept)
    assert (type(again), vars(again)) == (provider, {})
    assert provider().serialize_as_secret_always is False


def test_a_catalog_that_does_not_answer_is_one_line_without_the_password() -> None:
    provider = configured(ServicesProvider(), SHELL)
    assert isinstance(provider, ServicesProvider)
    with pytest.raises(UnavailableError) as raised:
        provider.create(dict(SERVICES))
    assert str(raised.value).startswith("acme/web: services: the catalog: ")
    assert len(str(raised.value).splitlines()) == 1
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://keeper:{PASSWORD} x@127.0.0.1:1/catalog",
        f"postgresql://keeper:{PASSWORD}@127.0.0.1:1/catalog?nothing=1",
    ],
)
def test_a_url_that_is_none_is_refused_without_being_quoted(url: str) -> None:
    provider = configured(ServicesProvider(), url)
    assert isinstance(provider, ServicesProvider)
    with pytest.raises(RejectedError, match="write postgresql://user:password@host") as raised:
        provider.create(dict(SERVICES))
    assert PASSWORD not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_catalog_that_does_not_answer_is_asked_as_often_as_the_policy_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    provider = configured(ServicesProvider(), SHELL)
    assert isinstance(provider, ServicesProvider)
    retries = RetryPolicy(attempts=3, first_delay=2_000, factor=2.0, cap=90_000, jitter=0.0).text()
    with pytest.raises(UnavailableError):
        provider.create(SERVICES | {"retries": retries})
    assert slept == [2.0, 4.0]


def test_deleting_the_tables_asks_nobody() -> None:
    configured(TablesProvider(), SHELL).delete("catalog", {"catalog": "127.0.0.1:1/catalog"})
