"""`tenantry serve`: the HTTP API of self-service."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry import tracing
from tenantry.commands.options import AsLines
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors


def serve(
    *,
    bind: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where to listen; 127.0.0.1:8080 by default."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Do up to N operations at once beside the API; by default none."
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The settings; service.toml by default, if it is there."),
    ] = None,
    as_json: AsLines = False,
) -> None:
    """Serve the HTTP API, by which apps are asked for, and the page of the fleet.

    tenantry serve --workers 2

    Workers make the apps. The settings are in docs/service.md, how people sign in is in docs/page.md. Wrong settings
    are said before anything starts. At a signal (SIGTERM, Ctrl-C) nothing new is accepted, and what is under way may
    end.

    Exit code: 0 it ended as asked, 1 an error.

    JSON: each line of the log as an object: at, level, logger, message, and request where it is about one.
    """
    with one_line_errors():
        from tenantry.service.installed import check_installed

        check_installed()

        from tenantry.catalog.session import needed_catalog_url
        from tenantry.fleet.project import Project
        from tenantry.pages.opening import page_of
        from tenantry.running.local import begin, is_local
        from tenantry.selfservice import logs
        from tenantry.service.serving import listening, prepare, url_of
        from tenantry.service.serving import serve as run
        from tenantry.service.settings import read

        folder = Path.cwd()
        begin(folder, note)
        project = Project.open(folder)
        read_settings = read(
            folder,
            needed_catalog_url(folder),
            settings,
            project.environment,
            bind=bind,
            workers=workers,
            # What a folder's own local cloud has is on this machine, whoever works on it.
            one_machine=True if is_local(folder) else None,
        )
        logs.begin(as_json=as_json)
        tracing.begin("tenantry-serve")
        offers = prepare(read_settings, folder / project.registry, project.environment)
        with listening(read_settings) as bound:
            url = url_of(bound)
            note(f"serving: {url}")
            page = page_of(project, read_settings, url, tell=note)
            code = run(read_settings, offers, project.environment, bound, [page], as_json=as_json)
    tracing.end()
    raise typer.Exit(code)
