"""The `tenantry` command.

Each command imports what it needs when it runs: starting must stay cheap.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from tenantry import __version__
from tenantry.commands import (
    ci,
    destroy,
    doctor,
    edit,
    fleet,
    fleet_moves,
    keys,
    orphans,
    plan,
    show,
    up,
)
from tenantry.presenting.printing import fail, one_line_errors, print_json, print_table

if TYPE_CHECKING:
    from tenantry.recovery.looking import Looker

# Wrong usage, of which typer has only the heirs in public, is an error like any other: 2 says that changes are pending.
next(each for each in typer.BadParameter.__mro__ if each.__name__ == "UsageError").exit_code = 1  # type: ignore[attr-defined]  # of that class

# The schemes that psql knows (PostgreSQL manual, "Connection URIs").
LIBPQ_SCHEMES = {"postgresql", "postgres"}
Document: TypeAlias = Literal["registry", "plan", "drift"]

app = typer.Typer(
    name="tenantry",
    help="A database for every tenant, declared in one YAML file.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app)
fleet.app.command()(fleet_moves.split)
fleet.app.command()(fleet_moves.join)
fleet.app.command()(fleet_moves.copy_states)
app.add_typer(fleet.app)
app.add_typer(ci.app)
app.command()(plan.plan)
app.command()(plan.drift)
app.command()(up.up)
app.command()(destroy.destroy)
app.command()(doctor.doctor)
app.command()(orphans.orphans)
app.command()(show.show)
app.command()(edit.new)
app.command()(edit.rotate)


def main() -> None:
    """Run the command line."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tenantry {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="The registry.")] = Path("tenants.yaml"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a registry and print every problem, one a line. Nothing is made, nothing is asked.

    tenantry validate

    Exit code: 0 valid; 1 not.

    JSON: {"valid", "problems": [{"file", "line", "column", "path", "message"}]}.
    """
    from tenantry.registry import RegistryError, load

    try:
        registry = load(file)
    except RegistryError as error:
        if as_json:
            print_json({"valid": False, "problems": [_as_json(each) for each in error.problems]})
        else:
            for problem in error.problems:
                print(problem, file=sys.stderr)
            print(f"{file}: {_count(len(error.problems), 'problem')}", file=sys.stderr)
        raise typer.Exit(1) from None
    if as_json:
        print_json({"valid": True, "problems": []})
    else:
        tenants, apps = len(registry.tenants), len(registry.apps)
        print(f"{file}: {_count(tenants, 'tenant')}, {_count(apps, 'app')}: valid")


@app.command()
def schema(
    document: Annotated[
        Document, typer.Argument(help="Of which document: registry, plan or drift.")
    ] = "registry",
    *,
    as_json: Annotated[  # noqa: ARG001 a schema is JSON in any case
        bool, typer.Option("--json", help="As without: a schema is JSON.")
    ] = False,
) -> None:
    """Print a JSON Schema: the registry's, for editors, or that of what plan or drift print with --json.

    tenantry schema plan

    Exit code: 0.

    JSON: the schema, by JSON Schema 2020-12.
    """
    if document == "registry":
        from tenantry.registry.schema import schema_text as registry_text

        print(registry_text(), end="")
    else:
        from tenantry.planning.schema import schema_text

        print(schema_text(document), end="")


@app.command()
def env(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the variables that a shell needs to run pulumi on the local cloud.

    eval "$(tenantry env)"

    Exit code: 0; 1 where it does not run.

    JSON: an object of the variables. The passphrase is not among them, but the path of its file; the local cloud's own keys are.
    """
    import shlex

    from tenantry.running.local import UNSET, LocalCloudError, environment

    try:
        variables = environment(Path.cwd())
    except LocalCloudError as error:
        fail(str(error))
    if as_json:
        print_json(variables)
    else:
        print(f"unset {' '.join(UNSET)}")
        for name, value in variables.items():
            print(f"export {name}={shlex.quote(value)}")


@app.command()
def status(
    file: Annotated[Path, typer.Argument(help="The registry.")] = Path("tenants.yaml"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Show where each app lives and whether its compute is awake. Wakes nothing.

    tenantry status

    Exit code: 0; 1 where the stack or Neon cannot be asked.

    JSON: [{"app", "project", "region", "host", "database", "schema", "services", "keys", "status"}].
    """
    from tenantry.neon.client import NeonError, computes
    from tenantry.presenting.status import app_statuses, ways_out
    from tenantry.registry import RegistryError, load
    from tenantry.running.local import LocalCloudError, current_environment
    from tenantry.running.stack import StackError, outputs

    try:
        registry = load(file)
        environment = current_environment(Path.cwd())
        applied = outputs(environment).get("apps", {})
        states = computes((facts["project"] for facts in applied.values()), environment)
    except (RegistryError, LocalCloudError, StackError, NeonError) as error:
        fail(str(error))
    rows = app_statuses(registry.apps, applied, states)
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    print_table(
        ["app", "project", "region", "host", "database", "schema", "services", "keys", "status"],
        [row.as_text() for row in rows],
    )
    gone = ways_out(rows)
    for line in gone:
        print(f"\n{line}")
    if gone:
        return
    libpq = {app.id for app in registry.apps if app.database.url_scheme in LIBPQ_SCHEMES}
    ready = [row.app for row in rows if row.app in applied and row.app in libpq]
    print(f'\nNext: psql "$({_command()} url {ready[0]})"' if ready else "\nNext: pulumi up")


@app.command()
def url(
    app_id: Annotated[str, typer.Argument(metavar="APP", help="The app: tenant/app.")],
    *,
    pooled: Annotated[bool, typer.Option("--pooled", help="Through the pooler.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print an app's connection URL, a secret: its password is in it.

    tenantry url acme/web

    Exit code: 0; 1 where the stack has no such app.

    JSON: {"app", "kind", "url"}; kind is direct or pooled.
    """
    from tenantry.registry.problems import did_you_mean
    from tenantry.running.local import LocalCloudError, current_environment
    from tenantry.running.stack import StackError, outputs

    try:
        urls = outputs(current_environment(Path.cwd()), secrets=True).get("urls", {})
    except (LocalCloudError, StackError) as error:
        fail(str(error))
    if app_id not in urls:
        fail(f'the stack holds no app "{app_id}"{did_you_mean(app_id, urls)}')
    kind = "pooled" if pooled else "direct"
    if as_json:
        print_json({"app": app_id, "kind": kind, "url": urls[app_id][kind]})
    else:
        print(urls[app_id][kind])


graph = typer.Typer(help="An app's graph in Neo4j Aura.", no_args_is_help=True)
app.add_typer(graph, name="graph")


@graph.command()
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

    from tenantry.aura.connecting import NoGraphError, client_for
    from tenantry.aura.errors import AuraError
    from tenantry.running.local import LocalCloudError, current_environment
    from tenantry.running.stack import StackError

    try:
        given = json.loads(parameters)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        fail("--parameters: write a JSON object, such as '{\"x\": 1}'")
    try:
        with client_for(target, current_environment(Path.cwd())) as client:
            result = client.run(statement, given, access="Write" if write else "Read")
    except (LocalCloudError, StackError, NoGraphError, AuraError) as error:
        fail(str(error))
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


@graph.command("delete")
def delete_graph(
    instance_id: Annotated[str, typer.Argument(metavar="INSTANCE", help="Its id in Aura.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Its name in Aura, to be sure.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Delete an Aura instance that no stack holds, such as one whose create was cut off, and wait until it is gone.

    tenantry graph delete db1d1234 --name tenantry--acme--web

    Exit code: 0, also where it is gone already; 1 where a stack holds it, or it has another name.

    JSON: {"id", "gone": true}.
    """
    from tenantry.recovery.strays import delete_graph as delete

    with one_line_errors():
        delete(_looker(), instance_id, name)
    _gone(instance_id, as_json=as_json)


project = typer.Typer(help="An app's project in Neon.", no_args_is_help=True)
app.add_typer(project, name="project")


@project.command("delete")
def delete_project(
    project_id: Annotated[str, typer.Argument(metavar="PROJECT", help="Its id in Neon.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Its name in Neon, to be sure.")],
    protected: Annotated[
        bool,
        typer.Option("--protected", help="Also where the registry protects the app of this name."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Delete a Neon project that no stack holds, such as one of two that have the same name.

    tenantry project delete flat-bread-90066822 --name tenantry--acme--api

    Exit code: 0, also where it is gone already; 1 where a stack holds it, it has another name, or it is protected.

    JSON: {"id", "gone": true}.
    """
    from tenantry.recovery.strays import delete_project as delete

    with one_line_errors():
        delete(_looker(), project_id, name, protected=protected)
    _gone(project_id, as_json=as_json)


@app.command()
def engine(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find, download or build the Pulumi engine and its plugins, beside this command.

    tenantry engine

    Exit code: 0; 1 where one of them cannot be had.

    JSON: {executable: {"path", "target", "origin"}}.
    """
    from tenantry.engine.__main__ import main as engine_main

    raise typer.Exit(1 if engine_main(["ensure", *(["--json"] if as_json else [])]) else 0)


def _gone(what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": what, "gone": True})
    else:
        print(f"{what}: gone")


def _looker() -> Looker:
    from tenantry.recovery.looking import Looker
    from tenantry.running.local import current_environment

    return Looker(Path.cwd(), current_environment(Path.cwd()))


def _command() -> str:
    """Name this command as the reader's shell finds it: by its path where it lies below the current folder."""
    called = Path(sys.argv[0]).absolute()
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else called.name


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_json(problem: object) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(problem)  # type: ignore[call-overload,no-any-return]  # a Problem, not imported here
