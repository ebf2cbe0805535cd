"""An app that leaves while another arrives in one change: whether it may be the same app under another id."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tenantry.registry.applied import AppliedApp
    from tenantry.registry.models import App


def taken_back(old: AppliedApp, arriving: Iterable[App]) -> str:
    """Say why an app must not leave while one arrives that has an id of its own of before; else nothing.

    Somebody took the renaming back in the file, and the stack knows the later id.
    """
    for app in arriving:
        if app.id in old.formerly:
            return (
                f"{old.id} is gone, and {app.id} arrives, which is what it was called before: nothing was changed. To rename it back: "
                f"tenantry rename {old.id} {app.id} --write; to let it go, apply that alone, before {app.id} comes"
            )
    return ""


def hint(old: AppliedApp, arriving: Iterable[App], known: Collection[str]) -> str:
    """Say how to keep an app that leaves, where a new one looks like it; else nothing.

    :param known: the ids of all apps of the registry
    """
    alike = [app for app in arriving if _looks_like(old, app)]
    tenant, _, name = old.id.partition("/")
    # The nearer id is the likelier one.
    nearest = [app for app in alike if app.tenant == tenant] or [
        app for app in alike if app.name == name
    ]
    if len(nearest or alike) != 1:
        return ""
    (app,) = nearest or alike
    gone = app.name == name and not any(each.startswith(f"{tenant}/") for each in known)
    ids = f"{tenant} {app.tenant}" if gone else f"{old.id} {app.id}"
    return f". Did you mean a rename? tenantry rename {ids} --write"


def _looks_like(old: AppliedApp, new: App) -> bool:
    return (
        (old.provider, old.region) == (new.database.provider, new.region)
        and old.postgres_version == new.database.postgres_version
        and old.branches == {branch.name for branch in new.database.branches}
        and old.api_keys.keys() == {key.name for key in new.api_keys}
        and len(old.graphs) == len(new.graphs)
    )
