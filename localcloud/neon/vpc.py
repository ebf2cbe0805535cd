"""VPC endpoints: those of the organization, and the projects that take connections from them alone.

Kept, listed and counted as on Neon. Every client here comes from a loopback address, so nobody is kept out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from localcloud.neon import bodies
from localcloud.neon.access import project_of
from localcloud.neon.caller import caller_of
from localcloud.neon.errors import ApiError, bad_request, not_found
from localcloud.neon.regions import check_region
from localcloud.neon.routing import Routes, answer
from localcloud.records import VpcEndpoint, VpcRestriction

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Project

_EXAMPLES = 3


async def list_all(cloud: Cloud, request: Request) -> Response:
    """List the organization's endpoints of all regions."""
    found = _assigned(cloud, request)
    return answer({"endpoints": [_shown(each) | {"region_id": each.region_id} for each in found]})


async def list_region(cloud: Cloud, request: Request) -> Response:
    """List the organization's endpoints of a region."""
    region_id = _region(request)
    found = [each for each in _assigned(cloud, request) if each.region_id == region_id]
    return answer({"endpoints": [_shown(each) for each in found]})


async def get_endpoint(cloud: Cloud, request: Request) -> Response:
    """One endpoint, with the projects that it restricts."""
    endpoint = _endpoint(cloud, request)
    restricted = _restricted(cloud, endpoint)
    return answer(
        _shown(endpoint)
        | {
            "state": "new",
            "num_restricted_projects": len(restricted),
            "example_restricted_projects": [each.id for each in restricted[:_EXAMPLES]],
        }
    )


async def assign_endpoint(cloud: Cloud, request: Request) -> Response:
    """Give an endpoint to the organization, or another label. One that was taken away does not come back."""
    org_id = caller_of(request).organization(cloud, request.path_params["org_id"])
    cloud.plan.check_vpc()
    region_id = _region(request)
    wanted = await bodies.read(request, bodies.VpcLabel)
    endpoint_id = request.path_params["vpc_endpoint_id"]
    known = cloud.state.vpc_endpoints.get(f"{region_id}/{endpoint_id}")
    if known is not None and known.deleted:
        raise ApiError(409, "VPC endpoint was deleted and cannot be assigned again")
    cloud.state.put(VpcEndpoint(org_id, region_id, endpoint_id, wanted.label))
    return Response()


async def delete_endpoint(cloud: Cloud, request: Request) -> Response:
    """Take an endpoint from the organization, unless it still restricts a project."""
    endpoint = _endpoint(cloud, request)
    restricted = _restricted(cloud, endpoint)
    if restricted:
        raise ApiError(
            409,
            f'VPC endpoint restricts projects; remove the restriction first; project_id:"{restricted[0].id}"',
        )
    endpoint.deleted = True
    cloud.state.put(endpoint)
    return Response()


async def list_restrictions(cloud: Cloud, request: Request) -> Response:
    """List the endpoints from which a project takes connections."""
    project = project_of(cloud, request)
    found = cloud.state.vpc_restrictions.of(project.id)
    return answer({"endpoints": [_shown(each) for each in found]})


async def restrict_project(cloud: Cloud, request: Request) -> Response:
    """Have a project take connections from an endpoint of its organization and region, or give it another label."""
    project = project_of(cloud, request)
    cloud.plan.check_vpc()
    wanted = await bodies.read(request, bodies.VpcLabel)
    endpoint_id = request.path_params["vpc_endpoint_id"]
    assigned = cloud.state.vpc_endpoints.get(f"{project.region_id}/{endpoint_id}")
    if assigned is None or assigned.deleted:
        raise bad_request("VPC endpoint is not assigned to the organization of the project")
    cloud.state.put(VpcRestriction(project.id, endpoint_id, wanted.label))
    return Response()


async def release_project(cloud: Cloud, request: Request) -> Response:
    """Take a restriction from a project."""
    project = project_of(cloud, request)
    key = f"{project.id}/{request.path_params['vpc_endpoint_id']}"
    restriction = cloud.state.vpc_restrictions.get(key)
    if restriction is None:
        raise not_found("VPC endpoint")
    with cloud.state.change() as change:
        change.delete(restriction)
    return Response()


def _region(request: Request) -> str:
    region_id: str = request.path_params["region_id"]
    check_region(region_id)
    return region_id


def _assigned(cloud: Cloud, request: Request) -> list[VpcEndpoint]:
    org_id = caller_of(request).organization(cloud, request.path_params["org_id"])
    return [each for each in cloud.state.vpc_endpoints.of(org_id) if not each.deleted]


def _endpoint(cloud: Cloud, request: Request) -> VpcEndpoint:
    region_id, endpoint_id = _region(request), request.path_params["vpc_endpoint_id"]
    for endpoint in _assigned(cloud, request):
        if (endpoint.region_id, endpoint.vpc_endpoint_id) == (region_id, endpoint_id):
            return endpoint
    raise not_found("VPC endpoint")


def _restricted(cloud: Cloud, endpoint: VpcEndpoint) -> list[Project]:
    projects = (
        cloud.state.projects[each.project_id]
        for each in cloud.state.vpc_restrictions.values()
        if each.vpc_endpoint_id == endpoint.vpc_endpoint_id
    )
    return [
        project
        for project in projects
        if project.region_id == endpoint.region_id and not project.deleted_at
    ]


def _shown(record: VpcEndpoint | VpcRestriction) -> dict[str, str]:
    return {"vpc_endpoint_id": record.vpc_endpoint_id, "label": record.label}


_ORGANIZATION = "/organizations/{org_id}/vpc"
_REGION = _ORGANIZATION + "/region/{region_id}/vpc_endpoints"
_PROJECT = "/projects/{project_id}/vpc_endpoints"
ROUTES: Routes = [
    ("GET", _ORGANIZATION + "/vpc_endpoints", list_all),
    ("GET", _REGION, list_region),
    ("GET", _REGION + "/{vpc_endpoint_id}", get_endpoint),
    ("POST", _REGION + "/{vpc_endpoint_id}", assign_endpoint),
    ("DELETE", _REGION + "/{vpc_endpoint_id}", delete_endpoint),
    ("GET", _PROJECT, list_restrictions),
    ("POST", _PROJECT + "/{vpc_endpoint_id}", restrict_project),
    ("DELETE", _PROJECT + "/{vpc_endpoint_id}", release_project),
]
