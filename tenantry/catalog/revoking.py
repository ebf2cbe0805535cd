"""Ends an API key where it is valid: in the catalog at once, and in the registry so that it stays ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenantry.catalog.keys import live_generations
from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.catalog.revocation import Revocation
    from tenantry.registry.editing import Edit, EditError, RegistryFile


class ManyGenerationsError(TenantryError):
    """More than one generation of the key is valid, and none was named."""


@dataclass(frozen=True)
class Ended:
    """What became of a key."""

    generations: tuple[int, ...]
    """In ascending order."""
    catalog: Revocation | None
    """None where there is no catalog."""
    edit: Edit
    """The change of the registry, which is not written yet."""
    unchanged: EditError | None
    """Why the registry has to be changed by hand; None where `edit` is the change."""


def revoke_key_everywhere(
    source: RegistryFile, url: str | None, app_id: str, name: str, wanted: Sequence[int] = ()
) -> Ended:
    """Revoke generations of a key in the catalog, and make the change of the registry that keeps them so.

    :param url: of the catalog; None where there is none
    :param app_id: `tenant/app`
    :param name: the key's name
    :param wanted: the generations; by default the one that is valid
    :raises ManyGenerationsError: two are valid, and `wanted` is empty
    :raises NoSuchKeyError: neither the registry nor the catalog has the key
    :raises CatalogError: the catalog cannot be asked
    """
    from tenantry.registry.editing import Edit, EditError, NoSuchKeyError
    from tenantry.registry.rotating import revoke_key

    edit = Edit(source.path, source.content, source.content)
    unchanged: EditError | None = None
    generations = list(wanted)
    try:
        generations = generations or _live(source, app_id, name)
        edit = revoke_key(source, app_id, name, generations)
    except NoSuchKeyError:
        # What the registry does not name any more may still be valid in the catalog.
        generations = _only_in_catalog(url, source, app_id, name, wanted)
        if not generations:
            raise
    except EditError as error:
        # A file whose layout has no room for the change is no reason to leave the key valid.
        unchanged = error
    outcome = _revoke_in_catalog(url, source, app_id, name, generations) if url else None
    return Ended(tuple(sorted(set(generations))), outcome, edit, unchanged)


def _live(source: RegistryFile, app_id: str, name: str) -> list[int]:
    """Return the generation to revoke where none is given."""
    key = source.api_key(app_id, name)
    live = live_generations(key.generation, key.revoked)
    # Where the registry revokes both already, both are revoked in the catalog too.
    return _one_of(live, app_id, name) if live else list(live_generations(key.generation))


def _one_of(live: tuple[int, ...], app_id: str, name: str) -> list[int]:
    """Return the only one; two that are valid are the operator's to choose from."""
    if len(live) > 1:
        which = " or ".join(f"--generation {n}" for n in live)
        raise ManyGenerationsError(
            f"{app_id} {name}: {len(live)} generations are valid: say which to revoke, {which}, or several"
        )
    return list(live)


def _only_in_catalog(
    url: str | None, source: RegistryFile, app_id: str, name: str, wanted: Sequence[int]
) -> list[int]:
    from tenantry.catalog.listing import stored_keys
    from tenantry.catalog.session import open_catalog

    if url is None:
        return []
    with open_catalog(url) as connection:
        stored = stored_keys(connection, source.registry.namespace, app_id)
    found = [key for key in stored if key.name == name]
    there = sorted({key.generation for key in found})
    if wanted:
        return [n for n in wanted if n in there]
    live = tuple(key.generation for key in found if not key.revoked)
    return _one_of(live, app_id, name) if live else there


def _revoke_in_catalog(
    url: str, source: RegistryFile, app_id: str, name: str, generations: list[int]
) -> Revocation:
    from tenantry.catalog.revocation import revoke
    from tenantry.catalog.session import open_catalog

    with open_catalog(url) as connection:
        return revoke(
            connection,
            namespace=source.registry.namespace,
            app=app_id,
            name=name,
            generations=generations,
        )
