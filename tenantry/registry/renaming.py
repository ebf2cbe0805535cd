"""Renames an app or a tenant in `tenants.yaml`, and notes what it was called (`renamed_from`; see `editor`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tenantry.errors import did_you_mean, shown
from tenantry.registry.editing import Edit, EditError, RegistryFile
from tenantry.registry.editor import add_block, block_of, remove, rename_key, set_value
from tenantry.registry.names import LABEL
from tenantry.registry.problems import RegistryError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tenantry.registry.document import Path

_KEY: Final = "renamed_from"


def rename(file: RegistryFile, old: str, new: str) -> Edit:
    """Give an app or a tenant another id, and write `renamed_from` beside it.

    Where the registry has the new one already and the old one no more, `renamed_from` alone is written.

    :param old: `tenant/app`, or a tenant
    :param new: the same of what it is to be called; an app may go to another tenant that is there
    :raises EditError: neither is there, or both are; an id is not valid; the change would reach further, or the layout
        has no room for it
    """
    if ("/" in old) != ("/" in new):
        raise EditError(
            f"{old} to {new}: one is an app and the other a tenant: write tenant/app twice, or two tenants"
        )
    if not all(LABEL.fullmatch(label) for label in new.split("/", 1)) or new == "all":
        raise EditError(
            f"{shown(new)}: write it of lower-case letters, digits and single hyphens, a letter first"
        )
    if old == new:
        raise EditError(f"{old} is what it is called already")
    there = _there(file, is_app="/" in old)
    if old in there and new in there:
        raise EditError(f"{file.path}: {old} and {new} are both there: choose another id")
    if old not in there and new not in there:
        known = did_you_mean(old, there)
        raise EditError(f"{file.path}: the registry has neither {shown(old)}{known} nor {new}")
    here = old if old in there else new
    before = _before(file, here)
    try:
        cleared = file
        if new in before:
            # Back to what it was: it cannot say of itself that it was that before.
            cleared = file.edited(remove(file, (*_path(here), _KEY)))
        moved = cleared
        if here == old:
            moved = cleared.edited(_moved(cleared, _path(old), _path(new)))
        edit = _noted(moved, new, [old, *(each for each in before if each not in {old, new})])
    except RegistryError as error:
        raise EditError(f"{old} cannot be renamed to {new}:\n{error}") from None
    return replace(edit, before=file.content)


def _there(file: RegistryFile, *, is_app: bool) -> Collection[str]:
    registry = file.registry
    if is_app:
        return {app.id for app in registry.apps}
    return {tenant.label for tenant in registry.tenants}


def _path(name: str) -> Path:
    tenant, slash, app = name.partition("/")
    return ("tenants", tenant, "apps", app) if slash else ("tenants", tenant)


def _moved(file: RegistryFile, old: Path, new: Path) -> Edit:
    if old[:-1] == new[:-1]:
        return rename_key(file, old, str(new[-1]))
    tenants: dict[str, Any] = file.values["tenants"]
    if new[1] not in tenants:
        raise EditError(
            f"{file.path}: there is no tenant {new[1]} to move it to: rename the tenant as a whole, or add {new[1]} with 'apps: {{}}' first"
        )
    block = block_of(file, old)
    return add_block(file.edited(remove(file, old)), new, block)


def _before(file: RegistryFile, name: str) -> list[str]:
    """Return what an earlier renaming noted. It stays, since a stack may not have been applied since."""
    written: Any = file.values
    for step in _path(name):
        written = written[step]
    before = written.get(_KEY, [])
    return [before] if isinstance(before, str) else list(before)


def _noted(file: RegistryFile, name: str, before: list[str]) -> Edit:
    path = _path(name)
    return set_value(
        file,
        (*path, _KEY),
        before if len(before) > 1 else before[0],
        what=name,
        # Of a tenant, above its apps.
        behind=() if "/" in name else ("contact", "name"),
    )
