"""The arguments and options that several commands of `tenantry keys` take."""

from pathlib import Path
from typing import Annotated

import typer

AppId = Annotated[str, typer.Argument(metavar="APP", help="The app: tenant/app.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="The key's name in the registry.")]
File = Annotated[Path, typer.Argument(help="The registry.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Write = Annotated[
    bool, typer.Option("--write", help="Change the registry's file instead of printing the diff.")
]
REGISTRY = Path("tenants.yaml")
