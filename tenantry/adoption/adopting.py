"""Proposes the change of the registry by which an app takes over an existing Neon project. Changes nothing in Neon."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from tenantry.adoption.errors import AdoptionError
from tenantry.adoption.holding import holder_of
from tenantry.clouds.neon import NEON
from tenantry.neon.adopting import Wanted, fault_of, read_existing
from tenantry.planning.adopting import adoption_lines
from tenantry.planning.values import written
from tenantry.registry import AppNames
from tenantry.registry.adding import add_app, check_id
from tenantry.registry.declared import declared
from tenantry.registry.editor import flow, set_value
from tenantry.registry.loading import parse
from tenantry.registry.written.adopt import project_id as checked
from tenantry.registry.written.rules import RuleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.neon.adopting import Existing
    from tenantry.neon.looking import NeonClient
    from tenantry.recovery.looking import Looker
    from tenantry.registry import App
    from tenantry.registry.editing import Edit, RegistryFile

_KEY: Final = (
    "adopt: {{project: {}}} # taken over with its data; may be taken out once it is applied"
)


@dataclass(frozen=True)
class Proposal:
    """A project that an app can have."""

    edit: Edit
    """Of the registry."""
    lines: tuple[str, ...]
    """What a run would take over, change and leave as it is."""


def propose(
    looker: Looker, file: RegistryFile, app_id: str, project_id: str, *, environment: str = ""
) -> Proposal:
    """Compare a project with what the registry says of an app, and propose what the registry is to say.

    An app that is new gets a block with the project's own settings, so that taking it over changes few of them. Of an
    app that is there `adopt` alone is written.

    :param app_id: `tenant/app`
    :param environment: of a new app; empty: as the registry's defaults say
    :raises AdoptionError: the app cannot have the project, or has one
    :raises TenantryError: something cannot be asked, or the file cannot be changed
    """
    check_id(app_id)
    _check_project_id(project_id)
    app = next((each for each in file.registry.apps if each.id == app_id), None)
    _refuse_held(looker, app_id, project_id)
    # Of NEON it is this one.
    with cast("NeonClient", looker.connect(NEON)) as client:
        api = client.api
        existing = read_existing(api, project_id)
        wanted = _wanted(looker, file, app_id, app, existing)
        fault = fault_of(api, project_id, existing, wanted)
    if existing is None or fault:
        raise AdoptionError(f"{app_id}: {fault}")
    edit = _known(file, app, project_id) if app else _new(file, app_id, existing, environment)
    after = parse(edit.after, str(file.path)).app(app_id)
    lines = adoption_lines(existing.facts(), declared(after), wanted.name)
    return Proposal(edit, lines)


def _check_project_id(project_id: str) -> None:
    try:
        checked(project_id)
    except RuleError as error:
        raise AdoptionError(f"--project: {error}") from None


def _refuse_held(looker: Looker, app_id: str, project_id: str) -> None:
    states = looker.states()
    for state in states:
        for each in state.of(NEON):
            if each.id == project_id:
                raise AdoptionError(
                    f"project {project_id} is {each.target}'s in stack {state.stack}: it is managed already"
                )
    holder = holder_of(looker, states, app_id)
    if holder and holder.project:
        raise AdoptionError(
            f"{app_id} has project {holder.project} in stack {holder.stack}: adopt is for an app without one"
        )


def _wanted(
    looker: Looker, file: RegistryFile, app_id: str, app: App | None, existing: Existing | None
) -> Wanted:
    names = app.names if app else AppNames(file.registry.namespace, *app_id.split("/"))
    database: Mapping[str, Any] = existing.settings["database"] if existing else {}
    return Wanted(
        app=app_id,
        name=names.project,
        owner=names.owner_role,
        organization=looker.account(NEON),
        # A new app takes what the project has.
        region=app.region if app else existing.settings["region"] if existing else "",
        postgres_version=app.database.postgres_version
        if app
        else database.get("postgres_version", 0),
        logical_replication=app.database.logical_replication if app else True,
    )


def _known(file: RegistryFile, app: App, project_id: str) -> Edit:
    path = ("tenants", app.tenant, "apps", app.name, "adopt", "project")
    return set_value(file, path, project_id, what=app.id, behind=("region", "environment"))


def _new(file: RegistryFile, app_id: str, existing: Existing, environment: str) -> Edit:
    def with_settings(lines: list[str]) -> Edit:
        return add_app(
            file,
            app_id,
            environment=environment,
            region=existing.settings["region"],
            settings=[_KEY.format(existing.project.id), *lines],
        )

    bare = parse(with_settings([]).after, str(file.path)).app(app_id)
    usual = json.loads(declared(bare))["database"]
    # A switch or a quota of which nothing is written is off, or none.
    differing = {
        key: value
        for key, value in existing.settings["database"].items()
        if value and value != usual[key]
    }
    if not differing:
        return with_settings([])
    settings = (f"  {key}: {_text(key, value)}" for key, value in sorted(differing.items()))
    return with_settings(["database:", *settings])


def _text(key: str, value: object) -> str:
    return flow(value) if isinstance(value, list) else written(value, f"database.{key}")
