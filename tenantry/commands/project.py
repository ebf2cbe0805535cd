"""`tenantry project`: an app's project in Neon."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.presenting.printing import one_line_errors, print_gone

app = typer.Typer(name="project", help="An app's project in Neon.", no_args_is_help=True)


@app.command("delete")
def delete_project(
    project_id: Annotated[str, typer.Argument(metavar="PROJECT", help="Its id in Neon.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Its name in Neon, to be sure.")],
    protected: Annotated[
        bool,
        typer.Option("--protected", help="Also where the registry protects the app of this name."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a Neon project that no stack holds, such as one of two that have the same name.

    tenantry project delete flat-bread-90066822 --name tenantry--acme--api

    Exit code: 0, also where it is gone already; 1 where a stack holds it, it has another name, or it is protected.

    JSON: {"id", "gone": true}.
    """
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.strays import delete_stray
    from tenantry.running.local import current_environment

    with one_line_errors():
        looker = Looker(Path.cwd(), current_environment(Path.cwd()))
        delete_stray(looker, "project", project_id, name, protected=protected)
    print_gone(project_id, as_json=as_json)
