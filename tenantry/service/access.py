"""Who may do what: the scopes that a route needs, and whose apps a caller sees.

Another tenant's app is answered as one that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from tenantry.service.authentication import BEARER, Needs
from tenantry.service.parts import Asking, Parts
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from tenantry.selfservice.operations import Operation
    from tenantry.selfservice.specs import Listed
    from tenantry.service.tokens import Caller, Scope

ADMIN: Scope = "fleet:admin"


class _Asks:
    """Finds out who asks, and counts it."""

    def __init__(self, *scopes: Scope) -> None:
        self._needs = Needs(*scopes)

    async def __call__(
        self,
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Asking:
        caller = await self._needs(request, given)
        parts: Parts = request.app.state.parts
        parts.limiter.count(f"{caller.issuer}|{caller.subject}")
        client = request.client
        return Asking(caller, client.host if client else None, request.state.request_id)


Reading = Annotated[Asking, Depends(_Asks("apps:read"))]
Writing = Annotated[Asking, Depends(_Asks("apps:write"))]
Deleting = Annotated[Asking, Depends(_Asks("apps:delete"))]
Unlocking = Annotated[Asking, Depends(_Asks("apps:secrets"))]
"""Who sees secrets."""


def own_tenant(caller: Caller, asked: str | None) -> str | None:
    """Return whose apps a request is about; None for all tenants'.

    :param asked: the tenant that the request names
    :raises ProblemError: 403: the caller may not ask for that one, or its token names none
    """
    if caller.may(ADMIN):
        return asked or caller.tenant
    if caller.tenant is None:
        raise _forbidden("the token names no tenant")
    if asked is not None and asked != caller.tenant:
        raise _forbidden("another tenant than the token's needs the scope fleet:admin")
    return caller.tenant


def check_app(caller: Caller, parts: Parts, app: Listed | None) -> Listed:
    """Return an app that the caller sees.

    :raises ProblemError: 404: there is none, or it is another tenant's
    """
    if app is None or app.namespace != parts.namespace or not _sees(caller, app.tenant):
        raise ProblemError(
            404, "no-app", "There is no such app", "no app of this tenant has this id"
        )
    return app


def check_operation(caller: Caller, parts: Parts, operation: Operation | None) -> Operation:
    """Return an operation that the caller sees.

    :raises ProblemError: 404: there is none, or it is another tenant's
    """
    if (
        operation is None
        or operation.namespace != parts.namespace
        or not _sees(caller, operation.app_id.partition("/")[0])
    ):
        raise ProblemError(
            404, "no-operation", "There is no such operation", "no operation has this id"
        )
    return operation


def _sees(caller: Caller, tenant: str) -> bool:
    return caller.may(ADMIN) or caller.tenant == tenant


def _forbidden(detail: str) -> ProblemError:
    return ProblemError(
        403,
        "other-tenant",
        "The token is not for this tenant",
        detail,
        headers={
            "WWW-Authenticate": f'Bearer realm="tenantry", error="insufficient_scope", error_description="{detail}"'
        },
    )
