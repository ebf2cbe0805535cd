"""Adds an app to `tenants.yaml` as a block with comments; every other byte of the file stays (see `editor`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.errors import shown
from tenantry.registry.editing import EditError
from tenantry.registry.editor import add_block
from tenantry.registry.names import LABEL
from tenantry.registry.problems import RegistryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.registry.document import Path
    from tenantry.registry.editing import Edit, RegistryFile

_DATABASE: Final = (
    "# database:",
    "#   schema: base # a template (base, neonhub), or the folder of a history of your own",
    "#   extensions: [pg_trgm]",
    "#   compute: {min_cu: 0.25, max_cu: 2, suspend_after: 5m}",
    "#   branches: {staging: {}}",
)
_LATER: Final = """\
# services: [auth, realtime, storage]
# api_keys: [{name: default, scopes: [read, write]}]
# graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}
deletion: protect # or retain, delete: what may happen to its data when it leaves
"""
_FIXED: Final = {
    "environment": "production, staging or development",
    "region": "cannot be changed later without a new, empty project",
}
"""What an app must have, from itself or the defaults."""


def check_id(app_id: str) -> None:
    """Refuse what is no app's id.

    :raises EditError: it is not `tenant/app`
    """
    parts = app_id.split("/")
    if len(parts) != len(("tenant", "app")) or not all(map(LABEL.fullmatch, parts)):
        raise EditError(
            f"{shown(app_id)}: write tenant/app, each of lower-case letters, digits and single hyphens, a letter first"
        )


def add_app(
    file: RegistryFile,
    app_id: str,
    *,
    environment: str = "",
    region: str = "",
    settings: Sequence[str] = _DATABASE,
) -> Edit:
    """Write a new app behind the last one of its tenant. A new tenant is written behind the last tenant.

    :param app_id: `tenant/app`
    :param environment: `production`, `staging` or `development`; empty: as the registry's defaults say
    :param region: a region of Neon; empty: as the registry's defaults say
    :param settings: lines of the block, behind environment and region; by default what a database may have, as comments
    :raises EditError: the app is there already, its id is not valid, the environment or the region is neither given nor
        in the defaults, or the layout has no room for it
    """
    check_id(app_id)
    tenant, _, name = app_id.partition("/")
    for app in file.registry.apps:
        if app.id == app_id:
            raise EditError(f"{file.path}:{app.location.line}: {app_id} is there already")
    block = _app(_given(file, environment=environment, region=region), settings)
    path: Path = ("tenants", tenant, "apps", name)
    if all(tenant != each.label for each in file.registry.tenants):
        path = path[:2]
        block = [
            f"name: {tenant} # as people read it",
            f"# contact: platform@{tenant}.example",
            "apps:",
            f"  {name}:",
            *(f"    {line}" for line in block),
        ]
    try:
        return add_block(file, path, block)
    except RegistryError as error:
        raise EditError(f"{app_id} cannot be added so:\n{error}") from None


def _given(file: RegistryFile, **given: str) -> dict[str, str | None]:
    """Return the value of each field that an app must have; None where the defaults give it."""
    defaults = file.values.get("defaults", {})
    values: dict[str, str | None] = {}
    for key, value in given.items():
        if not value and key not in defaults:
            raise EditError(f"{file.path}: the defaults have no {key}: say --{key}")
        values[key] = value or None
    return values


def _app(given: dict[str, str | None], settings: Sequence[str]) -> list[str]:
    lines = [
        f"{key}: {value}" if value else f"# {key}: … # by the defaults; {_FIXED[key]}"
        for key, value in given.items()
    ]
    return [*lines, *settings, *_LATER.splitlines()]
