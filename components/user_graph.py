"""The program of a stack that holds one graph: that of a user of an app who signed up."""

from collections.abc import Sequence

import pulumi

from components.aliases import aliasing
from components.applied import held_here
from components.catalog import GraphRecords
from components.graph import AppGraph
from components.settings import Aura, Settings
from providers.catalog import Catalog
from tenantry.errors import TenantryError
from tenantry.registry import App, tokens
from tenantry.registry.graphs import check_user_graph, graph_of_user, graph_place
from tenantry.registry.models import DeclaredGraph, Registry


class UserGraph(pulumi.ComponentResource):
    """A user's graph, and what the next run needs in order to judge what it would destroy."""

    def __init__(
        self,
        declared: DeclaredGraph,
        app: App,
        *,
        aura: Aura,
        catalog: Catalog | None,
        known_as: Sequence[str] = (),
    ) -> None:
        """Declare the graph as the app's `graphs_per_user` has it.

        :param declared: what `graph_of_user` gave
        :param aura: where it is made
        :param catalog: the tables of the control plane, which have the app's row; None where there is none
        :param known_as: ids of the app under which the state may have it
        """
        transformations = aliasing(app.id, known_as)
        super().__init__(
            tokens.USER_GRAPH,
            declared.id,
            None,
            pulumi.ResourceOptions(transformations=transformations),
        )
        self.graph = AppGraph(
            declared,
            project=aura.project,
            adopted=aura.adopted.get(declared.id),
            protect=app.deletion == "protect",
            retain=app.deletion == "retain",
            records=GraphRecords(app, catalog),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs(
            {
                "app": app.id,
                "user": declared.user,
                "namespace": app.namespace,
                "deletion": app.deletion,
                "place": graph_place(declared.graph, aura.project),
            }
        )


def declare_user_graph(app: App, user: str, settings: Settings) -> None:
    """Declare a user's graph, and export what connects to it under `graphs`, as an app's stack does.

    :raises pulumi.RunError: the app has no graphs for users, what graphs need is missing, or the step from what the
        stack holds is refused; nothing is declared yet
    """
    try:
        declared = graph_of_user(app, user)
        aura = settings.read_aura()
        held = held_here()
        lost = ""
        if held is not None:
            lost = check_user_graph(
                declared.id,
                held.place,
                graph_place(declared.graph, aura.project),
                deletion=held.deletion,
                allowed=app.id in settings.allow_destroy,
            )
    except TenantryError as error:
        raise pulumi.RunError(str(error)) from None
    if lost:
        pulumi.log.warn(lost)
    catalog = Catalog("catalog", settings.catalog) if settings.catalog else None
    known_as = [held.app] if held is not None and held.app != app.id else []
    component = UserGraph(declared, app, aura=aura, catalog=catalog, known_as=known_as)
    pulumi.export("graphs", {declared.id: component.graph.connection()})


def run_for_user(registry: Registry, settings: Settings) -> None:
    """Declare the graph that this stack holds already, by the registry as it is now: for a run by hand.

    :raises pulumi.RunError: the stack holds none, or its app is not in the registry; else as `declare_user_graph`
    """
    stack = pulumi.get_stack()
    held = held_here()
    if held is None:
        raise pulumi.RunError(
            f"stack {stack} is called as that of a user's graph, and holds none: a sign-up of the user makes it"
        )
    app = next((each for each in registry.apps if held.app in {each.id, *each.renamed_from}), None)
    if app is None:
        raise pulumi.RunError(
            f"stack {stack} has the graph of a user of {held.app}, which is not in the registry: put the app back, or destroy it with "
            "its users' graphs: tenantry fleet up"
        )
    declare_user_graph(app, held.user, settings)
