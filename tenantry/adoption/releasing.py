"""The way out of the registry for an app whose project stays: which step is next, and what remains afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tenantry.adoption.errors import AdoptionError
from tenantry.adoption.holding import holder_of
from tenantry.clouds.neon import NEON
from tenantry.errors import did_you_mean, shown
from tenantry.registry.editing import Edit
from tenantry.registry.editor import remove, set_value

if TYPE_CHECKING:
    from tenantry.adoption.holding import Holder
    from tenantry.recovery.looking import Looker
    from tenantry.registry import App
    from tenantry.registry.editing import RegistryFile

Step = Literal["retain", "apply", "remove", "give up"]


@dataclass(frozen=True)
class Release:
    """Where an app is on its way out."""

    step: Step
    """`retain`: the registry is to say so; `apply`: that is to be applied; `remove`: its block is to leave; `give up`:
    the block is gone, and a run is to give the app up."""
    edit: Edit
    """Of the registry; without a change where the next step is a run."""
    lines: tuple[str, ...]
    """What remains, and what does not."""
    following: str
    """The command after this step."""


def release(looker: Looker, file: RegistryFile, app_id: str) -> Release:
    """Find the next of the steps by which an app leaves and its project stays.

    They are two reviewed changes, as every removal is: `deletion: retain` applied, then its block taken out. Each call
    finds where the app is.

    :param app_id: `tenant/app`
    :raises AdoptionError: neither the registry nor a stack has the app, or it left while it was protected
    :raises TenantryError: something cannot be read, or the file cannot be changed
    """
    app = next((each for each in file.registry.apps if each.id == app_id), None)
    holder = holder_of(looker, looker.states(), app_id)
    if holder is None:
        return _never_applied(file, app_id, app)
    unchanged = Edit(file.path, file.content, file.content)
    lines = _remaining(looker, app_id, holder)
    up = "tenantry up" if looker.stack else "tenantry fleet up"
    retained = holder.applied is not None and holder.applied.deletion == "retain"
    if app is None:
        if not retained:
            raise AdoptionError(
                f"{app_id} is gone from {file.path}, and was not applied with 'deletion: retain': put its block back, "
                f"then tenantry release {app_id}"
            )
        return Release("give up", unchanged, lines, _giving_up(looker, app_id, holder))
    path = ("tenants", app.tenant, "apps", app.name)
    if app.deletion != "retain":
        edit = set_value(file, (*path, "deletion"), "retain", what=app_id)
        return Release("retain", edit, lines, f"{up}, then tenantry release {app_id} --write")
    if not retained:
        return Release("apply", unchanged, lines, f"{up}, then tenantry release {app_id} --write")
    return Release("remove", remove(file, path), lines, _giving_up(looker, app_id, holder))


def _never_applied(file: RegistryFile, app_id: str, app: App | None) -> Release:
    if app is None:
        hint = did_you_mean(app_id, {each.id for each in file.registry.apps})
        raise AdoptionError(f"neither {file.path} nor a stack has an app {shown(app_id)}{hint}")
    edit = remove(file, ("tenants", app.tenant, "apps", app.name))
    return Release("remove", edit, (f"{app_id} was never applied: nothing remains",), "")


def _giving_up(looker: Looker, app_id: str, holder: Holder) -> str:
    if not looker.stack:
        return "tenantry fleet up"
    # The last app of a stack goes only by its name.
    return f"tenantry up --allow-destroy {app_id}" if holder.alone else "tenantry up"


def _remaining(looker: Looker, app_id: str, holder: Holder) -> tuple[str, ...]:
    applied = holder.applied
    organization = applied.account if applied else looker.account(NEON)
    payer = f"organization {organization}" if organization else "the API key's own organization"
    lines = [
        f"remains: project {holder.project} with its databases, roles and data, which {payer} goes on paying for",
        f"remains: the app's logins, which stay valid and which nobody knows afterwards: keep the URL first, tenantry url {app_id}",
    ]
    if applied and applied.graphs:
        lines.append(
            f"remains: the graphs {', '.join(applied.graphs)} in Aura, which cost as before: keep their passwords first, "
            "pulumi stack output graphs --show-secrets"
        )
    if applied and applied.api_keys:
        lines.append(f"ends: the API keys {', '.join(applied.api_keys)} are revoked")
    if applied and applied.in_catalog:
        lines.append("ends: its registration in the catalog is marked as removed")
    return tuple(lines)
