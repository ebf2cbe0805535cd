"""What the Aura API remembers, one class for each kind of thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from localcloud.records import Json, Record


@dataclass(slots=True)
class AuraInstance(Record):
    """An Aura instance. Only the SHA-256 of its password is kept: no answer but the create's holds it.

    ``status`` is where it rests (``running`` or ``paused``). While an operation is under way, ``operation`` is the
    status of that time, from ``operation_from`` to ``operation_until`` (Unix seconds, as ``created``), and ``outcome``
    holds the fields that its end sets; ``{}`` with the operation ``destroying`` means the record's end.
    """

    KIND: ClassVar[str] = "aura_instance"
    id: str
    name: str
    tenant_id: str
    type: str
    cloud_provider: str
    region: str
    version: str
    memory: str
    storage: str
    username: str
    password_sha256: str
    created: float
    status: str
    operation: str | None = None
    operation_from: float = 0.0
    operation_until: float = 0.0
    outcome: Json = field(default_factory=dict)
    vector_optimized: bool = False
    graph_analytics_plugin: bool = False
    secondaries_count: int = 0
    cdc_enrichment_mode: str = "OFF"
    customer_managed_key_id: str | None = None


@dataclass(slots=True)
class AuraSnapshot(Record):
    """A snapshot of an Aura instance, from ``taken`` (Unix seconds) on; complete at ``completed``."""

    KIND: ClassVar[str] = "aura_snapshot"
    PARENT: ClassVar[str | None] = "instance_id"
    id: str
    instance_id: str
    profile: str
    taken: float
    completed: float


@dataclass(slots=True)
class AuraKey(Record):
    """A customer managed key: the name of one in a cloud's key service. It can be used from ``ready`` on."""

    KIND: ClassVar[str] = "aura_key"
    id: str
    name: str
    tenant_id: str
    key_id: str
    cloud_provider: str
    region: str
    instance_type: str
    created: float
    ready: float


@dataclass(slots=True)
class AuraSession(Record):
    """A graph analytics session, ``ready`` and then over at ``expires`` (Unix seconds)."""

    KIND: ClassVar[str] = "aura_session"
    id: str
    name: str
    tenant_id: str
    memory: str
    ttl: int
    instance_id: str | None
    database_uuid: str | None
    cloud_provider: str | None
    region: str | None
    created: float
    ready: float
    expires: float
