"""Branches that are put back: to a moment of their own history, to another branch, or to what a snapshot replaced."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from localcloud.neon import bodies, ids, views
from localcloud.neon.access import branch_of
from localcloud.neon.branches import check_name_free
from localcloud.neon.copies import copied_databases, copied_roles
from localcloud.neon.errors import ApiError, bad_request
from localcloud.neon.moments import moment_in_body
from localcloud.neon.operations import Step
from localcloud.neon.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Role


async def restore_branch(cloud: Cloud, request: Request) -> Response:
    """Put a branch back, keeping its id, its name and its computes; what it was can be kept under another name."""
    branch = branch_of(cloud, request)
    wanted = await bodies.read(request, bodies.BranchRestoreRequest)
    source = cloud.branch(branch.project_id, wanted.source_branch_id)
    itself = source is branch
    children = [each for each in cloud.branches(branch.project_id) if each.parent_id == branch.id]
    if itself and not (wanted.source_lsn or wanted.source_timestamp):
        raise bad_request(
            "source_timestamp or source_lsn is required to restore a branch to its own history"
        )
    if (itself or children) and not wanted.preserve_under_name:
        raise bad_request(
            "preserve_under_name is required for a branch with children, or with itself as the source"
        )
    await cloud.sync(source)
    moment = await moment_in_body(cloud, source, wanted.source_timestamp, wanted.source_lsn)
    cloud.operations.check_unlocked(branch.project_id)
    if "init" in {branch.current_state, source.current_state}:
        raise ApiError(422, "branch not ready yet")
    preserved = None
    if wanted.preserve_under_name:
        cloud.plan.check_branches(len(cloud.branches(branch.project_id)))
        check_name_free(cloud, branch.project_id, wanted.preserve_under_name)
        preserved = _preserved(cloud, branch, wanted.preserve_under_name)
    roles = [] if itself else _roles(cloud, source, branch)
    databases = [] if itself else copied_databases(cloud, source.id, branch.id)
    endpoints = cloud.state.endpoints.of(branch.id)
    active = [each for each in endpoints if each.current_state == "active"]
    now = cloud.clock.now()
    with cloud.state.change() as change:
        if preserved is not None:
            change.put(
                preserved,
                *copied_roles(cloud, branch.id, preserved.id, fresh=False),
                *copied_databases(cloud, branch.id, preserved.id),
            )
            for child in children:
                child.parent_id = preserved.id
                change.put(child)
        if not itself:
            change.delete(*cloud.state.roles.of(branch.id), *cloud.state.databases.of(branch.id))
            change.put(*roles, *databases)
        branch.parent_id = preserved.id if itself and preserved else source.id
        branch.parent_lsn = moment.lsn if moment else None
        branch.parent_timestamp = moment.time if moment else None
        branch.current_state, branch.pending_state = "init", "ready"
        branch.state_changed_at = branch.updated_at = branch.last_reset_at = now
        change.put(branch)
        operations = cloud.operations.schedule(
            change,
            branch.project_id,
            [
                *(Step("suspend_compute", {"kind": "suspend"}, branch.id, e.id) for e in endpoints),
                Step(
                    "create_branch",
                    {
                        "kind": "restore_branch",
                        "source_id": source.id,
                        "moment": asdict(moment) if moment else None,
                        "old_id": preserved.id if preserved else ids.branch_id(),
                        "draft_id": ids.branch_id(),
                    },
                    branch.id,
                ),
                *(Step("start_compute", {"kind": "start"}, branch.id, each.id) for each in active),
            ],
        )
    return answer({"branch": views.branch(branch), "operations": views.operations(operations)})


async def finalize_restore(cloud: Cloud, request: Request) -> Response:
    """Have a branch that came from a snapshot take the place of the one that it was restored for."""
    branch = branch_of(cloud, request)
    wanted = await bodies.read(request, bodies.FinalizeRestoreRequest, optional=True)
    if branch.restore_status != "restored" or not branch.restored_as:
        raise ApiError(422, "branch was not restored from a snapshot, or is finalized already")
    replaced = cloud.branch(branch.project_id, branch.restored_as)
    cloud.operations.check_unlocked(branch.project_id)
    if branch.current_state != "ready":
        raise ApiError(422, "branch not ready yet")
    with cloud.state.change() as change:
        operations = cloud.operations.schedule(
            change, branch.project_id, finalizing(cloud, branch, replaced, wanted.name)
        )
    return answer({"operations": views.operations(operations)})


def finalizing(cloud: Cloud, restored: Branch, replaced: Branch, name: str | None) -> list[Step]:
    """Return the steps by which a restored branch takes another's place, which is then called ``name``."""
    old_name = name or f"{replaced.name}_old_{cloud.clock.now()[:19]}Z"
    check_name_free(cloud, restored.project_id, old_name)
    endpoints = cloud.state.endpoints.of(replaced.id)
    active = [each for each in endpoints if each.current_state == "active"]
    task = {"kind": "finalize_restore", "replaced_id": replaced.id, "old_name": old_name}
    return [
        *(Step("suspend_compute", {"kind": "suspend"}, replaced.id, each.id) for each in endpoints),
        Step("apply_config", task, restored.id),
        *(Step("start_compute", {"kind": "start"}, restored.id, each.id) for each in active),
    ]


def _preserved(cloud: Cloud, branch: Branch, name: str) -> Branch:
    now = cloud.clock.now()
    return replace(
        branch,
        id=ids.branch_id(),
        name=name,
        default=False,
        protected=False,
        current_state="init",
        pending_state="ready",
        created_at=now,
        updated_at=now,
        state_changed_at=now,
        expires_at=None,
        history_from=branch.history_from or branch.created_at,
        schedule=[],
        scheduled_until=None,
    )


def _roles(cloud: Cloud, source: Branch, target: Branch) -> list[Role]:
    """Return the source's roles for the target, which keeps its own passwords: connection strings stay good."""
    roles = copied_roles(cloud, source.id, target.id, fresh=source.protected)
    for role in roles:
        present = cloud.state.roles.get(role.key)
        if present is not None and present.password is not None and role.password is not None:
            role.password = present.password
    return roles


_BRANCH = "/projects/{project_id}/branches/{branch_id}"
ROUTES: Routes = [
    ("POST", _BRANCH + "/restore", restore_branch),
    ("POST", _BRANCH + "/finalize_restore", finalize_restore),
]
