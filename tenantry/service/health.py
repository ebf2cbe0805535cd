"""Whether the process lives, and whether it can serve: for whoever starts and balances it. Nobody needs a token."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from tenantry.selfservice import operations
from tenantry.selfservice.database import read
from tenantry.selfservice.errors import SelfServiceError
from tenantry.service.parts import Shared

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """How the process is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


class Readiness(BaseModel):
    """What the service needs, and whether it is there. Why it is not stands in the log."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "database": "ok",
                    "backend": "ok",
                    "engine": "ok",
                    "oldest_job_seconds": 0,
                    "stopping": False,
                }
            ]
        }
    )

    status: Literal["ok", "not ready"]
    database: Literal["ok", "away"]
    backend: Literal["ok", "away"]
    """Of the states."""
    engine: Literal["ok", "away"]
    oldest_job_seconds: int | None
    """For how long the oldest operation that is due waits for a worker; null where the database is away. However long
    that is, requests can be served."""
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
    """Ask the database, and every 15 s the states' backend and the engine. While the service stops, it is not ready."""
    oldest: int | None = None
    with contextlib.suppress(SelfServiceError):
        oldest = round(
            await read(parts.connections, lambda one: operations.oldest_due(one, parts.namespace))
        )
    stopping = parts.listener.closing
    backend, engine = await asyncio.gather(parts.backend.standing(), parts.engine.standing())
    good = oldest is not None and not stopping and (backend, engine) == ("ok", "ok")
    ready = Readiness(
        status="ok" if good else "not ready",
        database="away" if oldest is None else "ok",
        backend=backend,
        engine=engine,
        oldest_job_seconds=oldest,
        stopping=stopping,
    )
    return JSONResponse(ready.model_dump(), 200 if good else 503)
