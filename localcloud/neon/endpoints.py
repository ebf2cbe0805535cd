"""Compute endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.neon import bodies, ids, views
from localcloud.neon.access import project_of
from localcloud.neon.errors import ApiError, bad_request, limit
from localcloud.neon.operations import Step
from localcloud.neon.routing import Routes, answer, gone
from localcloud.records import Endpoint

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Operation, Project

_SIZES = ("autoscaling_limit_min_cu", "autoscaling_limit_max_cu", "suspend_timeout_seconds")
_PLAIN = ("pooler_enabled", "disabled", "passwordless_access", "provisioner", "name")


def new_endpoint(
    cloud: Cloud,
    project: Project,
    branch: Branch,
    wanted: bodies.BranchEndpoint | bodies.EndpointCreate,
) -> Endpoint:
    """Return an endpoint to be, still without addresses; what is not asked for comes from the project's defaults.

    Raises ApiError 400 for a size or timeout that the plan does not have, 422 for a second read-write endpoint.
    """
    if wanted.type == "read_write" and any(
        each.type == "read_write" for each in cloud.state.endpoints.of(branch.id)
    ):
        raise limit("ENDPOINTS_LIMIT_EXCEEDED", "read_write endpoint already exists")
    given: dict[str, Any] = wanted.given()
    sizes: dict[str, Any] = {
        name: given.get(name, project.default_endpoint_settings[name]) for name in _SIZES
    }
    cloud.plan.check_compute(sizes["autoscaling_limit_min_cu"], sizes["autoscaling_limit_max_cu"])
    cloud.plan.check_suspend(sizes["suspend_timeout_seconds"])
    now = cloud.clock.now()
    disabled = given.get("disabled", False)
    return Endpoint(
        id=ids.endpoint_id(),
        project_id=project.id,
        branch_id=branch.id,
        host="",
        pooler_host="",
        type=wanted.type,
        region_id=project.region_id,
        provisioner=given.get("provisioner") or project.provisioner,
        settings=given.get("settings", {}),
        pooler_enabled=given.get("pooler_enabled", False),
        pooler_mode="transaction",
        disabled=disabled,
        passwordless_access=given.get("passwordless_access", True),
        current_state="idle" if disabled else "init",
        pending_state=None if disabled else "active",
        created_at=now,
        updated_at=now,
        name=given.get("name"),
        **sizes,
    )


async def list_endpoints(cloud: Cloud, request: Request) -> Response:
    """All endpoints of a project."""
    project = project_of(cloud, request)
    return answer({"endpoints": [views.endpoint(each) for each in cloud.endpoints(project.id)]})


async def list_branch_endpoints(cloud: Cloud, request: Request) -> Response:
    """List the endpoints of a branch."""
    project = project_of(cloud, request)
    branch = cloud.branch(project.id, request.path_params["branch_id"])
    return answer(
        {"endpoints": [views.endpoint(each) for each in cloud.state.endpoints.of(branch.id)]}
    )


async def create_endpoint(cloud: Cloud, request: Request) -> Response:
    """Add an endpoint to a branch and start it."""
    project = project_of(cloud, request)
    wanted = (await bodies.read(request, bodies.EndpointCreateRequest)).endpoint
    branch = cloud.branch(project.id, wanted.branch_id)
    if wanted.region_id and wanted.region_id != project.region_id:
        raise bad_request("endpoint region must be the region of its project")
    cloud.operations.check_unlocked(project.id)
    if branch.current_state != "ready":
        raise ApiError(422, "branch not ready yet")
    endpoint = new_endpoint(cloud, project, branch, wanted)
    cloud.claim_addresses(endpoint)
    with cloud.state.change() as change:
        change.put(endpoint)
        cloud.open_endpoint(endpoint)
        steps = (
            []
            if endpoint.disabled
            else [Step("start_compute", {"kind": "start"}, branch.id, endpoint.id)]
        )
        operations = cloud.operations.schedule(change, project.id, steps)
    return _with_operations(endpoint, operations, 201)


async def get_endpoint(cloud: Cloud, request: Request) -> Response:
    """One endpoint."""
    return answer({"endpoint": views.endpoint(_endpoint(cloud, request))})


async def update_endpoint(cloud: Cloud, request: Request) -> Response:
    """Change the live endpoint. A size change restarts a running server on Neon; here sizes are records only."""
    endpoint = _endpoint(cloud, request)
    wanted = (await bodies.read(request, bodies.EndpointUpdateRequest)).endpoint
    if wanted.branch_id and wanted.branch_id != endpoint.branch_id:
        raise bad_request("branch_id of an endpoint cannot be changed")
    cloud.operations.check_unlocked(endpoint.project_id)
    given = wanted.given()
    sizes: dict[str, Any] = {name: given.get(name, getattr(endpoint, name)) for name in _SIZES}
    cloud.plan.check_compute(sizes["autoscaling_limit_min_cu"], sizes["autoscaling_limit_max_cu"])
    cloud.plan.check_suspend(sizes["suspend_timeout_seconds"])
    was = views.endpoint(endpoint)
    for name, value in sizes.items():
        setattr(endpoint, name, value)
    for name in _PLAIN:
        if given.get(name, "") != "":
            setattr(endpoint, name, given[name])
    if "settings" in given:
        endpoint.settings = endpoint.settings | given["settings"]
    steps = []
    if views.endpoint(endpoint) != was and endpoint.current_state == "active":
        steps = (
            [Step("suspend_compute", {"kind": "suspend"}, endpoint.branch_id, endpoint.id)]
            if endpoint.disabled
            else [Step("apply_config", {"kind": "nothing"}, endpoint.branch_id, endpoint.id)]
        )
    endpoint.updated_at = cloud.clock.now()
    cloud.compute(endpoint.id).rearm()
    return _scheduled(cloud, endpoint, steps)


async def delete_endpoint(cloud: Cloud, request: Request) -> Response:
    """Remove an endpoint; its branch keeps its data."""
    project = project_of(cloud, request)
    endpoint = cloud.state.endpoints.get(request.path_params["endpoint_id"])
    if endpoint is None or endpoint.project_id != project.id:
        return gone()
    if cloud.state.branches[endpoint.branch_id].protected:
        raise ApiError(422, "endpoint of a protected branch cannot be deleted")
    cloud.operations.check_unlocked(project.id)
    with cloud.state.change() as change:
        change.delete(endpoint)
        operations = cloud.operations.schedule(
            change,
            project.id,
            [Step("suspend_compute", {"kind": "suspend"}, endpoint.branch_id, endpoint.id)],
        )
    await cloud.close_endpoint(endpoint)
    return _with_operations(endpoint, operations)


async def start_endpoint(cloud: Cloud, request: Request) -> Response:
    """Start an endpoint; one that runs already has nothing to do."""
    endpoint = _endpoint(cloud, request)
    if endpoint.disabled:
        raise ApiError(422, "endpoint is disabled")
    cloud.operations.check_unlocked(endpoint.project_id)
    steps = []
    if endpoint.current_state != "active":
        endpoint.pending_state = "active"
        steps = [Step("start_compute", {"kind": "start"}, endpoint.branch_id, endpoint.id)]
    return _scheduled(cloud, endpoint, steps)


async def suspend_endpoint(cloud: Cloud, request: Request) -> Response:
    """Suspend an endpoint, ending its sessions; one that sleeps already has nothing to do."""
    endpoint = _endpoint(cloud, request)
    if endpoint.pending_state:
        raise ApiError(423, "endpoint is in some transitive state, could not suspend")
    cloud.operations.check_unlocked(endpoint.project_id)
    steps = []
    if endpoint.current_state == "active":
        endpoint.pending_state = "idle"
        steps = [Step("suspend_compute", {"kind": "suspend"}, endpoint.branch_id, endpoint.id)]
    return _scheduled(cloud, endpoint, steps)


async def restart_endpoint(cloud: Cloud, request: Request) -> Response:
    """Suspend an endpoint and start it."""
    endpoint = _endpoint(cloud, request)
    if endpoint.disabled:
        raise ApiError(422, "endpoint is disabled")
    cloud.operations.check_unlocked(endpoint.project_id)
    endpoint.pending_state = "active"
    return _scheduled(
        cloud,
        endpoint,
        [
            Step("suspend_compute", {"kind": "suspend"}, endpoint.branch_id, endpoint.id),
            Step("start_compute", {"kind": "start"}, endpoint.branch_id, endpoint.id),
        ],
    )


def _endpoint(cloud: Cloud, request: Request) -> Endpoint:
    project = project_of(cloud, request)
    return cloud.endpoint(project.id, request.path_params["endpoint_id"])


def _scheduled(cloud: Cloud, endpoint: Endpoint, steps: list[Step]) -> Response:
    with cloud.state.change() as change:
        change.put(endpoint)
        operations = cloud.operations.schedule(change, endpoint.project_id, steps)
    return _with_operations(endpoint, operations)


def _with_operations(
    endpoint: Endpoint, operations: list[Operation], status: int = 200
) -> Response:
    return answer(
        {"endpoint": views.endpoint(endpoint), "operations": views.operations(operations)}, status
    )


ROUTES: Routes = [
    ("GET", "/projects/{project_id}/endpoints", list_endpoints),
    ("POST", "/projects/{project_id}/endpoints", create_endpoint),
    ("GET", "/projects/{project_id}/branches/{branch_id}/endpoints", list_branch_endpoints),
    ("GET", "/projects/{project_id}/endpoints/{endpoint_id}", get_endpoint),
    ("PATCH", "/projects/{project_id}/endpoints/{endpoint_id}", update_endpoint),
    ("DELETE", "/projects/{project_id}/endpoints/{endpoint_id}", delete_endpoint),
    ("POST", "/projects/{project_id}/endpoints/{endpoint_id}/start", start_endpoint),
    ("POST", "/projects/{project_id}/endpoints/{endpoint_id}/suspend", suspend_endpoint),
    ("POST", "/projects/{project_id}/endpoints/{endpoint_id}/restart", restart_endpoint),
]
