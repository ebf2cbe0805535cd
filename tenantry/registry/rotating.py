"""Rotates an app's login and its API keys in `tenants.yaml`, and revokes keys (see `editor`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.registry.editing import Edit, EditError, NoSuchKeyError, RegistryFile
from tenantry.registry.editor import NotWrittenError, set_value

if TYPE_CHECKING:
    from collections.abc import Iterable


def rotate_login(file: RegistryFile, app_id: str) -> Edit:
    """Raise `database.credentials.generation` of an app by one. What is missing of it is written in the app itself.

    :param app_id: `tenant/app`
    :raises NoSuchKeyError: there is no such app
    :raises EditError: the change would reach further, or the layout has no room for it
    """
    app = file.app(app_id)
    path = ("tenants", app.tenant, "apps", app.name, "database", "credentials", "generation")
    return set_value(file, path, app.database.credentials.generation + 1, what=app_id)


def rotate_key(file: RegistryFile, app_id: str, key: str) -> Edit:
    """Raise the generation of an API key by one.

    :param app_id: `tenant/app`
    :param key: the key's name
    :raises NoSuchKeyError: there is no such key
    :raises EditError: the change would reach further
    """
    generation = file.api_key(app_id, key).generation + 1
    return _set_in_key(file, app_id, key, "generation", generation)


def revoke_key(file: RegistryFile, app_id: str, key: str, generations: Iterable[int]) -> Edit:
    """Add generations to those of an API key that are revoked. What is revoked already is not written again.

    :raises NoSuchKeyError: there is no such key or generation
    :raises EditError: the change would reach further
    """
    found = file.api_key(app_id, key)
    wanted = sorted(set(generations))
    for generation in wanted:
        if not 1 <= generation <= found.generation:
            raise NoSuchKeyError(
                f"{file.path}: API key {key} of {app_id} has no generation {generation}: "
                f"write one from 1 to {found.generation}"
            )
    new = [generation for generation in wanted if generation not in found.revoked]
    if not new:
        return Edit(file.path, file.content, file.content)
    return _set_in_key(file, app_id, key, "revoked", [*found.revoked, *new])


def _set_in_key(
    file: RegistryFile, app_id: str, key: str, name: str, value: int | list[int]
) -> Edit:
    app, index = file.find(app_id, key)
    try:
        return set_value(
            file,
            ("tenants", app.tenant, "apps", app.name, "api_keys", index, name),
            value,
            what="the API key",
            behind=("generation", "scopes", "name"),
        )
    except NotWrittenError:
        raise EditError(
            f"{file.path}:{app.location.line}: the API keys of {app_id} are not written there (they come from defaults or "
            'through "<<"), so a change would reach other apps: give it an "api_keys" of its own'
        ) from None
