"""`tenantry keys list`: the keys of the registry against those of the catalog."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.keys.options import AsJson
from tenantry.commands.options import REGISTRY
from tenantry.presenting.keys import row_as_text
from tenantry.presenting.printing import fail, one_line_errors, print_json, print_table


def list_keys(
    app_id: Annotated[
        str | None, typer.Argument(metavar="[APP]", help="One app: tenant/app. Without it, all.")
    ] = None,
    *,
    file: Annotated[Path, typer.Option("--registry", help="The registry.")] = REGISTRY,
    every: Annotated[
        bool, typer.Option("--all", help="Also revoked keys that the registry no longer names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List keys with their state: valid, expired, revoked, missing (tenantry up makes it), not in the registry.

    tenantry keys list

    Exit code: 0; 1 where the registry or the catalog cannot be read.

    JSON: [{"app", "name", "generation", "prefix", "scopes", "state", "created", "expires", "last_used"}].
    """
    from tenantry.catalog.listing import listed_keys, stored_keys
    from tenantry.catalog.session import needed_catalog_url, open_catalog
    from tenantry.errors import did_you_mean
    from tenantry.selfservice.source import source_of

    with one_line_errors():
        url = needed_catalog_url(Path.cwd())
        registry = source_of(file, lambda: url).read().registry
        with open_catalog(url) as connection:
            stored = stored_keys(connection, registry.namespace, app_id)
    apps = [each for each in registry.apps if app_id in {None, each.id}]
    if app_id is not None and not apps and not stored:
        known = [each.id for each in registry.apps]
        fail(f'no app "{app_id}" in {file} or the catalog{did_you_mean(app_id, known)}')
    rows = listed_keys(apps, stored, now=datetime.now(UTC), every=every)
    if as_json:
        print_json(rows)
    else:
        heads = ["app", "name", "generation", "prefix", "scopes", "state"]
        print_table([*heads, "created", "expires", "last used"], [row_as_text(row) for row in rows])
