"""`tenantry ci validate`: the registry's problems, at its lines."""

import os
from pathlib import Path

import typer

from tenantry.commands.ci.options import Registry
from tenantry.commands.options import AsJson
from tenantry.errors import counted
from tenantry.presenting.reviews import print_annotations


def validate(registry: Registry = Path("tenants.yaml"), *, as_json: AsJson = False) -> None:
    """Check the registry and annotate its lines. Needs no secret and no engine: what a fork's pull request gets.

    tenantry ci validate

    Exit code: 0 valid, 1 not valid.

    JSON: {"annotations": [{"file", "line", "column", "title", "text", "level"}]}.
    """
    from tenantry.ci.reviewing import Reviewer
    from tenantry.registry import RegistryError, load

    try:
        found = load(registry)
    except RegistryError as error:
        review = Reviewer(registry, os.environ).of_problems(error.problems)
        print_annotations(review.annotations, as_json=as_json)
        raise typer.Exit(1) from None
    print_annotations([], as_json=as_json)
    if not as_json:
        print(f"{registry}: {counted(len(found.apps), 'app')}: valid")
