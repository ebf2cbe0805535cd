"""Where an app's tables come from: `database.schema`."""

import re
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from tenantry.errors import shown
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import Flag, Rule, RuleError, matching, text, wrong_kind
from tenantry.registry.written.texts import LABEL_PATTERN, PATH_STARTS, Folder, label
from tenantry.schemas.templates import TEMPLATES


def revision(value: object) -> str:
    """Check the name of an Alembic revision, or `head`."""
    word = text(value)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", word, re.ASCII):
        raise RuleError(f'{shown(word)} is not a revision: write its id, or "head"')
    return word


def long_schema(value: object) -> object:
    """Turn the short form of a schema, a template's name or a path, into the long one."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"path" if value.startswith(PATH_STARTS) else "template": value}
    raise RuleError(wrong_kind("a template's name, a path or a mapping", value))


# Editors offer ours. Whether there is one of another name is known with the whole file (`registry.templates`).
Template = Annotated[
    str,
    Rule(
        label,
        {"anyOf": [{"enum": list(TEMPLATES)}, {"type": "string", "pattern": LABEL_PATTERN}]},
    ),
]
Revision = Annotated[str, matching(revision, "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]


class SchemaSource(Written):
    """Where the app's tables come from: one of `template` and `path`."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["template"]}, {"required": ["path"]}]}
    )

    template: Template | None = Field(
        None,
        description="A schema template: one that comes with Tenantry, of this file's templates, or of a package.",
    )
    path: Folder | None = Field(
        None,
        description="An Alembic folder; relative to this file's folder, starting with ./ or ../.",
    )
    revision: Revision | None = Field(
        None,
        description="The revision to migrate to: an id, or head for the newest.",
        json_schema_extra={"default": "head"},
    )
    allow_downgrade: Flag | None = Field(
        None,
        description="Whether revisions may be taken back, with the data in what they made.",
        json_schema_extra={"default": False},
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.template is None) == (self.path is None):
            raise RuleError('needs one of "template" and "path", and not both')
        return self
