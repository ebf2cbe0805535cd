"""`tenantry engine`: the engine and its plugins."""

import typer

from tenantry.commands.options import AsJson


def engine(
    *,
    as_json: AsJson = False,
) -> None:
    """Find, download or build the Pulumi engine and its plugins, beside this command.

    tenantry engine

    Exit code: 0; 1 where one of them cannot be had.

    JSON: {executable: {"path", "target", "origin"}}.
    """
    from tenantry.engine.__main__ import main as engine_main

    raise typer.Exit(1 if engine_main(["ensure", *(["--json"] if as_json else [])]) else 0)
