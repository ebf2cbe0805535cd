"""Branches."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from localcloud.clock import render
from localcloud.neon import bodies, ids, views
from localcloud.neon.access import branch_of, project_of
from localcloud.neon.cloud import recoverable_until
from localcloud.neon.copies import copied_buckets, copied_databases, copied_roles
from localcloud.neon.endpoints import new_endpoint
from localcloud.neon.errors import ApiError, bad_request, limit, not_found, not_here
from localcloud.neon.moments import moment_in_body
from localcloud.neon.operations import Step
from localcloud.neon.pagination import page
from localcloud.neon.parameters import choice_of, flag_of, limit_of, moment_of
from localcloud.neon.routing import Routes, answer, gone
from localcloud.records import Branch

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json, Operation, Project, Record

_SORTABLE = ("updated_at", "created_at", "name")


async def list_branches(cloud: Cloud, request: Request) -> Response:
    """Pages, by default the last changed first; ``search`` looks into names and ids."""
    project = project_of(cloud, request)
    query = request.query_params
    sort_by = choice_of(query, "sort_by", _SORTABLE, "updated_at")
    order = choice_of(query, "sort_order", ("asc", "desc"), "desc")
    size = limit_of(query, default=100, maximum=10_000)
    found = _search(
        cloud.state.branches.of(project.id)
        if flag_of(query, "include_deleted")
        else cloud.branches(project.id),
        query.get("search", ""),
    )
    chosen, cursor = page(
        found,
        lambda branch: (getattr(branch, sort_by), branch.id),
        query.get("cursor"),
        size,
        descending=order == "desc",
    )
    pagination: Json = {"sort_by": sort_by, "sort_order": order.upper()}
    if cursor and len(chosen) == size:
        pagination["next"] = cursor
    return answer(
        {
            "branches": [views.branch(each) for each in chosen],
            "annotations": {},
            "pagination": pagination,
        }
    )


async def count_branches(cloud: Cloud, request: Request) -> Response:
    """How many branches there are."""
    project = project_of(cloud, request)
    found = _search(cloud.branches(project.id), request.query_params.get("search", ""))
    return answer({"count": len(found)})


async def create_branch(cloud: Cloud, request: Request) -> Response:
    """Copy a branch as it is at this moment: data, roles, databases, and passwords unless the parent is protected."""
    body = await bodies.read(request, bodies.BranchCreateRequest, optional=True)
    return answer(await make_branch(cloud, project_of(cloud, request), body), 201)


async def make_branch(
    cloud: Cloud,
    project: Project,
    body: bodies.BranchCreateRequest,
    more: Callable[[Branch], tuple[list[Record], list[Step]]] | None = None,
) -> Json:
    """Begin to make a branch, and return the answer. ``more``: records of it, and steps once its data are there."""
    wanted = body.branch or bodies.BranchCreate()
    _check_supported(wanted)
    expires_at = _expiry(cloud, wanted.expires_at)
    parent = (
        cloud.branch(project.id, wanted.parent_id)
        if wanted.parent_id
        else cloud.default_branch(project.id)
    )
    await cloud.sync(parent)
    moment = await moment_in_body(cloud, parent, wanted.parent_timestamp, wanted.parent_lsn)
    cloud.operations.check_unlocked(project.id)
    if parent.current_state != "ready":
        raise ApiError(422, "branch not ready yet")
    cloud.plan.check_branches(len(cloud.branches(project.id)))
    branch_id = ids.branch_id()
    name = wanted.name or branch_id
    check_name_free(cloud, project.id, name)
    if wanted.protected:
        cloud.plan.check_protected(_protected(cloud, project.id))
    now = cloud.clock.now()
    branch = Branch(
        id=branch_id,
        project_id=project.id,
        name=name,
        parent_id=parent.id,
        default=False,
        protected=bool(wanted.protected),
        current_state="init",
        pending_state="ready",
        created_at=now,
        updated_at=now,
        state_changed_at=now,
        expires_at=expires_at,
        expiry_set_at=now if expires_at else None,
        parent_lsn=moment.lsn if moment else None,
        parent_timestamp=moment.time if moment else None,
        # A parent that runs can get another database before it is copied.
        lists_stale=parent.lists_stale,
        logical_size=parent.logical_size,
        wal_position=parent.wal_position,
    )
    roles = copied_roles(cloud, parent.id, branch.id, fresh=parent.protected)
    databases = copied_databases(cloud, parent.id, branch.id)
    buckets = copied_buckets(cloud, parent.id, branch.id)
    endpoints = []
    steps = [
        Step(
            "create_branch",
            {
                "kind": "create_branch",
                "parent_id": parent.id,
                "new_passwords": parent.protected,
                "moment": asdict(moment) if moment else None,
            },
            branch.id,
        )
    ]
    records, further = more(branch) if more else ([], [])
    steps += further
    if sum(each.type == "read_write" for each in body.endpoints or []) > 1:
        raise limit("ENDPOINTS_LIMIT_EXCEEDED", "read_write endpoint already exists")
    for each in body.endpoints or []:
        endpoint = new_endpoint(cloud, project, branch, each)
        endpoints.append(endpoint)
        steps.append(Step("start_compute", {"kind": "start"}, branch.id, endpoint.id))
    cloud.claim_addresses(*endpoints)
    with cloud.state.change() as change:
        change.put(branch, *roles, *databases, *buckets, *endpoints, *records)
        for endpoint in endpoints:
            cloud.open_endpoint(endpoint)
        operations = cloud.operations.schedule(change, project.id, steps)
    cloud.calendar.changed()
    document: Json = {
        "branch": views.branch(branch),
        "endpoints": [views.endpoint(each) for each in endpoints],
        "operations": views.operations(operations),
        "roles": [views.role(each) for each in roles],
        "databases": [views.database(each) for each in databases],
    }
    if endpoints and len(roles) == 1 and len(databases) == 1:
        document["connection_uris"] = [
            views.connection_details(endpoints[0], roles[0], databases[0])
        ]
    return document


async def get_branch(cloud: Cloud, request: Request) -> Response:
    """One branch."""
    branch = branch_of(cloud, request)
    return answer(
        {
            "branch": views.branch(branch),
            "annotation": {
                "object": {"type": "console/branch", "id": branch.id},
                "value": {},
            },
        }
    )


async def update_branch(cloud: Cloud, request: Request) -> Response:
    """Rename, protect, or set when a branch expires."""
    branch = branch_of(cloud, request)
    wanted = (await bodies.read(request, bodies.BranchUpdateRequest)).branch
    cloud.operations.check_unlocked(branch.project_id)
    if wanted.name is not None:
        if wanted.name == branch.name:
            raise bad_request("cannot set branch to the same name")
        check_name_free(cloud, branch.project_id, wanted.name)
    if wanted.protected and not branch.protected:
        cloud.plan.check_protected(_protected(cloud, branch.project_id))
    if "expires_at" in wanted.model_fields_set:
        expires_at = _expiry(cloud, wanted.expires_at)
        if expires_at and branch.default:
            raise ApiError(422, "the default branch cannot expire")
        branch.expires_at = expires_at
        branch.expiry_set_at = cloud.clock.now() if expires_at else None
    branch.name = wanted.name or branch.name
    if wanted.protected is not None:
        branch.protected = wanted.protected
    branch.updated_at = cloud.clock.now()
    cloud.state.put(branch)
    cloud.calendar.changed()
    return _with_operations(branch, [])


async def delete_branch(cloud: Cloud, request: Request) -> Response:
    """Delete a branch; softly (seven days) unless ``hard_delete``."""
    project = project_of(cloud, request)
    branch = cloud.state.branches.get(request.path_params["branch_id"])
    if branch is None or branch.project_id != project.id or branch.deleted_at:
        return gone()
    hard = flag_of(request.query_params, "hard_delete")
    return _with_operations(branch, await remove_branch(cloud, branch, hard=hard))


async def remove_branch(
    cloud: Cloud, branch: Branch, *, hard: bool = False, by: str = "user"
) -> list[Operation]:
    """Delete a branch. Raises ApiError 422 where it cannot be, 423 while the project is locked."""
    if branch.default:
        raise ApiError(422, "cannot delete the default branch")
    others = [each for each in cloud.branches(branch.project_id) if each is not branch]
    if branch.parent_id is None and all(each.parent_id for each in others):
        raise ApiError(422, "cannot delete a root branch")
    if branch.protected:
        raise ApiError(422, "cannot delete a protected branch")
    if any(each.parent_id == branch.id for each in others):
        raise ApiError(422, "cannot delete branch that has children")
    cloud.operations.check_unlocked(branch.project_id)
    endpoints = cloud.state.endpoints.of(branch.id)
    branch.deleted_at = cloud.clock.now()
    branch.deleted_by = by
    branch.updated_at = branch.deleted_at
    steps = [
        Step("suspend_compute", {"kind": "suspend"}, branch.id, endpoint.id)
        for endpoint in endpoints
    ]
    steps.append(Step("delete_timeline", {"kind": "delete_branch", "hard": hard}, branch.id))
    with cloud.state.change() as change:
        change.put(branch)
        operations = cloud.operations.schedule(change, branch.project_id, steps)
    for endpoint in endpoints:
        await cloud.close_endpoint(endpoint)
    return operations


async def recover_branch(cloud: Cloud, request: Request) -> Response:
    """Bring a deleted branch back, with its endpoints asleep at their old addresses."""
    project = project_of(cloud, request)
    branch = cloud.state.branches.get(request.path_params["branch_id"])
    if branch is None or branch.project_id != project.id:
        raise not_found("branch")
    if not branch.deleted_at or recoverable_until(branch.deleted_at) < cloud.clock.now():
        raise ApiError(422, "branch is not recoverable")
    cloud.operations.check_unlocked(project.id)
    cloud.plan.check_branches(len(cloud.branches(project.id)))
    check_name_free(cloud, project.id, branch.name)
    await cloud.reopen_endpoints(cloud.state.endpoints.of(branch.id))
    branch.deleted_at = None
    branch.expires_at = None
    branch.updated_at = cloud.clock.now()
    cloud.state.put(branch)
    return _with_operations(branch, [])


async def set_as_default(cloud: Cloud, request: Request) -> Response:
    """Make a branch the project's default."""
    branch = branch_of(cloud, request)
    cloud.operations.check_unlocked(branch.project_id)
    with cloud.state.change() as change:
        for each in cloud.state.branches.of(branch.project_id):
            if each.default != (each is branch):
                each.default = each is branch
                each.updated_at = cloud.clock.now()
                change.put(each)
    return _with_operations(branch, [])


def _search(branches: list[Branch], text: str) -> list[Branch]:
    wanted = text.lower()
    return [each for each in branches if wanted in each.name.lower() or wanted in each.id]


def _protected(cloud: Cloud, project_id: str) -> int:
    return sum(each.protected for each in cloud.branches(project_id))


def check_name_free(cloud: Cloud, project_id: str, name: str) -> None:
    """Refuse a name that a branch of the project has. Raises ApiError 409."""
    if any(each.name == name for each in cloud.branches(project_id)):
        raise ApiError(409, f'branch already exists; branch_name:"{name}"', "BRANCH_ALREADY_EXISTS")


def _check_supported(wanted: bodies.BranchCreate) -> None:
    if wanted.archived:
        raise not_here("branch.archived")
    if wanted.init_source == "schema-only":
        raise not_here("branch.init_source schema-only")


def _expiry(cloud: Cloud, text: str | None) -> str | None:
    if text is None:
        return None
    moment = moment_of(text)
    if moment is None:
        raise bad_request("expires_at must be a time as in RFC 3339")
    if render(moment) <= cloud.clock.now():
        raise bad_request("expires_at must be in the future")
    return render(moment)


def _with_operations(branch: Branch, operations: list[Operation]) -> Response:
    return answer({"branch": views.branch(branch), "operations": views.operations(operations)})


_BRANCHES = "/projects/{project_id}/branches"
ROUTES: Routes = [
    ("GET", _BRANCHES, list_branches),
    ("POST", _BRANCHES, create_branch),
    ("GET", _BRANCHES + "/count", count_branches),
    ("GET", _BRANCHES + "/{branch_id}", get_branch),
    ("PATCH", _BRANCHES + "/{branch_id}", update_branch),
    ("DELETE", _BRANCHES + "/{branch_id}", delete_branch),
    ("POST", _BRANCHES + "/{branch_id}/recover", recover_branch),
    ("POST", _BRANCHES + "/{branch_id}/set_as_default", set_as_default),
]
