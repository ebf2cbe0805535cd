"""`tenantry adopt`: an existing Neon project becomes an app's."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_edit


def adopt(
    app_id: AppId,
    file: File = REGISTRY,
    *,
    project: Annotated[
        str, typer.Option("--project", metavar="ID", help="The project's id in Neon.")
    ],
    environment: Annotated[
        str,
        typer.Option(
            metavar="ENVIRONMENT",
            help="Of a new app: production, staging or development. Default: the registry's.",
        ),
    ] = "",
    write: Annotated[
        bool,
        typer.Option("--write", help="Change the registry's file instead of printing the diff."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare an existing Neon project with the registry, and print the change by which an app takes it over.

    With --write the registry is changed. Neon is only asked: the next run takes the project over, with its data.

    tenantry adopt acme/web --project flat-bread-90066822 --write

    A new app gets a block with the project's own settings. An app that is in the registry, and was not applied yet,
    gets the key adopt.

    Exit code: 0; 1 where the app cannot have the project, or the file cannot be changed.

    JSON: {"app", "project", "lines", "file", "written", "diff"}.
    """
    from tenantry.adoption.adopting import propose
    from tenantry.fleet.looking import looker_for
    from tenantry.registry.editing import RegistryFile
    from tenantry.running.local import current_environment

    with one_line_errors():
        looker = looker_for(Path.cwd(), current_environment(Path.cwd()))
        source = RegistryFile.read(file)
        proposal = propose(looker, source, app_id, project, environment=environment)
        if write:
            proposal.edit.write()
    if not as_json:
        for line in proposal.lines:
            note(f"{app_id}: {line}")
    fleet = "" if looker.stack else "fleet "
    print_edit(
        proposal.edit,
        write,
        as_json=as_json,
        next_=f"Next: tenantry {fleet}plan, then tenantry {fleet}up",
        app=app_id,
        project=project,
        lines=proposal.lines,
    )
