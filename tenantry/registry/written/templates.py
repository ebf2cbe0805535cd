"""Schema templates of the operator's own: `templates`."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from tenantry.errors import shown
from tenantry.registry.written.database import Extension
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import RuleError, matching
from tenantry.registry.written.texts import LABEL_PATTERN, Folder, label
from tenantry.schemas.templates import TEMPLATES


def own_name(value: object) -> str:
    """Check the name of a template of one's own: those of ours are taken."""
    word = label(value)
    if word in TEMPLATES:
        raise RuleError(
            f"{shown(word)} is the name of a template that comes with Tenantry: write another name"
        )
    return word


def long_template(value: object) -> object:
    """Turn the short form of a template, its folder, into the long one."""
    return {"path": value} if isinstance(value, str) else value


class Template(Written):
    """An Alembic history that apps name as their schema."""

    path: Folder = Field(
        description="Its folder; relative to this file's folder, starting with ./ or ../."
    )
    extensions: list[Extension] | None = Field(
        None,
        description="Extensions that its revisions use; they are made before it runs.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )


Templates = dict[
    Annotated[str, matching(own_name, LABEL_PATTERN, **{"not": {"enum": list(TEMPLATES)}})],
    Annotated[Template, BeforeValidator(long_template, json_schema_input_type=Folder | Template)],
]
