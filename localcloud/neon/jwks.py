"""Key sets (JWKS) of a project: kept and listed. No token is judged by them here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from localcloud.neon import bodies, views
from localcloud.neon.access import project_of
from localcloud.neon.errors import ApiError, not_found
from localcloud.neon.operations import Step
from localcloud.neon.routing import Routes, answer
from localcloud.records import Jwks

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json


async def list_jwks(cloud: Cloud, request: Request) -> Response:
    """List a project's key sets."""
    project = project_of(cloud, request)
    return answer({"jwks": [_shown(each) for each in cloud.state.jwks.of(project.id)]})


async def add_jwks(cloud: Cloud, request: Request) -> Response:
    """Add a key set, for all branches or for one."""
    project = project_of(cloud, request)
    wanted = await bodies.read(request, bodies.JwksCreate)
    branch = (
        cloud.branch(project.id, wanted.branch_id)
        if wanted.branch_id
        else cloud.default_branch(project.id)
    )
    cloud.operations.check_unlocked(project.id)
    if any(
        (each.jwks_url, each.branch_id) == (wanted.jwks_url, wanted.branch_id)
        for each in cloud.state.jwks.of(project.id)
    ):
        raise ApiError(409, "JWKS URL already exists")
    now = cloud.clock.now()
    record = Jwks(
        id=str(uuid.uuid4()),
        project_id=project.id,
        jwks_url=wanted.jwks_url,
        provider_name=wanted.provider_name,
        branch_id=wanted.branch_id,
        jwt_audience=wanted.jwt_audience,
        role_names=wanted.role_names or [],
        created_at=now,
        updated_at=now,
    )
    with cloud.state.change() as change:
        change.put(record)
        operations = cloud.operations.schedule(
            change, project.id, [Step("apply_config", {"kind": "nothing"}, branch.id)]
        )
    return answer({"jwks": _shown(record), "operations": views.operations(operations)}, 201)


async def delete_jwks(cloud: Cloud, request: Request) -> Response:
    """Remove a key set."""
    project = project_of(cloud, request)
    record = cloud.state.jwks.get(request.path_params["jwks_id"])
    if record is None or record.project_id != project.id:
        raise not_found("JWKS")
    with cloud.state.change() as change:
        change.delete(record)
    return answer(_shown(record))


def _shown(record: Jwks) -> Json:
    shown: Json = {
        "id": record.id,
        "project_id": record.project_id,
        "jwks_url": record.jwks_url,
        "provider_name": record.provider_name,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
    for name in ("branch_id", "jwt_audience", "role_names"):
        if value := getattr(record, name):
            shown[name] = value
    return shown


_JWKS = "/projects/{project_id}/jwks"
ROUTES: Routes = [
    ("GET", _JWKS, list_jwks),
    ("POST", _JWKS, add_jwks),
    ("DELETE", _JWKS + "/{jwks_id}", delete_jwks),
]
