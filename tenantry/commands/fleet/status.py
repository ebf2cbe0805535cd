"""`tenantry fleet status`: how each app's stack stands."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantry.commands.fleet.options import (
    Environments,
    File,
    Only,
    ShardOf,
    Since,
    Tenants,
    open_fleet,
    select,
)
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_json, print_table


def status(
    *,
    only: Only = None,
    tenant: Tenants = None,
    environment: Environments = None,
    changed_since: Since = None,
    shard: ShardOf = None,
    registry: File = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Say how each app's stack stands: applied, changed, new, failed, gone from the registry.

    Starts no engine, asks no cloud.

    tenantry fleet status --json

    Exit code: 0.

    JSON: [{"app", "stack", "standing", "ended", "result"}].
    """
    from tenantry.fleet.standing import standings

    with one_line_errors():
        fleet = open_fleet(registry)
        selection = select(fleet, only, tenant, environment, changed_since, shard)
        outlook = fleet.look(selection)
    rows = standings(outlook)
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    if rows:
        print_table(
            ["app", "stack", "standing", "last run", "result"], [row.as_text() for row in rows]
        )
    for line in (*outlook.notes, *outlook.refused):
        note(line)
