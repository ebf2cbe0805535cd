"""What is to be applied to each app's schema, known before anything runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenantry.schemas.errors import SchemaError
from tenantry.schemas.history import history_of
from tenantry.schemas.templates import template_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.registry.models import App, SchemaSource
    from tenantry.schemas.history import History

_HERE: Final = Path()


@dataclass(frozen=True)
class SchemaPlan:
    """The revisions that an app's schema is to have."""

    template: str | None
    path: str | None
    """The folder of an operator's own history, from the program's folder, or absolute where the registry says so."""
    target: str
    revisions: tuple[str, ...]
    """Up to the target, in the order in which they run."""
    digest: str
    """Of the files of `revisions`."""
    extensions: tuple[str, ...]
    """What the history needs of the database."""
    allow_downgrade: bool


def plan_schemas(
    apps: Iterable[App], registry: Path, folder: Path = _HERE
) -> dict[str, SchemaPlan]:
    """Plan the schemas of the apps that have one, by the app's id.

    :param registry: the registry's file; a relative path in it begins at its folder
    :param folder: the program's folder; by default the current one
    :raises SchemaError: one line for each app whose history cannot be used
    """
    plans: dict[str, SchemaPlan] = {}
    faults: list[str] = []
    known: dict[tuple[str | None, str | None], History] = {}
    for app in apps:
        source = app.database.schema_source
        if source is None:
            continue
        try:
            key = (source.template, source.path)
            path = _from_folder(source, registry, folder)
            if key not in known:
                known[key] = history_of(source.template, path and str(folder / path))[0]
            plans[app.id] = _plan(source, path, known[key])
        except SchemaError as error:
            faults.append(f"{app.location}: {app.id}: schema: {error}")
    if faults:
        raise SchemaError("\n".join(faults))
    return plans


def _plan(source: SchemaSource, path: str | None, history: History) -> SchemaPlan:
    target = history.resolve(source.revision)
    revisions = history.up_to(target)
    return SchemaPlan(
        template=source.template,
        path=path,
        target=target,
        revisions=revisions,
        digest=history.digest(revisions),
        extensions=source.extensions
        if source.path or not source.template
        else template_named(source.template).extensions,
        allow_downgrade=source.allow_downgrade,
    )


def _from_folder(source: SchemaSource, registry: Path, folder: Path) -> str | None:
    # Relative to the program's folder, so that the state is the same on every machine.
    if source.path is None or Path(source.path).is_absolute():
        return source.path
    return Path(os.path.relpath(registry.parent / source.path, folder)).as_posix()
