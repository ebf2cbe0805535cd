import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from providers.api_keys import ApiKeyProvider
from providers.provider import Surroundings
from tenantry.catalog.keys import digest, parse

ROOT = Path(__file__).parents[3]
INPUTS: dict[str, Any] = {
    "namespace": "tenantry",
    "app": "acme/web",
    "name": "default",
    "prefix": "acme--default",
    "generation": 2.0,  # the engine's numbers are all floating
    "scopes": ["read"],
    "expiresAt": "2027-07-01T00:00:00+00:00",
    "catalog": "",
    "record": "recorded",
    "retries": None,
}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> ApiKeyProvider:
    """A provider of a run without a catalog."""
    monkeypatch.delenv("TENANTRY_CATALOG_URL", raising=False)
    provider = ApiKeyProvider()
    provider.configure(ConfigureRequest(Config({}, "tenantry")))
    return provider


def test_a_key_is_made_with_its_prefix_and_the_time(provider: ApiKeyProvider) -> None:
    before = int(time.time())
    made = provider.create(INPUTS)
    assert made.outs is not None
    parts = parse(made.outs["key"])
    assert parts is not None
    assert parts.prefix == "acme--default"
    assert before <= parts.created_at.timestamp() <= time.time()
    assert made.id == "acme/web:default:2"
    assert made.outs["hash"] == digest(made.outs["key"])
    assert datetime.fromtimestamp(made.outs["createdAt"], UTC) == parts.created_at
    assert made.outs["revokedAt"] is None
    assert made.outs["createdBy"]


def test_no_two_keys_are_the_same(provider: ApiKeyProvider) -> None:
    outs = [provider.create(INPUTS).outs or {} for _ in range(20)]
    assert len({each["key"] for each in outs}) == 20


def test_what_was_made_is_no_difference_to_what_made_it(provider: ApiKeyProvider) -> None:
    made = provider.create(INPUTS)
    assert provider.diff(made.id, made.outs or {}, INPUTS).changes is False


def test_a_change_keeps_the_key_and_what_is_known_of_it(provider: ApiKeyProvider) -> None:
    olds = (provider.create(INPUTS).outs or {}) | {"revokedAt": "2026-11-22T00:00:00+00:00"}
    outs = provider.update("id", olds, INPUTS | {"scopes": ["read", "write"]}).outs
    assert outs == olds | {"scopes": ["read", "write"]}


def test_a_refresh_without_a_catalog_finds_everything_as_it_was(provider: ApiKeyProvider) -> None:
    made = provider.create(INPUTS)
    outs = made.outs or {}
    read = provider.read(made.id, outs)
    assert (read.id, read.outs, read.inputs) == (made.id, outs, INPUTS)


def test_deleting_without_a_catalog_asks_nobody(provider: ApiKeyProvider) -> None:
    outs = provider.create(INPUTS).outs or {}
    provider.delete("id", outs)


def test_who_runs_it_may_have_no_name(
    provider: ApiKeyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", unknown)
    provider.surroundings = Surroundings({})
    assert (provider.create(INPUTS).outs or {})["createdBy"] == "unknown"
    provider.surroundings = Surroundings({"USER": "ada"})
    assert (provider.create(INPUTS).outs or {})["createdBy"] == "ada"


def test_a_key_without_a_catalog_costs_no_database_driver() -> None:
    code = f"""
import sys
from pulumi.dynamic import Config, ConfigureRequest
from providers.api_keys import ApiKeyProvider
provider = ApiKeyProvider()
provider.configure(ConfigureRequest(Config({{}}, "tenantry")))
inputs = {INPUTS!r}
made = provider.create(inputs)
provider.diff(made.id, made.outs, inputs)
provider.delete(made.id, provider.read(made.id, made.outs).outs)
print([name for name in ("sqlalchemy", "psycopg", "alembic", "tenacity") if name in sys.modules])
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert said.stdout == "[]\n"
