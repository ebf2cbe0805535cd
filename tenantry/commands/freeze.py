"""`tenantry freeze` and `tenantry thaw`: keep every run from an app for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.errors import TenantryError
from tenantry.presenting.printing import one_line_errors, print_json

if TYPE_CHECKING:
    from tenantry.fleet.project import Project

App = Annotated[str, typer.Argument(metavar="APP", help="The app, tenant/app.")]


def freeze(
    app: App,
    *,
    reason: Annotated[str, typer.Option(help="Why, in one line: plans and refusals show it.")],
    until: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT",
            help="When it ends by itself: a moment in ISO 8601 (UTC unless it says otherwise), or a duration from now, such as 4h.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep every run from an app: up, destroy, the fleet's runs and the service's workers.

    tenantry freeze acme/web --reason "restoring by hand" --until 4h

    Plans and status say why and until when. Needs a catalog. Frozen again, it has the new reason and end. The program
    that is run by hand (pulumi up) does not ask.

    Exit code: 0; 1 where there is no catalog, or the app is not known.

    JSON: {"app", "reason", "actor", "until"}.
    """
    with one_line_errors():
        from tenantry.running.actor import actor_of
        from tenantry.selfservice.freezes import freeze as keep

        project, namespace = _known(app)
        kept = keep(
            project.needed_catalog_url(),
            namespace,
            app,
            reason=_line(reason),
            actor=actor_of(project.environment),
            until=_moment(until) if until else None,
        )
    if as_json:
        end = kept.until.isoformat() if kept.until else None
        print_json({"app": app, "reason": kept.reason, "actor": kept.actor, "until": end})
    else:
        print(kept)


def thaw(app: App, *, as_json: AsJson = False) -> None:
    """End what tenantry freeze began.

    tenantry thaw acme/web

    An app that is not frozen stays as it is.

    Exit code: 0; 1 where there is no catalog.

    JSON: {"app", "was_frozen"}.
    """
    with one_line_errors():
        from tenantry.fleet.project import Project
        from tenantry.registry import load
        from tenantry.running.actor import actor_of
        from tenantry.selfservice.freezes import thaw as end

        project = Project.open(Path.cwd())
        namespace = load(project.folder / project.registry).namespace
        was = end(project.needed_catalog_url(), namespace, app, actor=actor_of(project.environment))
    if as_json:
        print_json({"app": app, "was_frozen": was})
    else:
        print(f"{app} is thawed" if was else f"{app} was not frozen")


def _known(app: str) -> tuple[Project, str]:
    """Return the project and its namespace; a name that is misspelt would freeze nothing."""
    from tenantry.fleet.project import Project

    project = Project.open(Path.cwd())
    project.needed_catalog_url()
    reading = project.source.read()
    if app not in reading.kept:
        try:
            reading.registry.app(app)
        except LookupError as error:
            raise TenantryError(str(error.args[0]), place=str(project.registry)) from None
    return project, reading.registry.namespace


def _line(reason: str) -> str:
    line = " ".join(reason.split())
    if not line or not line.isprintable():
        raise TenantryError("write why, in one line", place="--reason")
    return line


def _moment(text: str) -> datetime:
    from tenantry.registry.units import parse_duration

    now = datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        try:
            found = now + timedelta(milliseconds=parse_duration(text, example="4h"))
        except ValueError:
            raise TenantryError(
                f"{text[:40]!r} is no moment: write one such as 2026-12-01T18:00, or a duration such as 4h",
                place="--until",
            ) from None
    if found <= now:
        raise TenantryError(f"{found:%Y-%m-%d %H:%M} UTC is over", place="--until")
    return found.astimezone(UTC)
