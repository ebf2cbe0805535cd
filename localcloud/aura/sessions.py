"""Graph analytics sessions: their life as the API tells it. Nothing computes behind one, and its host is no host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localcloud.aura import bodies, ids
from localcloud.aura.configurations import CONFIGURATIONS
from localcloud.aura.errors import refused
from localcloud.aura.records import AuraSession
from localcloud.aura.routing import Routes, answer
from localcloud.aura.views import moment

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.aura.cloud import Aura
    from localcloud.records import Json

_SIZES = (2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_UNITS = {"h": 3600, "m": 60, "s": 1}
_HOUR = 3600
_NODE_BYTES = 400
_RELATIONSHIP_BYTES = 60
_VALUE_BYTES = 8
_GB = 1024**3
_KEPT_SAME = ("memory", "ttl", "instance_id", "database_uuid", "cloud_provider", "region")


async def list_sessions(aura: Aura, request: Request) -> Response:
    """All sessions, or those of an instance or a tenant."""
    query = request.query_params
    return answer(
        [
            _shown(aura, each)
            for each in aura.state.aura_sessions.values()
            if query.get("instanceId") in {None, "", each.instance_id}
            and query.get("tenantId") in {None, "", each.tenant_id}
        ]
    )


async def open_session(aura: Aura, request: Request) -> Response:
    """Give the tenant's session of this name (200), or begin to make one (202)."""
    wanted = await bodies.read(request, bodies.SessionCreate)
    aura.check_tenant(wanted.tenant_id)
    session = _session(aura, wanted)
    for each in aura.state.aura_sessions.values():
        if each.name == wanted.name and aura.now() < each.expires:
            if any(getattr(each, name) != getattr(session, name) for name in _KEPT_SAME):
                message = "A session of this name exists with other parameters"
                raise refused(409, message, "session-already-exists")
            return answer(_shown(aura, each))
    aura.state.put(session)
    return answer(_shown(aura, session), 202)


async def get_session(aura: Aura, request: Request) -> Response:
    """One session."""
    return answer(_shown(aura, _found(aura, request)))


async def delete_session(aura: Aura, request: Request) -> Response:
    """End a session."""
    session = _found(aura, request)
    with aura.state.change() as change:
        change.delete(session)
    return answer({"id": session.id}, 202)


async def size_session(_aura: Aura, request: Request) -> Response:
    """Estimate a session's size. Only the shape is Aura's: its formula is not published."""
    wanted = await bodies.read(request, bodies.SessionSizing)
    node = _NODE_BYTES + _VALUE_BYTES * (
        (wanted.node_property_count or 0) + (wanted.node_label_count or 0)
    )
    relationship = _RELATIONSHIP_BYTES + _VALUE_BYTES * (wanted.relationship_property_count or 0)
    graph = wanted.node_count * node + wanted.relationship_count * relationship
    least = -(-graph * (1 + len(wanted.algorithm_categories or [])) // _GB) or 1
    size = next((each for each in _SIZES if each >= least), _SIZES[-1])
    return answer({"estimated_memory": f"{least}GB", "recommended_size": f"{size}GB"})


def _session(aura: Aura, wanted: bodies.SessionCreate) -> AuraSession:
    if wanted.memory not in {f"{size}GB" for size in _SIZES}:
        offered = ", ".join(f"{size}GB" for size in _SIZES)
        message = f"memory {wanted.memory!r} is not available; available: {offered}"
        raise refused(400, message, "invalid-memory-size", "memory")
    cloud: str | None = wanted.cloud_provider
    region = wanted.region
    if wanted.instance_id is not None:
        instance = aura.instance(wanted.instance_id)
        cloud, region = cloud or instance.cloud_provider, region or instance.region
    elif wanted.database_uuid is None and (cloud is None or region is None):
        message = "a session without an instance needs cloud_provider and region"
        raise refused(400, message, bodies.BAD_BODY, "region")
    if region and not any(
        each.region == region and cloud in {None, each.cloud_provider} for each in CONFIGURATIONS
    ):
        raise refused(400, f"region {region!r} is not available", "invalid-region", "region")
    now = aura.now()
    parts = re.findall(r"([0-9.]+)([hms])", wanted.ttl or "")
    ttl = round(sum(float(number) * _UNITS[unit] for number, unit in parts)) or _HOUR
    ready = now + aura.settings.aura_create_seconds
    return AuraSession(
        id=ids.session_id(),
        name=wanted.name,
        tenant_id=wanted.tenant_id,
        memory=wanted.memory,
        ttl=ttl,
        instance_id=wanted.instance_id,
        database_uuid=wanted.database_uuid,
        cloud_provider=cloud,
        region=region,
        created=now,
        ready=ready,
        # Nobody can use it, so it is idle from its beginning.
        expires=ready + ttl,
    )


def _found(aura: Aura, request: Request) -> AuraSession:
    session_id = request.path_params["session_id"]
    session = aura.state.aura_sessions.get(session_id)
    if session is None:
        raise refused(404, f"Session not found: {session_id}", "session-not-found")
    return session


def _shown(aura: Aura, session: AuraSession) -> Json:
    now = aura.now()
    status = "Creating" if now < session.ready else "Ready" if now < session.expires else "Expired"
    return {
        "id": session.id,
        "name": session.name,
        "memory": session.memory,
        "status": status,
        "host": f"{session.id}.sessions.invalid",
        "tenant_id": session.tenant_id,
        "user_id": aura.settings.user_id,
        "cloud_provider": session.cloud_provider or "",
        "region": session.region or "",
        "instance_id": session.instance_id or "",
        "database_uuid": session.database_uuid or "",
        "created_at": moment(session.created),
        "expiry_date": moment(session.expires),
        "ttl": session.ttl,
    }


_SESSIONS = "/graph-analytics/sessions"
ROUTES: Routes = [
    ("GET", _SESSIONS, list_sessions),
    ("POST", _SESSIONS, open_session),
    ("POST", _SESSIONS + "/sizing", size_session),
    ("GET", _SESSIONS + "/{session_id}", get_session),
    ("DELETE", _SESSIONS + "/{session_id}", delete_session),
]
