"""What a create that was cut off has made after all, of an app that goes.

A state does not hold it, so the engine's destroy leaves it. The next run of an app that stays takes it over by its
name; here there is no next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.clouds import table
from tenantry.clouds.aura import AURA
from tenantry.clouds.cloud import Ours
from tenantry.fleet.events import Noted
from tenantry.fleet.looking import FleetLooker
from tenantry.recovery.strays import delete_stray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenantry.clouds.cloud import Cloud
    from tenantry.fleet.events import Event
    from tenantry.fleet.project import Project
    from tenantry.registry import App, Registry


def delete_unheld(
    project: Project, registry: Registry, app: App, tell: Callable[[Event], None]
) -> None:
    """Delete what has the app's names in the clouds and is in no state.

    :raises TenantryError: a cloud or a state cannot be asked, or something is held after all
    """
    looker = FleetLooker(project, registry)
    for cloud, names in _wanted(app):
        with looker.connect(cloud) as client:
            live, _ = client.look(Ours(names=names))
        for each in live:
            delete_stray(looker, cloud.noun, each.id, each.name, protected=True)
            tell(
                Noted(app.id, f"{cloud.noun} {each.id} was made by a run that was cut off: deleted")
            )


def _wanted(app: App) -> Iterator[tuple[Cloud, set[str]]]:
    yield table.databases()[app.database.provider], {app.names.project}
    if graphs := {each.name for each in app.graphs}:
        yield AURA, graphs
