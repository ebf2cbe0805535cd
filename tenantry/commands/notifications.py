"""`tenantry notifications`: who was not told of what."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.presenting.printing import one_line_errors, print_json


def notifications(
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Let a worker try them now, also those given up.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the notifications of the service that not every receiver of notify has.

    tenantry notifications --again

    One that waits is tried by a worker for a day, with a pause that grows. One is given up after that, or when its
    receiver refuses it. A receiver that has a message does not get it again. Needs a catalog.

    Exit code: 0 there is none; 3 there is one; 1 it could not look.

    JSON: [{"app", "kind", "at", "state", "attempts", "next_attempt_at", "failure"}]; state is waiting or given up.
    """
    with one_line_errors():
        from dataclasses import asdict

        from tenantry.fleet.project import Project
        from tenantry.registry import load
        from tenantry.selfservice.undelivered import undelivered

        project = Project.open(Path.cwd())
        namespace = load(project.folder / project.registry).namespace
        found = undelivered(project.needed_catalog_url(), namespace, again=again)
    if as_json:
        moments = ("at", "next_attempt_at")
        print_json(
            [
                asdict(each)
                | {
                    name: value.isoformat() if (value := getattr(each, name)) else None
                    for name in moments
                }
                for each in found
            ]
        )
    else:
        for each in found:
            why = f", after attempt {each.attempts}: {each.failure}" if each.failure else ""
            print(f"{each.at:%Y-%m-%dT%H:%M:%SZ} {each.app} {each.kind}: {each.state}{why}")
    raise typer.Exit(3 if found else 0)
