"""Projects shared with other users."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from localcloud.neon import bodies
from localcloud.neon.access import project_of
from localcloud.neon.errors import ApiError, not_found
from localcloud.neon.routing import Routes, answer
from localcloud.records import Permission

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json


async def list_permissions(cloud: Cloud, request: Request) -> Response:
    """With whom a project is shared."""
    project = project_of(cloud, request)
    found = cloud.state.permissions.of(project.id)
    return answer({"project_permissions": [_shown(each) for each in found]})


async def grant_permission(cloud: Cloud, request: Request) -> Response:
    """Share a project."""
    project = project_of(cloud, request)
    wanted = await bodies.read(request, bodies.PermissionRequest)
    if any(
        each.granted_to_email == wanted.email for each in cloud.state.permissions.of(project.id)
    ):
        raise ApiError(409, "project is already shared with the user")
    permission = Permission(str(uuid.uuid4()), project.id, wanted.email, cloud.clock.now())
    cloud.state.put(permission)
    return answer(_shown(permission))


async def revoke_permission(cloud: Cloud, request: Request) -> Response:
    """Share a project no longer."""
    project = project_of(cloud, request)
    permission = cloud.state.permissions.get(request.path_params["permission_id"])
    if permission is None or permission.project_id != project.id:
        raise not_found("permission")
    with cloud.state.change() as change:
        change.delete(permission)
    return answer(_shown(permission) | {"revoked_at": cloud.clock.now()})


def _shown(permission: Permission) -> Json:
    return {
        "id": permission.id,
        "granted_to_email": permission.granted_to_email,
        "granted_at": permission.granted_at,
    }


_PERMISSIONS = "/projects/{project_id}/permissions"
ROUTES: Routes = [
    ("GET", _PERMISSIONS, list_permissions),
    ("POST", _PERMISSIONS, grant_permission),
    ("DELETE", _PERMISSIONS + "/{permission_id}", revoke_permission),
]
