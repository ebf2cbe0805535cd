"""Roles and databases of a branch that is a copy: of another, or of a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon import ids
from localcloud.records import Database, Role

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
