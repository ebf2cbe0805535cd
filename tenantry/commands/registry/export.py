"""`tenantry registry export`: an app that was asked for, as a block of the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.notes import note
from tenantry.presenting.printing import fail, one_line_errors, print_json

if TYPE_CHECKING:
    from tenantry.fleet.project import Project
    from tenantry.registry.asked import AskedRow
    from tenantry.registry.editing import RegistryFile


def export(
    app_id: AppId,
    file: File = REGISTRY,
    *,
    release: Annotated[
        bool,
        typer.Option("--release", help="Give up the row, once the file has the app."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print an app that was asked for as a block of the registry's file, for a pull request.

    tenantry registry export acme/web

    First the block comes into the file, then --release gives up the row. In between the app is in both: runs over the
    fleet are refused, and nothing leaves.

    Exit code: 0; 1 where there is no such row, it is not valid, or the file says something else than the row.

    JSON: {"app", "row", "plan", "released", "block"}; block is null with --release, row and plan where the row was
    given up before.
    """
    from tenantry.fleet.project import Project
    from tenantry.registry.editing import RegistryFile
    from tenantry.registry.handing_over import block_of_row
    from tenantry.selfservice.asked_rows import read_rows

    with one_line_errors():
        there = RegistryFile.read(file)
        project = Project.open(Path.cwd())
        rows = read_rows(project.needed_catalog_url(), there.registry.namespace)
        row = next((each for each in rows if each.app_id == app_id), None)
        if release:
            _release(there, app_id, row, project)
        elif row is None:
            fail(f"{app_id} was not asked for: the catalog has no row of it")
        lines = block_of_row(there, row) if row and not release else []
    block = "".join(f"{each}\n" for each in lines) or None
    if as_json:
        facts = {"app": app_id, "row": row and row.id, "plan": row and row.plan}
        print_json({**facts, "released": release, "block": block})
    elif block is None:
        note(f"{app_id} is the file's alone. Next: tenantry fleet up --only {app_id}")
    else:
        print(block, end="")
        note(
            f"Next: write it into {file}, and when that is merged: tenantry registry export {app_id} --release. Until then runs over "
            "the fleet are refused, since the app is in both"
        )


def _release(there: RegistryFile, app_id: str, row: AskedRow | None, project: Project) -> None:
    """Give up a row where the file says the same: then nothing changes but who declares the app.

    :param row: None where it was given up already
    """
    from tenantry.planning.fields import changes
    from tenantry.registry.asked import row_app
    from tenantry.registry.declared import declared
    from tenantry.running.actor import actor_of
    from tenantry.selfservice.asked_rows import give_up

    registry = there.registry
    if not registry.declares(app_id):
        fail(
            f"{there.path}: {app_id} is not in it, and without its row the app would leave: write the block into the file first"
        )
    if row is None:
        return
    differences = changes(declared(row_app(registry, row)), declared(there.app(app_id)))
    if differences:
        for each in differences:
            note(f"{app_id}: {each.text}")
        fail(
            f"{there.path}: {app_id} is not what its row says: nothing was changed. Make them alike first"
        )
    give_up(project.needed_catalog_url(), registry.namespace, row, actor_of(project.environment))
