"""`tenantry ci`: the steps of a CI service around the registry."""

import typer

from tenantry.commands.ci import apply, drift, github, pr, release, validate

app = typer.Typer(
    name="ci",
    help="The steps of a CI service: review a pull request, apply what was merged, look for drift.",
    no_args_is_help=True,
)
app.add_typer(github.app)
app.command()(validate.validate)
app.command()(pr.pr)
app.command()(apply.apply)
app.command()(release.release)
app.command()(drift.drift)
