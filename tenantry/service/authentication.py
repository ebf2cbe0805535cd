"""Who asks: the bearer token of a request (RFC 6750), a JSON Web Token or an API key of the catalog.

An API key speaks for the tenant of its app. Its scopes give: `read` the scope `apps:read`; `write` also `apps:write`;
`admin` also `apps:secrets` and `apps:delete`. None gives `fleet:admin`: an app's key is in its tenant's hands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tenantry.catalog.keys import parse
from tenantry.catalog.verification import Verdict, verify_async
from tenantry.service.jwks import KeysAwayError
from tenantry.service.problems import ProblemError, problems
from tenantry.service.tokens import Caller, Scope, TokenError, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg_pool import AsyncConnectionPool

KeyLookup: TypeAlias = Callable[[str], Awaitable[Verdict]]
"""Says what the catalog knows of an API key."""
REFUSALS: Final = problems(400, 401, 403, 503)
"""What each route that needs a caller declares among its `responses`."""
_REALM: Final = 'Bearer realm="tenantry"'
_READ: Final[frozenset[Scope]] = frozenset({"apps:read"})
_WRITE: Final[frozenset[Scope]] = _READ | {"apps:write"}
_GIVEN: Final[dict[str, frozenset[Scope]]] = {
    "read": _READ,
    "write": _WRITE,
    "admin": _WRITE | {"apps:secrets", "apps:delete"},
}
BEARER: Final = HTTPBearer(
    scheme_name="bearer",
    description="A JSON Web Token of an issuer that the service accepts, or an API key of an app.",
    auto_error=False,
)
"""How the document says that a token is needed."""


def key_lookup(pool: AsyncConnectionPool[Any]) -> KeyLookup:
    """Return the question to the catalog's keys, asked through a pool of connections to it."""

    async def look(key: str) -> Verdict:
        async with pool.connection() as connection:
            return await verify_async(connection, key, now=datetime.now(UTC))

    return look


class Authenticator:
    """Says who asks. An application keeps it as `app.state.authenticator`, where `Needs` looks for it."""

    def __init__(self, tokens: Tokens, keys: KeyLookup, *, namespace: str) -> None:
        """Ask nobody yet.

        :param namespace: of the registry that is served: a catalog may have the keys of others too
        """
        self._tokens = tokens
        self._keys = keys
        self._namespace = namespace

    async def caller(self, given: Sequence[str]) -> Caller:
        """Return who asks.

        :param given: the request's `Authorization` headers
        :raises ProblemError: 401 without a token that is good; 400 with several; 503 where that cannot be told now
        """
        if len(given) > 1:
            raise _refused(400, "invalid_request", "there is more than one Authorization header")
        scheme, _, token = given[0].strip().partition(" ") if given else ("", "", "")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _refused(401, "", "send a token: Authorization: Bearer TOKEN")
        if parse(token) is not None:
            return await self._of_key(token)
        try:
            return await self._tokens.verify(token)
        except TokenError as error:
            raise _refused(401, "invalid_token", f"the token is not accepted: {error}") from None
        except KeysAwayError as error:
            raise ProblemError(
                503,
                "issuer-away",
                "The issuer of tokens does not answer",
                "whether the token is good cannot be told now: ask again",
                headers={"Retry-After": str(round(error.seconds))},
            ) from None

    async def _of_key(self, key: str) -> Caller:
        verdict = await self._keys(key)
        if verdict.state == "unknown" or verdict.namespace != self._namespace:
            raise _refused(401, "invalid_token", "the API key is not known")
        if not verdict.valid or verdict.app is None:
            raise _refused(401, "invalid_token", f"the API key is {verdict.state}")
        scopes = frozenset[Scope]().union(*(_GIVEN.get(each, ()) for each in verdict.scopes))
        return Caller(
            subject=f"{verdict.app}/{verdict.name}",
            issuer=f"catalog:{verdict.namespace}",
            tenant=verdict.app.partition("/")[0],
            scopes=scopes,
            kind="key",
        )


class Needs:
    """A route's dependency: the caller, who must have scopes.

    async def create(caller: Annotated[Caller, Depends(Needs("apps:write"))]) -> ...
    """

    def __init__(self, *scopes: Scope) -> None:
        """Name the scopes that are needed, all of them."""
        self._scopes = scopes

    async def __call__(
        self,
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Caller:
        """Return the caller.

        :raises ProblemError: 403 where a scope is missing, and what `Authenticator.caller` raises
        """
        authenticator: Authenticator = request.app.state.authenticator
        caller = await authenticator.caller(request.headers.getlist("authorization"))
        missing = [scope for scope in self._scopes if not caller.may(scope)]
        if missing:
            raise _refused(
                403,
                "insufficient_scope",
                f"this needs the scope {' '.join(missing)}, which the token does not have",
                scope=" ".join(self._scopes),
            )
        return caller


_TITLES: Final = {
    "": ("not-authenticated", "Nobody has said who asks"),
    "invalid_request": ("several-tokens", "The request has several tokens"),
    "invalid_token": ("invalid-token", "The token is not accepted"),
    "insufficient_scope": ("insufficient-scope", "The token does not allow this"),
}
"""By the error code of RFC 6750, section 3.1; without one where no token was sent."""


def _refused(status: int, code: str, detail: str, *, scope: str = "") -> ProblemError:
    """Return a refusal. `detail` is of ASCII without quotes: it is in a header as well."""
    said = {"error": code, "error_description": detail, "scope": scope} if code else {}
    challenge = "".join(f', {name}="{value}"' for name, value in said.items() if value)
    slug, title = _TITLES[code]
    return ProblemError(
        status, slug, title, detail, headers={"WWW-Authenticate": _REALM + challenge}
    )
