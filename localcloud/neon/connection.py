"""Connection strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon import views
from localcloud.neon.access import project_of
from localcloud.neon.databases import database_of
from localcloud.neon.errors import ApiError, not_found
from localcloud.neon.parameters import flag_of, identifier_of, required_of
from localcloud.neon.roles import role_of
from localcloud.neon.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud


async def connection_uri(cloud: Cloud, request: Request) -> Response:
    """Give the connection string of a role and a database, direct or pooled."""
    project = project_of(cloud, request)
    query = request.query_params
    database_name, role_name = (required_of(query, name) for name in ("database_name", "role_name"))
    branch_id, endpoint_id = (identifier_of(query, name) for name in ("branch_id", "endpoint_id"))
    pooled = flag_of(query, "pooled")
    branch = cloud.branch(project.id, branch_id) if branch_id else cloud.default_branch(project.id)
    if endpoint_id:
        endpoint = cloud.endpoint(project.id, endpoint_id)
        if endpoint.branch_id != branch.id:
            if branch_id:
                raise not_found("endpoint")
            branch = cloud.state.branches[endpoint.branch_id]
    else:
        writable = [
            each for each in cloud.state.endpoints.of(branch.id) if each.type == "read_write"
        ]
        if not writable:
            raise ApiError(404, "no read_write endpoint found for the branch")
        endpoint = writable[0]
    await cloud.sync(branch)
    role = role_of(cloud, branch, role_name)
    database = database_of(cloud, branch, database_name)
    if not project.store_passwords or role.password is None:
        raise ApiError(412, "password is not stored for the role")
    host = endpoint.pooler_host if pooled else endpoint.host
    return answer({"uri": views.connection_uri(role.name, role.password, host, database.name)})


ROUTES: Routes = [("GET", "/projects/{project_id}/connection_uri", connection_uri)]
