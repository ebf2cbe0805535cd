"""How the apps of a registry stand: in the stack, and in the cloud."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final

from tenantry.clouds.cloud import GONE
from tenantry.clouds.table import USUAL, databases
from tenantry.errors import TenantryError
from tenantry.presenting.notes import note
from tenantry.presenting.printing import own_command, print_table
from tenantry.registry import App
from tenantry.registry.applied import outputs_of, provider_of
from tenantry.registry.tokens import TENANT_APP
from tenantry.states.apps import Resource, name_of, resources_of
from tenantry.states.store import Store

_HEADS: Final = [
    *("app", "project", "region", "host", "database", "schema", "services", "keys", "status"),
]
_LIBPQ_SCHEMES: Final = {"postgresql", "postgres"}
"""The schemes that psql knows (PostgreSQL manual, "Connection URIs")."""


@dataclass(frozen=True)
class AppStatus:
    """One row of `tenantry status`; a dash stands for what is not known before the app is applied."""

    app: str
    project: str = "-"
    region: str = "-"
    host: str = "-"
    database: str = "-"
    schema: str = "-"
    """The revision that the app's schema is at."""
    services: Mapping[str, str] = field(default_factory=dict)
    """The status of each service that the app is registered with."""
    keys: Mapping[str, list[int]] = field(default_factory=dict)
    """The valid generations of each API key."""
    status: str = "not applied"

    def as_json(self) -> dict[str, object]:
        """Give the row as JSON."""
        return asdict(self)

    def as_text(self) -> list[str]:
        """Give the row as the cells of a table: `auth, storage (disabled)`, `default 1+2` for two generations."""
        services = (
            name if status == "active" else f"{name} ({status})"
            for name, status in self.services.items()
        )
        keys = (f"{name} {'+'.join(map(str, each)) or '-'}" for name, each in self.keys.items())
        cells = asdict(self) | {"services": ", ".join(services), "keys": ", ".join(keys)}
        return [cell or "-" for cell in cells.values()]


def app_statuses(
    apps: Iterable[App] | None,
    applied: Mapping[str, Mapping[str, Any]],
    computes: Mapping[str, str],
) -> list[AppStatus]:
    """Set the registry against the stack and the cloud.

    :param apps: the registry's apps; None where the registry is not looked at, and only the stack's apps are shown
    :param applied: the stack's output `apps`, by app id
    :param computes: the state of each project's compute, by project id; what is missing was not asked
    """
    rows = []
    wanted = {app.id: app for app in apps or ()}
    for app_id in [*wanted, *(a for a in applied if a not in wanted)]:
        facts = applied.get(app_id)
        if facts is None:
            rows.append(AppStatus(app_id, region=wanted[app_id].region))
            continue
        status = computes.get(facts["project"], "applied")
        if apps is not None and app_id not in wanted:
            status += ", not in the registry"
        rows.append(
            AppStatus(
                app_id,
                facts["project"],
                facts["region"],
                facts["host"],
                facts["database"],
                facts.get("revision", "-"),
                facts.get("services", {}),
                facts.get("apiKeys", {}),
                status,
            )
        )
    return rows


def ways_out(
    rows: Iterable[AppStatus], providers: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Say for each app whose project is gone what gets it back: one line each.

    :param providers: as `providers_in` gives it; the usual one for an app that is not there
    """
    return [
        f"{row.app}: its project {row.project} was deleted outside of this stack: {databases()[providers.get(row.app, USUAL.name)].regaining}: "
        "tenantry up -- --refresh"
        for row in rows
        if row.status == GONE
    ]


def providers_in(resources: Iterable[Resource]) -> dict[str, str]:
    """Return the name of the cloud that each app of a state has its project in."""
    return {
        name_of(each): provider_of(each.get("outputs") or {})
        for each in resources
        if each["type"] == TENANT_APP
    }


def ask_computes(
    projects: Iterable[tuple[str, str]], environment: Mapping[str, str]
) -> dict[str, str]:
    """Ask the clouds for the state of each project's compute.

    :param projects: the name of its cloud, and its id
    :param environment: the variables that a run has. A cloud whose key is not among them is not asked
    :raises TenantryError: a key is refused, or a cloud does not answer
    """
    by_cloud: dict[str, list[str]] = {}
    for name, project in projects:
        by_cloud.setdefault(name, []).append(project)
    found: dict[str, str] = {}
    for cloud, ids in ((databases()[name], ids) for name, ids in by_cloud.items()):
        if all(environment.get(each) for each in cloud.secrets):
            with cloud.connect({}, environment) as client:
                found |= client.computes(ids)
    return found


def ask_statuses(
    apps: Iterable[App] | None, resources: Sequence[Resource], environment: Mapping[str, str]
) -> list[AppStatus]:
    """Ask the clouds for the computes, and set the registry against the stack and the answer.

    :param apps: as for `app_statuses`
    :param resources: what the stack holds
    :param environment: as for `ask_computes`
    :raises TenantryError: as `ask_computes`
    """
    applied = outputs_of(resources).get("apps") or {}
    providers = providers_in(resources)
    projects = [
        (providers.get(app, USUAL.name), facts["project"]) for app, facts in applied.items()
    ]
    return app_statuses(apps, applied, ask_computes(projects, environment))


def print_statuses(
    rows: Sequence[AppStatus], schemes: Mapping[str, str], providers: Mapping[str, str]
) -> None:
    """Print the table, and what to do next.

    :param schemes: the URL scheme of each app that is to be there
    :param providers: as `providers_in` gives it
    """
    print_table(_HEADS, [row.as_text() for row in rows])
    print()
    for line in ways_out(rows, providers) or [f"Next: {next_step(rows, schemes)}"]:
        print(line)


def print_after_run(store: Store, stack: str, environment: Mapping[str, str]) -> None:
    """Print how the apps of a stack stand after a run that succeeded, by the state that it wrote.

    Where that cannot be seen, one line on standard error says so: the run succeeded all the same.

    :param environment: the variables that the run had
    """
    try:
        resources = resources_of(store.state(stack))
        rows = ask_statuses(None, resources, environment)
    except TenantryError as error:
        note(f"how the apps stand cannot be seen: {error}: tenantry status shows it later")
        return
    print()
    print_statuses(rows, _schemes_in(resources), providers_in(resources))


def next_step(rows: Iterable[AppStatus], schemes: Mapping[str, str]) -> str:
    """Return the command to try next: the way into the first app that is there.

    :param schemes: as for `print_statuses`
    """
    if not schemes:
        return f"{own_command()} new TENANT/APP"
    there = [row.app for row in rows if row.app in schemes and row.project != "-"]
    libpq = [each for each in there if schemes[each] in _LIBPQ_SCHEMES]
    if libpq:
        return f'psql "$({own_command()} url {libpq[0]})"'
    return f"{own_command()} url {there[0]}" if there else f"{own_command()} up"


def _schemes_in(resources: Iterable[Resource]) -> dict[str, str]:
    """Return the URL scheme of each app, as it was declared when it was applied."""
    found = {}
    for each in resources:
        if each["type"] == TENANT_APP:
            declared = json.loads((each.get("outputs") or {}).get("declared") or "{}")
            found[name_of(each)] = str(declared.get("database", {}).get("url_scheme") or "")
    return found
