"""Projects that change hands, or that others share. There is one organization, so a project stays in it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from localcloud.clock import parse, render
from localcloud.neon import bodies
from localcloud.neon.access import project_of
from localcloud.neon.caller import caller_of
from localcloud.neon.errors import ApiError, not_found
from localcloud.neon.parameters import limit_of, number_of, uuid_in_path
from localcloud.neon.routing import Routes, answer, gone
from localcloud.records import TransferRequest

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud

_DAY = 86_400


async def list_shared(_cloud: Cloud, request: Request) -> Response:
    """List what other accounts share with this one: nothing, as there is no other."""
    caller_of(request).check_personal()
    limit_of(request.query_params, default=10, maximum=400)
    number_of(request.query_params, "timeout", 100, 30_000)
    return answer({"projects": [], "unavailable_project_ids": []})


async def offer_project(cloud: Cloud, request: Request) -> Response:
    """Offer a project to whoever accepts in time."""
    project = project_of(cloud, request)
    wanted = await bodies.read(request, bodies.TransferRequestCreate, optional=True)
    now = cloud.clock.now()
    lifetime = timedelta(seconds=wanted.ttl_seconds or _DAY)
    offer = TransferRequest(str(uuid.uuid4()), project.id, now, render(parse(now) + lifetime))
    cloud.state.put(offer)
    return answer(
        {
            "id": offer.id,
            "project_id": offer.project_id,
            "created_at": offer.created_at,
            "expires_at": offer.expires_at,
        },
        201,
    )


async def accept_project(cloud: Cloud, request: Request) -> Response:
    """Take a project that was offered into an organization. An offer is good once, and until it expires."""
    project = cloud.project(request.path_params["project_id"])
    wanted = await bodies.read(request, bodies.TransferRequestAccept, optional=True)
    offer = cloud.state.transfer_requests.get(uuid_in_path(request, "request_id"))
    if offer is None or offer.project_id != project.id:
        raise not_found("transfer request")
    if offer.expires_at < cloud.clock.now():
        raise ApiError(422, "transfer request has expired")
    project.org_id = caller_of(request).organization(
        cloud, wanted.org_id or cloud.settings.neon_org_id
    )
    project.owner_id = project.org_id
    project.updated_at = cloud.clock.now()
    with cloud.state.change() as change:
        change.delete(offer)
        change.put(project)
    return gone()


async def transfer_projects(cloud: Cloud, request: Request) -> Response:
    """Move projects into an organization. There is one, so they are in it already; others are not found."""
    caller = caller_of(request)
    if "source_org_id" in request.path_params:
        caller.organization(cloud, request.path_params["source_org_id"])
    else:
        caller.check_personal()
    wanted = await bodies.read(request, bodies.TransferProjects)
    org_id = caller.organization(cloud, wanted.destination_org_id)
    projects = [cloud.project(each) for each in wanted.project_ids]
    for project in projects:
        if not caller.sees(project):
            raise not_found("project")
        project.org_id = project.owner_id = org_id
    cloud.state.put(*projects)
    return answer({})


_TRANSFERS = "/projects/{project_id}/transfer_requests"
ROUTES: Routes = [
    ("GET", "/projects/shared", list_shared),
    ("POST", "/organizations/{source_org_id}/projects/transfer", transfer_projects),
    ("POST", "/users/me/projects/transfer", transfer_projects),
    ("POST", _TRANSFERS, offer_project),
    ("PUT", _TRANSFERS + "/{request_id}", accept_project),
]
