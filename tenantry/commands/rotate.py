"""`tenantry rotate`: move an app to its other login."""

from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.printing import one_line_errors, print_edit


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
    following = f"Next: tenantry up, which makes generation {generation}; then tenantry url {app_id}, for those who connect"
    print_edit(edit, write, as_json=as_json, next_=following, app=app_id, generation=generation)
