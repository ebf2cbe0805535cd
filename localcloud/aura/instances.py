"""Instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.aura import bodies, ids, views
from localcloud.aura.cloud import DESTROYING
from localcloud.aura.configurations import (
    BUSINESS_CRITICAL,
    DATA_SCIENCE,
    DEDICATED,
    FREE,
    PROFESSIONAL,
    choose,
    sizes,
)
from localcloud.aura.errors import (
    incapable,
    instance_not_found,
    refused,
    unavailable,
)
from localcloud.aura.keys import check_usable
from localcloud.aura.records import AuraInstance, AuraSnapshot
from localcloud.aura.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.aura.cloud import Aura
    from localcloud.records import Json

_NODE_BYTES = 400
_RELATIONSHIP_BYTES = 60
_GB = 1024**3
_NEO4J = "neo4j"
_OFF = (None, False, 0, "OFF")


async def list_instances(aura: Aura, request: Request) -> Response:
    """Summaries of all instances, or of one tenant's."""
    tenant_id = request.query_params.get("tenantId")
    return answer(
        [
            views.summary(each)
            for each in aura.instances()
            if tenant_id in {None, "", each.tenant_id}
        ]
    )


async def create_instance(aura: Aura, request: Request) -> Response:
    """Begin to create an instance. Two of one name are two instances, as on Aura."""
    wanted = await bodies.read(request, bodies.InstanceCreate)
    aura.check_tenant(wanted.tenant_id)
    configuration = choose(
        type_=wanted.type,
        cloud_provider=wanted.cloud_provider,
        region=wanted.region,
        version=wanted.version,
        memory=wanted.memory,
        storage=wanted.storage,
    )
    _check_features(
        wanted.type,
        {
            "vector_optimized": wanted.vector_optimized,
            "graph_analytics_plugin": wanted.graph_analytics_plugin,
        },
    )
    if wanted.customer_managed_key_id is not None:
        check_usable(aura, wanted.customer_managed_key_id, configuration)
    if wanted.type == FREE and any(each.type == FREE for each in aura.instances()):
        raise refused(
            405, "The limit of free instances for this account is reached", "instance-limit-reached"
        )
    _check_source(aura, wanted)
    now = aura.now()
    new_id = ids.instance_id()
    while new_id in aura.state.aura_instances:
        new_id = ids.instance_id()
    password = ids.password()
    seconds = aura.settings.aura_create_seconds
    instance = AuraInstance(
        id=new_id,
        name=wanted.name,
        tenant_id=wanted.tenant_id,
        type=wanted.type,
        cloud_provider=wanted.cloud_provider,
        region=wanted.region,
        version=wanted.version,
        memory=configuration.memory,
        storage=configuration.storage,
        # New free instances have their id for a user and a database; the others still have `neo4j`.
        username=new_id if wanted.type == FREE else _NEO4J,
        password_sha256=ids.digest(password),
        created=now,
        status="running",
        vector_optimized=bool(wanted.vector_optimized),
        graph_analytics_plugin=bool(wanted.graph_analytics_plugin),
        customer_managed_key_id=wanted.customer_managed_key_id,
    )
    # The first scheduled snapshot begins with the instance's life.
    first = AuraSnapshot(
        ids.snapshot_id(),
        new_id,
        "Scheduled",
        now + seconds,
        now + seconds + aura.settings.aura_change_seconds,
    )
    with aura.state.change() as change:
        aura.begin(change, instance, "creating", {}, seconds=seconds)
        change.put(first)
    return answer(views.created(aura, instance, password), 202)


async def get_instance(aura: Aura, request: Request) -> Response:
    """One instance. A young one is not found for a moment."""
    instance = aura.instance(request.path_params["instance_id"])
    if not aura.shows(instance):
        raise instance_not_found(instance.id)
    return answer(views.instance(aura, instance))


async def update_instance(aura: Aura, request: Request) -> Response:
    """Rename at once (200), or begin to resize and the like (202), or both."""
    instance = aura.instance(request.path_params["instance_id"])
    wanted = (await bodies.read(request, bodies.InstanceUpdate)).given()
    if not wanted:
        raise refused(400, "The request body names nothing to change", bodies.BAD_BODY)
    _check_features(instance.type, wanted)
    aura.check_idle(instance)
    if {"memory", "storage"} & wanted.keys():
        wanted |= _size(instance, wanted.get("memory"), wanted.get("storage"))
    outcome = {
        name: value
        for name, value in wanted.items()
        if name != "name" and value != getattr(instance, name)
    }
    if outcome:
        aura.check_running(instance, "resize")
    instance.name = wanted.get("name", instance.name)
    with aura.state.change() as change:
        if not outcome:
            change.put(instance)
            return answer(views.instance(aura, instance))
        aura.begin(change, instance, "updating", outcome, after=aura.settings.aura_lag_seconds)
    return answer(views.instance(aura, instance, status="updating"), 202)


async def delete_instance(aura: Aura, request: Request) -> Response:
    """Begin to delete an instance; a second request does not find it."""
    instance = aura.instance(request.path_params["instance_id"])
    if instance.operation == DESTROYING:
        raise instance_not_found(instance.id)
    aura.check_idle(instance)
    with aura.state.change() as change:
        aura.begin(change, instance, DESTROYING, {})
    return answer(views.instance(aura, instance), 202)


async def pause(aura: Aura, request: Request) -> Response:
    """Begin to pause an instance, also while its first snapshot is being taken."""
    instance = aura.instance(request.path_params["instance_id"])
    if instance.type == FREE:
        raise incapable("Free instances cannot be paused")
    aura.check_running(instance, "pause")
    with aura.state.change() as change:
        aura.begin(change, instance, "pausing", {"status": "paused"})
    return answer(views.instance(aura, instance), 202)


async def resume(aura: Aura, request: Request) -> Response:
    """Begin to resume a paused instance."""
    instance = aura.instance(request.path_params["instance_id"])
    aura.check_idle(instance)
    if instance.status != "paused":
        raise unavailable("resume", instance.status)
    with aura.state.change() as change:
        aura.begin(change, instance, "resuming", {"status": "running"})
    return answer(views.instance(aura, instance), 202)


async def overwrite(aura: Aura, request: Request) -> Response:
    """Begin to overwrite an instance with another's data."""
    instance = aura.instance(request.path_params["instance_id"])
    wanted = await bodies.read(request, bodies.Overwrite)
    if instance.type == FREE:
        raise incapable("Free instances cannot be overwritten", status=420)
    source = aura.instance(wanted.source_instance_id)
    if wanted.source_snapshot_id is not None:
        aura.snapshot(source, wanted.source_snapshot_id)
    aura.check_running(instance, "overwrite")
    aura.check_idle(source)
    if _gigabytes(source.memory) > _gigabytes(instance.memory):
        raise refused(
            500,
            f"Cannot clone database {source.id} into smaller database {instance.id}.",
            "db-overwrite-size-disparity",
        )
    with aura.state.change() as change:
        aura.begin(change, instance, "overwriting", {})
    return answer(views.instance(aura, instance), 202)


async def upgrade(aura: Aura, request: Request) -> Response:
    """Make a professional instance a business critical one, at once; it keeps its id and its address."""
    instance = aura.instance(request.path_params["instance_id"])
    wanted = await bodies.read(request, bodies.Upgrade, optional=True)
    if instance.type != PROFESSIONAL:
        raise incapable(
            f"Only a {PROFESSIONAL} instance can be upgraded; this one is {instance.type}",
            status=409,
        )
    if (wanted.memory is None) != (wanted.storage is None):
        raise refused(
            400,
            "memory and storage must be given together",
            "invalid-memory-size",
            "storage" if wanted.storage is None else "memory",
        )
    aura.check_running(instance, "upgrade")
    size = choose(
        type_=BUSINESS_CRITICAL,
        cloud_provider=instance.cloud_provider,
        region=instance.region,
        version=instance.version,
        memory=wanted.memory or instance.memory,
        storage=wanted.storage or instance.storage,
    )
    instance.type = BUSINESS_CRITICAL
    instance.memory = size.memory
    instance.storage = size.storage
    aura.state.put(instance)
    return answer(views.instance(aura, instance))


async def size_instance(_aura: Aura, request: Request) -> Response:
    """Estimate a data science instance's size. Only the shape is Aura's: its formula is not published."""
    wanted = await bodies.read(request, bodies.Sizing)
    type_ = wanted.instance_type or DATA_SCIENCE[0]
    if type_ not in DATA_SCIENCE:
        raise refused(
            400,
            f"Sizes are estimated for {' and '.join(DATA_SCIENCE)} only",
            bodies.BAD_BODY,
            "instance_type",
        )
    algorithms = len(wanted.algorithm_categories or [])
    graph = wanted.node_count * _NODE_BYTES + wanted.relationship_count * _RELATIONSHIP_BYTES
    least = -(-graph * (1 + algorithms) // _GB) or 1
    offered = sizes(type_)
    return answer(
        {
            "did_exceed_maximum": least > offered[-1],
            "min_required_memory": f"{least}GB",
            "recommended_size": f"{next((each for each in offered if each >= least), offered[-1])}GB",
        }
    )


def _check_features(type_: str, wanted: Json) -> None:
    """Refuse what a type does not have. Raises ApiError 400."""
    refusals = {
        "memory": type_ == FREE,
        "storage": type_ == FREE,
        "vector_optimized": type_ == FREE,
        "graph_analytics_plugin": type_ == FREE,
        "secondaries_count": type_ != DEDICATED,
        "cdc_enrichment_mode": type_ not in {DEDICATED, BUSINESS_CRITICAL},
    }
    for name, refusal in refusals.items():
        if refusal and wanted.get(name) not in _OFF:
            raise incapable(f"{name} is not supported for {type_} instances", name)


def _size(instance: AuraInstance, memory: str | None, storage: str | None) -> Json:
    size = choose(
        type_=instance.type,
        cloud_provider=instance.cloud_provider,
        region=instance.region,
        version=instance.version,
        memory=memory,
        storage=storage,
    )
    return {"memory": size.memory, "storage": size.storage}


def _check_source(aura: Aura, wanted: bodies.InstanceCreate) -> None:
    if wanted.source_instance_id is None:
        if wanted.source_snapshot_id is not None:
            raise refused(
                400,
                "source_snapshot_id needs source_instance_id",
                bodies.BAD_BODY,
                "source_instance_id",
            )
        return
    source = aura.instance(wanted.source_instance_id)
    aura.check_idle(source)
    if wanted.source_snapshot_id is None:
        return
    snapshot = aura.snapshot(source, wanted.source_snapshot_id)
    if not views.is_exportable(snapshot) or not aura.is_complete(snapshot):
        raise refused(
            400, "The snapshot is not exportable", "snapshot-not-allowed", "source_snapshot_id"
        )


def _gigabytes(size: str) -> int:
    return int(size.removesuffix("GB"))


_INSTANCE = "/instances/{instance_id}"
ROUTES: Routes = [
    ("GET", "/instances", list_instances),
    ("POST", "/instances", create_instance),
    ("POST", "/instances/sizing", size_instance),
    ("GET", _INSTANCE, get_instance),
    ("PATCH", _INSTANCE, update_instance),
    ("DELETE", _INSTANCE, delete_instance),
    ("POST", _INSTANCE + "/pause", pause),
    ("POST", _INSTANCE + "/resume", resume),
    ("POST", _INSTANCE + "/overwrite", overwrite),
    ("POST", _INSTANCE + "/upgrade", upgrade),
]
