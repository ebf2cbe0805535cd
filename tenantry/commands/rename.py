"""`tenantry rename`: give an app or a tenant another id."""

from typing import Annotated

import typer

from tenantry.commands.options import REGISTRY, AsJson, File
from tenantry.presenting.printing import one_line_errors, print_edit


def rename(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="The app, tenant/app, or the tenant to rename.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")],
    file: File = REGISTRY,
    *,
    write: Annotated[
        bool,
        typer.Option("--write", help="Change the registry's file instead of printing the diff."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the change of the registry that gives an app or a tenant another id and keeps all that it has.

    With --write it is made.

    tenantry rename acme/web acme/site --write

    Project, data, logins and API keys stay. An app may go to another tenant. Where the id was changed in the file by
    hand already, what is missing is written: renamed_from.

    Exit code: 0; 1 where the file cannot be changed.

    JSON: {"old", "new", "file", "written", "diff"}.
    """
    with one_line_errors():
        from tenantry.registry.editing import RegistryFile
        from tenantry.registry.renaming import rename as renamed

        edit = renamed(RegistryFile.read(file), old, new)
        if write:
            edit.write()
    following = "Next: tenantry plan, which says renamed and destroys nothing; then tenantry up"
    print_edit(edit, write, as_json=as_json, next_=following, old=old, new=new)
