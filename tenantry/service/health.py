"""Whether the process lives, and whether it can serve: for whoever starts and balances it. Nobody needs a token."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from tenantry.selfservice.database import read
from tenantry.selfservice.errors import SelfServiceError
from tenantry.service.parts import Shared

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """How the process is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


class Readiness(BaseModel):
    """What the service needs, and whether it is there."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "database": "ok", "stopping": False}]}
    )

    status: Literal["ok", "not ready"]
    database: Literal["ok", "away"]
    stopping: bool


@router.get("/healthz", summary="Tell whether the process lives", response_model=Health)
async def healthz() -> Health:
    """Answer as long as the event loop turns; nothing else is asked."""
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Tell whether requests can be served",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not now"}},
)
async def readyz(parts: Shared) -> Response:
    """Ask the database. While the service stops, it is not ready."""
    try:
        await read(parts.connections, lambda one: one.execute("SELECT 1"))
        away = False
    except SelfServiceError:
        away = True
    stopping = parts.listener.closing
    ready = Readiness(
        status="not ready" if away or stopping else "ok",
        database="away" if away else "ok",
        stopping=stopping,
    )
    return JSONResponse(ready.model_dump(), 200 if ready.status == "ok" else 503)
