"""Roles and databases of a branch that is a copy: of another, or of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from localcloud.neon import ids
from localcloud.records import Bucket, Database, Role, StoredObject

if TYPE_CHECKING:
    from localcloud.neon.cloud import Cloud


def copied_roles(cloud: Cloud, source_id: str, target_id: str, *, fresh: bool) -> list[Role]:
    """Return the roles of a copy, with new passwords if they are to be ``fresh``."""
    return [
        Role(
            target_id,
            role.name,
            ids.password() if fresh and role.password else role.password,
            role.created_at,
            role.updated_at,
            role.no_login,
        )
        for role in cloud.state.roles.of(source_id)
    ]


def copied_databases(cloud: Cloud, source_id: str, target_id: str) -> list[Database]:
    """Return the databases of a copy, with ids of their own."""
    return [
        Database(
            target_id,
            cloud.state.next_id(Database),
            database.name,
            database.owner_name,
            database.created_at,
            database.updated_at,
        )
        for database in cloud.state.databases.of(source_id)
    ]


def copied_buckets(cloud: Cloud, source_id: str, target_id: str) -> list[Bucket | StoredObject]:
    """Return the buckets and objects of a copy: as they are now, whatever its moment."""
    buckets = [replace(each, branch_id=target_id) for each in cloud.state.buckets.of(source_id)]
    objects = [replace(each, branch_id=target_id) for each in cloud.state.objects.of(source_id)]
    return [*buckets, *objects]
