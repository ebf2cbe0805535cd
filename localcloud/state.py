"""Durable state: records in memory, written through to SQLite before an answer leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar

from localcloud.aura.records import AuraInstance, AuraKey, AuraSession, AuraSnapshot
from localcloud.records import (
    ApiKey,
    Branch,
    Bucket,
    Database,
    Endpoint,
    Invitation,
    Jwks,
    Masking,
    Operation,
    Permission,
    Project,
    Record,
    Role,
    Snapshot,
    SpendingLimit,
    StoredObject,
    TransferRequest,
    Usage,
    VpcEndpoint,
    VpcRestriction,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

R = TypeVar("R", bound=Record)
_IDS_BEGIN = {Database.KIND: 1_000_000, ApiKey.KIND: 100_001}
"""What the numbers given as ids come after."""


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
        self.snapshots = Table(Snapshot)
        self.buckets = Table(Bucket)
        self.objects = Table(StoredObject)
        self.masking = Table(Masking)
        self.usage = Table(Usage)
        self.transfer_requests = Table(TransferRequest)
        self.jwks = Table(Jwks)
        self.vpc_restrictions = Table(VpcRestriction)
        self.vpc_endpoints = Table(VpcEndpoint)
        self.invitations = Table(Invitation)
        self.spending_limits = Table(SpendingLimit)
        self.aura_instances = Table(AuraInstance)
        self.aura_snapshots = Table(AuraSnapshot)
        self.aura_keys = Table(AuraKey)
        self.aura_sessions = Table(AuraSession)
        self._tables: dict[str, Table[Any]] = {
            table.record.KIND: table for table in vars(self).values() if isinstance(table, Table)
        }
        path.touch(mode=0o600)
        self._sqlite = sqlite3.connect(path, isolation_level=None)
        self._sqlite.execute("PRAGMA journal_mode=WAL")
        self._sqlite.execute("PRAGMA synchronous=NORMAL")
        self._sqlite.execute(
            "CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
            "document TEXT NOT NULL, UNIQUE (kind, key))"
        )
        self._sqlite.execute(
            "CREATE TABLE IF NOT EXISTS sequences (kind TEXT PRIMARY KEY, last INTEGER NOT NULL)"
        )
        for kind, document in self._sqlite.execute(
            "SELECT kind, document FROM records ORDER BY number"
        ):
            table = self._tables[kind]
            table.insert(table.record(**json.loads(document)))

    def table(self, record: Record) -> Table[Any]:
        """Return the table that holds this kind of record."""
        return self._tables[record.KIND]

    def belongings(self, parent: str) -> list[Record]:
        """Return every record, of whatever kind, that belongs to ``parent``."""
        return [record for table in self._tables.values() for record in table.of(parent)]

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

    def next_id(self, kind: type[Database | ApiKey]) -> int:
        """Return an id that no record of a kind has, nor ever had; one that is not used in the end is left out."""
        known = (each.id for each in self._tables[kind.KIND].values())
        row = self._sqlite.execute(
            "INSERT INTO sequences (kind, last) VALUES (?, ? + 1) "
            "ON CONFLICT (kind) DO UPDATE SET last = max(last + 1, excluded.last) RETURNING last",
            (kind.KIND, max(known, default=_IDS_BEGIN[kind.KIND])),
        ).fetchone()
        return int(row[0])

    def put(self, *records: Record) -> None:
        """Add or replace records in a commit of their own."""
        with self.change() as change:
            change.put(*records)

    def close(self) -> None:
        """Close the database file."""
        self._sqlite.close()
