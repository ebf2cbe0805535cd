"""Reads from Neon what the apps of a registry used. Wakes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.clouds.cloud import Ours
from tenantry.clouds.neon import NEON
from tenantry.neon.consumption import consumption
from tenantry.registry.names import AppNames
from tenantry.usage.measures import Sample, as_use

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.neon.looking import NeonClient
    from tenantry.registry.models import App, Registry


def measure(client: NeonClient, registry: Registry, start: datetime, end: datetime) -> list[Sample]:
    """Return what each app's project used, by days: a request for each 400 projects, and one for each 100.

    An app is known by its project's name. One that was renamed and not applied since still has its name of before.

    :raises NeonError: Neon refuses, or does not answer
    """
    own = [app for app in registry.apps if app.database.provider == NEON.name]
    # An app that has another's old name now has the project of that name.
    apps = {name: app.id for app in own for name in _before(app)}
    apps |= {app.names.project: app.id for app in own}
    found, _ = client.look(Ours(marks={f"{registry.namespace}--"}))
    ours = {each.id: apps[each.name] for each in found if each.name in apps}
    measured = consumption(client.api, [each for each in found if each.id in ours], start, end)
    return [
        Sample(app=ours[each.project], project=each.project, day=each.day, use=as_use(each.values))
        for each in measured
    ]


def _before(app: App) -> list[str]:
    return [AppNames(app.namespace, *each.split("/")).project for each in app.renamed_from]
