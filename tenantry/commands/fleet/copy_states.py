"""`tenantry fleet copy-states`: all states of the project go to another backend."""

from dataclasses import asdict
from pathlib import Path

import typer

from tenantry.commands.fleet.moving import PENDING
from tenantry.commands.fleet.options import DryRun, Yes
from tenantry.commands.options import AsJson
from tenantry.presenting.asking import agree_to_begin
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_json


def copy_states(*, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Copy all stacks, with their history, to the backend that TENANTRY_STATES_TO names.

    From a folder to PostgreSQL, or back. The old ones stay, locked. The next run is made with PULUMI_BACKEND_URL set to
    the new one, and has nothing to do.

    tenantry fleet copy-states --dry-run

    Exit code: 0 copied, or there already; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"stacks", "there", "keys", "source", "target", "done"}.
    """
    from tenantry.fleet.copying import copy_states, open_both
    from tenantry.fleet.project import Project

    with one_line_errors():
        project = Project.open(Path.cwd())
        source, target = open_both(project, dry_run=dry_run)
        if not (yes or dry_run):
            what = f"From {source.where} to {target.where}"
            agree_to_begin(what, "Copy", otherwise="nothing was copied")
        copied = copy_states(source, target, project.name, note, dry_run=dry_run)
    if as_json:
        print_json({**asdict(copied), "done": not dry_run})
    else:
        again = f", {len(copied.there)} there already" if copied.there else ""
        done = "to copy" if dry_run else "copied"
        stacks = f"{len(copied.stacks)} stacks ({copied.keys} files)"
        print(f"{done}: {stacks} to {copied.target}{again}")
    raise typer.Exit(PENDING if dry_run and copied.stacks else 0)
