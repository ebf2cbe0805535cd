"""`tenantry registry import`: an app of the file becomes one that was asked for."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.notes import note
from tenantry.presenting.printing import fail, one_line_errors, print_edit


def import_(
    app_id: AppId,
    file: File = REGISTRY,
    *,
    plan: Annotated[
        str,
        typer.Option(metavar="PLAN", help="Its plan. Default: the one that makes the same app."),
    ] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Write the row into the catalog. The file stays.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an app of the file one that was asked for, and print the change of the file that is left to do.

    tenantry registry import acme/web --plan starter --write

    First the row is written, then the app is taken out of the file. In between it is in both: runs over the fleet are
    refused, and nothing leaves. Run it again to see the change of the file again.

    Exit code: 0; 1 where the plan would make another app of it (what differs is named), or it cannot be handed over.

    JSON: {"app", "plan", "row", "file", "written", "diff"}; row is null without --write, and written is false: the
    command does not change the file.
    """
    from tenantry.fleet.project import Project
    from tenantry.planning.fields import changes
    from tenantry.registry.declared import declared
    from tenantry.registry.editing import RegistryFile
    from tenantry.registry.editor import remove
    from tenantry.registry.handing_over import plans_like, row_of_block
    from tenantry.running.actor import actor_of
    from tenantry.selfservice.asked_rows import take_over

    with one_line_errors():
        there = RegistryFile.read(file)
        if not plan:
            alike = plans_like(there, app_id)
            if len(alike) != 1:
                found = f"several plans do ({', '.join(alike)})" if alike else "no plan does"
                fail(f"{app_id}: {found} make this app: say which, --plan PLAN")
            (plan,) = alike
        row, app, made = row_of_block(there, app_id, plan)
        if differences := changes(declared(app), declared(made)):
            for each in differences:
                note(f"{app_id}: {each.text}")
            fail(
                f"{app.location}: the plan {plan} would make another app of {app_id}: nothing was changed. Make them alike first"
            )
        spec = None
        if write:
            project = Project.open(Path.cwd())
            actor = actor_of(project.environment)
            spec = take_over(project.needed_catalog_url(), there.registry.namespace, row, actor)
        edit = remove(there, ("tenants", app.tenant, "apps", app.name))
    next_ = (
        f"Next: take these lines out of {file}. Until that is merged runs over the fleet are refused, since the app is in both"
        if write
        else f"Next: tenantry registry import {app_id} --plan {plan} --write, then take these lines out of {file}"
    )
    print_edit(edit, False, as_json=as_json, next_=next_, app=app_id, plan=plan, row=spec)
