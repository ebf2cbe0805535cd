"""The arguments and options that several commands of `tenantry ci` take."""

from pathlib import Path
from typing import Annotated

import typer

Registry = Annotated[
    Path, typer.Argument(help="The registry, as the stack's tenantry:registry names it.")
]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.")]
