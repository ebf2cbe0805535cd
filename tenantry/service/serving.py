"""The process of the API, from its begin to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any

import uvicorn

from tenantry.running.command import find_pulumi
from tenantry.running.stack import backend_url
from tenantry.selfservice import database, queue_tables
from tenantry.service.app import build
from tenantry.service.offers import Offers
from tenantry.service.settings import SettingsError
from tenantry.service.working import Beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from fastapi import FastAPI

    from tenantry.service.app import Addition
    from tenantry.service.settings import Settings

_log = logging.getLogger("tenantry.service")
_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75


def prepare(settings: Settings, registry: Path, environment: Mapping[str, str]) -> Offers:
    """Refuse to start where something is missing, before anything is served. Tables that lack are made.

    :param registry: its file
    :param environment: with which stacks are read: backend, passphrase
    :raises TenantryError: the registry is not valid or offers nothing; there is no engine; the states are files, and
        nobody said that there is one machine; the catalog does not answer, or lacks a right or a table
    """
    from tenantry.catalog.migrating import migrate

    offers = Offers(registry)
    find_pulumi(environment)
    _check_states(settings, environment)
    migrate(settings.catalog)
    database.check(settings.catalog)
    queue_tables.migrate(settings.catalog)
    return offers


def _check_states(settings: Settings, environment: Mapping[str, str]) -> None:
    url = environment.get("PULUMI_BACKEND_URL") or backend_url(environment)
    if url.startswith("file:") and not settings.one_machine:
        raise SettingsError(
            "the states are files, which the workers of another machine do not have",
            place="PULUMI_BACKEND_URL",
            way_out="keep them in postgres:// or a bucket, or say one_machine = true where all is on this machine",
        )


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Give the socket that requests come to.

    :raises SettingsError: the address is another's, or is none of this machine's
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, the event loop sends each answer at once (TCP_NODELAY): else 40 ms later.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"cannot be listened at: {error.strerror or error}",
                place=f"bind {settings.host}:{settings.port}",
                way_out="choose another address or port",
            ) from None
        made.listen(_BACKLOG)
        yield made


def url_of(bound: socket.socket) -> str:
    """Return the URL at which a socket is reached from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  # read, not bound
    return f"http://[{host}]:{port}" if ":" in host and "[" not in host else f"http://{host}:{port}"


def serve(
    settings: Settings,
    offers: Offers,
    environment: Mapping[str, str],
    bound: socket.socket,
    additions: Sequence[Addition] = (),
    *,
    as_json: bool = False,
) -> int:
    """Serve until the process is asked to end (SIGTERM, SIGINT), and return its exit code.

    Then nothing new is accepted, whoever waits is answered with what is known, and what is under way gets
    `settings.stop` seconds. A worker beside it likewise ends what it has begun, or leaves it to another worker.
    """
    app = build(settings, offers, environment, additions)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.stop,
    )
    server = _Server(config, app)
    return asyncio.run(_run(server, settings, environment, bound, as_json=as_json))


async def _run(
    server: _Server,
    settings: Settings,
    environment: Mapping[str, str],
    bound: socket.socket,
    *,
    as_json: bool,
) -> int:
    async with contextlib.AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, server.handle_exit, each, None)
        if settings.workers:
            await stack.enter_async_context(Beside(settings, environment, as_json=as_json))
        await server.serve(sockets=[bound])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Lets go of those who wait as soon as it is asked to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._application = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to us: the server's own way ends with the process being killed by them."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        listener: Any = getattr(self._application.state, "listener", None)
        if listener is not None:
            listener.close()
        _log.info("ending: requests get %s s", self.config.timeout_graceful_shutdown)
        super().handle_exit(sig, frame)
