"""Snapshots: data directories that are kept as they were, and branches made of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from localcloud.clock import render
from localcloud.neon import bodies, ids, views
from localcloud.neon.access import branch_of, project_of
from localcloud.neon.branches import check_name_free
from localcloud.neon.copies import copied_databases, copied_roles
from localcloud.neon.errors import ApiError, bad_request, not_found
from localcloud.neon.moments import moment_in_query
from localcloud.neon.operations import Step
from localcloud.neon.parameters import time_of
from localcloud.neon.restoring import finalizing
from localcloud.neon.routing import Routes, answer
from localcloud.records import Branch, Snapshot

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.postgres.history import Moment
    from localcloud.records import Json, Operation


async def create_snapshot(cloud: Cloud, request: Request) -> Response:
    """Keep a branch as it is, or as it was at a moment."""
    branch = branch_of(cloud, request)
    query = request.query_params
    expires_at = time_of(query, "expires_at")
    if expires_at is not None and render(expires_at) <= cloud.clock.now():
        raise bad_request("expires_at must be in the future")
    await cloud.sync(branch)
    moment = await moment_in_query(cloud, branch, query)
    snapshot, operations = take_snapshot(
        cloud,
        branch,
        name=query.get("name") or None,
        expires_at=render(expires_at) if expires_at else None,
        moment=moment,
    )
    return answer({"snapshot": _shown(snapshot), "operations": views.operations(operations)})


def take_snapshot(
    cloud: Cloud,
    branch: Branch,
    *,
    name: str | None = None,
    expires_at: str | None = None,
    moment: Moment | None = None,
    manual: bool = True,
) -> tuple[Snapshot, list[Operation]]:
    """Begin to take a snapshot. Raises ApiError 422 or 423 where the branch is not ready for it."""
    cloud.operations.check_unlocked(branch.project_id)
    if branch.current_state != "ready":
        raise ApiError(422, "branch not ready yet")
    now = cloud.clock.now()
    snapshot = Snapshot(
        id=ids.snapshot_id(),
        project_id=branch.project_id,
        name=name or f"{branch.name} {now[:19]}Z",
        source_branch_id=branch.id,
        created_at=now,
        manual=manual,
        expires_at=expires_at,
        lsn=moment.lsn if moment else None,
        timestamp=moment.time if moment else None,
    )
    with cloud.state.change() as change:
        change.put(
            snapshot,
            *copied_roles(cloud, branch.id, snapshot.id, fresh=False),
            *copied_databases(cloud, branch.id, snapshot.id),
        )
        task = {
            "kind": "create_snapshot",
            "snapshot_id": snapshot.id,
            "moment": asdict(moment) if moment else None,
        }
        step = Step("create_branch", task, branch.id)
        operations = cloud.operations.schedule(change, branch.project_id, [step])
    cloud.calendar.changed()
    return snapshot, operations


async def list_snapshots(cloud: Cloud, request: Request) -> Response:
    """List a project's snapshots."""
    project = project_of(cloud, request)
    return answer({"snapshots": [_shown(each) for each in cloud.state.snapshots.of(project.id)]})


async def update_snapshot(cloud: Cloud, request: Request) -> Response:
    """Give a snapshot another name."""
    snapshot = _snapshot(cloud, request)
    wanted = (await bodies.read(request, bodies.SnapshotUpdateRequest)).snapshot
    snapshot.name = wanted.name or snapshot.name
    cloud.state.put(snapshot)
    return answer({"snapshot": _shown(snapshot)})


async def delete_snapshot(cloud: Cloud, request: Request) -> Response:
    """Delete a snapshot. Branches that were made of it stay."""
    operations = remove_snapshot(cloud, _snapshot(cloud, request))
    return answer({"operations": views.operations(operations)}, 202)


def remove_snapshot(cloud: Cloud, snapshot: Snapshot) -> list[Operation]:
    """Begin to delete a snapshot. Raises ApiError 423 while the project is locked."""
    cloud.operations.check_unlocked(snapshot.project_id)
    with cloud.state.change() as change:
        change.delete(*cloud.state.belongings(snapshot.id), snapshot)
        task = {"kind": "delete_snapshot", "snapshot_id": snapshot.id}
        step = Step("delete_timeline", task, snapshot.source_branch_id)
        return cloud.operations.schedule(change, snapshot.project_id, [step])


async def restore_snapshot(cloud: Cloud, request: Request) -> Response:
    """Make a branch of a snapshot; with ``finalize_restore`` it takes the place of the target, or of the source."""
    snapshot = _snapshot(cloud, request)
    wanted = await bodies.read(request, bodies.SnapshotRestoreRequest, optional=True)
    target_id = wanted.target_branch_id or snapshot.source_branch_id
    present = cloud.state.branches.get(target_id)
    target = (
        cloud.branch(snapshot.project_id, target_id)
        if wanted.target_branch_id
        or wanted.finalize_restore
        or (present and not present.deleted_at)
        else None
    )
    cloud.operations.check_unlocked(snapshot.project_id)
    if not cloud.cluster(snapshot.id).exists:
        raise ApiError(422, "snapshot not ready yet")
    cloud.plan.check_branches(len(cloud.branches(snapshot.project_id)))
    branch_id = ids.branch_id()
    now = cloud.clock.now()
    name = wanted.name or request.query_params.get("name") or f"{snapshot.name} {branch_id[-8:]}"
    check_name_free(cloud, snapshot.project_id, name)
    branch = Branch(
        id=branch_id,
        project_id=snapshot.project_id,
        name=name,
        parent_id=None,
        default=False,
        protected=False,
        current_state="init",
        pending_state="ready",
        created_at=now,
        updated_at=now,
        state_changed_at=now,
        restored_from=snapshot.id,
        restored_as=target.id if target else None,
        restore_status="restored",
    )
    task = {
        "kind": "create_branch",
        "parent_id": snapshot.id,
        "new_passwords": False,
        "moment": None,
    }
    steps = [Step("create_branch", task, branch.id)]
    endpoints = []
    if wanted.finalize_restore and target:
        endpoints = cloud.state.endpoints.of(target.id)
        steps += finalizing(cloud, branch, target, None)
    with cloud.state.change() as change:
        change.put(
            branch,
            *copied_roles(cloud, snapshot.id, branch.id, fresh=False),
            *copied_databases(cloud, snapshot.id, branch.id),
        )
        operations = cloud.operations.schedule(change, branch.project_id, steps)
    return answer(
        {
            "branch": views.branch(branch),
            "endpoints": [views.endpoint(each) for each in endpoints],
            "operations": views.operations(operations),
        }
    )


async def get_schedule(cloud: Cloud, request: Request) -> Response:
    """When snapshots of a branch are taken."""
    return answer({"schedule": branch_of(cloud, request).schedule})


async def set_schedule(cloud: Cloud, request: Request) -> Response:
    """Say when snapshots of a branch are to be taken; an empty list is never."""
    branch = branch_of(cloud, request)
    wanted = await bodies.read(request, bodies.ScheduleRequest)
    branch.schedule = [each.given() for each in wanted.schedule]
    branch.scheduled_until = cloud.clock.now()
    cloud.state.put(branch)
    cloud.calendar.changed()
    return answer({})


def _snapshot(cloud: Cloud, request: Request) -> Snapshot:
    project = project_of(cloud, request)
    snapshot = cloud.state.snapshots.get(request.path_params["snapshot_id"])
    if snapshot is None or snapshot.project_id != project.id:
        raise not_found("snapshot")
    return snapshot


def _shown(record: Snapshot) -> Json:
    shown: Json = {
        "id": record.id,
        "name": record.name,
        "source_branch_id": record.source_branch_id,
        "created_at": record.created_at,
        "manual": record.manual,
    }
    for name in ("lsn", "timestamp", "expires_at", "full_size"):
        if value := getattr(record, name):
            shown[name] = value
    return shown


_BRANCH = "/projects/{project_id}/branches/{branch_id}"
_SNAPSHOTS = "/projects/{project_id}/snapshots"
ROUTES: Routes = [
    ("POST", _BRANCH + "/snapshot", create_snapshot),
    ("GET", _BRANCH + "/backup_schedule", get_schedule),
    ("PUT", _BRANCH + "/backup_schedule", set_schedule),
    ("GET", _SNAPSHOTS, list_snapshots),
    ("PATCH", _SNAPSHOTS + "/{snapshot_id}", update_snapshot),
    ("DELETE", _SNAPSHOTS + "/{snapshot_id}", delete_snapshot),
    ("POST", _SNAPSHOTS + "/{snapshot_id}/restore", restore_snapshot),
]
