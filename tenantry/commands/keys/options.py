"""The arguments and options that several commands of `tenantry keys` take."""

from typing import Annotated

import typer

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="The key's name in the registry.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Write = Annotated[
    bool, typer.Option("--write", help="Change the registry's file instead of printing the diff.")
]
