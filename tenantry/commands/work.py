"""`tenantry work`: a worker of the service."""

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry import tracing
from tenantry.commands.options import AsLines
from tenantry.errors import TenantryError
from tenantry.presenting.printing import one_line_errors

if TYPE_CHECKING:
    from tenantry.selfservice.claims import Lease

_SLOTS: Final = 4
_SHORTEST: Final = 6.0
_PORTS: Final = 65_536


def work(
    *,
    slots: Annotated[
        int, typer.Option(min=1, max=64, help="How many operations at once.")
    ] = _SLOTS,
    finish: Annotated[
        str,
        typer.Option(
            metavar="DURATION", help="How long what is under way may take when it is to end."
        ),
    ] = "10m",
    attempts: Annotated[
        int,
        typer.Option(
            min=1, help="How often an operation is tried that fails for a passing reason."
        ),
    ] = 3,
    pause: Annotated[
        str, typer.Option(metavar="DURATION", help="How long is waited between two attempts.")
    ] = "5m",
    lease: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="How long others wait before they go on for a worker that does not answer; 6s or more.",
        ),
    ] = "60s",
    look: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="How often one worker of all looks for drift and for what nobody holds; 0s: never.",
        ),
    ] = "1h",
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Where the worker's metrics are read; on 127.0.0.1 where no host is named. By default nowhere.",
        ),
    ] = None,
    as_json: AsLines = False,
) -> None:
    """Do what the service was asked for, until it is asked to end (SIGTERM, Ctrl-C).

    tenantry work --slots 8

    Any number of workers may run, on any machines: they share the catalog (TENANTRY_CATALOG_URL, its direct host) and
    the states, which then are in postgres:// or a bucket. A worker is named by TENANTRY_WORKER, or by its host and a
    few random letters. At the first signal nothing new is begun, and what is under way may end; at the second it is
    stopped after its current steps, and left to another worker.

    Exit code: 0 it ended as asked, 2 it was held up or cut off from the catalog and is to be started again, 1 an
    error.

    JSON: each line of the log as an object: at, level, logger, message, and operation and app where it is about one.
    """
    with one_line_errors():
        import asyncio

        from tenantry.catalog.session import needed_catalog_url
        from tenantry.fleet.project import Project
        from tenantry.selfservice.logs import begin
        from tenantry.working.settings import WorkerSettings, worker_name
        from tenantry.working.worker import prepare, work

        begin(as_json=as_json)
        tracing.begin("tenantry-work")
        folder = Path.cwd()
        project = Project.open(folder)
        settings = WorkerSettings(
            catalog_url=needed_catalog_url(folder),
            folder=folder,
            environment=project.environment,
            slots=slots,
            name=worker_name(),
            lease=_lease(lease),
            finish_seconds=_seconds(finish, "--finish"),
            attempts=attempts,
            pause=timedelta(seconds=_seconds(pause, "--pause")),
            look_seconds=_seconds(look, "--look"),
            metrics=_address(metrics),
        )
        registry = folder / project.registry
        prepare(settings, registry)
        code = asyncio.run(work(settings, registry))
    tracing.end()
    # A thread that waits for a cloud must not keep a worker whose lease is over.
    os._exit(code)


def _seconds(text: str, option: str) -> float:
    from tenantry.registry.units import parse_duration

    try:
        return parse_duration(text, example="10m") / 1000
    except ValueError as error:
        raise TenantryError(str(error), place=option) from None


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < _PORTS:
        raise TenantryError(f"{text} is no port: write PORT or HOST:PORT", place="--metrics")
    return host.strip("[]") or "127.0.0.1", int(port)


def _lease(text: str) -> "Lease":
    from tenantry.selfservice.claims import Lease

    seconds = _seconds(text, "--lease")
    if seconds < _SHORTEST:
        raise TenantryError(
            f"{text} is too short: a renewal must have time, write 6s or more", place="--lease"
        )
    return Lease(seconds)
