"""Requests that may be sent again: `Idempotency-Key`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, TypeAlias

from fastapi import Header

from tenantry.selfservice import idempotency
from tenantry.selfservice.idempotency import Earlier, Keyed, OtherRequestError, UnderWayError
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tenantry.selfservice.database import Connection
    from tenantry.service.parts import Asking

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="the caller's own name for this request; sent again within 24 hours, it is not carried out again",
    ),
]


def keyed(asking: Asking, key: str | None, request: str, body: BaseModel | None) -> Keyed | None:
    """Return a request with its key; None where it has none.

    :param request: method and path
    :param body: as it was understood
    """
    if key is None:
        return None
    # Two tokens of one subject may be for two tenants.
    text = f"{asking.caller.tenant}\n{body.model_dump_json() if body else ''}"
    return Keyed(
        caller=asking.actor,
        key=key,
        request=request,
        body_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


async def earlier(connection: Connection, asked: Keyed | None) -> Earlier | None:
    """Return what came of the first request with this key; None where this is the first one, or it has no key.

    :raises ProblemError: 409: the first one is under way; 422: it was another
    """
    if asked is None:
        return None
    try:
        return await idempotency.earlier(connection, asked)
    except UnderWayError:
        raise ProblemError(
            409,
            "request-under-way",
            "The first request is under way",
            "a request with this Idempotency-Key is being carried out: ask again",
            headers={"Retry-After": "1"},
        ) from None
    except OtherRequestError:
        raise ProblemError(
            422,
            "key-used",
            "The Idempotency-Key was used",
            "this Idempotency-Key was sent with another request within 24 hours: choose a new one",
            errors=[
                {
                    "in": "header",
                    "parameter": "Idempotency-Key",
                    "detail": "was sent with another request",
                }
            ],
        ) from None
