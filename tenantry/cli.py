"""The `tenantry` command: registers the commands, each of which has a file in `tenantry/commands/`.

Each command imports what it needs when it runs: starting must stay cheap.
"""

from __future__ import annotations

import os
import warnings
from typing import Annotated

import typer

from tenantry import __version__
from tenantry.commands import (
    adopt,
    ci,
    destroy,
    doctor,
    drift,
    engine,
    env,
    fleet,
    freeze,
    graph,
    init,
    keys,
    new,
    notifications,
    orphans,
    plan,
    project,
    registry,
    release,
    rename,
    report,
    rotate,
    schema,
    serve,
    show,
    status,
    up,
    upgrade,
    url,
    usage,
    validate,
    work,
)
from tenantry.surroundings import drop_libpq

# Wrong usage is an error like any other, so its exit code is 1: 2 says that changes are pending. In public typer has
# only the classes below the one that says so.
next(each for each in typer.BadParameter.__mro__ if each.__name__ == "UsageError").exit_code = 1  # type: ignore[attr-defined]  # of that class

app = typer.Typer(
    name="tenantry",
    help="A database for every tenant, declared in one YAML file.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (keys, fleet, ci, graph, project, registry):
    app.add_typer(group.app)
for command in (
    init.init,
    plan.plan,
    drift.drift,
    up.up,
    destroy.destroy,
    doctor.doctor,
    orphans.orphans,
    show.show,
    new.new,
    adopt.adopt,
    rename.rename,
    release.release,
    freeze.freeze,
    freeze.thaw,
    notifications.notifications,
    rotate.rotate,
    validate.validate,
    serve.serve,
    work.work,
    schema.schema,
    env.env,
    status.status,
    report.report,
    url.url,
    usage.usage,
    engine.engine,
    upgrade.upgrade,
):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    # The process is ours alone. What it connects to says everything itself, and Python's warnings are for developers.
    drop_libpq(os.environ)
    warnings.simplefilter("ignore")
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        from tenantry.engine.pins import NEON, POSTGRESQL, PULUMI, RANDOM
        from tenantry.running.program import program_digest

        print(f"tenantry {__version__}")
        print(f"program {program_digest(revisions=True)[:12]}")
        print(f"pulumi {PULUMI}")
        print(f"plugins random {RANDOM}, postgresql {POSTGRESQL}, neon {NEON}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of program, engine and plugins.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
