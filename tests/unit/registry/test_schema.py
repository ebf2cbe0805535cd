import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tenantry.registry import RegistryError, parse
from tenantry.registry.frozen import Frozen
from tenantry.registry.models import ApiKey, Compute, Credentials, Database, Quotas
from tenantry.registry.schema import schema_text
from tenantry.registry.units import parse_duration
from tests.unit.registry.test_bad_registries import APP, DB, HEAD

ROOT = Path(__file__).parents[3]
SCHEMA: dict[str, Any] = json.loads(schema_text())
VALIDATOR = Draft202012Validator(SCHEMA)


class _Core(yaml.SafeLoader):
    """Reads as an editor does, by YAML 1.2: dates are text."""


_Core.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> object:
    return yaml.load(text, Loader=_Core)


def test_the_checked_in_schema_is_current() -> None:
    assert (ROOT / "tenants.schema.json").read_text("utf-8") == schema_text(), "make schema"


def test_the_schema_is_itself_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_example_points_to_the_schema_and_passes_it() -> None:
    text = (ROOT / "tenants.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=tenants.schema.json\n")
    assert [error.message for error in VALIDATOR.iter_errors(read(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        APP + "        databse: {}\n",
        APP.replace("production", "prod"),
        APP.replace("aws-us-east-2", "mars"),
        APP.replace("version: 1", "version: 2"),
        APP + "        services: auth\n",
        APP + "        services: [auth, auth]\n",
        APP + "        deletion: yes\n",
        APP + "        api_keys: [{scopes: [read]}]\n",
        APP + "        api_keys: [{name: a, scopes: []}]\n",
        APP + "        quotas: {databases: 0}\n",
        DB + "          statement_timeout: 30\n",
        DB + "          statement_timeout: 30sec\n",
        DB + "          history_retention: 500ms\n",
        DB + "          extensions: [plpgsql]\n",
        DB + "          postgres_version: 14\n",
        DB + '          connection_limit: "20"\n',
        DB + "          compute: {min_cu: 0.3}\n",
        DB + "          compute: {suspend_after: off}\n",
        DB + "          schema: {template: base, pth: ./b}\n",
        DB + "          schema: {template: base, path: ./b}\n",
        DB + "          schema: {revision: head}\n",
        DB + "          schema: Neon_Hub\n",
        DB + "          url_scheme: postgresql://\n",
        DB,
        HEAD,
        HEAD + "tenants:\n",
        HEAD + "tenants: [acme]\n",
        HEAD + "tenants: {acme: {}}\n",
        HEAD + "tenants: {Acme: {apps: {}}}\n",
        HEAD + f"tenants: {{{'a' * 64}: {{apps: {{}}}}}}\n",
        "tenants: {}\n",
    ],
)
def test_common_mistakes_fail_the_schema(text: str) -> None:
    assert not VALIDATOR.is_valid(read(text))
    with pytest.raises(RegistryError, match=r"^tenants\.yaml:"):
        parse(text.encode())


@pytest.mark.parametrize(
    "schema", ["neonhub", "./a", "/a", "{template: base}", "{path: ../a, revision: ab12}"]
)
def test_every_form_of_a_database_schema_passes(schema: str) -> None:
    text = DB + f"          schema: {schema}\n"
    parse(text.encode())
    assert VALIDATOR.is_valid(read(text))


def test_no_mapping_takes_keys_that_are_not_named() -> None:
    for name, definition in SCHEMA["$defs"].items():
        assert definition["additionalProperties"] is False, name
    assert SCHEMA["additionalProperties"] is False


def test_every_key_is_described() -> None:
    described = SCHEMA["$defs"] | {"Registry": SCHEMA}
    for name, definition in described.items():
        assert definition["description"], name
        for key, value in definition["properties"].items():
            assert "description" in value or "$ref" in value, f"{name}.{key}"


@pytest.mark.parametrize("model", [ApiKey, Compute, Credentials, Database, Quotas])
def test_the_defaults_shown_to_editors_are_those_applied(model: type[Frozen]) -> None:
    shown = {
        key: value["default"]
        for key, value in SCHEMA["$defs"][model.__name__]["properties"].items()
        if "default" in value
    }
    applied = model(name="a") if model is ApiKey else model()
    dumped = applied.model_dump(mode="json")
    assert shown
    for key, value in shown.items():
        expected = dumped[key]
        if isinstance(value, str) and isinstance(expected, int):
            unit = 1000 if key in {"suspend_after", "history_retention"} else 1
            assert parse_duration(value) == expected * unit, key
        else:
            assert (value or None) == (expected or None), key


def test_every_key_is_documented() -> None:
    document = (ROOT / "docs" / "registry.md").read_text("utf-8")
    for definition in [*SCHEMA["$defs"].values(), SCHEMA]:
        for key in definition["properties"]:
            assert f"`{key}`" in document or f"`{key}:" in document or f"{{{key}:" in document, key
