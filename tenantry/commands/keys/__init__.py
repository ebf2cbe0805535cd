"""`tenantry keys`: the API keys of the apps.

Results go to standard output. What is said beside them goes to standard error, so that a diff can be piped to
`git apply`.
"""

import typer

from tenantry.commands.keys import list as listing
from tenantry.commands.keys import revoke, rotate, show, verify

app = typer.Typer(
    name="keys",
    help="API keys: list, show, verify, rotate and revoke them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("list")(listing.list_keys)
app.command()(show.show)
# Whatever stands there is not repeated by an error of the parser: it may be a key.
_UNREAD = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command(context_settings=_UNREAD)(verify.verify)
app.command()(rotate.rotate)
app.command()(revoke.revoke)
