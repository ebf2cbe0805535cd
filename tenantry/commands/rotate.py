"""`tenantry rotate`: move an app to its other login."""

from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.notes import note
from tenantry.presenting.printing import (
    edit_as_json,
    one_line_errors,
    print_edit,
    print_json,
)


def rotate(
    app_id: AppId,
    file: File = REGISTRY,
    *,
    write: Annotated[
        bool,
        typer.Option("--write", help="Change the registry's file instead of printing the diff."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the change of the registry that moves an app to its other login with a new password.

    With --write it is made.

    tenantry rotate acme/web --write

    The login in use now stays valid until the rotation after this one.

    Exit code: 0; 1 where the file cannot be changed.

    JSON: {"app", "generation", "file", "written", "diff"}.
    """
    with one_line_errors():
        from tenantry.registry.editing import RegistryFile
        from tenantry.registry.rotating import rotate_login

        source = RegistryFile.read(file)
        edit = rotate_login(source, app_id)
        generation = source.app(app_id).database.credentials.generation + 1
        if write:
            edit.write()
    if as_json:
        print_json({"app": app_id, "generation": generation} | edit_as_json(edit, write))
        return
    print_edit(edit, write)
    note(
        f"Next: tenantry up, which makes generation {generation}; then tenantry url {app_id}, for those who connect"
    )
