"""The daemon's inside: put the parts together, answer until told to stop, and leave nothing running."""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from starlette.middleware import Middleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from localcloud import admin, control_plane
from localcloud import settings as settings_file
from localcloud.admin import Admin
from localcloud.control_plane import ControlPlane
from localcloud.faults.orders import Api
from localcloud.faults.requests import CONNECTION, FaultInjection
from localcloud.faults.standing import Faults
from localcloud.issuer.app import Issuer
from localcloud.neon import app as neon_app
from localcloud.neon import objects
from localcloud.neon.appointments import appointments
from localcloud.neon.cloud import Cloud
from localcloud.neon.objects import Transfers
from localcloud.postgres.certificates import prepare_authority
from localcloud.postgres.installation import prepare, remove_abandoned
from localcloud.postgres.leftovers import remove_leftovers, stop_strays
from localcloud.postgres.template import list_extensions, make_template
from localcloud.state import State
from localcloud.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from localcloud.aura.neo4j import Neo4j
    from localcloud.settings import Settings

API_ADDRESS = "127.0.0.1"
_STATE = "state.db"
_GRACE_SECONDS = 3
# Below the ports that Linux gives to outgoing connections (ip_local_port_range), any of which may have taken one by
# the time that a local cloud is started again and wants it back.
_PORTS = range(20_000, 32_768)
_ATTEMPTS = 50
_log = logging.getLogger("localcloud.server")


class PortTakenError(Exception):
    """The API's port is taken; the message is one line and says what to do."""


async def serve(
    data: Path, settings: Settings, ready: Callable[[], None], *, neo4j: Neo4j | None
) -> None:
    """Run the local cloud on a data folder until SIGTERM or SIGINT. ``ready`` is called once the APIs answer.

    Completes ``settings`` (ports, clusters folder, the control plane's address, extensions) and saves them. ``neo4j``:
    where the queries to Aura instances go on to, if anywhere. Raises PortTakenError, InstallationError, AddressError or
    ClusterError before ``ready``.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    _raise_descriptor_limit()
    listener = _listen(settings.port, "--port")
    settings.port = listener.getsockname()[1]
    aura_listener = _listen(settings.aura_port, "--aura-port")
    settings.aura_port = aura_listener.getsockname()[1]
    issuer_listener = _listen(settings.issuer_port, "--issuer-port")
    settings.issuer_port = issuer_listener.getsockname()[1]
    remove_abandoned()
    installation = prepare(data, settings.clusters)
    settings.clusters = str(installation.clusters)
    settings_file.save(data, settings)

    strays = await stop_strays(installation.clusters)
    if strays:
        _log.warning("stopped %d servers that an earlier run had left", strays)
    await make_template(installation, settings.superuser_password)
    settings.extensions = list_extensions(installation)
    state = State(data / _STATE)
    known = {*state.branches, *state.snapshots, control_plane.CLUSTER}
    remove_leftovers(installation.clusters, known)
    authority = prepare_authority(data)
    faults = Faults()
    cloud = Cloud(settings, state, installation, authority, faults)
    catalog = ControlPlane(settings, installation, faults)
    traffic = {"neon": Traffic(), "aura": Traffic()}
    neon = neon_app.build(
        cloud,
        [Middleware(FaultInjection, faults, Api.NEON, neon_app.location, neon_app.error_document)],
        traffic["neon"],
    )
    own = Admin(settings.neon_api_key, faults, traffic)
    aura = _AuraOnDemand(settings, state, neo4j, faults, traffic["aura"])
    try:
        await cloud.open()
        cloud.calendar.open(partial(appointments, cloud))
        catalog.listen(authority)
        settings_file.save(data, settings)
        # One server and one application for each API.
        servers = [
            (
                await _started(
                    _ByPrefix({admin.PREFIX: own, objects.PREFIX: Transfers(cloud)}, neon), listener
                ),
                listener,
            ),
            (await _started(aura, aura_listener), aura_listener),
            (await _started(Issuer(data), issuer_listener), issuer_listener),
        ]
        ready()
        await stop.wait()
        _log.info("stopping")
        faults.close()
        await asyncio.gather(*(server.shutdown(sockets=[each]) for server, each in servers))
    finally:
        await asyncio.gather(catalog.close(), cloud.close())
        if neo4j is not None:
            await neo4j.close()
        state.close()


class _ByPrefix:
    """The local cloud's own routes, and those of objects' bytes, beside the Neon API."""

    def __init__(self, beside: dict[str, ASGIApp], neon: ASGIApp) -> None:
        self._beside = beside
        self._neon = neon

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = "/" + scope.get("path", "").split("/")[1] if scope["type"] == "http" else ""
        await self._beside.get(first, self._neon)(scope, receive, send)


class _AuraOnDemand:
    """The Aura API, loaded at its first request: a start waits for nothing that most runs never ask for."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        neo4j: Neo4j | None,
        faults: Faults,
        traffic: Traffic,
    ) -> None:
        self._settings = settings
        self._state = state
        self._neo4j = neo4j
        self._faults = faults
        self._traffic = traffic
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            from localcloud.aura import app, cloud

            aura = cloud.Aura(self._settings, self._state, neo4j=self._neo4j)
            faults = Middleware(
                FaultInjection, self._faults, Api.AURA, app.location(aura), app.error_document
            )
            self._app = app.build(aura, [faults], self._traffic)
        await self._app(scope, receive, send)


class _Protocol(H11Protocol):
    """HTTP that lets the application cut its client's connection, which ASGI has no word for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the connection where :mod:`localcloud.faults.requests` looks for it."""
        # A copy of this becomes the ``state`` of each of the connection's requests.
        self.app_state = self.app_state | {CONNECTION: transport}
        super().connection_made(transport)


async def _started(app: ASGIApp, listener: socket.socket) -> uvicorn.Server:
    # Requests are logged by the applications; uvicorn adds nothing to the log.
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=60,
        )
    )
    # Not `serve`: its main loop wakes ten times a second, and an idle local cloud should cost nothing.
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    return server


def _raise_descriptor_limit() -> None:
    # Two listeners per endpoint and two sockets per session: the usual soft limit of 1024 is soon reached.
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _listen(port: int, option: str) -> socket.socket:
    """Listen on a port, or on one that is free for 0. Raises PortTakenError."""
    if port:
        return _listen_on(port, option)
    for _ in range(_ATTEMPTS):
        try:
            return _listen_on(random.choice(_PORTS), option)  # noqa: S311 (no secret)
        except PortTakenError:
            continue
    return _listen_on(0, option)


def _listen_on(port: int, option: str) -> socket.socket:
    # asyncio turns off the delay of small answers (TCP_NODELAY) only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((API_ADDRESS, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"{API_ADDRESS}:{port}: cannot listen ({error.strerror}); end the program that does, or give another {option}"
        ) from error
    return listener
