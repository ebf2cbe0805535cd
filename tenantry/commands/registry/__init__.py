"""`tenantry registry`: apps between the file and the rows of those that were asked for."""

import typer

from tenantry.commands.registry import export, importing

app = typer.Typer(
    name="registry",
    help="Hand an app over between the file and the rows of apps that were asked for.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("export")(export.export)
app.command("import")(importing.import_)
