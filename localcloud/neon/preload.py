"""Libraries that a project's servers can load at their start (``shared_preload_libraries``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon.access import project_of
from localcloud.neon.errors import bad_request
from localcloud.neon.routing import Routes, answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud

# Those that PostgreSQL comes with and that do something when they are loaded at the start. By name: what they do.
LIBRARIES = {
    "auto_explain": "Logs the plans of slow statements",
    "pg_prewarm": "Loads tables into the buffers again after a start",
    "pg_stat_statements": "Counts what statements cost",
}


def check_libraries(names: Iterable[str]) -> None:
    """Refuse a library that the servers cannot load. Raises ApiError 400."""
    for name in names:
        if name not in LIBRARIES:
            raise bad_request(
                f'preload library "{name}" is not available; available: {", ".join(LIBRARIES)}'
            )


async def list_libraries(cloud: Cloud, request: Request) -> Response:
    """List what can be loaded. Nothing is by default."""
    project_of(cloud, request)
    return answer(
        {
            "libraries": [
                {
                    "library_name": name,
                    "description": description,
                    "is_default": False,
                    "is_experimental": False,
                    "version": cloud.postgres_version,
                }
                for name, description in LIBRARIES.items()
            ]
        }
    )


ROUTES: Routes = [
    ("GET", "/projects/{project_id}/available_preload_libraries", list_libraries),
]
