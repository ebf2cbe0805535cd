"""Complete apps out of what is written: defaults, templates and users in their places, every rule checked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tenantry.clouds import table
from tenantry.registry import checks, models, renamed
from tenantry.registry.merging import given, merged
from tenantry.registry.offering import offered, receiver
from tenantry.registry.places import Place
from tenantry.registry.templates import resolved
from tenantry.registry.users import UsersError, read_users
from tenantry.registry.written.budget import budgeted, in_plain
from tenantry.registry.written.prices import priced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.registry.document import Document, Path
    from tenantry.registry.faults import Faults
    from tenantry.registry.written import registry as written
    from tenantry.registry.written.templates import Template

NAMESPACE: Final = "tenantry"
"""The namespace of a registry that names none."""


class Resolver:
    """Makes complete apps of what is written."""

    def __init__(self, source: Document, faults: Faults) -> None:
        self.source = source
        self.faults = faults
        # Reported at the end, once for all apps that share the fault. A fault in the defaults must not hide the other
        # faults of the same app.
        self.found: dict[tuple[Path, str], None] = {}
        self.templates: Mapping[str, Template] = {}

    def registry(self, registry: written.Registry) -> models.Registry:
        """Complete the whole file. Where there are faults, the result only serves to find the others."""
        namespace = registry.namespace or NAMESPACE
        self.templates = registry.templates or {}
        defaults = given(registry.defaults)
        tenants, apps = [], []
        for label, tenant in registry.tenants.items():
            inherited = merged(
                defaults, {"quotas": quotas} if (quotas := given(tenant.quotas)) else {}
            )
            whom = models.Tenant(
                label=label,
                name=tenant.name or label,
                contact=tenant.contact,
                renamed_from=tuple(tenant.renamed_from or ()),
                quotas=models.Quotas(**inherited.get("quotas", {})),
                budget=budgeted(tenant.budget),
            )
            tenants.append(whom)
            apps += [
                self.app(namespace, whom, name, merged(inherited, given(app)))
                for name, app in tenant.apps.items()
            ]
        for finding in renamed.check(tenants, apps):
            if not any(self.faults.covers(path) for path in finding.paths):
                self.found[finding.paths[0], finding.message] = None
        for late, finding in checks.check_together(apps):
            self.report(finding, Place(("tenants", late.tenant, "apps", late.name), ()))
        offers = (
            offered(self, registry.self_service, defaults, tenants, apps)
            if registry.self_service
            else None
        )
        for path, message in self.found:
            self.faults.add(path, message)
        return models.Registry(
            version=registry.version,
            namespace=namespace,
            limits=models.Limits(**given(registry.limits)),
            tenants=tuple(tenants),
            apps=renamed.with_tenants(tenants, apps),
            self_service=offers,
            notify=tuple(map(receiver, registry.notify or ())),
            prices=priced(registry.prices),
        )

    def app(
        self, namespace: str, tenant: models.Tenant, name: str, settings: dict[str, Any]
    ) -> models.App:
        """Complete one app; `settings` are its own with the defaults beneath."""
        place = Place(("tenants", tenant.label, "apps", name), ("tenants", tenant.label))
        settings = self.completed(settings, place)
        app = models.App(
            id=f"{tenant.label}/{name}",
            namespace=namespace,
            tenant=tenant.label,
            tenant_name=tenant.name,
            contact=tenant.contact,
            name=name,
            formerly=tuple(settings.get("renamed_from", ())),
            location=models.Location(
                self.source.file, self.source.locate(place.app, key=True).at.line
            ),
            **settings,
        )
        for finding in checks.check(app):
            self.report(finding, place)
        return app

    def completed(self, settings: dict[str, Any], place: Place) -> dict[str, Any]:
        """Return an app's settings with everything that other files and keys say of it.

        :param settings: as written at `place`, with the defaults beneath
        """
        for key, stand_in in (("environment", "development"), ("region", table.USUAL.regions[0])):
            if key not in settings:
                if not any(self.faults.covers(path) for path in place.candidates((key,))):
                    message = "is missing: write it here or in defaults"
                    self.faults.add((*place.app, key), message, missing=True)
                # The rest of the app is still checked; the registry itself is refused.
                settings = settings | {key: stand_in}
        if database := settings.get("database"):
            database = self.with_template(_with_branch_names(database), place)
            settings = settings | {"database": database}
        if graphs := settings.get("graphs_per_user"):
            settings = settings | {"graphs_per_user": self.with_users(graphs, place)}
        if budget := settings.get("budget"):
            settings = settings | {"budget": in_plain(budget)}
        return _with_hard_limit(settings)

    def with_template(self, database: dict[str, Any], place: Place) -> dict[str, Any]:
        """Put the folder of a template of the operator's own beside its name; without one of that name, no schema."""
        source = database.get("schema_source")
        if source is None:
            return database
        try:
            return database | {"schema_source": resolved(source, self.templates)}
        except LookupError as error:
            where: Path = ("database", "schema")
            self.report(checks.Finding(((*where, "template"), where), error.args[0]), place)
            return database | {"schema_source": None}

    def with_users(self, graphs: dict[str, Any], place: Place) -> dict[str, Any]:
        """Put the users of a file in the place of its name."""
        known = {key: value for key, value in graphs.items() if key != "users_file"}
        if "users_file" not in graphs:
            return known
        try:
            return known | {"users": read_users(self.source.file, graphs["users_file"])}
        except UsersError as error:
            path = (*place.app, "graphs_per_user", "users_file")
            if not self.faults.covers(path):
                self.faults.add(path, str(error))
            return known

    def report(self, finding: checks.Finding, place: Place) -> None:
        """Keep a broken rule for the end, unless a value that it concerns has a fault of its own."""
        paths = [path for each in finding.paths for path in place.candidates(each)]
        if any(self.faults.covers(path) for path in paths):
            return
        at = next(
            (path for path in paths if self.source.locate(path).depth == len(path)), place.app
        )
        self.found[at, finding.message] = None


def _with_hard_limit(settings: dict[str, Any]) -> dict[str, Any]:
    """Let Neon stop what a budget that stops has used up; a smaller quota that is written stays."""
    budget = settings.get("budget") or {}
    if not budget.get("stop"):
        return settings
    database = settings.get("database") or {}
    quota = database.get("quota") or {}
    seconds = min(budget["compute_hours"] * 3600, quota.get("compute_time") or math.inf)
    return settings | {"database": database | {"quota": quota | {"compute_time": seconds}}}


def _with_branch_names(database: dict[str, Any]) -> dict[str, Any]:
    branches = [{"name": name} | branch for name, branch in database.get("branches", {}).items()]
    return database | {"branches": branches}
