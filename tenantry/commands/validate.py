"""`tenantry validate`: every problem of a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tenantry.commands.options import REGISTRY, AsJson, File
from tenantry.errors import counted
from tenantry.presenting.notes import note
from tenantry.presenting.printing import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tenantry.registry import Registry


def validate(
    file: File = REGISTRY,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a registry and print every problem, one a line. Nothing is made.

    tenantry validate

    Where the folder's local cloud runs, an extension that it does not have is a warning. No other cloud is asked.

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
            note(f"{file}: {counted(len(error.problems), 'problem')}")
        raise typer.Exit(1) from None
    for line in _not_here(file, registry):
        note(line)
    if as_json:
        print_json({"valid": True, "problems": []})
    else:
        tenants, apps = len(registry.tenants), len(registry.apps)
        print(f"{file}: {counted(tenants, 'tenant')}, {counted(apps, 'app')}: valid")


def _not_here(file: Path, registry: Registry) -> Iterator[str]:
    """Say which extensions the folder's local cloud does not have."""
    wanted = [(app.id, name) for app in registry.apps for name in app.database.extensions]
    if not wanted:
        return
    from tenantry.running.local import extensions

    here = extensions(file.absolute().parent)
    for app, name in wanted:
        if here is not None and name not in here:
            yield f"warning: {file}: {app}: the local cloud does not have the extension {name}: a run on it fails, one on Neon does not"
