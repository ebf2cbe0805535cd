"""What the API answers. Unknown fields and unknown states are no errors: the API may know more than we do."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 as below
from datetime import datetime  # noqa: TC003 pydantic reads the annotations at run time
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

Number: TypeAlias = int | float | str
"""The document says text, the service has been seen to send numbers."""

RUNNING: Final = "running"
PAUSED: Final = frozenset({"paused", "suspended"})
DESTROYING: Final = "destroying"
FAILED: Final = "loading failed"


def _text_or(otherwise: str) -> Callable[[object], str]:
    return lambda value: value if isinstance(value, str) and value else otherwise


class Answered(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class InstanceSummary(Answered):
    """An instance in a list."""

    id: str
    name: str
    tenant_id: str | None = None
    cloud_provider: str | None = None
    created_at: datetime | None = None


class Instance(Answered):
    """An instance. Never has a version, a user or a password."""

    id: str
    name: str
    status: str
    """`creating`, `running`, `paused`, …; also words that came after this was written."""
    connection_url: str | None = None
    """None while paused or resuming."""
    tenant_id: str | None = None
    cloud_provider: str | None = None
    region: str | None = None
    type: str | None = None
    memory: str | None = None
    """None at times while paused or destroyed."""
    storage: str | None = None
    created_at: datetime | None = None
    graph_nodes: Number | None = None


class CreatedInstance(Answered):
    """What a create answers: the only sight of the password."""

    id: str
    password: SecretStr
    # The rest comes with the first look too, or has a default. Whatever Aura sends there, the password must not be
    # lost.
    username: Annotated[str, BeforeValidator(_text_or("neo4j"))] = "neo4j"
    connection_url: Annotated[str, BeforeValidator(_text_or(""))] = ""
    created_at: Annotated[str, BeforeValidator(_text_or(""))] = ""


class InstanceConfiguration(Answered):
    """A combination that instances may have in a project."""

    type: str
    region: str
    cloud_provider: str
    memory: str
    version: str
    storage: str | None = None


class TenantSummary(Answered):
    """An Aura project in a list."""

    id: str
    name: str


class Tenant(TenantSummary):
    """An Aura project, with what may be made in it."""

    instance_configurations: tuple[InstanceConfiguration, ...] = ()


class SnapshotId(Answered):
    """What the request for a snapshot answers."""

    snapshot_id: str


class Snapshot(SnapshotId):
    """A snapshot of an instance."""

    status: str
    """`Completed`, `InProgress`, `Failed`, `Pending` or `Cancelled`."""
    instance_id: str | None = None
    timestamp: str | None = None
