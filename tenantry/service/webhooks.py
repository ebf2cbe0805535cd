"""The sign-up webhook: a user who is new gets a graph, and one who is gone loses it.

Senders are Supabase's database webhooks (a secret in a header; delivered at most once, without an id) and what is
signed as Standard Webhooks, such as its auth hooks. Both take a second secret while one is changed for another.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from tenantry.clouds.aura import USER_PATTERN
from tenantry.notifying.signatures import SIGNATURE, SignatureError, verify
from tenantry.selfservice import audit, signups
from tenantry.selfservice.database import connection, transaction
from tenantry.selfservice.signups import SignUp
from tenantry.service.authentication import REFUSALS, Needs
from tenantry.service.problems import ProblemError, problems
from tenantry.service.signup_events import EventError, UserEvent, read_event
from tenantry.service.tokens import Caller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenantry.registry import App, Registry
    from tenantry.selfservice.database import Pool
    from tenantry.selfservice.jobs import Jobs
    from tenantry.service.webhook_settings import WebhookSettings

MOST_BYTES: Final = 64_000
"""Of a message's body."""
HEADER: Final = "x-webhook-secret"
_PATHS: Final = ("/webhooks/auth/signup", "/api/webhooks/auth/signup")


@dataclass(frozen=True, kw_only=True)
class SignUps:
    """What the routes need."""

    connections: Pool
    jobs: Jobs
    registry: Callable[[], Awaitable[Registry]]
    """Gives the registry of today."""
    settings: WebhookSettings


class Accepted(BaseModel):
    """A message was taken; the same message again has the same answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "7f6c2b0e-6f0c-4a53-9d53-0c2d4a6e9a01",
                    "status": "accepted",
                    "operation": "0b0c3c6e-5a0f-4a43-8a0b-9d1f6b6f2c11",
                }
            ]
        }
    )

    user_id: str
    status: Literal["accepted"]
    operation: UUID | None


class GraphStanding(BaseModel):
    """How far a user's graph is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "7f6c2b0e-6f0c-4a53-9d53-0c2d4a6e9a01",
                    "status": "ready",
                    "reason": None,
                }
            ]
        }
    )

    user_id: str
    status: Literal["pending", "ready", "failed"]
    reason: Literal["busy", "passing", "lasting", "stopped", "lost"] | None
    """What sort of reason keeps it from being ready."""


class WebhookHealth(BaseModel):
    """The webhook is there."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "webhook": "auth"}]})

    status: Literal["ok"]
    webhook: Literal["auth"]


def router(parts: Callable[[Request], SignUps]) -> APIRouter:
    """Return the routes of the sign-up webhook.

    :param parts: finds what they need from a request
    """
    routes = APIRouter(tags=["sign-ups"])

    async def take(request: Request) -> Response:
        """Take a message about a user of `auth.users`: a database webhook (INSERT, DELETE) or a signed auth hook."""
        return await _take(request, parts(request))

    for path in _PATHS:
        routes.post(
            path,
            summary="Tell of a user who signed up, or is gone",
            status_code=202,
            response_model=Accepted,
            responses={
                204: {"description": "It is about nothing that is done here"},
                **problems(400, 401, 404, 413, 503),
            },
            openapi_extra=_BODY,
            name=f"signup{len(path)}",
        )(take)

    @routes.get(
        "/webhooks/auth/status/{user}",
        summary="Tell how far a user's graph is",
        response_model=GraphStanding,
        responses=REFUSALS | problems(404),
    )
    async def status(
        request: Request,
        user: Annotated[str, Path(max_length=128, pattern=USER_PATTERN)],
        caller: Annotated[Caller, Depends(Needs())],
    ) -> GraphStanding:
        """Say it to the user (the token's subject), and to who has the scope `fleet:admin`."""
        if caller.subject != user and not caller.may("fleet:admin"):
            raise ProblemError(
                403,
                "insufficient-scope",
                "The token does not allow this",
                "the user's own token says it, or one with the scope fleet:admin",
                headers={"WWW-Authenticate": 'Bearer realm="tenantry", error="insufficient_scope"'},
            )
        own = parts(request)
        registry, app = await _registered(own)
        async with connection(own.connections) as one:
            found = await signups.standing(one, registry.namespace, app.id, user)
        if found is None:
            raise ProblemError(404, "no-sign-up", "Nobody signed up so", "no user has this id")
        return GraphStanding(user_id=user, status=found.status, reason=found.reason)

    @routes.get(
        "/webhooks/auth/health",
        summary="Tell whether the webhook is there",
        response_model=WebhookHealth,
    )
    async def health() -> WebhookHealth:
        """Answer as long as the process does."""
        return WebhookHealth(status="ok", webhook="auth")

    return routes


async def _take(request: Request, parts: SignUps) -> Response:
    if not parts.settings.on:
        raise _off("no secret of the webhook is set")
    body = await _body(request)
    delivery = _sender(request, body, parts.settings)
    try:
        event = read_event(body)
    except EventError as error:
        raise ProblemError(
            400, "not-a-webhook", "The message is not one of a user", str(error)
        ) from None
    registry, app = await _registered(parts)
    if event is None or _is_the_files(event, app):
        return Response(status_code=204)
    about = SignUp(
        namespace=registry.namespace,
        app_id=app.id,
        user=event.user,
        source="hook" if delivery is not None else "webhook",
        delivery=delivery,
        signed_up_at=event.at,
        request_id=getattr(request.state, "request_id", None),
        origin=request.client.host if request.client else None,
    )
    if event.kind == "gone" and app.deletion == "protect":
        async with transaction(parts.connections) as one:
            await audit.note(
                one,
                actor="sign-up webhook",
                action="signups.ungraph",
                object=f"{app.id}/{event.user}",
                origin=about.origin,
                request_id=about.request_id,
                outcome="kept: the app has deletion: protect",
            )
        return Response(status_code=204)
    act = signups.sign_up if event.kind == "new" else signups.delete
    async with transaction(parts.connections) as one:
        kept = await act(one, parts.jobs, about)
    if event.kind == "gone" and not kept.added:
        return Response(status_code=204)
    answer = Accepted(user_id=event.user, status="accepted", operation=kept.operation)
    return JSONResponse(answer.model_dump(mode="json"), 202)


async def _body(request: Request) -> bytes:
    """Read the body, no more of it than may be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ProblemError(
                413, "too-large", "The message is too large", f"{MOST_BYTES} bytes are the most"
            )
    return bytes(body)


def _sender(request: Request, body: bytes, settings: WebhookSettings) -> str | None:
    """Return the message's id where it is signed, and None where its sender sent the secret.

    :raises ProblemError: 401: neither is right
    """
    if SIGNATURE in request.headers:
        try:
            return verify(settings.signing, request.headers, body, now=time.time())
        except SignatureError as error:
            raise _unknown(str(error)) from None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = request.headers.get(HEADER) or (token if scheme.lower() == "bearer" else "")
    good = False
    for secret in settings.secrets:
        # All are compared, so that the time tells nothing of which one was right.
        good |= hmac.compare_digest(given.strip().encode(), secret)
    if not good:
        raise _unknown(f"send the webhook's secret as {HEADER}, or sign the message")
    return None


def _is_the_files(event: UserEvent, app: App) -> bool:
    kind = app.graphs_per_user
    return kind is not None and event.user in kind.users


async def _registered(parts: SignUps) -> tuple[Registry, App]:
    registry = await parts.registry()
    offers = registry.self_service
    if offers is None or offers.sign_ups is None:
        raise _off("the registry has no self_service.sign_ups")
    return registry, registry.app(offers.sign_ups)


def _off(detail: str) -> ProblemError:
    return ProblemError(404, "no-sign-ups", "There are no sign-ups here", detail)


def _unknown(detail: str) -> ProblemError:
    return ProblemError(
        401,
        "unknown-sender",
        "The message is from nobody who is known",
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="tenantry webhooks"'},
    )


_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "examples": {
                    "database webhook": {
                        "value": {
                            "type": "INSERT",
                            "schema": "auth",
                            "table": "users",
                            "record": {
                                "id": "7f6c2b0e-6f0c-4a53-9d53-0c2d4a6e9a01",
                                "created_at": "2026-11-29T12:00:00Z",
                            },
                            "old_record": None,
                        }
                    },
                    "auth hook": {
                        "value": {
                            "metadata": {"name": "before-user-created"},
                            "user": {"id": "7f6c2b0e-6f0c-4a53-9d53-0c2d4a6e9a01"},
                        }
                    },
                },
            }
        },
    }
}
