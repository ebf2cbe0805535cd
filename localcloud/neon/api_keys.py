"""API keys: personal ones, and the organization's, which may reach a single project only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon import bodies, ids
from localcloud.neon.caller import caller_of
from localcloud.neon.errors import ApiError, not_found
from localcloud.neon.parameters import integer_in_path
from localcloud.neon.routing import Routes, answer
from localcloud.neon.views import USER_NAME
from localcloud.records import ApiKey

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json


async def list_keys(cloud: Cloud, request: Request) -> Response:
    """List what is known of the keys. The one that the data folder began with is not among them."""
    return answer([_shown(cloud, key) for key in cloud.state.api_keys.of(_owner(cloud, request))])


async def create_key(cloud: Cloud, request: Request) -> Response:
    """Make a key; only this answer holds it."""
    owner = _owner(cloud, request)
    wanted = await bodies.read(request, bodies.ApiKeyCreateRequest)
    if wanted.project_id:
        if not owner:
            raise ApiError(400, "project_id is allowed for organization API keys only")
        cloud.project(wanted.project_id)
    key = ids.api_key()
    record = ApiKey(
        id=cloud.state.next_id(ApiKey),
        name=wanted.key_name,
        sha256=cloud.key_sha256(key),
        org_id=owner,
        project_id=wanted.project_id,
        created_at=cloud.clock.now(),
    )
    cloud.state.put(record)
    document: Json = {
        "id": record.id,
        "key": key,
        "name": record.name,
        "created_at": record.created_at,
        "created_by": cloud.settings.user_id,
    }
    if record.project_id:
        document["project_id"] = record.project_id
    return answer(document)


async def revoke_key(cloud: Cloud, request: Request) -> Response:
    """Revoke a key."""
    owner = _owner(cloud, request)
    record = cloud.state.api_keys.get(str(integer_in_path(request, "key_id")))
    if record is None or record.org_id != owner:
        raise not_found("API key")
    with cloud.state.change() as change:
        change.delete(record)
    shown = _shown(cloud, record)
    return answer(shown | {"created_by": cloud.settings.user_id, "revoked": True})


def _owner(cloud: Cloud, request: Request) -> str:
    caller = caller_of(request)
    if caller.project_id:
        raise ApiError(404, "not allowed for project-scoped API keys")
    org_id = request.path_params.get("org_id")
    if org_id is None:
        caller.check_personal()
        return ""
    return caller.organization(cloud, org_id)


def _shown(cloud: Cloud, record: ApiKey) -> Json:
    shown: Json = {
        "id": record.id,
        "name": record.name,
        "created_at": record.created_at,
        "created_by": {"id": cloud.settings.user_id, "name": USER_NAME, "image": ""},
        "last_used_at": record.last_used_at,
        "last_used_from_addr": record.last_used_from_addr,
    }
    if record.project_id:
        shown["project_id"] = record.project_id
    return shown


ROUTES: Routes = [
    ("GET", "/api_keys", list_keys),
    ("POST", "/api_keys", create_key),
    ("DELETE", "/api_keys/{key_id}", revoke_key),
    ("GET", "/organizations/{org_id}/api_keys", list_keys),
    ("POST", "/organizations/{org_id}/api_keys", create_key),
    ("DELETE", "/organizations/{org_id}/api_keys/{key_id}", revoke_key),
]
