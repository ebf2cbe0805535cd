"""Customer managed keys: which instances name which key. Nothing here is encrypted with one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from starlette.responses import Response

from localcloud.aura import bodies
from localcloud.aura.configurations import CONFIGURATIONS, DEDICATED
from localcloud.aura.errors import refused
from localcloud.aura.records import AuraKey
from localcloud.aura.routing import Routes, answer
from localcloud.aura.views import moment

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.aura.cloud import Aura
    from localcloud.aura.configurations import Configuration
    from localcloud.records import Json

_TYPES = (DEDICATED, "enterprise-ds")
_FIELD = "customer_managed_key_id"


def check_usable(aura: Aura, key_id: str, wanted: Configuration) -> None:
    """Refuse a key that an instance cannot be encrypted with. Raises ApiError 400 or 404."""
    key = aura.key(key_id, _FIELD)
    if aura.now() < key.ready:
        raise refused(400, "The key is not ready yet", bodies.BAD_BODY, _FIELD)
    if (key.instance_type, key.cloud_provider, key.region) != (
        wanted.type,
        wanted.cloud_provider,
        wanted.region,
    ):
        message = "The key is for another type, cloud or region"
        raise refused(400, message, bodies.BAD_BODY, _FIELD)


async def list_keys(aura: Aura, request: Request) -> Response:
    """Summaries of all keys, or of one tenant's."""
    tenant_id = request.query_params.get("tenantId")
    return answer(
        [
            {"id": each.id, "name": each.name, "tenant_id": each.tenant_id}
            for each in aura.state.aura_keys.values()
            if tenant_id in {None, "", each.tenant_id}
        ]
    )


async def create_key(aura: Aura, request: Request) -> Response:
    """Begin to make a key known; it is ``pending``, and then ``ready``."""
    wanted = await bodies.read(request, bodies.KeyCreate)
    aura.check_tenant(wanted.tenant_id)
    if wanted.instance_type not in _TYPES:
        message = f"Keys are for {' and '.join(_TYPES)} only"
        raise refused(400, message, bodies.BAD_BODY, "instance_type")
    if not any(
        (each.type, each.cloud_provider, each.region)
        == (wanted.instance_type, wanted.cloud_provider, wanted.region)
        for each in CONFIGURATIONS
    ):
        message = f"region {wanted.region!r} is not available for {wanted.instance_type}"
        raise refused(400, message, "invalid-region", "region")
    now = aura.now()
    key = AuraKey(
        id=str(uuid.uuid4()),
        name=wanted.name,
        tenant_id=wanted.tenant_id,
        key_id=wanted.key_id,
        cloud_provider=wanted.cloud_provider,
        region=wanted.region,
        instance_type=wanted.instance_type,
        created=now,
        ready=now + aura.settings.aura_change_seconds,
    )
    aura.state.put(key)
    return answer(_shown(aura, key), 202)


async def get_key(aura: Aura, request: Request) -> Response:
    """One key."""
    return answer(_shown(aura, aura.key(request.path_params["key_id"])))


async def delete_key(aura: Aura, request: Request) -> Response:
    """Forget a key that no instance has."""
    key = aura.key(request.path_params["key_id"])
    if any(each.customer_managed_key_id == key.id for each in aura.instances()):
        raise refused(400, "The key is used by an instance", "encryption-key-is-active")
    with aura.state.change() as change:
        change.delete(key)
    return Response(status_code=204)


def _shown(aura: Aura, key: AuraKey) -> Json:
    return {
        "id": key.id,
        "name": key.name,
        "cloud_provider": key.cloud_provider,
        "region": key.region,
        "instance_type": key.instance_type,
        "key_id": key.key_id,
        "created": moment(key.created),
        "status": "ready" if aura.now() >= key.ready else "pending",
        "tenant_id": key.tenant_id,
    }


_KEYS = "/customer-managed-keys"
ROUTES: Routes = [
    ("GET", _KEYS, list_keys),
    ("POST", _KEYS, create_key),
    ("GET", _KEYS + "/{key_id}", get_key),
    ("DELETE", _KEYS + "/{key_id}", delete_key),
]
