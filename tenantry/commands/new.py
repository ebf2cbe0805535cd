"""`tenantry new`: add an app to the registry."""

from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AsJson, File
from tenantry.presenting.printing import one_line_errors, print_edit


def new(
    app_id: Annotated[str, typer.Argument(metavar="TENANT/APP", help="The app to add.")],
    file: File = REGISTRY,
    *,
    environment: Annotated[
        str,
        typer.Option(
            metavar="ENVIRONMENT",
            help="production, staging or development. Default: the registry's.",
        ),
    ] = "",
    region: Annotated[
        str, typer.Option(metavar="REGION", help="A region of Neon. Default: the registry's.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the diff, and leave the file as it is.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add an app to the registry, and its tenant where that is new, as a block with comments. Makes nothing.

    tenantry new acme/api --environment staging

    Exit code: 0; 1 where it is there already, or the file cannot be changed.

    JSON: {"app", "file", "written", "diff"}.
    """
    with one_line_errors():
        from tenantry.registry.adding import add_app
        from tenantry.registry.editing import RegistryFile

        edit = add_app(RegistryFile.read(file), app_id, environment=environment, region=region)
        if not dry_run:
            edit.write()
    following = f"Next: look at {app_id} in {file}, then tenantry plan"
    print_edit(edit, not dry_run, as_json=as_json, next_=following, app=app_id)
