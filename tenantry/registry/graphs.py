"""What holds for the graphs of all apps together, and what Aura cannot change about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.clouds import aura
from tenantry.errors import TenantryError
from tenantry.registry.models import DeclaredGraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def graph_of_user(app: App, user: str) -> DeclaredGraph:
    """Return the graph of a user whom the registry does not name: one who signed up.

    :param user: the user's id, as `written.graphs.user` takes it
    :raises GraphError: the app has no `graphs_per_user`, or the registry names the user
    """
    kind = app.graphs_per_user
    if kind is None:
        raise GraphError(
            f"{app.id}: it has no graphs_per_user, which says what a user's graph is like: write it, with users: []"
        )
    if user in kind.users:
        raise GraphError(
            f"{app.id}/{user}: the registry names this user in graphs_per_user, and the app's own stack has the graph: take the user "
            "out of the sign-ups, or out of the file"
        )
    return DeclaredGraph(f"{app.id}/{user}", user, app.names.user_graph(user), kind)


def place_changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Say what differs between two places that `graph_place` gave; empty where nothing does."""
    return " and ".join(
        f"{key} from {value} to {new[key]}" for key, value in old.items() if value != new[key]
    )


def elsewhere(graph: str, project: str, now: str) -> str:
    """Say why a run leaves a graph alone that was made in another Aura project."""
    return (
        f"graph {graph} was made in Aura project {project}, and this run works in {now}: nothing was changed. Set AURA_TENANT_ID or "
        "tenantry:auraTenantId back; to move the graph, remove it and add it again"
    )


def check_user_graph(
    graph: str, place: Mapping[str, str], wanted: Mapping[str, str], *, deletion: str, allowed: bool
) -> str:
    """Judge the step from a user's graph as it was made to what it is to be.

    :param graph: its id, `tenant/app/user`
    :param place: what `graph_place` said when it was applied last; empty before that
    :param deletion: what was in force then
    :param allowed: whether somebody named the app as one that may lose something
    :return: what is lost, in one line; empty where nothing is
    :raises GraphError: it is refused
    """
    if not place:
        return ""
    if place["project"] != wanted["project"]:
        raise GraphError(elsewhere(graph, place["project"], wanted["project"]))
    changes = place_changes(place, wanted)
    if not changes:
        return ""
    app = "/".join(graph.split("/")[:2])
    if deletion != "delete":
        raise GraphError(
            f"graph {graph}: {changes}, which Aura cannot change, and it was applied last with 'deletion: {deletion}': nothing was "
            "changed. To keep its data, put it back; to let it go, put it back, set 'deletion: delete', apply, then change it"
        )
    if not allowed:
        raise GraphError(
            f"graph {graph}: {changes}, which Aura cannot change: nothing was changed. To have an empty graph in its place, and in that "
            f"of each user who signed up, allow it by the app's name: tenantry fleet up --allow-destroy {app}"
        )
    return f"graph {graph}: {changes}: the instance and all data in it are destroyed, and an empty one is made"


def check_free_graphs(apps: Iterable[App]) -> None:
    """Refuse more of the free tier than an account has.

    :raises GraphError: they are too many
    """
    free = [each.id for app in apps for each in app.graphs if each.graph.type == aura.FREE]
    if len(free) > aura.FREE_INSTANCES:
        raise GraphError(
            f"{len(free)} graphs of type free-db ({', '.join(free)}), and an Aura account has one: write another type"
        )
