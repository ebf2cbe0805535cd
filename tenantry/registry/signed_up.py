"""The graph of a user who signed up, as its own stack holds it, read from the outputs of its component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tenantry.registry import tokens
from tenantry.registry.names import app_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, kw_only=True)
class UserGraphHeld:
    """A user's graph as it was applied last."""

    app: str
    """The id that the app had then."""
    user: str
    namespace: str = ""
    """The registry's; empty, as what follows, where the first run was cut off before it said so."""
    deletion: str = ""
    place: Mapping[str, str] = field(default_factory=dict)
    """What Aura cannot change about it (`graphs.graph_place`)."""


def user_graph_in(resources: Iterable[Mapping[str, Any]]) -> UserGraphHeld | None:
    """Find the user's graph among the resources of a stack; None where there is none.

    :param resources: of the whole stack, with `urn`, `type` and `outputs`
    """
    for each in resources:
        if each["type"] == tokens.USER_GRAPH:
            name = str(each["urn"]).rpartition("::")[2]
            app = app_of(name)
            outputs = each.get("outputs") or {}
            return UserGraphHeld(
                app=app,
                user=name.removeprefix(f"{app}/"),
                namespace=str(outputs.get("namespace") or ""),
                deletion=str(outputs.get("deletion") or ""),
                place=outputs.get("place") or {},
            )
    return None
