"""Neo4j Aura instances: `graph` and `graphs_per_user`."""

import re
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from tenantry.clouds import aura
from tenantry.errors import shown
from tenantry.registry import models, units
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import (
    Flag,
    Rule,
    RuleError,
    choice,
    literal,
    matching,
    text,
    wrong_kind,
)
from tenantry.registry.written.texts import Folder


def memory(value: object) -> str:
    """Check a graph's memory; return it as Aura writes it (`8GB`)."""
    least, most = aura.MEMORY_LIMITS_GB
    if isinstance(value, int | float) and not isinstance(value, bool):
        meant = value if isinstance(value, int) and least <= value <= most else 8
        raise RuleError(f'{shown(value)} has no unit: write it in GB, such as "{meant}GB"')
    if not isinstance(value, str):
        raise RuleError(wrong_kind('a size such as "8GB"', value))
    size = units.parse_size(value)
    gigabytes, rest = divmod(size, units.BYTES["GB"])
    if rest or not least <= gigabytes <= most:
        raise RuleError(f"{shown(value)} is out of range: whole GB from {least}GB to {most}GB")
    return f"{gigabytes}GB"


def graph_region(value: object) -> str:
    """Check the form of a graph's region; which ones exist depends on the account."""
    word = text(value)
    if not re.fullmatch(aura.REGION_PATTERN.strip("^$"), word, re.ASCII):
        raise RuleError(
            f"{shown(word)} is not a region: write the cloud's own name, such as us-central1"
        )
    return word


def user(value: object) -> str:
    """Check the id of an app's user."""
    word = text(value)
    if not re.fullmatch(aura.USER_PATTERN.strip("^$"), word, re.ASCII):
        raise RuleError(
            f"{shown(word)} is not a user's id: write 1 to 128 letters, digits and . _ @ | + -, beginning and ending with a letter "
            "or a digit"
        )
    return word


Memory = Annotated[str, matching(memory, "^[0-9]{1,12}(MB|GB)$", examples=["1GB"])]
GraphRegion = Annotated[str, matching(graph_region, aura.REGION_PATTERN, examples=["us-central1"])]
User = Annotated[str, matching(user, aura.USER_PATTERN)]
GraphVersion = Annotated[str, Rule(choice(*aura.VERSIONS), {"enum": list(aura.VERSIONS)})]
Cloud = Annotated[models.Cloud, literal(models.Cloud)]
GraphType = Annotated[models.GraphType, literal(models.GraphType)]


class Graph(Written):
    """A Neo4j Aura instance for the app."""

    type: GraphType = Field(description="The tier. Changing it replaces the instance.")
    cloud: Cloud = Field(description="The cloud; free-db is on gcp.")
    region: GraphRegion = Field(description="The cloud's own name of the region.")
    memory: Memory = Field(description="The instance's memory in GB; free-db has 1GB.")
    version: GraphVersion | None = Field(
        None, description="Neo4j's version, in quotes.", json_schema_extra={"default": "5"}
    )
    paused: Flag | None = Field(
        None,
        description="Whether it is paused: it keeps its data and answers nothing. Not for free-db.",
        json_schema_extra={"default": False},
    )
    snapshot_before_delete: Flag | None = Field(
        None,
        description="Whether a snapshot is taken before it is deleted or replaced. Not for free-db.",
        json_schema_extra={"default": False},
    )


class GraphsPerUser(Graph):
    """A Neo4j Aura instance for each user of the app: one kind for all, and who they are."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["users"]}, {"required": ["users_file"]}]}
    )

    users: list[User] | None = Field(
        None, description="The users' ids.", json_schema_extra={"uniqueItems": True}
    )
    users_file: Folder | None = Field(
        None,
        description="A file with a user's id on each line, relative to this file's folder, starting with ./ or ../.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.users is None) == (self.users_file is None):
            raise RuleError('needs one of "users" and "users_file", and not both')
        return self
