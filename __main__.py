"""The program: load the registry, declare one component for each app."""

import pulumi

from components.applied import applied_apps
from components.settings import Settings
from components.tenant_app import TenantApp
from tenantry.registry import RegistryError, SelectionError, load, select
from tenantry.registry.removal import RemovalError, check_removals
from tenantry.registry.unapplied import unapplied

settings = Settings.read()
try:
    registry = load(settings.registry)
    selected = select(registry, settings.apps)
    leaving = check_removals(applied_apps(), selected, settings.registry)
except (RegistryError, SelectionError, RemovalError) as error:
    raise pulumi.RunError(str(error)) from None

for line in [*leaving, *unapplied(selected)]:
    pulumi.log.warn(line)

apps = [TenantApp(app, org_id=settings.neon_org_id) for app in selected]
pulumi.export("apps", {component.app.id: component.summary() for component in apps})
pulumi.export("urls", {component.app.id: component.urls() for component in apps})
