"""The application: the routes over what they share, with problems, request ids and a document of it all."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import httpx
from fastapi import FastAPI, Request

from tenantry import __version__
from tenantry.clouds import asking
from tenantry.observing.counters import Counters
from tenantry.observing.reading import CatalogReader
from tenantry.selfservice.database import pool
from tenantry.selfservice.listening import Listener
from tenantry.selfservice.queue import Queue
from tenantry.service import (
    apps,
    changing,
    document,
    events,
    health,
    keys,
    measuring,
    operations,
    problems,
    readiness,
    webhooks,
)
from tenantry.service.authentication import Authenticator, key_lookup
from tenantry.service.limits import Limiter
from tenantry.service.measuring import Measured
from tenantry.service.outputs import Outputs
from tenantry.service.parts import Parts
from tenantry.service.requests import Bounded, Identified
from tenantry.service.tokens import Tokens
from tenantry.surroundings import direct_mounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from tenantry.service.offers import Offers
    from tenantry.service.settings import Settings

CONNECTIONS = 10
"""To the catalog at most, beside the one that listens."""
FETCH_SECONDS = 5.0
ROUTERS = (apps, changing, keys, events, operations, health, measuring)


class Addition(Protocol):
    """What is served beside the API, by a room above this one."""

    def serving(self, service: FastAPI) -> AbstractAsyncContextManager[None]:
        """Add itself to a service whose parts are there (`state.parts`), for the length of a block."""
        ...


def build(
    settings: Settings,
    offers: Offers,
    environment: Mapping[str, str],
    additions: Sequence[Addition] = (),
) -> FastAPI:
    """Return the application. Its connections are made when the server starts it, and closed when it stops it.

    :param settings: checked ones
    :param environment: with which stacks are read: backend, passphrase
    """
    counters = Counters("api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                httpx.AsyncClient(timeout=FETCH_SECONDS, mounts=direct_mounts())
            )
            connections = pool(settings.catalog, most=CONNECTIONS, checked=False)
            await connections.open()
            stack.push_async_callback(connections.close)
            queue = await stack.enter_async_context(Queue(settings.catalog, most=1))
            # A pool finds cut connections one by one, each by a request that fails.
            app.state.listener = await stack.enter_async_context(
                Listener(settings.catalog, lost=connections.drain)
            )
            app.state.authenticator = Authenticator(
                Tokens(settings.issuers, client),
                key_lookup(connections),
                namespace=offers.namespace,
            )
            app.state.parts = Parts(
                settings=settings,
                connections=connections,
                queue=queue,
                listener=app.state.listener,
                offers=offers,
                outputs=Outputs(settings.folder, environment, settings.reads_at_once),
                limiter=Limiter(settings.requests_per_minute),
                counters=counters,
                reader=CatalogReader(connections, offers.namespace),
                backend=readiness.backend(settings.folder, environment),
                engine=readiness.engine(environment),
            )
            stack.enter_context(asking.listening(counters.asked))
            for each in additions:
                await stack.enter_async_context(each.serving(app))
            yield

    app = FastAPI(
        title="Tenantry",
        summary="Apps on request: a database each, made by workers",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # Else it would redirect a path with a slash too many, with the caller's own Host in the answer.
        redirect_slashes=False,
    )
    for each in ROUTERS:
        app.include_router(each.router)
    app.include_router(webhooks.router(_sign_ups))
    problems.install(app)
    document.complete(app)
    app.add_middleware(Bounded, most=settings.body_limit)
    app.add_middleware(Measured, counters=counters)
    app.add_middleware(Identified)
    return app


def _sign_ups(request: Request) -> webhooks.SignUps:
    parts: Parts = request.app.state.parts
    return webhooks.SignUps(
        connections=parts.connections,
        jobs=parts.queue,
        registry=parts.offers.registry,
        settings=parts.settings.webhook,
    )
