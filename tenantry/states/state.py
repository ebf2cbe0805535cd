"""What a stack's state says of projects, graphs and operations that were cut off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tenantry.clouds import table
from tenantry.states.apps import apps_in, name_of, resources_of
from tenantry.states.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tenantry.clouds.cloud import Cloud, Held


@dataclass(frozen=True)
class Pending:
    """An operation that the state says has begun, and not that it ended."""

    urn: str
    type: str
    operation: str
    """`creating`, `updating`, `deleting`, `reading` or `importing`."""
    wanted: Held | None = None
    """What a project or an instance was to be."""

    @property
    def name(self) -> str:
        """The resource's name, which begins with its app's id."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def kind(self) -> str:
        """The last word of its type: `Project`, `Role`."""
        return self.type.rsplit(":", 1)[-1]


@dataclass(frozen=True)
class StackState:
    """What a stack holds."""

    stack: str
    written: datetime
    """When the engine wrote it last; each step is written before its request goes out."""
    resources: Mapping[str, str] = field(default_factory=dict)
    """The id of each resource by its URN; empty for a component."""
    apps: tuple[str, ...] = ()
    held: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    """Projects and instances, by the name of their cloud."""
    pending: tuple[Pending, ...] = ()

    def of(self, cloud: Cloud) -> tuple[Held, ...]:
        """Return what the stack holds in a cloud."""
        return self.held.get(cloud.name, ())

    def begun(self, cloud: Cloud) -> tuple[Held, ...]:
        """Return what was to be made in a cloud when the run was cut off."""
        return tuple(
            each.wanted
            for each in self.pending
            if each.wanted and each.operation == "creating" and each.type == cloud.type
        )


def read_state(stack: str, content: Mapping[str, Any] | None) -> StackState:
    """Read a state as the store has it; None is the state of a stack in which nothing was applied."""
    found = content or {}
    resources = resources_of(found)
    return StackState(
        stack=stack,
        written=moment(found.get("manifest", {}).get("time")),
        resources={each["urn"]: str(each.get("id") or "") for each in resources},
        apps=tuple(apps_in(found)),
        held={
            cloud.name: tuple(
                cloud.held(each, name_of(each)) for each in resources if each["type"] == cloud.type
            )
            for cloud in table.CLOUDS
        },
        pending=tuple(_pending(each) for each in found.get("pending_operations") or []),
    )


def _pending(operation: Mapping[str, Any]) -> Pending:
    resource = operation["resource"]
    kind = resource["type"]
    cloud = table.cloud_of(kind)
    wanted = cloud.held(resource, name_of(resource)) if cloud else None
    return Pending(resource["urn"], kind, operation["type"], wanted)
