"""`tenantry release`: an app leaves the registry, and its project stays."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_edit


def release(
    app_id: AppId,
    file: File = REGISTRY,
    *,
    write: Annotated[
        bool,
        typer.Option("--write", help="Change the registry's file instead of printing the diff."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the next step by which an app leaves and its project stays, and what remains afterwards.

    The steps are 'deletion: retain', a run, the app's block taken out, a run. With --write a step that is a change of
    the registry is made.

    tenantry release acme/web --write

    Exit code: 0; 1 where there is no such app, or the file cannot be changed.

    JSON: {"app", "step", "lines", "next", "file", "written", "diff"}; step is retain, apply, remove or give up.
    """
    from tenantry.adoption.releasing import release as find_step
    from tenantry.fleet.looking import looker_for
    from tenantry.registry.editing import RegistryFile
    from tenantry.running.local import current_environment

    with one_line_errors():
        looker = looker_for(Path.cwd(), current_environment(Path.cwd()))
        found = find_step(looker, RegistryFile.read(file), app_id)
        if write:
            found.edit.write()
    if not as_json:
        for line in found.lines:
            note(f"{app_id}: {line}")
    print_edit(
        found.edit,
        write,
        as_json=as_json,
        next_=f"Next: {found.following}" if found.following else "",
        app=app_id,
        step=found.step,
        lines=found.lines,
        next=found.following,
    )
