"""`tenantry init`: a repository of a team's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from tenantry.presenting import asking
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, own_command, print_json
from tenantry.repository.choices import LOCAL_STACK, Choices, Cloud, Service, default_namespace


def init(  # noqa: PLR0913 options
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The folder, which need not be there.")
    ] = Path(),
    *,
    namespace: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The mark in every name in a cloud. Default: the folder's name."
        ),
    ] = None,
    app: Annotated[
        str | None, typer.Option(metavar="TENANT/APP", help="The first app. Default: acme/web.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="REGION", help="A region of Neon, for every app. Default: aws-us-east-2."
        ),
    ] = None,
    cloud: Annotated[
        Cloud | None, typer.Option(help="Where runs are: the local cloud, or Neon. Default: local.")
    ] = None,
    fleet: Annotated[
        bool | None,
        typer.Option("--fleet/--one-stack", help="A stack for each app, or one. Default: one."),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The stack on Neon. Default: prod.")
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where the states on Neon are. Default: PULUMI_BACKEND_URL says it."
        ),
    ] = None,
    service: Annotated[
        Service | None,
        typer.Option(
            "--ci", help="Workflows for GitHub, the script alone, or neither. Default: none."
        ),
    ] = None,
    wheel: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The wheel to pin. Default: the one this was installed from."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing, and take the defaults.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a repository of your own: registry with a first app, settings, pinned version, workflows.

    tenantry init platform --app acme/web

    Asks for what no option says, where there is a terminal. A file that is there already is never overwritten. Nothing
    is made in a cloud.

    Exit code: 0; 1 where a file is in the way, or a choice is not allowed.

    JSON: {"folder", "written", "left", "next"}.
    """
    from tenantry.repository.composing import compose, next_commands
    from tenantry.repository.pinning import pin_running
    from tenantry.repository.writing import check_room, commit, write

    ask = not yes and not as_json and asking.somebody_is_there()
    where = cast("Cloud", _choice(cloud, "local", "Cloud (local, neon)", ask))
    real = where == "neon"
    with one_line_errors():
        choices = Choices(
            namespace=_choice(
                namespace, default_namespace(folder), "Namespace, the mark in every name", ask
            ),
            app=_choice(app, "acme/web", "First app, as TENANT/APP", ask),
            region=_choice(region, "aws-us-east-2", "Region", ask),
            environment="development" if where == "local" else "production",
            cloud=where,
            fleet=_fleet(fleet, ask),
            stack=_choice(stack, "prod", "Stack", ask and not fleet)
            if real
            else stack or LOCAL_STACK,
            backend=_choice(
                backend,
                "",
                "Where the states are, as a URL (empty: PULUMI_BACKEND_URL says it)",
                ask,
            )
            if real
            else backend or "",
            service=cast(
                "Service", _choice(service, "none", "CI service (github, other, none)", ask)
            ),
        )
        files = compose(choices, pin_running(wheel, local_cloud=not real))
        check_room(folder, files)
        written, left = write(folder, files)
        undone = commit(folder, list(files))
    commands = next_commands(choices)
    if as_json:
        print_json({"folder": str(folder), "written": written, "left": left, "next": commands})
        return
    for name in written:
        print(f"written: {folder / name}")
    for name in left:
        note(f"{folder / name}: is there already, and stays as it is")
    if undone:
        note(f"{folder}: {undone}")
    inside = "" if folder.absolute() == Path.cwd() else f"cd {folder} && "
    print(f"Next: {inside}{commands[0].replace('tenantry', own_command(anywhere=True), 1)}")


def _choice(given: str | None, default: str, question: str, ask: bool) -> str:
    if given is not None or not ask:
        return default if given is None else given
    answer: str = typer.prompt(question, default=default, err=True, show_default=bool(default))
    return answer.strip()


def _fleet(given: bool | None, ask: bool) -> bool:
    if given is not None or not ask:
        return bool(given)
    return typer.confirm("A stack for each app?", default=False, err=True)
