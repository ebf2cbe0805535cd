"""`tenantry validate`: every problem of a registry."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.presenting.notes import note
from tenantry.presenting.printing import (
    print_json,
)


def validate(
    file: Annotated[Path, typer.Argument(help="The registry.")] = Path("tenants.yaml"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a registry and print every problem, one a line. Nothing is made, nothing is asked.

    tenantry validate

    Exit code: 0 valid; 1 not.

    JSON: {"valid", "problems": [{"file", "line", "column", "path", "message"}]}.
    """
    from dataclasses import asdict

    from tenantry.registry import RegistryError, load

    try:
        registry = load(file)
    except RegistryError as error:
        if as_json:
            print_json({"valid": False, "problems": [asdict(each) for each in error.problems]})
        else:
            for problem in error.problems:
                note(str(problem))
            note(f"{file}: {_count(len(error.problems), 'problem')}")
        raise typer.Exit(1) from None
    if as_json:
        print_json({"valid": True, "problems": []})
    else:
        tenants, apps = len(registry.tenants), len(registry.apps)
        print(f"{file}: {_count(tenants, 'tenant')}, {_count(apps, 'app')}: valid")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
