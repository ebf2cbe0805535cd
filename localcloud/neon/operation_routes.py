"""Operations as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon import views
from localcloud.neon.access import project_of
from localcloud.neon.errors import bad_request, not_found
from localcloud.neon.parameters import limit_of, uuid_in_path
from localcloud.neon.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud

_MAX_PAGE = 1000


async def list_operations(cloud: Cloud, request: Request) -> Response:
    """Pages, the newest first; the cursor is the time at which the last one shown was made."""
    project = project_of(cloud, request)
    query = request.query_params
    limit = limit_of(query, default=_MAX_PAGE, maximum=_MAX_PAGE)
    cursor = query.get("cursor")
    if cursor is not None and not cursor.startswith("2"):
        raise bad_request('parameter "cursor" in query has an error: invalid cursor')
    found = sorted(
        cloud.state.operations.of(project.id),
        key=lambda operation: operation.created_at,
        reverse=True,
    )
    if cursor:
        found = [operation for operation in found if operation.created_at < cursor]
    chosen = found[:limit]
    document: dict[str, object] = {"operations": views.operations(chosen)}
    if chosen:
        document["pagination"] = {"cursor": chosen[-1].created_at}
    return answer(document)


async def get_operation(cloud: Cloud, request: Request) -> Response:
    """One operation."""
    project = project_of(cloud, request)
    operation = cloud.state.operations.get(uuid_in_path(request, "operation_id"))
    if operation is None or operation.project_id != project.id:
        raise not_found("operation")
    return answer({"operation": views.operation(operation)})


ROUTES: Routes = [
    ("GET", "/projects/{project_id}/operations", list_operations),
    ("GET", "/projects/{project_id}/operations/{operation_id}", get_operation),
]
