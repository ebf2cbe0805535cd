"""Which apps a stack or a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.errors import TenantryError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.registry.models import App, Registry


class SelectionError(TenantryError):
    """A selection that names something unknown, or nothing."""


def select(registry: Registry, spec: str | Sequence[str]) -> tuple[App, ...]:
    """Return the apps that `spec` selects, in the registry's order, each once.

    `spec` is `all`, which no tenant can be called, or a list of ids (`acme/web`) and tenants (`acme`, all of its apps);
    as a text, it is separated by commas.

    :raises SelectionError: a name is not in the registry, or the list is empty: a stack of nothing would remove all
        that it holds
    """
    wanted = [part.strip() for part in spec.split(",")] if isinstance(spec, str) else list(spec)
    if wanted == ["all"]:
        return registry.apps
    if not wanted or wanted == [""]:
        raise SelectionError(
            'selects no app: write "all", or ids and tenants such as acme/web, acme'
        )
    known = {app.id for app in registry.apps} | {tenant.label for tenant in registry.tenants}
    renamed = {before: app.id for app in registry.apps for before in app.renamed_from} | {
        before: tenant.label for tenant in registry.tenants for before in tenant.renamed_from
    }
    unknown = [
        f"{shown(name)} ({renamed[name]} now)"
        if name in renamed
        else f"{shown(name)}{did_you_mean(name, known)}"
        for name in wanted
        if name not in known
    ]
    if unknown:
        raise SelectionError(f"not in the registry: {', '.join(unknown)}")
    chosen = set(wanted)
    return tuple(app for app in registry.apps if app.id in chosen or app.tenant in chosen)


def select_for(registry: Registry, spec: str, stack: str) -> tuple[App, ...]:
    """Return the apps that `spec` selects for a stack. With `all`, a stack with an app's own name holds that app alone.

    Runs over many stacks give each app a stack of its own (`AppNames.stack`). Whoever works on one of them by hand must
    not put every app of the registry into it.

    :raises SelectionError: as `select`; also where `spec` is `all` and the stack's app is not in the registry
    """
    if spec.strip() != "all" or "--" not in stack:
        return select(registry, spec)
    own = tuple(app for app in registry.apps if app.names.stack == stack)
    if not own:
        raise SelectionError(
            f"stack {stack} is called as an app's own, and the registry's file has no such app: tenantry fleet up takes it out, or goes "
            "on with it where it was asked for; or name the apps that it is to hold: pulumi config set tenantry:apps"
        )
    return own
