"""One request of somebody who is signed in: who they are, what they see, and the form that they send."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tenantry.pages.rendering import page
from tenantry.service.access import ADMIN
from tenantry.service.parts import Asking, Parts
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from tenantry.pages.sessions import Session
    from tenantry.pages.site import Site
    from tenantry.service.tokens import Scope

FORM_TOKEN: Final = "form_token"  # noqa: S105  # a field's name
_OWN: Final = {"same-origin", "none"}
_MOST_FIELDS: Final = 100


@dataclass(frozen=True)
class Visit:
    """A request and who sent it."""

    request: Request
    session: Session
    site: Site

    @property
    def parts(self) -> Parts:
        """What the service's routes share."""
        parts: Parts = self.site.service.state.parts
        return parts

    @property
    def asking(self) -> Asking:
        """Who asks, as the API's routes take it."""
        client = self.request.client
        return Asking(
            self.session.caller, client.host if client else None, self.request.state.request_id
        )

    @property
    def tenant(self) -> str | None:
        """Whose apps are seen; None for everybody's."""
        caller = self.session.caller
        if caller.may(ADMIN):
            return None
        # A tenant that no app has: who is nobody's sees nothing.
        return caller.tenant or ""

    @property
    def whole_fleet(self) -> bool:
        """Whether they see and look after the whole fleet."""
        return self.session.caller.may(ADMIN)

    def may(self, *scopes: Scope) -> bool:
        """Tell whether they have these scopes."""
        return all(self.session.caller.may(each) for each in scopes)

    def need(self, *scopes: Scope) -> None:
        """Refuse who has not these scopes.

        :raises ProblemError: 403
        """
        missing = [each for each in scopes if not self.session.caller.may(each)]
        if missing:
            raise ProblemError(
                403,
                "insufficient-scope",
                "You may not do this",
                f"it needs the scope {' '.join(missing)}, which your sign-in does not give",
            )

    def page(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401  # what it shows
        """Return a page with what all pages show."""
        return page(
            template,
            status,
            visit=self,
            path=self.request.url.path,
            form_token=self.site.sessions.form_token(self.session),
            **values,
        )

    async def form(self) -> Mapping[str, str]:
        """Return the fields of a form that this session was given.

        :raises ProblemError: 403: another site may have sent it; 415: it is no form
        """
        headers = self.request.headers
        if headers.get("sec-fetch-site", "none") not in _OWN:
            raise _foreign()
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise ProblemError(415, "no-form", "This is no form", "send the form of the page")
        body = (await self.request.body()).decode("utf-8", "replace")
        try:
            fields = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise ProblemError(
                400, "no-form", "This is no form", "it has too many fields"
            ) from None
        if not self.site.sessions.is_form_token(self.session, fields.pop(FORM_TOKEN, "")):
            raise _foreign()
        return fields


View: TypeAlias = Callable[[Visit], Awaitable[Response]]


def for_visitors(*scopes: Scope) -> Callable[[View], Callable[[Request], Awaitable[Response]]]:
    """Make a view a route: who is not signed in is sent to sign in, who lacks a scope is refused.

    :param scopes: those that it needs; `apps:read` at least
    """

    def made(view: View) -> Callable[[Request], Awaitable[Response]]:
        @wraps(view)
        async def route(request: Request) -> Response:
            site: Site = request.app.state.site
            session = site.sessions.find(request.cookies)
            if session is None:
                here = request.url.path
                if request.method == "GET" and request.url.query:
                    here += f"?{request.url.query}"
                after = here if request.method == "GET" else "/"
                return RedirectResponse(f"/sign-in?next={quote(after, safe='/')}", 303)
            visit = Visit(request, session, site)
            request.state.visit = visit
            visit.parts.limiter.count(session.actor)
            visit.need("apps:read", *scopes)
            return await view(visit)

        return route

    return made


def _foreign() -> ProblemError:
    return ProblemError(
        403,
        "foreign-form",
        "The form is not of this page",
        "it comes from another site, or from a sign-in that is over: open the page again",
    )
