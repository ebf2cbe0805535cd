"""What callers of the service may ask for, and who is told what: completed and checked.

A rule that an app of a plan would break is told here, at the plan, and not when the first caller asks for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tenantry.clouds import aura
from tenantry.errors import did_you_mean, shown
from tenantry.registry import checks, models
from tenantry.registry.merging import given, merged
from tenantry.registry.notices import Mail, Slack, Webhook
from tenantry.registry.places import Place
from tenantry.registry.self_service import MAX_APPS, Asker, Plan, SelfService

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tenantry.registry.completing import Resolver
    from tenantry.registry.document import Path
    from tenantry.registry.notices import Notify
    from tenantry.registry.written import notify as written_notify
    from tenantry.registry.written import self_service as written

_AT: Final = "self_service"
_DELETION: Final = "delete"
"""Of apps that were asked for: they come and go without anybody who reviews it."""


_NOWHERE: Final = models.Location("", 0)


def offered(
    resolver: Resolver,
    service: written.SelfService,
    defaults: dict[str, Any],
    tenants: Sequence[models.Tenant],
    apps: Iterable[models.App],
) -> SelfService:
    """Complete and check what callers may ask for; faults are the resolver's to report.

    :param defaults: the registry's, as written
    :param tenants: all that the file has
    :param apps: likewise
    """
    regions = tuple(service.regions or ())
    _once(resolver, (_AT, "regions"), regions)
    plans = {
        name: _plan(resolver, name, plan, defaults, service)
        for name, plan in (service.plans or {}).items()
    }
    known = {each.label: each for each in tenants}
    for name, plan in plans.items():
        users = [
            known[label]
            for label, asker in (service.tenants or {}).items()
            if name in asker.plans and label in known
        ]
        _check(resolver, plan, users, regions)
    most = MAX_APPS if service.max_apps is None else service.max_apps
    askers = {
        label: Asker(
            plans=tuple(asker.plans),
            max_apps=most if asker.max_apps is None else asker.max_apps,
        )
        for label, asker in (service.tenants or {}).items()
    }
    for label, asker in askers.items():
        _check_asker(resolver, label, asker, known, plans)
    if service.sign_ups:
        _check_sign_ups(resolver, service.sign_ups.app, {app.id: app for app in apps})
    return SelfService(
        plans=plans,
        tenants=askers,
        regions=regions,
        sign_ups=service.sign_ups.app if service.sign_ups else None,
    )


def _plan(
    resolver: Resolver,
    name: str,
    plan: written.Plan,
    defaults: dict[str, Any],
    service: written.SelfService,
) -> Plan:
    own = given(plan)
    quotas = own.pop("quotas", {})
    settings = merged({key: each for key, each in defaults.items() if key != "quotas"}, own)
    settings |= {"deletion": own.get("deletion") or service.deletion or _DELETION}
    # Where only the caller can say it, the first of the list stands in while the other rules are checked.
    chosen = "region" not in settings and bool(service.regions)
    stand_in = {"region": (service.regions or [""])[0]} if chosen else {}
    settings = resolver.completed(settings | stand_in, Place((_AT, "plans", name), ()))
    if chosen:
        del settings["region"]
    return Plan(name=name, settings=settings, quotas=quotas)


def _check(
    resolver: Resolver, plan: Plan, tenants: Sequence[models.Tenant], regions: Sequence[str]
) -> None:
    """Hold the apps that a plan would make to the rules for apps."""
    for tenant in tenants or (models.Tenant(label="tenant", name="tenant", contact=None),):
        place = Place((_AT, "plans", plan.name), ("tenants", tenant.label))
        for region in dict.fromkeys([plan.region or regions[0], *regions]):
            app = app_of_plan(plan, tenant, "app", "", {"region": region})
            for finding in checks.check(app):
                if finding.paths[0] == ("region",) and region in regions:
                    at: Path = (_AT, "regions", regions.index(region))
                    message = f"{finding.message} (plan {plan.name})"
                    resolver.found[at, message] = None
                else:
                    resolver.report(finding, place)
    for key in ("graph", "graphs_per_user"):
        if plan.settings.get(key, {}).get("type") == aura.FREE:
            message = "an Aura account has one of type free-db, and each app of a plan has its own: write another type"
            resolver.report(
                checks.Finding(((key, "type"),), message), Place((_AT, "plans", plan.name), ())
            )


def app_of_plan(
    plan: Plan,
    tenant: models.Tenant,
    name: str,
    namespace: str,
    chosen: Mapping[str, Any],
    location: models.Location = _NOWHERE,
    row: str | None = None,
) -> models.App:
    """Make an app of a plan.

    :param chosen: what lies above the plan's keys, in plain units
    :param location: what messages call its place
    :param row: the row that it was asked for in
    """
    return models.App(
        id=f"{tenant.label}/{name}",
        namespace=namespace,
        tenant=tenant.label,
        tenant_name=tenant.name,
        contact=tenant.contact,
        name=name,
        location=location,
        row=row,
        quotas=tenant.quotas.model_copy(update=plan.quotas),
        **merged(plan.settings, dict(chosen)),
    )


def _check_asker(
    resolver: Resolver,
    label: str,
    asker: Asker,
    tenants: Iterable[str],
    plans: Iterable[str],
) -> None:
    at: Path = (_AT, "tenants", label)
    if label not in tenants and not resolver.faults.covers(("tenants", label)):
        message = f"is no tenant of this file: write it under tenants, with at least apps: {{}}{did_you_mean(label, tenants)}"
        resolver.found[at, message] = None
    _once(resolver, (*at, "plans"), asker.plans)
    for index, name in enumerate(asker.plans):
        if name not in plans and not resolver.faults.covers((_AT, "plans", name)):
            hint = did_you_mean(name, plans)
            message = f"{shown(name)} is not a plan: write one of self_service.plans{hint}"
            resolver.found[(*at, "plans", index), message] = None


def _check_sign_ups(resolver: Resolver, app_id: str, apps: Mapping[str, models.App]) -> None:
    at: Path = (_AT, "sign_ups", "app")
    tenant, _, name = app_id.partition("/")
    place: Path = ("tenants", tenant, "apps", name)
    app = apps.get(app_id)
    if resolver.faults.covers(place):
        return
    if app is None:
        message = f"{shown(app_id)} is not in this file{did_you_mean(app_id, apps)}"
    elif app.graphs_per_user is None:
        message = f"{app_id} has no graphs_per_user, which say what its users get: write them there"
    elif app.graphs_per_user.type == aura.FREE:
        message = f"the users of {app_id} get graphs of type free-db, and an Aura account has one: write another type there"
    else:
        return
    resolver.found[at, message] = None


def _once(resolver: Resolver, at: Path, values: Sequence[str]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            message = f"{shown(value)} is in the list twice: keep one"
            resolver.found[(*at, index), message] = None


def receiver(each: written_notify.Notify) -> Notify:
    """Return who is told."""
    values = {key: value for key, value in given(each).items() if value is not None}
    if "url" in values:
        return Webhook(**values)
    if "slack_from" in values:
        return Slack(**values)
    host, _, port = values.pop("smtp").rpartition(":")
    return Mail(host=host.strip("[]"), port=int(port), **values)
