"""Records as the API shows them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localcloud.aura.cloud import DESTROYING
from localcloud.aura.configurations import BUSINESS_CRITICAL, CONFIGURATIONS, DEDICATED, FREE

if TYPE_CHECKING:
    from localcloud.aura.cloud import Aura
    from localcloud.aura.records import AuraInstance, AuraSnapshot
    from localcloud.records import Json

TENANT_NAME = "Local Cloud"


def moment(seconds: float) -> str:
    """Write Unix seconds as the API writes a time, e.g. ``2023-01-20T13:44:42Z``."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def connection_url(aura: Aura) -> str:
    """Return where instances are reached: one address for all, in plain HTTP behind a driver's scheme.

    A client turns ``neo4j://127.0.0.1:PORT`` into ``http://127.0.0.1:PORT`` and asks ``/db/{database}/query/v2``
    there. Bolt itself is not spoken.
    """
    return f"neo4j://127.0.0.1:{aura.settings.aura_port}"


def summary(instance: AuraInstance) -> Json:
    """Return an instance as it stands in a list."""
    return {
        "id": instance.id,
        "name": instance.name,
        "tenant_id": instance.tenant_id,
        "cloud_provider": instance.cloud_provider,
        "created_at": moment(instance.created),
    }


def created(aura: Aura, instance: AuraInstance, password: str) -> Json:
    """Return the answer to a creation: the only sight of the password, and neither status nor size."""
    return summary(instance) | {
        "connection_url": connection_url(aura),
        "username": instance.username,
        "password": password,
        "region": instance.region,
        "type": instance.type,
        "vector_optimized": instance.vector_optimized,
        "graph_analytics_plugin": instance.graph_analytics_plugin,
    }


def instance(aura: Aura, record: AuraInstance, *, status: str | None = None) -> Json:
    """Return an instance, with ``status`` where the answer is ahead of what a GET shows.

    A paused one has no address and no size, and one that is being resumed no address yet: so it was seen on Aura.
    """
    shown_status = status or aura.status(record)
    shown = summary(record) | {
        "status": shown_status,
        "connection_url": connection_url(aura),
        "region": record.region,
        "type": record.type,
        "memory": record.memory,
        "vector_optimized": record.vector_optimized,
        "graph_analytics_plugin": record.graph_analytics_plugin,
    }
    if record.type == FREE:
        shown["graph_nodes"] = "0"
        shown["graph_relationships"] = "0"
    else:
        shown["storage"] = record.storage
    if record.customer_managed_key_id:
        shown["customer_managed_key_id"] = record.customer_managed_key_id
    if record.type == DEDICATED:
        shown["secondaries_count"] = record.secondaries_count
    if record.type in {DEDICATED, BUSINESS_CRITICAL}:
        shown["cdc_enrichment_mode"] = record.cdc_enrichment_mode
    if record.status == "paused" and shown_status in {"paused", "resuming", DESTROYING}:
        shown["connection_url"] = None
        shown.pop("memory")
        shown.pop("storage", None)
    return shown


def snapshot(aura: Aura, record: AuraSnapshot) -> Json:
    """Return a snapshot."""
    return {
        "instance_id": record.instance_id,
        "snapshot_id": record.id,
        "profile": record.profile,
        "status": "Completed" if aura.is_complete(record) else "InProgress",
        "timestamp": moment(record.taken),
        "exportable": is_exportable(record),
    }


def is_exportable(record: AuraSnapshot) -> bool:
    """Whether a new instance can be made from a snapshot: only from one that was asked for."""
    return record.profile == "AdHoc"


def tenant_summary(aura: Aura) -> Json:
    """Return the tenant as it stands in a list."""
    return {"id": aura.settings.aura_tenant_id, "name": TENANT_NAME}


def tenant(aura: Aura) -> Json:
    """Return the tenant with all that it may create."""
    return tenant_summary(aura) | {
        "instance_configurations": [asdict(each) for each in CONFIGURATIONS]
    }
