"""The JSON Schemas of what `tenantry plan --json` and `tenantry drift --json` print, made from their models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema

from tenantry.planning.drift import Drift
from tenantry.planning.plan import Plan

if TYPE_CHECKING:
    from pydantic import BaseModel

DOCUMENTS: Final[dict[str, type[BaseModel]]] = {"drift": Drift, "plan": Plan}


def schema_text(document: str) -> str:
    """Return the JSON Schema (2020-12) of `plan` or `drift`, the text of `plan.schema.json` or `drift.schema.json`."""
    schema = DOCUMENTS[document].model_json_schema(mode="serialization", schema_generator=_Schema)
    title = {"$schema": _Schema.schema_dialect, "title": f"Tenantry {document}"}
    return json.dumps(title | schema | title, indent=2, ensure_ascii=False) + "\n"


class _Schema(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  # pydantic's signature
        return False
