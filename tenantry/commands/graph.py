"""`tenantry graph`: an app's graph in Neo4j Aura."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.presenting.printing import fail, one_line_errors, print_gone, print_json, print_table

app = typer.Typer(name="graph", help="An app's graph in Neo4j Aura.", no_args_is_help=True)


@app.command()
def query(
    target: Annotated[
        str, typer.Argument(metavar="APP[/USER]", help="The app, or one of its users.")
    ],
    statement: Annotated[str, typer.Argument(help="Cypher.")],
    *,
    parameters: Annotated[
        str, typer.Option("--parameters", help='A JSON object, such as {"x": 1}.')
    ] = "{}",
    write: Annotated[bool, typer.Option("--write", help="Allow the statement to write.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array of rows.")] = False,
) -> None:
    """Run one statement on a graph and print its rows.

    tenantry graph query acme/web "RETURN 1 AS ok"

    Exit code: 0; 1 where the app has no such graph, or it refuses the statement.

    JSON: an array of rows, each an object by the names of its columns.
    """
    import json

    from tenantry.aura.connecting import client_for
    from tenantry.running.local import current_environment

    try:
        given = json.loads(parameters)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        fail("--parameters: write a JSON object, such as '{\"x\": 1}'")
    with (
        one_line_errors(),
        client_for(target, current_environment(Path.cwd())) as client,
    ):
        result = client.run(statement, given, access="Write" if write else "Read")
    if as_json:
        print_json(result.rows())
    else:
        print_table(
            list(result.fields),
            [
                [each if isinstance(each, str) else json.dumps(each) for each in row]
                for row in result.values
            ],
        )


@app.command("delete")
def delete_graph(
    instance_id: Annotated[str, typer.Argument(metavar="INSTANCE", help="Its id in Aura.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Its name in Aura, to be sure.")],
    as_json: AsJson = False,
) -> None:
    """Delete an Aura instance that no stack holds, such as one whose create was cut off, and wait until it is gone.

    tenantry graph delete db1d1234 --name tenantry--acme--web

    Exit code: 0, also where it is gone already; 1 where a stack holds it, or it has another name.

    JSON: {"id", "gone": true}.
    """
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.strays import delete_stray
    from tenantry.running.local import current_environment

    with one_line_errors():
        looker = Looker(Path.cwd(), current_environment(Path.cwd()))
        delete_stray(looker, "graph", instance_id, name)
    print_gone(instance_id, as_json=as_json)
