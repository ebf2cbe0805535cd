"""The program: one component for each app that a stack holds."""

from collections.abc import Mapping, Sequence

import pulumi

from components.applied import applied
from components.place import provider
from components.settings import Settings
from components.tenant_app import TenantApp
from components.user_graph import run_for_user
from providers.catalog import Catalog
from tenantry.catalog.location import NO_CATALOG
from tenantry.clouds.aura import AURA
from tenantry.clouds.table import USUAL, databases
from tenantry.errors import TenantryError
from tenantry.registry import App, load
from tenantry.registry.graphs import check_free_graphs
from tenantry.registry.moving import MOVED, without_moved
from tenantry.registry.names import is_user_stack
from tenantry.registry.renamed import can_go, follow
from tenantry.registry.schemas import SchemaPlan, plan_schemas
from tenantry.registry.selection import select_for
from tenantry.registry.transition import Registered, check_transition


def main() -> None:
    """Declare what the stack's settings and the environment say."""
    run(Settings.read())


def run(settings: Settings) -> list[TenantApp]:
    """Load the registry and declare the apps that the settings select, or the user's graph whose stack this is.

    :raises pulumi.RunError: as `declare`, and where the registry or a history cannot be used
    """
    try:
        registry = load(settings.registry)
        if is_user_stack(pulumi.get_stack()):
            run_for_user(registry, settings)
            return []
        selected = [
            app
            for app in select_for(registry, settings.apps, pulumi.get_stack())
            if app.id not in settings.leaving
        ]
        plans = plan_schemas(selected, settings.registry)
    except TenantryError as error:
        raise pulumi.RunError(str(error)) from None
    return declare(
        selected,
        plans,
        settings,
        registered=Registered(registry.apps, registry.limits),
        everything=settings.apps.strip() == "all",
    )


def declare(
    selected: Sequence[App],
    plans: Mapping[str, SchemaPlan],
    settings: Settings,
    *,
    registered: Registered,
    everything: bool = False,
) -> list[TenantApp]:
    """Declare apps and what they share, and export what commands read.

    :param selected: the apps that the stack is to hold
    :param plans: by the app's id, what is to be applied to its schema
    :param registered: the whole registry
    :param everything: nobody named the apps: those that were moved to a stack of their own are left out, not refused
    :raises pulumi.RunError: the step from what the stack holds is refused, or what graphs need is missing; nothing is
        declared yet
    """
    try:
        state = applied()
        held = follow(
            state.apps,
            selected,
            state.moved,
            settings.registry,
            registered=[app.id for app in registered.apps],
        )
        selected = without_moved(
            held.applied,
            held.selected,
            held.moved,
            settings.registry,
            stack=pulumi.get_stack(),
            everything=everything,
        )
        check_free_graphs(selected)
        # A graph that leaves needs the connection to Aura too.
        has_graphs = any(app.graphs for app in selected) or any(app.graphs for app in held.applied)
        aura = settings.read_aura() if has_graphs else None
        destroyed = check_transition(
            held.applied,
            selected,
            settings.registry,
            accounts={
                **{name: provider(name).account(settings) or "" for name in databases()},
                AURA.name: aura.project if aura else "",
            },
            catalog=settings.catalog is not None,
            allowed=settings.allow_destroy,
            registered=registered,
        )
    except TenantryError as error:
        raise pulumi.RunError(str(error)) from None

    for line in destroyed:
        pulumi.log.warn(line)
    if held.settled:
        pulumi.log.warn(can_go(held.settled))
    if selected and settings.catalog is None:
        pulumi.log.warn(NO_CATALOG)

    # Also those of apps that leave: what they had is deleted through it.
    used = dict.fromkeys(
        (
            USUAL.name,
            *(app.provider for app in held.applied),
            *(app.database.provider for app in selected),
        )
    )
    clouds = {name: provider(name).connect(settings) for name in used}
    catalog = Catalog("catalog", settings.catalog) if settings.catalog else None
    apps = [
        TenantApp(
            app,
            cloud=clouds[app.database.provider],
            plan=plans.get(app.id),
            catalog=catalog,
            aura=aura,
            org_id=provider(app.database.provider).account(settings),
            known_as=held.aliases.get(app.id, ()),
        )
        for app in selected
    ]
    pulumi.export("apps", {component.app.id: component.summary() for component in apps})
    pulumi.export("urls", {component.app.id: component.urls() for component in apps})
    pulumi.export("apiKeys", {component.app.id: component.api_keys() for component in apps})
    pulumi.export(
        "graphs",
        {
            name: graph.connection()
            for component in apps
            for name, graph in component.graphs.items()
        },
    )
    if held.moved:
        # Exported in each run: nothing else in this stack says that these apps are in another one.
        pulumi.export(MOVED, dict(held.moved))
    return apps
