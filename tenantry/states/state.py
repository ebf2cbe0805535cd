"""What a stack's state says of projects, graphs and operations that were cut off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tenantry.neon.client import setting_text
from tenantry.registry import tokens
from tenantry.states.apps import apps_in, name_of, resources_of
from tenantry.states.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Held:
    """A project or an instance as a resource has it: in the state, or asked for by a create that was cut off."""

    target: str
    """The app, or the graph: `acme/web`, `acme/web/alice`."""
    name: str
    id: str = ""
    """Empty where only the create is known."""
    account: str = ""
    """The Neon organization, or the Aura project; empty where the API key implies it."""
    place: Mapping[str, str] = field(default_factory=dict)
    """What the cloud cannot change about it, by the cloud's own word; what the state does not know is not there."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What can be changed about it, as the last run asked, by property; values as `tenantry.neon.client` has them."""
    adopts: str = ""
    """The id of the instance that a create is to take over."""


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
    projects: tuple[Held, ...] = ()
    instances: tuple[Held, ...] = ()
    pending: tuple[Pending, ...] = ()


def read_state(stack: str, content: Mapping[str, Any] | None) -> StackState:
    """Read a state as the store has it; None is the state of a stack in which nothing was applied."""
    found = content or {}
    resources = resources_of(found)
    return StackState(
        stack=stack,
        written=moment(found.get("manifest", {}).get("time")),
        resources={each["urn"]: str(each.get("id") or "") for each in resources},
        apps=tuple(apps_in(found)),
        projects=tuple(_project(each) for each in resources if each["type"] == tokens.PROJECT),
        instances=tuple(_instance(each) for each in resources if each["type"] == tokens.INSTANCE),
        pending=tuple(_pending(each) for each in found.get("pending_operations") or []),
    )


def _pending(operation: Mapping[str, Any]) -> Pending:
    resource = operation["resource"]
    kind = resource["type"]
    wanted = None
    if kind == tokens.PROJECT:
        wanted = _project(resource)
    elif kind == tokens.INSTANCE:
        wanted = _instance(resource)
    return Pending(resource["urn"], kind, operation["type"], wanted)


def _project(resource: Mapping[str, Any]) -> Held:
    facts = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}
    place = {"region": facts.get("regionId"), "PostgreSQL": facts.get("pgVersion")}
    return Held(
        target=name_of(resource),
        name=_text(facts.get("name")),
        id=str(resource.get("id") or ""),
        account=_text(facts.get("orgId")),
        # A number comes back from JSON as 17 or as 17.0.
        place={
            key: f"{value:g}" if isinstance(value, int | float) else _text(value)
            for key, value in place.items()
            if value
        },
        settings=_settings(resource.get("inputs") or {}),
    )


def _settings(inputs: Mapping[str, Any]) -> dict[str, str]:
    compute = inputs.get("defaultEndpointSettings") or {}
    # Where nothing is said of these, Neon's are as they should be.
    lasting = {
        f"{above}.{name}": value
        for above in ("maintenanceWindow", "quota")
        for name, value in (inputs.get(above) or {}).items()
        if not name.startswith("__")
    }
    asked = {
        "historyRetentionSeconds": inputs.get("historyRetentionSeconds"),
        **{
            f"defaultEndpointSettings.{name}": compute.get(name)
            for name in ("autoscalingLimitMinCu", "autoscalingLimitMaxCu", "suspendTimeoutSeconds")
        },
        # Without a list of its own every address is let in, which Neon says with an empty one.
        "allowedIps": inputs.get("allowedIps") or [],
        "blockPublicConnections": inputs.get("blockPublicConnections"),
        "enableLogicalReplication": inputs.get("enableLogicalReplication"),
        **lasting,
    }
    return {
        name: setting_text(value)
        for name, value in asked.items()
        if isinstance(value, int | float | list | str)
    }


def _instance(resource: Mapping[str, Any]) -> Held:
    facts = {**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}
    return Held(
        target=_text(facts.get("target")) or name_of(resource),
        name=_text(facts.get("name")),
        id=str(resource.get("id") or ""),
        account=_text(facts.get("tenantId")),
        adopts=_text(facts.get("adoptInstanceId")),
    )


def _text(value: object) -> str:
    # A secret, or what was not known yet, is no text.
    return value if isinstance(value, str) else ""
