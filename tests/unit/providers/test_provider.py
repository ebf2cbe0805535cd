import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import UNKNOWN

from providers.api_keys import ApiKeyProvider
from providers.catalog import (
    AppRecordProvider,
    CatalogProvider,
    ServicesProvider,
    TablesProvider,
)
from providers.provider import Provider
from providers.schema import MigrationProvider

ROOT = Path(__file__).parents[3]
EVERY = [
    ApiKeyProvider,
    AppRecordProvider,
    MigrationProvider,
    ServicesProvider,
    TablesProvider,
]


def given(provider: type[Provider]) -> dict[str, object]:
    return {name: f"the {name}" for name in provider.inputs}


@pytest.mark.parametrize("provider", EVERY)
def test_the_same_inputs_are_no_difference(provider: type[Provider]) -> None:
    inputs = given(provider)
    outputs = inputs | {"retries": {"attempts": 2.0}, "made": "by create"}
    assert provider().diff("id", outputs, inputs | {"retries": {"attempts": 2.0}}).changes is False


@pytest.mark.parametrize("provider", EVERY)
def test_another_retry_policy_changes_nothing_that_is_there(provider: type[Provider]) -> None:
    inputs = given(provider)
    outputs = inputs | {"retries": {"attempts": 2.0}}
    assert provider().diff("id", outputs, inputs | {"retries": {"attempts": 5.0}}).changes is False


@pytest.mark.parametrize("provider", EVERY)
def test_every_input_makes_a_difference_and_none_a_replacement(provider: type[Provider]) -> None:
    inputs = given(provider)
    for name in provider.inputs:
        result = provider().diff("id", inputs, inputs | {name: "another"})
        assert (name, result.changes, result.replaces) == (name, True, None)


@pytest.mark.parametrize("provider", EVERY)
@pytest.mark.parametrize("value", [UNKNOWN, [UNKNOWN], {"id": UNKNOWN}, [{"id": UNKNOWN}]])
def test_what_is_not_known_yet_differs(provider: type[Provider], value: object) -> None:
    inputs = given(provider)
    for name in provider.inputs:
        olds = inputs | {name: ["known"]}
        assert provider().diff("id", olds, inputs | {name: value}).changes is True


@pytest.mark.parametrize("provider", [ApiKeyProvider, AppRecordProvider, ServicesProvider])
def test_a_check_takes_what_is_not_known_yet(provider: type[CatalogProvider]) -> None:
    inputs = dict.fromkeys(provider.inputs, UNKNOWN)
    assert provider().check({}, inputs).failures == []


SERVER = """
import sys, traceback
from pulumi.dynamic import Config, ConfigureRequest
from providers.catalog import ServicesProvider

def called(action):
    try:
        action()
    except Exception:
        return traceback.format_exc()

provider = ServicesProvider()
if sys.argv[1] == "configured":
    provider.configure(ConfigureRequest(Config({}, "tenantry")))
props = {"namespace": "tenantry", "app": "acme/web", "services": {"auth": "active"}, "catalog": "db/c"}
print(called(lambda: provider.create(props)) if sys.argv[2] == "refused" else called(lambda: 1 / 0))
"""


def said(*arguments: str) -> list[str]:
    """Run what stands for the SDK's server: a main module that imports `traceback`."""
    done = subprocess.run(
        [sys.executable, "-c", SERVER, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
    )
    return done.stdout.splitlines()


def test_a_failure_that_says_all_by_itself_is_one_line() -> None:
    line = (
        "acme/web: services: no catalog is configured, and this row is in one: "
        "set TENANTRY_CATALOG_URL, or pulumi config set --secret tenantry:catalogUrl"
    )
    assert said("configured", "refused") == [line]


def test_any_other_failure_comes_with_the_way_there() -> None:
    lines = said("configured", "broken")
    assert lines[0] == "Traceback (most recent call last):"
    assert "ZeroDivisionError: division by zero" in lines


def test_without_configuration_nothing_is_changed_in_the_server() -> None:
    assert said("not", "refused")[0] == "Traceback (most recent call last):"


def test_another_main_module_is_left_alone() -> None:
    main = sys.modules["__main__"]
    before = dict(vars(main))
    Provider().configure(ConfigureRequest(Config({}, "tenantry")))
    assert vars(main) == before
