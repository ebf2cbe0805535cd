"""What the local cloud remembers, one class for each kind of thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = dict[str, Any]


class Record:
    """A dataclass of JSON values: ``KEY`` names what makes it unique, ``PARENT`` the field of what it belongs to."""

    __slots__ = ()
    KIND: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    PARENT: ClassVar[str | None] = None

    @property
    def key(self) -> str:
        """The record's key."""
        return "/".join(str(getattr(self, name)) for name in self.KEY)

    @property
    def parent(self) -> str:
        """The key of the record that this one belongs to; empty at the top."""
        return str(getattr(self, self.PARENT)) if self.PARENT else ""


@dataclass(slots=True)
class Project(Record):
    """A Neon project. ``allowed_ips`` and the other settings are kept as the API shows them."""

    KIND: ClassVar[str] = "project"
    id: str
    name: str
    region_id: str
    pg_version: int
    org_id: str
    owner_id: str
    provisioner: str
    store_passwords: bool
    history_retention_seconds: int
    default_endpoint_settings: Json
    settings: Json
    created_at: str
    updated_at: str
    deleted_at: str | None = None


@dataclass(slots=True)
class Branch(Record):
    """A branch: one PostgreSQL data directory.

    ``lists_stale`` says that clients may have made or dropped roles and databases that the state does not know.
    ``logical_size`` (bytes) and ``wal_position`` are as they last were when a compute ended.
    ``history_from``: since when it has a history, where that is not since it was made. ``schedule``: when snapshots are
    taken, as the API shows it. ``deleted_by``: ``user``, or ``ttl`` for one that has expired.
    """

    KIND: ClassVar[str] = "branch"
    PARENT: ClassVar[str | None] = "project_id"
    id: str
    project_id: str
    name: str
    parent_id: str | None
    default: bool
    protected: bool
    current_state: str
    pending_state: str | None
    created_at: str
    updated_at: str
    state_changed_at: str
    init_source: str = "parent-data"
    expires_at: str | None = None
    deleted_at: str | None = None
    lists_stale: bool = False
    deleted_by: str = "user"
    expiry_set_at: str | None = None
    parent_lsn: str | None = None
    parent_timestamp: str | None = None
    history_from: str | None = None
    last_reset_at: str | None = None
    restored_from: str | None = None
    restored_as: str | None = None
    restore_status: str | None = None
    schedule: list[Json] = field(default_factory=list)
    scheduled_until: str | None = None
    logical_size: int = 0
    wal_position: int | None = None


@dataclass(slots=True)
class Endpoint(Record):
    """A compute endpoint with its two hosts: direct (``host``) and pooled.

    They are loopback addresses, or else names, which all lead to ``address``.
    """

    KIND: ClassVar[str] = "endpoint"
    PARENT: ClassVar[str | None] = "branch_id"
    id: str
    project_id: str
    branch_id: str
    host: str
    pooler_host: str
    type: str
    region_id: str
    autoscaling_limit_min_cu: float
    autoscaling_limit_max_cu: float
    suspend_timeout_seconds: int
    provisioner: str
    settings: Json
    pooler_enabled: bool
    pooler_mode: str
    disabled: bool
    passwordless_access: bool
    current_state: str
    pending_state: str | None
    created_at: str
    updated_at: str
    name: str | None = None
    started_at: str | None = None
    suspended_at: str | None = None
    last_active: str | None = None
    address: str = ""


@dataclass(slots=True)
class Role(Record):
    """A role of a branch. ``password`` is None where the API never knew it (made over SQL, or no login)."""

    KIND: ClassVar[str] = "role"
    KEY: ClassVar[tuple[str, ...]] = ("branch_id", "name")
    PARENT: ClassVar[str | None] = "branch_id"
    branch_id: str
    name: str
    password: str | None
    created_at: str
    updated_at: str
    no_login: bool = False


@dataclass(slots=True)
class Database(Record):
    """A database of a branch."""

    KIND: ClassVar[str] = "database"
    KEY: ClassVar[tuple[str, ...]] = ("branch_id", "name")
    PARENT: ClassVar[str | None] = "branch_id"
    branch_id: str
    id: int
    name: str
    owner_name: str
    created_at: str
    updated_at: str


@dataclass(slots=True)
class Operation(Record):
    """An operation as the API shows it, with ``task``: what a restart needs to carry it to its end."""

    KIND: ClassVar[str] = "operation"
    PARENT: ClassVar[str | None] = "project_id"
    id: str
    project_id: str
    action: str
    status: str
    created_at: str
    updated_at: str
    branch_id: str | None = None
    endpoint_id: str | None = None
    error: str | None = None
    failures_count: int = 0
    total_duration_ms: int = 0
    task: Json = field(default_factory=dict)


@dataclass(slots=True)
class ApiKey(Record):
    """An API key. Only its SHA-256 is kept. ``org_id`` is empty for a personal key."""

    KIND: ClassVar[str] = "api_key"
    PARENT: ClassVar[str | None] = "org_id"
    id: int
    name: str
    sha256: str
    org_id: str
    project_id: str | None
    created_at: str
    last_used_at: str | None = None
    last_used_from_addr: str = ""


@dataclass(slots=True)
class Permission(Record):
    """A project shared with an e-mail address."""

    KIND: ClassVar[str] = "permission"
    PARENT: ClassVar[str | None] = "project_id"
    id: str
    project_id: str
    granted_to_email: str
    granted_at: str


@dataclass(slots=True)
class Snapshot(Record):
    """A data directory that was a branch's at a moment; roles and databases of then belong to it as to a branch."""

    KIND: ClassVar[str] = "snapshot"
    PARENT: ClassVar[str | None] = "project_id"
    id: str
    project_id: str
    name: str
    source_branch_id: str
    created_at: str
    manual: bool
    expires_at: str | None = None
    lsn: str | None = None
    timestamp: str | None = None
    full_size: int | None = None


@dataclass(slots=True)
class Bucket(Record):
    """A bucket of a branch."""

    KIND: ClassVar[str] = "bucket"
    KEY: ClassVar[tuple[str, ...]] = ("branch_id", "name")
    PARENT: ClassVar[str | None] = "branch_id"
    branch_id: str
    name: str
    access_level: str
    created_at: str


@dataclass(slots=True)
class StoredObject(Record):
    """An object in a bucket; ``digest`` is the SHA-256 of its bytes."""

    KIND: ClassVar[str] = "object"
    KEY: ClassVar[tuple[str, ...]] = ("branch_id", "bucket", "key_name")
    PARENT: ClassVar[str | None] = "branch_id"
    branch_id: str
    bucket: str
    key_name: str
    size: int
    digest: str
    last_modified: str


@dataclass(slots=True)
class Masking(Record):
    """How a branch is made anonymous: its rules, and how far it is, both as the API shows them."""

    KIND: ClassVar[str] = "masking"
    KEY: ClassVar[tuple[str, ...]] = ("branch_id",)
    PARENT: ClassVar[str | None] = "branch_id"
    branch_id: str
    rules: list[Json]
    state: str
    created_at: str
    updated_at: str
    status_message: str | None = None
    failed_at: str | None = None
    last_run: Json = field(default_factory=dict)


@dataclass(slots=True)
class Usage(Record):
    """What the computes of a branch used in an hour (its beginning, as :func:`localcloud.clock.render` writes it)."""

    KIND: ClassVar[str] = "usage"
    KEY: ClassVar[tuple[str, ...]] = ("branch_id", "hour")
    PARENT: ClassVar[str | None] = "project_id"
    project_id: str
    branch_id: str
    hour: str
    active_seconds: float = 0.0
    compute_unit_seconds: float = 0.0
    written_bytes: int = 0


@dataclass(slots=True)
class TransferRequest(Record):
    """An offer of a project to whoever knows its id, until it is accepted or expires."""

    KIND: ClassVar[str] = "transfer_request"
    PARENT: ClassVar[str | None] = "project_id"
    id: str
    project_id: str
    created_at: str
    expires_at: str


@dataclass(slots=True)
class Jwks(Record):
    """Where the keys are listed by which a project's clients sign their tokens. None and []: as not given."""

    KIND: ClassVar[str] = "jwks"
    PARENT: ClassVar[str | None] = "project_id"
    id: str
    project_id: str
    jwks_url: str
    provider_name: str
    branch_id: str | None
    jwt_audience: str | None
    role_names: list[str]
    created_at: str
    updated_at: str


@dataclass(slots=True)
class VpcRestriction(Record):
    """A VPC endpoint from which alone a project takes connections."""

    KIND: ClassVar[str] = "vpc_restriction"
    KEY: ClassVar[tuple[str, ...]] = ("project_id", "vpc_endpoint_id")
    PARENT: ClassVar[str | None] = "project_id"
    project_id: str
    vpc_endpoint_id: str
    label: str


@dataclass(slots=True)
class VpcEndpoint(Record):
    """A VPC endpoint of the organization. A deleted one is kept: it cannot be assigned again."""

    KIND: ClassVar[str] = "vpc_endpoint"
    KEY: ClassVar[tuple[str, ...]] = ("region_id", "vpc_endpoint_id")
    PARENT: ClassVar[str | None] = "org_id"
    org_id: str
    region_id: str
    vpc_endpoint_id: str
    label: str
    deleted: bool = False


@dataclass(slots=True)
class Invitation(Record):
    """An invitation into the organization. Nobody is there to accept it."""

    KIND: ClassVar[str] = "invitation"
    PARENT: ClassVar[str | None] = "org_id"
    id: str
    org_id: str
    email: str
    role: str
    invited_by: str
    invited_at: str


@dataclass(slots=True)
class SpendingLimit(Record):
    """How many cents a month an organization means to spend at most."""

    KIND: ClassVar[str] = "spending_limit"
    KEY: ClassVar[tuple[str, ...]] = ("org_id",)
    org_id: str
    cents: int
