"""How somebody signs in: at an OpenID provider, or with a link that the local run prints, good for one use."""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tenantry.pages.provider import Attempt, Provider
from tenantry.pages.rendering import page
from tenantry.pages.visits import Visit, for_visitors
from tenantry.service.problems import ProblemError
from tenantry.service.tokens import SCOPES, Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.pages.site import Site

LINK_SECONDS: Final = 3600
"""How long a link is good."""
_ATTEMPT: Final = "sign-in"
_ATTEMPT_SECONDS: Final = 600


class Links:
    """Links for who may read what the process prints: the operator of a local run."""

    def __init__(self, url: str, actor: str, tell: Callable[[str], None]) -> None:
        """Print nothing yet.

        :param url: of the page, on the loopback
        :param actor: who uses them
        :param tell: prints a line
        """
        self._url = url
        self._actor = actor
        self._tell = tell
        self._secret = ""
        self._until = 0.0

    def print_one(self) -> None:
        """Make a link in the place of the last one, and print it."""
        self._secret = secrets.token_urlsafe(32)
        self._until = time.monotonic() + LINK_SECONDS
        self._tell(f"page: {self._url}/sign-in/once?secret={self._secret}")

    def use(self, given: str) -> Caller | None:
        """Return who signs in with a link; None where it is not the last one, is over, or was used."""
        good = hmac.compare_digest(given.encode(), self._secret.encode())
        if not self._secret or not good or time.monotonic() > self._until:
            return None
        # Another browser needs another one.
        self.print_one()
        return Caller(subject=self._actor, issuer="local", tenant=None, scopes=SCOPES, kind="token")


class SignIn:
    """The ways in."""

    def __init__(
        self,
        *,
        links: Links | None = None,
        provider: Provider | None = None,
    ) -> None:
        """Take them."""
        self.links = links
        self.provider = provider

    @property
    def secure(self) -> bool:
        """Whether the page is reached over TLS."""
        return self.provider is not None and self.provider.settings.url.startswith("https:")


async def _ways(request: Request) -> Response:
    site: Site = request.app.state.site
    return _shown(site, request)


async def _once(request: Request) -> Response:
    site: Site = request.app.state.site
    caller = (
        site.sign_in.links.use(request.query_params.get("secret", ""))
        if site.sign_in.links
        else None
    )
    if caller is None:
        raise ProblemError(
            403,
            "link-used",
            "The link is not good any more",
            "each signs one browser in, once: the process has printed a newer one",
        )
    response = RedirectResponse("/", 303)
    site.sessions.begin(response, caller)
    return response


async def _begin(request: Request) -> Response:
    site: Site = request.app.state.site
    provider = _provider(site)
    attempt = Attempt.new(own_path(request.query_params.get("next", "/")))
    response = RedirectResponse(await provider.where(attempt), 303)
    site.sessions.put(response, _ATTEMPT, asdict(attempt), _ATTEMPT_SECONDS)
    return response


async def _back(request: Request) -> Response:
    site: Site = request.app.state.site
    provider = _provider(site)
    kept = site.sessions.take(request.cookies, _ATTEMPT)
    given = request.query_params
    attempt = Attempt.of(kept) if kept else None
    # RFC 9207: a provider that says who it is must be the one that was asked.
    other = given.get("iss", provider.settings.issuer.issuer) != provider.settings.issuer.issuer
    if (
        attempt is None
        or other
        or not hmac.compare_digest(given.get("state", "").encode(), attempt.state.encode())
    ):
        raise ProblemError(
            403,
            "sign-in-over",
            "This sign-in is over",
            "it was begun in another browser, or more than ten minutes ago: sign in again",
        )
    if "code" not in given:
        raise ProblemError(
            403,
            "not-signed-in",
            "The provider did not sign you in",
            f"it says: {given.get('error', 'nothing')[:100]}",
        )
    caller = await provider.caller(given["code"], attempt)
    response = RedirectResponse(attempt.after, 303)
    site.sessions.drop(response, _ATTEMPT)
    site.sessions.begin(response, caller)
    return response


def _provider(site: Site) -> Provider:
    if site.sign_in.provider is None:
        raise ProblemError(
            404, "no-provider", "There is no provider", "no provider to sign in at is configured"
        )
    return site.sign_in.provider


@for_visitors()
async def _out(visit: Visit) -> Response:
    await visit.form()
    response = RedirectResponse("/sign-in", 303)
    visit.site.sessions.end(response)
    return response


def _shown(site: Site, request: Request) -> Response:
    return page(
        "sign_in.html",
        visit=None,
        path=request.url.path,
        form_token="",
        sign_in=site.sign_in,
        after=own_path(request.query_params.get("next", "/")),
    )


def own_path(given: str) -> str:
    """Return a path of the page; `/` for whatever would lead elsewhere."""
    parts = urlsplit(given)
    safe = given.startswith("/") and not given.startswith("//") and "\\" not in given
    return given if safe and not parts.scheme and not parts.netloc and given.isprintable() else "/"


ROUTES: Final = (
    Route("/sign-in", _ways),
    Route("/sign-in/once", _once),
    Route("/sign-in/begin", _begin),
    Route("/sign-in/back", _back),
    Route("/sign-out", _out, methods=["POST"]),
)
