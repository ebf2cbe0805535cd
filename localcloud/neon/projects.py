"""Projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.neon import bodies, consumption, ids, views
from localcloud.neon.access import project_of
from localcloud.neon.caller import caller_of
from localcloud.neon.cloud import server_options
from localcloud.neon.endpoints import new_endpoint
from localcloud.neon.errors import ApiError, bad_request, not_found
from localcloud.neon.operations import Step
from localcloud.neon.pagination import page
from localcloud.neon.parameters import flag_of, identifier_of, limit_of, number_of
from localcloud.neon.plans import DEFAULT_CU, DEFAULT_RETENTION_SECONDS
from localcloud.neon.preload import check_libraries
from localcloud.neon.regions import DEFAULT_REGION, check_region
from localcloud.neon.roles import check_name
from localcloud.neon.routing import Routes, answer
from localcloud.records import Branch, Database, Project, Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json

# What Neon gives a new project, also where the plan does not let it be edited.
_MAINTENANCE_WINDOW = {"weekdays": [1], "start_time": "05:00", "end_time": "06:00"}
_PROVISIONER = "k8s-neonvm"


async def list_projects(cloud: Cloud, request: Request) -> Response:
    """Pages in the order of creation, newest first; ``search`` looks into names and ids."""
    query = request.query_params
    caller = caller_of(request)
    limit = limit_of(query, default=10, maximum=400)
    recoverable = flag_of(query, "recoverable")
    number_of(query, "timeout", 100, 30_000)
    org_id = caller.organization(cloud, identifier_of(query, "org_id"))
    search = query.get("search", "").lower()
    found = [
        project
        for project in cloud.state.projects.values()
        if bool(project.deleted_at) == recoverable
        and project.org_id == org_id
        and caller.sees(project)
        and (search in project.name.lower() or search in project.id)
    ]
    chosen, cursor = page(
        found,
        lambda project: (project.created_at, project.id),
        query.get("cursor"),
        limit,
        descending=True,
    )
    document: Json = {
        "projects": [views.project_item(cloud, project) for project in chosen],
        "unavailable_project_ids": [],
        "applications": {},
        "integrations": {},
    }
    if cursor:
        document["pagination"] = {"cursor": cursor}
    return answer(document)


async def create_project(cloud: Cloud, request: Request) -> Response:
    """Make a project with its default branch, endpoint, role and database."""
    wanted = (await bodies.read(request, bodies.ProjectCreateRequest)).project
    caller = caller_of(request)
    if caller.project_id:
        raise ApiError(404, "not allowed for project-scoped API keys")
    org_id = caller.organization(cloud, wanted.org_id)
    region_id = wanted.region_id or DEFAULT_REGION
    check_region(region_id)
    cloud.plan.check_projects(sum(not each.deleted_at for each in cloud.state.projects.values()))
    retention = wanted.history_retention_seconds
    if retention is None:
        retention = min(DEFAULT_RETENTION_SECONDS, cloud.plan.max_retention_seconds)
    cloud.plan.check_retention(retention)
    given_settings = wanted.settings.given() if wanted.settings else {}
    _check_settings(cloud, given_settings)
    defaults = _endpoint_defaults(
        {
            "autoscaling_limit_min_cu": DEFAULT_CU,
            "autoscaling_limit_max_cu": DEFAULT_CU,
            "suspend_timeout_seconds": 0,
        },
        {
            name: value
            for name in ("autoscaling_limit_min_cu", "autoscaling_limit_max_cu")
            if (value := getattr(wanted, name)) is not None
        }
        | (wanted.default_endpoint_settings.given() if wanted.default_endpoint_settings else {}),
    )
    _check_endpoint_defaults(cloud, defaults)
    names = wanted.branch or bodies.ProjectBranch()
    database_name = names.database_name or "neondb"
    role_name = names.role_name or f"{database_name}_owner"
    check_name(role_name)
    check_name(database_name)

    project_id = ids.project_id()
    now = cloud.clock.now()
    project = Project(
        id=project_id,
        name=wanted.name or project_id,
        region_id=region_id,
        pg_version=wanted.pg_version or 17,
        org_id=org_id,
        owner_id=org_id,
        provisioner=wanted.provisioner or _PROVISIONER,
        store_passwords=wanted.store_passwords is not False,
        history_retention_seconds=retention,
        default_endpoint_settings=defaults,
        settings=_merged_settings(
            {
                "allowed_ips": {"ips": [], "protected_branches_only": False},
                "enable_logical_replication": False,
                "maintenance_window": _MAINTENANCE_WINDOW,
                "block_public_connections": False,
                "block_vpc_connections": False,
            },
            given_settings,
        ),
        created_at=now,
        updated_at=now,
    )
    branch = Branch(
        id=ids.branch_id(),
        project_id=project.id,
        name=names.name or "main",
        parent_id=None,
        default=True,
        protected=False,
        current_state="init",
        pending_state="ready",
        created_at=cloud.clock.now(),
        updated_at=now,
        state_changed_at=now,
    )
    made = cloud.clock.now()
    role = Role(branch.id, role_name, ids.password(), made, made)
    made = cloud.clock.now()
    database = Database(
        branch.id, cloud.state.next_id(Database), database_name, role_name, made, made
    )
    endpoint = new_endpoint(cloud, project, branch, bodies.BranchEndpoint(type="read_write"))
    cloud.claim_addresses(endpoint)
    with cloud.state.change() as change:
        change.put(project, branch, role, database, endpoint)
        cloud.open_endpoint(endpoint)
        operations = cloud.operations.schedule(
            change,
            project.id,
            [
                Step("create_timeline", {"kind": "create_timeline"}, branch_id=branch.id),
                Step("start_compute", {"kind": "start"}, branch.id, endpoint.id),
            ],
        )
    return answer(
        {
            "project": views.project(cloud, project),
            "connection_uris": [views.connection_details(endpoint, role, database)],
            "roles": [views.role(role, password=True)],
            "databases": [views.database(database)],
            "operations": views.operations(operations),
            "branch": views.branch(branch),
            "endpoints": [views.endpoint(endpoint)],
        },
        201,
    )


async def get_project(cloud: Cloud, request: Request) -> Response:
    """One project, with its owner."""
    project = project_of(cloud, request)
    shown = views.project(cloud, project, owner=True)
    return answer({"project": shown | consumption.counters(cloud, project)})


async def update_project(cloud: Cloud, request: Request) -> Response:
    """Change name, settings (merged), retention, and the defaults of endpoints made later."""
    project = project_of(cloud, request)
    wanted = (await bodies.read(request, bodies.ProjectUpdateRequest)).project
    cloud.operations.check_unlocked(project.id)
    settings = wanted.settings.given() if wanted.settings else {}
    _check_settings(cloud, settings)
    if project.settings["enable_logical_replication"] and (
        settings.get("enable_logical_replication") is False
    ):
        raise bad_request("logical replication cannot be disabled once it is enabled")
    defaults = project.default_endpoint_settings
    if wanted.default_endpoint_settings:
        defaults = _endpoint_defaults(defaults, wanted.default_endpoint_settings.given())
        _check_endpoint_defaults(cloud, defaults)
    retention = project.history_retention_seconds
    if wanted.history_retention_seconds is not None:
        retention = wanted.history_retention_seconds
        cloud.plan.check_retention(retention)
    steps = (
        [Step("apply_storage_config", {"kind": "nothing"}, cloud.default_branch(project.id).id)]
        if retention != project.history_retention_seconds
        else []
    )
    project.name = wanted.name or project.name
    was = server_options(project)
    project.settings = _merged_settings(project.settings, settings)
    project.default_endpoint_settings = defaults
    project.history_retention_seconds = retention
    project.updated_at = cloud.clock.now()
    if server_options(project) != was:
        steps += [
            Step("apply_config", {"kind": "restart"}, endpoint.branch_id, endpoint.id)
            for endpoint in cloud.endpoints(project.id)
        ]
    with cloud.state.change() as change:
        change.put(project)
        operations = cloud.operations.schedule(change, project.id, steps)
    return answer(
        {"project": views.project(cloud, project), "operations": views.operations(operations)}
    )


async def delete_project(cloud: Cloud, request: Request) -> Response:
    """Delete softly: the project can be recovered for seven days."""
    project = project_of(cloud, request)
    if any(branch.protected for branch in cloud.branches(project.id)):
        raise ApiError(422, "project with protected branches cannot be deleted")
    cloud.operations.check_unlocked(project.id)
    endpoints = cloud.endpoints(project.id)
    project.deleted_at = cloud.clock.now()
    project.updated_at = project.deleted_at
    cloud.state.put(project)
    for endpoint in endpoints:
        await cloud.close_endpoint(endpoint)
    await cloud.purge()
    return answer({"project": views.project(cloud, project)})


async def recover_project(cloud: Cloud, request: Request) -> Response:
    """Bring a deleted project back, with its endpoints at their old addresses."""
    project = cloud.state.projects.get(request.path_params["project_id"])
    if project is None or not project.deleted_at or not caller_of(request).sees(project):
        raise not_found("project")
    cloud.plan.check_projects(sum(not each.deleted_at for each in cloud.state.projects.values()))
    await cloud.reopen_endpoints(cloud.endpoints(project.id))
    project.deleted_at = None
    project.updated_at = cloud.clock.now()
    cloud.state.put(project)
    return answer(
        {
            "project": views.project(cloud, project),
            "branches": [views.branch(branch) for branch in cloud.branches(project.id)],
        }
    )


def _endpoint_defaults(present: Json, given: Json) -> Json:
    return present | given


def _check_endpoint_defaults(cloud: Cloud, defaults: Json) -> None:
    cloud.plan.check_compute(
        defaults["autoscaling_limit_min_cu"], defaults["autoscaling_limit_max_cu"]
    )
    cloud.plan.check_suspend(defaults["suspend_timeout_seconds"])


def _check_settings(cloud: Cloud, settings: Json) -> None:
    cloud.plan.check_settings(settings)
    check_libraries(settings.get("preload_libraries", {}).get("enabled_libraries", []))


def _merged_settings(present: Json, given: Json) -> Json:
    merged: dict[str, Any] = present | given
    if "allowed_ips" in given:
        # The whole list is replaced, so that `{}` empties it.
        merged["allowed_ips"] = {"ips": [], "protected_branches_only": False} | given["allowed_ips"]
    if "quota" in given:
        merged["quota"] = present.get("quota", {}) | given["quota"]
    return merged


ROUTES: Routes = [
    ("GET", "/projects", list_projects),
    ("POST", "/projects", create_project),
    ("GET", "/projects/{project_id}", get_project),
    ("PATCH", "/projects/{project_id}", update_project),
    ("DELETE", "/projects/{project_id}", delete_project),
    ("POST", "/projects/{project_id}/recover", recover_project),
]
