"""What this stack applied last, read from its own state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from tenantry.registry.applied import AppliedApp, applied_apps, outputs_of
from tenantry.registry.moving import moved_apps
from tenantry.registry.signed_up import UserGraphHeld, user_graph_in


@dataclass(frozen=True)
class Applied:
    """What the state of this stack says."""

    apps: list[AppliedApp]
    """Also those of a run that did not finish. One whose first run died before its component was complete is none."""
    moved: Mapping[str, str]
    """By app, the stack that it was moved to (`moved_apps`)."""


def applied() -> Applied:
    """Read which apps this stack holds."""
    resources = _resources()
    return Applied(apps=applied_apps(resources), moved=moved_apps(outputs_of(resources)))


def held_here() -> UserGraphHeld | None:
    """Read which user's graph this stack holds; None where it holds none."""
    return user_graph_in(_resources())


def _resources() -> list[dict[str, Any]]:
    """Read this stack's state.

    The engine's built-in provider answers from the checkpoint (`pulumi:pulumi:readStackResourceOutputs`); nothing
    in the cloud is asked.
    """
    stack = pulumi.runtime.get_root_resource()
    if stack is None:
        raise RuntimeError("applied runs in a Pulumi program only")
    # The name comes from the registered stack, so the question waits for it: the engine writes the checkpoint
    # when it registers the stack, and a reader at that moment would find half a file.
    name = stack.urn.apply(lambda urn: urn.split("::")[0].rsplit(":", 1)[-1])
    state = pulumi.runtime.invoke(
        "pulumi:pulumi:readStackResourceOutputs", {"stackName": name}
    ).value
    found = (state or {}).get("outputs", {})
    return [{"urn": urn, **each} for urn, each in found.items()]
