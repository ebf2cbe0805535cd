"""What holds for the graphs of all apps together, and what Aura cannot change about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.clouds import aura
from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.registry.models import App, Graph


class GraphError(TenantryError):
    """Graphs that cannot be made; one line."""


def graph_place(graph: Graph, project: str) -> dict[str, str]:
    """Return what Aura cannot change about an instance: a change of it replaces the instance.

    :param project: the Aura project that it is in
    """
    return {
        "type": graph.type,
        "cloud": graph.cloud,
        "region": graph.region,
        "version": graph.version,
        "project": project,
    }


def check_free_graphs(apps: Iterable[App]) -> None:
    """Refuse more of the free tier than an account has.

    :raises GraphError: they are too many
    """
    free = [each.id for app in apps for each in app.graphs if each.graph.type == aura.FREE]
    if len(free) > aura.FREE_INSTANCES:
        raise GraphError(
            f"{len(free)} graphs of type free-db ({', '.join(free)}), and an Aura account has one: write another type"
        )
