"""The registry's JSON Schema, for editors. It is made from the models, so the two always agree.

It knows shapes, names, units, ranges and defaults. `tenantry validate` checks the rest: rules on several values, such
as quotas and a range of compute sizes, and what the defaults add.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from tenantry.registry.written.registry import Registry

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue
    from pydantic_core import CoreSchema, core_schema


def schema_text() -> str:
    """Return the JSON Schema (2020-12) of the registry as the text of `tenants.schema.json`."""
    schema = Registry.model_json_schema(schema_generator=_Schema)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


class _Schema(GenerateJsonSchema):
    """As pydantic makes it, but None is "not written", which JSON Schema says by not requiring a key."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        title = {"$schema": self.schema_dialect, "title": "Tenantry registry"}
        return title | super().generate(schema, mode) | title

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        names = self.generate_inner(schema["keys_schema"])
        values = self.generate_inner(schema["values_schema"])
        return {"type": "object", "propertyNames": names, "additionalProperties": values}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  # pydantic's signature
        return False
