"""What the state of an app's stack holds: which resources, as what they were applied. No value that may be secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tenantry.clouds.table import CLOUDS
from tenantry.planning.resources import kind_of
from tenantry.registry import tokens
from tenantry.registry.names import own_stack
from tenantry.states.apps import held_in, name_of, resources_of

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.fleet.project import Project

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,80}")
_TOLD: Final = frozenset(
    {
        *(type_ for cloud in CLOUDS for type_ in cloud.kinds),
        *(tokens.ROLE, tokens.DATABASE, tokens.SCHEMA, tokens.EXTENSION),
    }
)
"""Types whose id says where a thing is. Others' ids say nothing, or are made of a secret."""


@dataclass(frozen=True)
class Resource:
    """One resource."""

    kind: str
    name: str
    id: str
    """As its cloud calls it; empty where that says nothing."""


@dataclass(frozen=True)
class Held:
    """An app as its stack holds it."""

    stack: str
    written: datetime
    resources: tuple[Resource, ...]
    revision: str
    """Of its schema; empty where it has none."""
    declared: str | None
    """The app as it was applied last (`tenantry.registry.declared`)."""


def read_held(project: Project, app_id: str) -> Held | None:
    """Read the state of an app's own stack; None where there is none. It may take a process.

    :raises TenantryError: the states cannot be read
    """
    stack = own_stack(app_id)
    state = project.store.state(stack)
    holding = held_in(state, stack, app_id)
    if holding is None:
        return None
    resources = resources_of(state)
    revision = next(
        (
            str((each.get("outputs") or {}).get("revision") or "")
            for each in resources
            if each["type"] == tokens.MIGRATION
        ),
        "",
    )
    said = holding.applied.get("declared")
    return Held(
        stack,
        holding.written,
        tuple(_resource(each) for each in resources if each.get("custom")),
        revision,
        said if isinstance(said, str) else None,
    )


def _resource(resource: Any) -> Resource:  # noqa: ANN401  # as the engine writes it
    type_ = resource["type"]
    own = str(resource.get("id") or "")
    told = type_ in _TOLD and _ID.fullmatch(own)
    return Resource(kind_of(type_).word, name_of(resource), own if told else "")
