"""The page as an addition to the service: its own application, at the paths that the API does not have."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from tenantry.catalog.location import VARIABLE
from tenantry.pages import acting, findings_view, runs_view
from tenantry.pages.app_view import app
from tenantry.pages.failing import HANDLERS, Caught
from tenantry.pages.fleet_view import fleet
from tenantry.pages.headers import Protected
from tenantry.pages.looks import Looks
from tenantry.pages.own_commands import OwnCommands
from tenantry.pages.sessions import VARIABLE as SESSION_KEY
from tenantry.pages.sessions import Sessions
from tenantry.pages.signing_in import ROUTES as SIGN_IN
from tenantry.pages.signing_in import SignIn
from tenantry.pages.site import Site
from tenantry.pages.snapshots import Snapshots
from tenantry.pages.templating import STATIC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from starlette.types import Scope

    from tenantry.fleet.project import Project
    from tenantry.service.settings import Settings

ROUTES: Final = (
    Route("/", fleet),
    Route("/apps/{tenant}/{name}", app),
    Route("/apps/{tenant}/{name}/rotate", acting.rotate, methods=["GET", "POST"]),
    Route("/ask", acting.ask, methods=["GET", "POST"]),
    Route("/runs", runs_view.all_runs),
    Route("/runs/events", runs_view.changes),
    Route("/runs/{run:uuid}", runs_view.run),
    Route("/runs/{run:uuid}/retry", acting.retry, methods=["GET", "POST"]),
    Route("/runs/{run:uuid}/cancel", acting.cancel, methods=["GET", "POST"]),
    Route("/findings", findings_view.findings),
    Route("/findings/look", acting.look_for_drift, methods=["GET", "POST"]),
    Route("/plan", findings_view.plan),
    Route("/plan/look", acting.look_for_plan, methods=["GET", "POST"]),
    *SIGN_IN,
)
_FIRST: Final = frozenset(
    {"", "static", *(each.path.split("/")[1] for each in ROUTES)},
)
"""What the paths of the page begin with."""


class Page:
    """The page of one service (`tenantry.service.app.Addition`)."""

    def __init__(self, project: Project, settings: Settings, sign_in: SignIn) -> None:
        """Show nothing yet."""
        self._project = project
        self._settings = settings
        self._sign_in = sign_in
        self.sessions = Sessions.of(project.environment, secure=sign_in.secure)

    @asynccontextmanager
    async def serving(self, service: FastAPI) -> AsyncIterator[None]:
        """Add the page to a service whose parts are there, for the length of a block."""
        # Where the catalog's URL is in the settings of another stack, a command would not find it.
        environment = {**self._project.environment, VARIABLE: self._settings.catalog}
        ways = self._sign_in.provider
        for name in (SESSION_KEY, ways.settings.secret_from if ways else ""):
            environment.pop(name, None)
        commands = OwnCommands(self._project.folder, environment)
        offers = service.state.parts.offers
        looks = Looks(commands)
        with service.state.listener.hearing_all() as news:
            snapshots = Snapshots(self._settings.catalog, offers, commands, news)
            site = Site(
                service=service,
                project=self._project,
                sessions=self.sessions,
                sign_in=self._sign_in,
                snapshots=snapshots,
                looks=looks,
            )
            mount = _Below(_application(site))
            service.router.routes.append(mount)
            try:
                yield
            finally:
                service.router.routes.remove(mount)
                await snapshots.close()
                await looks.close()


def _application(site: Site) -> Starlette:
    secure = site.sign_in.secure
    made = Starlette(
        routes=[*ROUTES, Mount("/static", _Static(directory=STATIC))],
        middleware=[Middleware(Protected, secure=secure), Middleware(Caught)],
        exception_handlers=HANDLERS,
    )
    made.state.site = site
    return made


class _Below(Mount):
    """Answers the page's own paths and no other: what is wrong with a path of the API, the API says."""

    def __init__(self, app: Starlette) -> None:
        super().__init__("", app)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["path"].split("/")[1] not in _FIRST:
            return Match.NONE, {}
        return super().matches(scope)


class _Static(StaticFiles):
    """Files whose URLs have a digest of them: a browser keeps them."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:  # noqa: ANN401  # as above it
        answer = super().file_response(*arguments, **named)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
