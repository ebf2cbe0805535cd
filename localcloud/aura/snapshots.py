"""Snapshots, and the way back to one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from localcloud.aura import bodies, ids, views
from localcloud.aura.errors import refused
from localcloud.aura.records import AuraSnapshot
from localcloud.aura.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.aura.cloud import Aura


async def list_snapshots(aura: Aura, request: Request) -> Response:
    """Snapshots of a day (UTC), of today if none is named."""
    instance = aura.instance(request.path_params["instance_id"])
    asked = request.query_params.get("date")
    try:
        day = date.fromisoformat(asked) if asked else datetime.fromtimestamp(aura.now(), UTC).date()
    except ValueError as error:
        raise refused(400, "date must be written YYYY-MM-DD", bodies.BAD_BODY, "date") from error
    return answer(
        [
            views.snapshot(aura, each)
            for each in aura.snapshots(instance)
            if datetime.fromtimestamp(each.taken, UTC).date() == day
        ]
    )


async def create_snapshot(aura: Aura, request: Request) -> Response:
    """Begin to take a snapshot; the answer is its id only. One at a time, and not of a paused instance."""
    instance = aura.instance(request.path_params["instance_id"])
    aura.check_idle(instance)
    if instance.status != "running" or aura.is_snapshotting(instance):
        raise refused(
            409,
            "A snapshot of the instance cannot be taken at this time",
            "snapshot-not-allowed",
        )
    now = aura.now()
    snapshot = AuraSnapshot(
        ids.snapshot_id(), instance.id, "AdHoc", now, now + aura.settings.aura_change_seconds
    )
    aura.state.put(snapshot)
    return answer({"snapshot_id": snapshot.id}, 202)


async def get_snapshot(aura: Aura, request: Request) -> Response:
    """One snapshot."""
    instance = aura.instance(request.path_params["instance_id"])
    snapshot = aura.snapshot(instance, request.path_params["snapshot_id"])
    return answer(views.snapshot(aura, snapshot))


async def restore(aura: Aura, request: Request) -> Response:
    """Begin to bring an instance back to a snapshot."""
    instance = aura.instance(request.path_params["instance_id"])
    snapshot = aura.snapshot(instance, request.path_params["snapshot_id"])
    aura.check_running(instance, "restore")
    if not aura.is_complete(snapshot):
        raise refused(409, "The snapshot is not complete", "snapshot-not-allowed")
    with aura.state.change() as change:
        aura.begin(change, instance, "restoring", {})
    return answer(views.instance(aura, instance), 202)


_SNAPSHOTS = "/instances/{instance_id}/snapshots"
ROUTES: Routes = [
    ("GET", _SNAPSHOTS, list_snapshots),
    ("POST", _SNAPSHOTS, create_snapshot),
    ("GET", _SNAPSHOTS + "/{snapshot_id}", get_snapshot),
    ("POST", _SNAPSHOTS + "/{snapshot_id}/restore", restore),
]
