"""`tenantry fleet`: every app in a stack of its own.

Results go to standard output, progress to standard error.
"""

import typer

from tenantry.commands.fleet import copy_states, destroy, drift, join, plan, split, status, up

app = typer.Typer(
    name="fleet",
    help="Every app in a stack of its own, many at once.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command()(plan.plan)
app.command()(drift.drift)
app.command()(destroy.destroy)
app.command()(status.status)
app.command()(split.split)
app.command()(join.join)
app.command()(copy_states.copy_states)
