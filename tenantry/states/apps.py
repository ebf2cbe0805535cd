"""Which apps a state holds, and as what. Pure: states are given as the engine writes them (`apitype.DeploymentV3`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenantry.registry import tokens
from tenantry.registry.applied import AppliedApp, applied_apps, outputs_of
from tenantry.registry.moving import moved_apps
from tenantry.states.times import moment

if TYPE_CHECKING:
    from datetime import datetime

Resource = Mapping[str, Any]
Deployment = Mapping[str, Any]
"""What a stack holds: `resources`, `manifest`, `pending_operations`. None where nothing was applied to the stack."""


@dataclass(frozen=True)
class Holding:
    """An app as a stack holds it."""

    stack: str
    written: datetime
    """When the state was written last."""
    resources: int
    """How many the app has, without the component itself."""
    applied: Mapping[str, Any]
    """The outputs of its component (`TenantApp`)."""
    facts: Mapping[str, Any]
    """What the stack's output `apps` says of it; empty before the first run that succeeded."""


def resources_of(state: Deployment | None) -> list[Resource]:
    """List a state's resources in its order: each comes after those that it refers to."""
    return list((state or {}).get("resources") or ())


def name_of(resource: Resource) -> str:
    """Return a resource's own name, the last part of its URN. It begins with the id of its app, where it has one."""
    return str(resource["urn"]).rsplit("::", 1)[-1]


def apps_in(state: Deployment | None) -> list[str]:
    """List the apps of which a state holds something, in its order."""
    found = (name_of(each) for each in resources_of(state) if each["type"] == tokens.TENANT_APP)
    return list(dict.fromkeys(found))


def applied_in(state: Deployment | None) -> list[AppliedApp]:
    """List the apps that a state holds, as `applied_apps` does."""
    return applied_apps(resources_of(state))


def held_in(state: Deployment | None, stack: str, app_id: str) -> Holding | None:
    """Find an app in the state of a stack; None where it is not there."""
    resources = resources_of(state)
    component = next(
        (
            each
            for each in resources
            if each["type"] == tokens.TENANT_APP and name_of(each) == app_id
        ),
        None,
    )
    if state is None or component is None:
        return None
    own = [
        each
        for each in resources
        if tokens.TENANT_APP in each["urn"] and f"{name_of(each)}/".startswith(f"{app_id}/")
    ]
    facts = (outputs_of(resources).get("apps") or {}).get(app_id)
    return Holding(
        stack,
        moment((state.get("manifest") or {}).get("time")),
        len(own) - 1,
        component.get("outputs") or {},
        facts if isinstance(facts, dict) else {},
    )


def moved_out(state: Deployment | None) -> dict[str, str]:
    """Tell which apps were moved out of a state, and to which stack."""
    return moved_apps(outputs_of(resources_of(state)))


def between(state: Deployment | None) -> dict[str, str]:
    """Name the apps that a state holds and also says were moved: their move was cut off."""
    moved = moved_out(state)
    return {app: moved[app] for app in apps_in(state) if app in moved}
