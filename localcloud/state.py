"""Durable state: records in memory, written through to SQLite before an answer leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]


class Record:
    """A dataclass of JSON values: ``KEY`` names the fields that make it unique, ``PARENT`` that of what it belongs to."""

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

    ``lists_stale`` says that clients may have made or dropped roles and databases over SQL that the state does not know.
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


@dataclass(slots=True)
class Endpoint(Record):
    """A compute endpoint with its two loopback addresses: direct (``host``) and pooled."""

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


R = TypeVar("R", bound=Record)


class Table(dict[str, R]):
    """All records of one kind by key, with an index of what belongs to whom."""

    def __init__(self, record: type[R]) -> None:
        super().__init__()
        self.record = record
        self._children: dict[str, dict[str, R]] = {}

    def of(self, parent: str) -> list[R]:
        """Return the records that belong to ``parent``, oldest first."""
        return list(self._children.get(parent, {}).values())

    def insert(self, record: R) -> None:
        """Add or replace a record in memory only: :meth:`State.change` makes it durable."""
        self[record.key] = record
        self._children.setdefault(record.parent, {})[record.key] = record

    def remove(self, record: R) -> None:
        """Take a record out of memory only."""
        self.pop(record.key, None)
        siblings = self._children.get(record.parent, {})
        siblings.pop(record.key, None)
        if not siblings:
            self._children.pop(record.parent, None)


class Change:
    """The writes of one request, committed together."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.puts: dict[tuple[str, str], Record] = {}
        self.deletes: set[tuple[str, str]] = set()

    def put(self, *records: Record) -> None:
        """Add or replace records."""
        for record in records:
            self._state.table(record).insert(record)
            self.puts[record.KIND, record.key] = record
            self.deletes.discard((record.KIND, record.key))

    def delete(self, *records: Record) -> None:
        """Remove records."""
        for record in records:
            self._state.table(record).remove(record)
            self.puts.pop((record.KIND, record.key), None)
            self.deletes.add((record.KIND, record.key))


class State:
    """Everything the cloud knows. Used from the event loop's thread only.

    SQLite in WAL mode with ``synchronous=NORMAL``: a commit survives the process's death at any moment. A power cut
    can lose the last commits, which is fine for a cloud that lives and dies with its machine.
    """

    def __init__(self, path: Path) -> None:
        self.projects = Table(Project)
        self.branches = Table(Branch)
        self.endpoints = Table(Endpoint)
        self.roles = Table(Role)
        self.databases = Table(Database)
        self.operations = Table(Operation)
        self.api_keys = Table(ApiKey)
        self.permissions = Table(Permission)
        self.aura_instances = Table(AuraInstance)
        self.aura_snapshots = Table(AuraSnapshot)
        tables: list[Table[Any]] = [
            self.projects,
            self.branches,
            self.endpoints,
            self.roles,
            self.databases,
            self.operations,
            self.api_keys,
            self.permissions,
            self.aura_instances,
            self.aura_snapshots,
        ]
        self._tables: dict[str, Table[Any]] = {table.record.KIND: table for table in tables}
        path.touch(mode=0o600)
        self._sqlite = sqlite3.connect(path, isolation_level=None)
        self._sqlite.execute("PRAGMA journal_mode=WAL")
        self._sqlite.execute("PRAGMA synchronous=NORMAL")
        self._sqlite.execute(
            "CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
            "document TEXT NOT NULL, UNIQUE (kind, key))"
        )
        for kind, document in self._sqlite.execute(
            "SELECT kind, document FROM records ORDER BY number"
        ):
            table = self._tables[kind]
            table.insert(table.record(**json.loads(document)))

    def table(self, record: Record) -> Table[Any]:
        """Return the table that holds this kind of record."""
        return self._tables[record.KIND]

    @contextlib.contextmanager
    def change(self) -> Iterator[Change]:
        """Collect writes and commit them at the end of the block. The block must not await."""
        change = Change(self)
        yield change
        self._sqlite.execute("BEGIN IMMEDIATE")
        try:
            self._sqlite.executemany(
                "DELETE FROM records WHERE kind = ? AND key = ?", sorted(change.deletes)
            )
            self._sqlite.executemany(
                "INSERT INTO records (kind, key, document) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET document = excluded.document",
                [
                    (kind, key, json.dumps(dataclasses.asdict(record)))  # type: ignore[call-overload]
                    for (kind, key), record in change.puts.items()
                ],
            )
        except BaseException:
            self._sqlite.execute("ROLLBACK")
            raise
        self._sqlite.execute("COMMIT")

    def next_database_id(self) -> int:
        """Return an id that no database has."""
        return max((each.id for each in self.databases.values()), default=1_000_000) + 1

    def put(self, *records: Record) -> None:
        """Add or replace records in a commit of their own."""
        with self.change() as change:
            change.put(*records)

    def close(self) -> None:
        """Close the database file."""
        self._sqlite.close()
